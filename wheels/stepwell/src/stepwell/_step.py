"""One step of a workflow and the handler bound to it.

A Step stays callable like the function it was made from, so handlers can be tested alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Generic, List, Mapping, Optional, TypeVar, get_type_hints

from ._binding import core
from ._retry import Retry, milliseconds
from ._shapes import build, is_shape

if TYPE_CHECKING:
    from typing import Callable

    from typing_extensions import ParamSpec

    from .context import Context
    from .workflow import After, Workflow

    P = ParamSpec("P")
else:
    P = TypeVar("P")

R = TypeVar("R")

_NO_RETRY = Retry(1)
_CONTEXT = "ctx"


class Step(Generic[P, R]):
    """A declared step. Made by Workflow.step, external and kind."""

    def __init__(
        self,
        workflow: Workflow[Any],
        function: Optional[Callable[P, R]],
        *,
        name: Optional[str] = None,
        handler: Optional[str] = None,
        after: After = (),
        retry: Optional[Retry] = None,
        timeout: Optional[float] = None,
        queue: Optional[str] = None,
        priority: int = 0,
        on_failure: Optional[str] = None,
        title: Optional[str] = None,
        parameters: Optional[Mapping[str, Any]] = None,
        metadata: Optional[Mapping[str, Any]] = None,
    ) -> None:
        if function is not None and not callable(function):
            raise TypeError(f"a step needs a function, not {function!r}")
        self.workflow = workflow
        self.function = function
        self.name: str = name or str(getattr(function, "__name__", ""))
        self.handler: str = handler or f"{workflow.name}.{self.name}"
        self.retry = retry or _NO_RETRY
        self.timeout = timeout
        self.is_async = function is not None and _is_async(function)
        self._after = _names(after)
        self._parameters = [] if function is None else _parameters(function, self.name)
        self._types: Optional[Dict[str, Any]] = None
        self._fields: Dict[str, Any] = {
            "queue": queue,
            "priority": priority or None,
            "on_failure": on_failure,
            "title": title,
            "parameters": dict(parameters) if parameters else None,
            "metadata": dict(metadata) if metadata else None,
        }
        self.__doc__ = function.__doc__ if function is not None else None

    def __repr__(self) -> str:
        return f"<Step {self.name} of {self.workflow.name}>"

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the handler itself, outside of any task."""
        if self.function is None:
            raise TypeError(f"the handler of {self.name} is not in this program")
        return self.function(*args, **kwargs)

    @property
    def injected(self) -> List[str]:
        """Names of the steps whose results the handler takes as parameters."""
        known = self.workflow.steps
        return [name for name, _ in self._parameters if name != _CONTEXT and name in known]

    def after(self) -> List[str]:
        """Names of the steps this one waits for."""
        return list(dict.fromkeys([*self._after, *self.injected]))

    def definition(self) -> Dict[str, Any]:
        """The step as it stands in a definition."""
        self._check_parameters()
        fields: Dict[str, Any] = {"name": self.name, "handler": self.handler}
        after = self.after()
        if after:
            fields["after"] = after
        if self.timeout is not None:
            fields["timeout_ms"] = milliseconds(self.timeout, "timeout")
        if self.retry is not _NO_RETRY:
            fields["retry"] = self.retry.definition()
        fields.update((key, value) for key, value in self._fields.items() if value is not None)
        return fields

    def _check_parameters(self) -> None:
        for name, required in self._parameters:
            if required and name != _CONTEXT and name not in self.workflow.steps:
                raise _refusal(
                    self,
                    f"the parameter {name} names no step of {self.workflow.name}; "
                    f"steps are {', '.join(self.workflow.steps)}",
                )

    def arguments(self, ctx: Context[Any]) -> Dict[str, Any]:
        """Keyword arguments of the handler for one attempt."""
        types = self._parameter_types()
        arguments: Dict[str, Any] = {}
        if any(name == _CONTEXT for name, _ in self._parameters):
            arguments[_CONTEXT] = ctx
        for name in self.injected:
            value = ctx.result(name)
            if name in types and value is not None:
                value = build(types[name], value, name)
            arguments[name] = value
        return arguments

    def _parameter_types(self) -> Dict[str, Any]:
        """Types of the injected parameters that results are built into."""
        if self._types is None:
            try:
                hints = get_type_hints(self.function) if self.injected else {}
            except (NameError, TypeError):
                hints = {}  # a type that is not there at run time leaves the value as it is
            self._types = {name: kind for name, kind in hints.items() if is_shape(kind)}
        return self._types


def _is_async(function: Any) -> bool:
    import inspect

    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)
    )


def _parameters(function: Any, step: str) -> List[Any]:
    """Pairs of the name of a parameter and whether it must be given."""
    import inspect

    parameters = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise TypeError(f"the handler of {step} takes {parameter.name} by position only")
        parameters.append((parameter.name, parameter.default is parameter.empty))
    return parameters


def _names(after: Any) -> List[str]:
    steps = [after] if isinstance(after, (str, Step)) else list(after)
    for step in steps:
        if not isinstance(step, (str, Step)):
            raise TypeError(f"after must name steps, not {step!r}")
    return [step if isinstance(step, str) else step.name for step in steps]


def _refusal(step: Step[Any, Any], message: str) -> core.DefinitionError:
    """A DefinitionError that points at the handler."""
    code = getattr(step.function, "__code__", None)
    line = code.co_firstlineno if code is not None else 0
    place = f"{code.co_filename}:{line}: " if code is not None else ""
    error = core.DefinitionError(f"{place}step {step.name}: {message}")
    error.findings = [
        {
            "severity": "error",
            "line": line,
            "column": 0,
            "path": f"steps.{step.name}",
            "message": message,
        }
    ]
    return error
