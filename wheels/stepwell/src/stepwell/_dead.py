"""Dead letters: steps that have failed for good in any task, and two ways out.

DeadLetters is the part of Engine that finds, counts and changes them. Not here: changing single
steps by their numbers (Engine.batch_update_step_states).
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, NamedTuple, Optional

from ._binding import core
from ._values import encode

if TYPE_CHECKING:
    from .task import Task

_PAGE = 500
_BATCH = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def time_us(time: Optional[datetime]) -> Optional[int]:
    """Microseconds UTC, exactly."""
    if time is None:
        return None
    offset = time.utcoffset()
    if offset is None:
        raise core.InvalidArgumentError(f"{time} has no time zone")
    since = time.replace(tzinfo=None) - offset - datetime(1970, 1, 1)
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds


class BatchUpdate(NamedTuple):
    """How many steps were changed, and a row for each."""

    updated_count: int
    rows: List[core.Overridden]


class DeadLetter:
    """A step that has failed for good and holds up or failed its task: a picture of one moment.

    row has everything as the core tells it. A letter that somebody else has dealt with meanwhile
    refuses retry and resolve.
    """

    __slots__ = ("_engine", "row")

    def __init__(self, engine: DeadLetters, row: core.DeadRow) -> None:
        self._engine = engine
        self.row = row

    def __repr__(self) -> str:
        return f"<DeadLetter {self.workflow} {self.step} {self.error_class}>"

    @property
    def step_id(self) -> int:
        """Number of the step."""
        return self.row.step_id

    @property
    def task_id(self) -> str:
        """Identifier of its task."""
        return self.row.task_id

    @property
    def workflow(self) -> str:
        """Name of the workflow."""
        return self.row.workflow

    @property
    def step(self) -> str:
        """Name of the step."""
        return self.row.step

    @property
    def handler(self) -> str:
        """Name of its handler."""
        return self.row.handler

    @property
    def error_class(self) -> Optional[str]:
        """Class of the error of the last attempt."""
        return self.row.error_class

    @property
    def error_message(self) -> Optional[str]:
        """Message of the error of the last attempt."""
        return self.row.error_message

    @property
    def failed_at(self) -> datetime:
        """When it failed, UTC."""
        return _EPOCH + timedelta(microseconds=self.row.failed_us)

    @property
    def task(self) -> Task:
        """The task it belongs to."""
        from .task import Task

        return Task(self._engine, self.row.task_id)  # type: ignore[arg-type]

    def retry(self, *, actor: str, reason: str) -> core.Overridden:
        """Try the step again at once, for the attempts that are left or one more; its task goes
        on, with the steps that were cancelled because it had failed (on_failure "fail_task").
        Raises IllegalTransitionError when the step has not failed any more."""
        return self._engine.override([(self.step_id, "ready", actor, reason)])[0]

    def resolve(self, result: Any = None, *, actor: str, reason: str) -> core.Overridden:
        """Declare the step done: the steps that depend on it read result, and its task goes on.
        Raises IllegalTransitionError when the step has not failed any more."""
        text = encode(result, "result", core.InvalidArgumentError)
        row = (self.step_id, "resolved", actor, reason, text)
        return self._engine.override([row])[0]


class DeadLetters(core.Engine):
    """Dead letters of all tasks.

    Filters are workflow, handler, step and error_class, which match as a whole, and failed_after
    (that time or later) and failed_before, which need a zone.
    """

    def dead_letters(
        self,
        *,
        workflow: Optional[str] = None,
        handler: Optional[str] = None,
        step: Optional[str] = None,
        error_class: Optional[str] = None,
        failed_after: Optional[datetime] = None,
        failed_before: Optional[datetime] = None,
        limit: Optional[int] = None,
    ) -> Iterator[DeadLetter]:
        """Steps that have failed for good, newest first; read page by page while it is
        iterated."""
        place: Dict[str, Any] = {}
        left = limit
        while left is None or left > 0:
            page = self.dead_list(
                workflow=workflow,
                handler=handler,
                step=step,
                error_class=error_class,
                failed_after_us=time_us(failed_after),
                failed_before_us=time_us(failed_before),
                limit=_PAGE if left is None else min(left, _PAGE),
                **place,
            )
            for row in page:
                yield DeadLetter(self, row)
            if not page:
                return
            place = {"after_us": page[-1].failed_us, "after_step_id": page[-1].step_id}
            left = None if left is None else left - len(page)

    def count_dead_letters(
        self,
        *,
        workflow: Optional[str] = None,
        handler: Optional[str] = None,
        step: Optional[str] = None,
        error_class: Optional[str] = None,
        failed_after: Optional[datetime] = None,
        failed_before: Optional[datetime] = None,
    ) -> List[core.DeadGroup]:
        """How many there are of each error class and handler, most first."""
        return self.dead_count(
            workflow=workflow,
            handler=handler,
            step=step,
            error_class=error_class,
            failed_after_us=time_us(failed_after),
            failed_before_us=time_us(failed_before),
        )

    def retry_dead_letters(
        self, *, actor: str, reason: str, limit: Optional[int] = None, **filter: Any
    ) -> BatchUpdate:
        """Try all again that a filter finds, a thousand in one transaction; dead_letters with the
        same filter shows them before. Without a filter it means every one. Steps that were
        cancelled because one had failed go on with it, and are not among the rows."""
        return self._change_dead_letters("ready", actor, reason, None, limit, filter)

    def resolve_dead_letters(
        self,
        result: Any = None,
        *,
        actor: str,
        reason: str,
        limit: Optional[int] = None,
        **filter: Any,
    ) -> BatchUpdate:
        """Declare all done that a filter finds, likewise; their dependents read result."""
        text = encode(result, "result", core.InvalidArgumentError)
        return self._change_dead_letters("resolved", actor, reason, text, limit, filter)

    def _change_dead_letters(
        self,
        state: str,
        actor: str,
        reason: str,
        result: Optional[str],
        limit: Optional[int],
        filter: Dict[str, Any],
    ) -> BatchUpdate:
        for name in ("failed_after", "failed_before"):
            if name in filter:
                filter[f"{name}_us"] = time_us(filter.pop(name))
        changed: List[core.Overridden] = []
        place: Dict[str, Any] = {}
        while limit is None or len(changed) < limit:
            size = _BATCH if limit is None else min(_BATCH, limit - len(changed))
            found, rows = self.dead_override(
                state, actor, reason, result, limit=size, **place, **filter
            )
            changed += rows
            if len(found) < size:
                break
            place = {"after_us": found[-1].failed_us, "after_step_id": found[-1].step_id}
        return BatchUpdate(sum(row.status == "applied" for row in changed), changed)
