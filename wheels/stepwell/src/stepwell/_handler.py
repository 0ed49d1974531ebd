"""A Python function as the handler of a step, wherever the step was declared.

It knows what the function takes: ctx gets the Context, every other parameter the result of the
step of that name. It stays callable like the function itself, so handlers can be tested alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Generic, List, Optional, Tuple, TypeVar, get_type_hints

from ._retry import Retry
from ._shapes import build, is_shape

if TYPE_CHECKING:
    from typing import Callable

    from typing_extensions import ParamSpec

    from .context import Context

    P = ParamSpec("P")
else:
    P = TypeVar("P")

R = TypeVar("R")

CONTEXT = "ctx"
NO_RETRY = Retry(1)


class Handler(Generic[P, R]):
    """A function bound to a handler name. Made by Engine.handler; a Step is one too."""

    def __init__(
        self,
        function: Optional[Callable[P, R]],
        handler: str,
        *,
        retry: Optional[Retry] = None,
        input: Any = None,
    ) -> None:
        if function is not None and not callable(function):
            raise TypeError(f"the handler {handler} must be a function, not {function!r}")
        self.function = function
        self.handler = handler
        self.retry = retry or NO_RETRY
        self.input_type = input
        self.is_async = function is not None and _is_async(function)
        self.parameters = [] if function is None else _parameters(function, handler)
        self._types: Optional[Dict[str, Any]] = None
        self.__doc__ = function.__doc__ if function is not None else None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.handler}>"

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself, outside of any task."""
        if self.function is None:
            raise TypeError(f"the handler {self.handler} is not in this program")
        return self.function(*args, **kwargs)

    def input_of(self, value: Any) -> Any:
        """The input of a task as the function sees it."""
        return build(self.input_type, value, "input") if is_shape(self.input_type) else value

    def arguments(self, ctx: Context[Any]) -> Dict[str, Any]:
        """Keyword arguments for one attempt. Raises NotFoundError for a parameter that names no
        step before this one."""
        if not self.parameters:
            return {}
        types = self._parameter_types()
        upstream = ctx.upstream
        arguments: Dict[str, Any] = {}
        for name, required in self.parameters:
            if name == CONTEXT:
                arguments[name] = ctx
            elif required or name in upstream:
                value = ctx.result(name)
                if name in types and value is not None:
                    value = build(types[name], value, name)
                arguments[name] = value
        return arguments

    def _parameter_types(self) -> Dict[str, Any]:
        """Types of the parameters that results are built into."""
        if self._types is None:
            try:
                hints = get_type_hints(self.function) if self.parameters else {}
            except (NameError, TypeError):
                hints = {}  # a type that is not there at run time leaves the value as it is
            self._types = {name: kind for name, kind in hints.items() if is_shape(kind)}
        return self._types


def _is_async(function: Any) -> bool:
    import inspect

    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)
    )


def _parameters(function: Any, handler: str) -> List[Tuple[str, bool]]:
    """Names of the parameters, each with whether it must be given."""
    import inspect

    parameters = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise TypeError(f"the handler {handler} takes {parameter.name} by position only")
        parameters.append((parameter.name, parameter.default is parameter.empty))
    return parameters
