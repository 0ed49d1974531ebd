"""Workflows: declare steps, bind handlers to them, start tasks.

A Workflow collects steps and becomes an immutable definition when it is first used; the engine
knows definitions by their digest, so declaring the same steps again changes nothing.
Not here: running handlers (worker.py) and tasks (task.py).
"""

from __future__ import annotations

import json
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Generic,
    List,
    Mapping,
    Optional,
    Sequence,
    TypeVar,
    Union,
    overload,
)

from ._binding import core
from ._breaker import Breaker
from ._deadline import Deadline, deadline_fields
from ._identity import identify
from ._retry import Retry, milliseconds
from ._shapes import build, is_shape
from ._step import Step
from ._values import InputError, encode
from .task import Task

if TYPE_CHECKING:
    from typing_extensions import ParamSpec

    from .engine import Engine

    P = ParamSpec("P")
else:
    P = TypeVar("P")

R = TypeVar("R")
InputT = TypeVar("InputT")

After = Union[str, "Step[Any, Any]", Sequence[Union[str, "Step[Any, Any]"]]]
Trigger = Union[str, Mapping[str, int]]


class Workflow(Generic[InputT]):
    """A named, versioned DAG of steps. Made by Engine.workflow."""

    def __init__(
        self,
        engine: Engine,
        name: str,
        *,
        version: str = "",
        input: Any = None,
        description: Optional[str] = None,
        max_parallel: Optional[int] = None,
        on_failure: Optional[str] = None,
        breakers: Optional[Mapping[str, Breaker]] = None,
        deadline: Optional[float] = None,
        metadata: Optional[Mapping[str, Any]] = None,
    ) -> None:
        if input is not None and not is_shape(input) and not isinstance(input, dict):
            raise TypeError(
                f"input must be a dataclass, a TypedDict or a JSON Schema, not {input!r}"
            )
        self.engine = engine
        self.name = name
        self.version = version
        self.input_type: Any = input
        self.description = description
        self.max_parallel = max_parallel
        self.on_failure = on_failure
        self.breakers = dict(breakers or {})
        self.deadline = deadline
        self.metadata = metadata
        self.steps: Dict[str, Step[Any, Any]] = {}
        self._registered: Optional[str] = None
        self._digest = ""

    def __repr__(self) -> str:
        version = f" {self.version}" if self.version else ""
        return f"<Workflow {self.name}{version}: {len(self.steps)} steps>"

    @overload
    def step(self, function: Callable[P, R]) -> Step[P, R]: ...

    @overload
    def step(
        self,
        *,
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
        name: Optional[str] = None,
        handler: Optional[str] = None,
        title: Optional[str] = None,
    ) -> Callable[[Callable[P, R]], Step[P, R]]: ...

    def step(self, function: Optional[Callable[..., Any]] = None, **options: Any) -> Any:
        """Declare a step with the decorated function as its handler.

        A def runs in a thread of the worker, an async def on its event loop. The parameter ctx
        gets the Context; every other parameter gets the result of the step of that name, which
        thereby comes before this one. after names further steps to wait for, trigger what of all
        these has to happen: "all_succeeded" (the default), "all_done", "any_succeeded",
        "none_failed" or {"quorum": number}. timeout is seconds for one attempt, deadline for all
        attempts and the waits between them, from when the step first became ready; heartbeat is
        seconds that an attempt may say nothing (ctx.heartbeat) before it is ended; on_failure is
        "block", "skip_dependents", "fail_task" or "continue", and by default what the workflow
        says. breaker names the circuit breaker of the service that the step needs: while it is
        open, the step is not started.
        """
        if function is not None:
            return self._add(Step(self, function, **options))
        return lambda decorated: self._add(Step(self, decorated, **options))

    def external(
        self, name: str, *, handler: Optional[str] = None, **options: Any
    ) -> Step[Any, Any]:
        """Declare a step whose handler runs elsewhere, for example in a Ruby worker.

        handler defaults to "<workflow>.<step>"; the options are those of step, and parameters.
        """
        return self._add(Step(self, None, name=name, handler=handler, **options))

    def kind(
        self,
        name: str,
        kind: str,
        *,
        parameters: Optional[Mapping[str, Any]] = None,
        **options: Any,
    ) -> Step[Any, Any]:
        """Declare a step of a built-in kind, such as command or create_file.

        The engine's own runner executes it (`stepwell worker`); parameters are those of the kind.
        """
        return self._add(
            Step(self, None, name=name, handler=kind, parameters=parameters, **options)
        )

    def _add(self, step: Step[Any, Any]) -> Step[Any, Any]:
        if step.name in self.steps:
            raise core.DefinitionError(f"workflow {self.name} has a step {step.name} already")
        self.steps[step.name] = step
        return step

    def definition(self) -> Dict[str, Any]:
        """The definition as the engine loads it. Raises DefinitionError for what no engine is
        needed to see: parameters of handlers that name no step."""
        definition: Dict[str, Any] = {"stepwell": 1, "name": self.name, "version": self.version}
        if self.description is not None:
            definition["description"] = self.description
        if isinstance(self.input_type, dict):
            definition["input_schema"] = self.input_type
        if self.max_parallel is not None:
            definition["max_parallel"] = self.max_parallel
        if self.on_failure is not None:
            definition["on_failure"] = self.on_failure
        if self.breakers:
            definition["breakers"] = {
                name: breaker.definition() for name, breaker in self.breakers.items()
            }
        if self.deadline is not None:
            definition["deadline_ms"] = milliseconds(self.deadline, "deadline")
        if self.metadata:
            definition["metadata"] = dict(self.metadata)
        definition["steps"] = [step.definition() for step in self.steps.values()]
        return definition

    def register(self) -> str:
        """Store the definition, when it is not stored yet, and answer its digest.

        start and Worker call it; call it to see a DefinitionError early.
        """
        text = json.dumps(self.definition(), ensure_ascii=False, separators=(",", ":"))
        if text != self._registered:
            self._digest = self.engine.register(text, source=self.name).digest
            self._registered = text
        return self._digest

    def start(
        self,
        input: Union[InputT, Mapping[str, Any], None] = None,
        *,
        key: Optional[str] = None,
        identity_strategy: Optional[str] = None,
        tags: Sequence[str] = (),
        priority: int = 0,
        correlation_id: Optional[str] = None,
        initiator: Optional[str] = None,
        reason: Optional[str] = None,
        deadline: Deadline = None,
        parent: Union[str, Task, None] = None,
    ) -> Task:
        """Start a task. With a key that a task of this workflow has already, answer that task.

        identity_strategy "strict" makes the input the key, "caller_provided" requires a key and
        "always_unique" forbids one; other combinations raise InvalidArgumentError. Raises
        InputError when the input does not fit, ConflictError when the key is known with another
        input.

        deadline is how many seconds the task may take (a number or a timedelta), or when it has to
        have ended (a datetime; a naive one is local time); by default what the workflow says.

        parent is the task that starts this one, or its id: Engine.tasks and list find this one by
        it. Raises NotFoundError when there is no such task.
        """
        return self.start_many(
            [input],
            keys=[key],
            identity_strategy=identity_strategy,
            tags=tags,
            priority=priority,
            correlation_id=correlation_id,
            initiator=initiator,
            reason=reason,
            deadline=deadline,
            parent=parent,
        )[0]

    def start_many(
        self,
        inputs: Sequence[Union[InputT, Mapping[str, Any], None]],
        *,
        keys: Optional[Sequence[Optional[str]]] = None,
        identity_strategy: Optional[str] = None,
        tags: Sequence[str] = (),
        priority: int = 0,
        correlation_id: Optional[str] = None,
        initiator: Optional[str] = None,
        reason: Optional[str] = None,
        deadline: Deadline = None,
        parent: Union[str, Task, None] = None,
    ) -> List[Task]:
        """Start many tasks in one transaction, all or none; 100,000 at most.

        keys has one for each input, None for none. The answer is in the order of the inputs;
        Task.created says which are new. Raises as start; of errors of the engine row says which
        input.
        """
        if keys is not None and len(keys) != len(inputs):
            raise ValueError(f"{len(inputs)} inputs have {len(keys)} keys")
        self.register()
        rest = (
            *(self.version, tuple(tags), priority, initiator, reason, correlation_id),
            *deadline_fields(deadline),
            parent,
        )
        rows = []
        for i, input in enumerate(inputs):
            key = None if keys is None else keys[i]
            rows.append((self.name, *identify(self._input_text(input), key, identity_strategy), *rest))
        submitted = self.engine.submit(rows)
        return [Task(self.engine, row.task_id, created=row.created) for row in submitted]

    def _input_text(self, input: Any) -> Optional[str]:
        text = encode(input, "input", InputError)
        if is_shape(self.input_type):
            build(self.input_type, None if text is None else json.loads(text), "input")
        return text

    def handlers(self) -> Dict[str, Step[Any, Any]]:
        """The steps that have a Python handler, by handler name."""
        return {step.handler: step for step in self.steps.values() if step.function is not None}
