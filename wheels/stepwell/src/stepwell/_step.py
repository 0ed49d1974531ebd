"""One step of a workflow as declared, with or without a handler in this program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, TypeVar

from ._binding import core
from ._handler import CONTEXT, NO_RETRY, Handler
from ._retry import Retry, milliseconds

if TYPE_CHECKING:
    from typing import Callable

    from typing_extensions import ParamSpec

    from .workflow import After, Trigger, Workflow

    P = ParamSpec("P")
else:
    P = TypeVar("P")

R = TypeVar("R")


class Step(Handler[P, R]):
    """A declared step. Made by Workflow.step, external and kind."""

    def __init__(
        self,
        workflow: Workflow[Any],
        function: Optional[Callable[P, R]],
        *,
        name: Optional[str] = None,
        handler: Optional[str] = None,
        after: After = (),
        trigger: Optional[Trigger] = None,
        retry: Optional[Retry] = None,
        timeout: Optional[float] = None,
        deadline: Optional[float] = None,
        heartbeat: Optional[float] = None,
        queue: Optional[str] = None,
        priority: int = 0,
        on_failure: Optional[str] = None,
        breaker: Optional[str] = None,
        title: Optional[str] = None,
        parameters: Optional[Mapping[str, Any]] = None,
        metadata: Optional[Mapping[str, Any]] = None,
    ) -> None:
        self.workflow = workflow
        self.name: str = name or str(getattr(function, "__name__", ""))
        self.timeout = timeout
        self.deadline = deadline
        self.heartbeat = heartbeat
        super().__init__(
            function,
            handler or f"{workflow.name}.{self.name}",
            retry=retry,
            input=workflow.input_type,
        )
        self._after = _names(after)
        self._fields: Dict[str, Any] = {
            "trigger": dict(trigger) if isinstance(trigger, Mapping) else trigger,
            "queue": queue,
            "priority": priority or None,
            "on_failure": on_failure,
            "breaker": breaker,
            "title": title,
            "parameters": dict(parameters) if parameters else None,
            "metadata": dict(metadata) if metadata else None,
        }

    def __repr__(self) -> str:
        return f"<Step {self.name} of {self.workflow.name}>"

    def after(self) -> List[str]:
        """Names of the steps this one waits for: those of after= and those it takes results of."""
        known = self.workflow.steps
        taken = [name for name, _ in self.parameters if name != CONTEXT and name in known]
        return list(dict.fromkeys([*self._after, *taken]))

    def definition(self) -> Dict[str, Any]:
        """The step as it stands in a definition."""
        self._check_parameters()
        fields: Dict[str, Any] = {"name": self.name, "handler": self.handler}
        after = self.after()
        if after:
            fields["after"] = after
        if self.timeout is not None:
            fields["timeout_ms"] = milliseconds(self.timeout, "timeout")
        if self.deadline is not None:
            fields["deadline_ms"] = milliseconds(self.deadline, "deadline")
        if self.heartbeat is not None:
            fields["heartbeat_ms"] = milliseconds(self.heartbeat, "heartbeat")
        if self.retry is not NO_RETRY:
            fields["retry"] = self.retry.definition()
        fields.update((key, value) for key, value in self._fields.items() if value is not None)
        return fields

    def _check_parameters(self) -> None:
        for name, required in self.parameters:
            if required and name != CONTEXT and name not in self.workflow.steps:
                raise _refusal(
                    self,
                    f"the parameter {name} names no step of {self.workflow.name}; "
                    f"steps are {', '.join(self.workflow.steps)}",
                )


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
