"""Tasks: look at one, wait for it, cancel it, read its history.

A Task is a reference: every property asks the engine, so it is never stale. Not here: starting
tasks (Workflow.start) and listing them (Engine.tasks).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Dict, Generator, Iterator, List, Optional

from ._audit import TaskAudit
from ._task_file import TaskFile
from ._binding import core
from ._values import decode

if TYPE_CHECKING:
    from ._audit import Checkpoint, FilePath
    from ._events import Event
    from .engine import Engine

_POLL_MIN_S = 0.005
_POLL_MAX_S = 0.25


class Explanation(List["core.Reason"]):
    """Reasons why steps do not run; as text, one sentence per line."""

    def __str__(self) -> str:
        return "\n".join(reason.message for reason in self)


class Task:
    """One execution of a workflow. created says whether the call that gave it made it."""

    __slots__ = ("engine", "id", "created")

    def __init__(self, engine: Engine, id: str, *, created: bool = False) -> None:
        self.engine = engine
        self.id = id
        self.created = created

    def __repr__(self) -> str:
        return f"<Task {self.id}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Task) and other.id == self.id and other.engine is self.engine

    def __hash__(self) -> int:
        return hash(self.id)

    def row(self) -> core.TaskRow:
        """Everything the store knows about the task but its steps."""
        return self.engine.get(self.id)[0]

    @property
    def status(self) -> str:
        """State: pending, running, paused, succeeded, failed, cancelled or resolved."""
        return self.row().state

    @property
    def done(self) -> bool:
        """Whether the task has ended, in whichever state."""
        return self.status in core.TASK_STATES_ENDED

    @property
    def input(self) -> Any:
        """Input as plain JSON values."""
        return decode(self.row().input)

    @property
    def parent_id(self) -> Optional[str]:
        """Id of the task that started this one, None when none did; it may have been pruned."""
        return self.row().parent_id

    @property
    def steps(self) -> Dict[str, core.StepRow]:
        """Steps by name, in topological order."""
        return {step.name: step for step in self.engine.get(self.id)[1]}

    def result(self, step: Any) -> Any:
        """Result of a step by name.

        Raises NotFoundError when there is no such step, IllegalTransitionError while or because
        it has not succeeded.
        """
        name = step if isinstance(step, str) else step.name
        row = self.steps.get(name)
        if row is None:
            raise core.NotFoundError(f"task {self.id} has no step {name}")
        if row.state != "succeeded":
            why = f" ({row.error_class}: {row.error_message})" if row.error_class else ""
            raise core.IllegalTransitionError(f"step {name} is {row.state}{why}, it has no result")
        return decode(row.result)

    def explain(self, step: Any = None) -> Explanation:
        """Why a step, or each step that has not ended, is not running."""
        name = step if step is None or isinstance(step, str) else step.name
        return Explanation(self.engine.explain(self.id, name))

    def context(self) -> core.TaskContext:
        """Where the task stands: how it goes on, what blocks it, what comes next."""
        return self.engine.get_task_execution_context(self)

    def forecast(self, **changes: Any) -> core.Forecast:
        """When the task ends, and what changes would do to that; see Engine.forecast."""
        return self.engine.forecast(self.id, **changes)

    def picture(self, format: str = "svg", **options: Any) -> str:
        """The task as it stands, drawn; see Engine.picture."""
        return self.engine.picture(self, format, **options)

    def gantt(self, format: str = "svg", **options: Any) -> str:
        """Its attempts along a time line; see Engine.gantt."""
        return self.engine.gantt(self, format, **options)

    def export(
        self, path: Optional[FilePath] = None, *, checkpoint: Optional[Checkpoint] = None
    ) -> TaskFile:
        """The task as one file: definition, states, payloads, all that the audit log says of it,
        and proofs, which lead to checkpoint, or without one to a root that nobody has signed. It
        is written to path when that is given. Raises AuditError when the log is not the one of the
        checkpoint."""
        return TaskFile.of(self, path, checkpoint)

    @property
    def audit(self) -> TaskAudit:
        """What the audit log says of the task, and proofs of it."""
        return TaskAudit(self.engine, self.id)

    def history(self) -> List[core.AuditEntry]:
        """Every transition of the task and its steps, oldest first."""
        return self.engine.audit_task(self.id)

    def append(self, type: str, data: Any = None, **options: Any) -> core.Appended:
        """Append an event to the stream of the task; see Engine.append_event."""
        return self.engine.append_event(self, type, data, **options)

    def events(self, **filter: Any) -> Iterator[Event]:
        """The events of the task; see Engine.events."""
        return self.engine.events(task=self, **filter)

    @property
    def version(self) -> int:
        """The version of its stream: the position of its newest event."""
        return self.engine.event_replay(self.id).position

    def as_of(self, position: int) -> core.TaskPast:
        """The task as it was once the event at a position had happened. Raises NotFoundError where
        it was not there yet."""
        return self.engine.event_replay(self.id, position)

    def cancel(self, *, reason: Optional[str] = None, actor: Optional[str] = None) -> None:
        """Cancel every step that has not ended. Raises IllegalTransitionError when the task has
        ended already."""
        self.engine.cancel([(self.id, actor, reason)])

    def wait(self, timeout: Optional[float] = None) -> Task:
        """Wait until the task has ended and answer it; look at status for how.

        timeout is seconds, None waits without end. Raises WaitTimeoutError when it is over.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left_ms = -1
            if deadline is not None:
                left_ms = max(0, round((deadline - time.monotonic()) * 1000))
            row, _ = self.engine.wait(self.id, left_ms)
            if row.state in core.TASK_STATES_ENDED:
                return self
            if left_ms == 0:
                raise core.WaitTimeoutError(
                    f"task {self.id} is still {row.state} after {timeout:g} s; "
                    "explain() says what it waits for"
                )

    def __await__(self) -> Generator[Any, None, Task]:
        return self.wait_async().__await__()

    async def wait_async(self, timeout: Optional[float] = None) -> Task:
        """The same as wait, for coroutines; `await task` waits without end."""
        import asyncio

        deadline = None if timeout is None else time.monotonic() + timeout
        loop = asyncio.get_running_loop()
        delay = _POLL_MIN_S
        while True:
            state = await loop.run_in_executor(None, self._state)
            if state in core.TASK_STATES_ENDED:
                return self
            if deadline is not None and time.monotonic() >= deadline:
                raise core.WaitTimeoutError(f"task {self.id} is still {state} after {timeout:g} s")
            await asyncio.sleep(delay)
            delay = min(delay * 2, _POLL_MAX_S)

    def _state(self) -> str:
        return self.row().state
