"""Events and projections over cffi: their rows as named tuples, and the calls of Engine.

Not here: rows of other kinds (_cffi_rows.py), other calls (_core_cffi.py).
"""

from __future__ import annotations

from typing import Any, List, Optional, Sequence, Tuple

from . import _cffi_library as c
from ._cffi_audit import entry
from ._cffi_given import read_mode
from ._cffi_library import Calls, Keeper, Wait, ffi, lib
from ._cffi_rows import STEP_STATES, TASK_STATES, each, state_name
from ._records import Appended, EventRow, ProjectionRow, StepPast, TaskPast

APPEND_STATUSES = c.names_of(lib.sw_append_status_name, lib.SW_APPEND_STATUS_COUNT)
_TEXTS = ("key", "correlation_id", "step", "actor", "reason")


def fill_event(keeper: Keeper, out: Any, row: Any) -> None:
    """Fill a sw_event_row."""
    task_id, type, data, version, *texts = c.read_row(row, "a row", 2, 9)
    out.task_id = keeper.uuid(task_id, "task_id")[0]
    out.type = keeper.text(type, "type")
    out.data = keeper.text(data, "data", optional=True)
    out.expected_version = 0 if version is None else c.read_int(version, "expected_version")
    for name, text in zip(_TEXTS, texts):
        setattr(out, name, keeper.text(text, name, optional=True))


def appended(row: Any) -> Appended:
    """A sw_event_appended."""
    status = state_name(APPEND_STATUSES, row.status)
    return Appended(row.position, row.version, status, row.code, c.text_of(row.message))


def event(row: Any) -> EventRow:
    """A sw_event."""
    return EventRow(
        row.entry.entry_no,
        row.entry.time_us,
        c.known(row.type),
        c.uuid_of(row.entry.task_id) if any(row.entry.task_id.bytes) else None,
        c.text_of(row.entry.step),
        c.text_of(row.data),
        c.text_of(row.key),
        c.text_of(row.correlation_id),
        entry(row.entry),
    )


def step_past(row: Any) -> StepPast:
    """A sw_step_past."""
    return StepPast(
        row.step_id,
        c.known(row.name),
        state_name(STEP_STATES, row.state),
        row.attempt,
        row.epoch,
        row.position,
        row.changed_us,
    )


def task_past(result: Any) -> TaskPast:
    """The sw_task_past of a result, with its steps."""
    row = lib.sw_tasks_past(result, ffi.NULL)[0]
    return TaskPast(
        c.uuid_of(row.task_id),
        c.known(row.workflow),
        c.known(row.version),
        state_name(TASK_STATES, row.state),
        row.position,
        row.time_us,
        dict(zip(STEP_STATES, row.step_counts)),
        [step_past(step) for step in each(lib.sw_steps_past, result)],
    )


def projection(row: Any) -> ProjectionRow:
    """A sw_projection."""
    return ProjectionRow(
        c.known(row.name),
        c.known(row.version),
        row.epoch,
        row.position,
        row.changed_us,
        c.text_of(row.state),
    )


class EventCalls(Calls):
    """Calls of an engine about events and projections."""

    def event_append(
        self, rows: Sequence[Tuple[Any, ...]], mode: Optional[str] = None, /
    ) -> List[Appended]:
        """Append events in one transaction."""
        keeper = Keeper()
        number = read_mode(mode, keeper)
        given = c.read_rows(rows, "rows")
        array = ffi.new("sw_event_row[]", len(given))
        c.fill_rows(array, given, lambda out, row: fill_event(keeper, out, row))
        _, result = self._result(lib.sw_event_append, array, len(given), number)
        return [appended(row) for row in each(lib.sw_events_appended, result)]

    def event_list(
        self,
        *,
        after: Optional[int] = None,
        before: Optional[int] = None,
        after_us: Optional[int] = None,
        before_us: Optional[int] = None,
        limit: Optional[int] = None,
        types: Optional[Sequence[str]] = None,
        task_id: Optional[str] = None,
        correlation_id: Optional[str] = None,
        newest_first: bool = False,
    ) -> List[EventRow]:
        """A page of events that match."""
        keeper = Keeper()
        filter = ffi.new("sw_event_filter *", {"size": ffi.sizeof("sw_event_filter")})
        numbers = {"after": after, "before": before, "after_us": after_us}
        numbers.update(before_us=before_us, limit=limit)
        for name, number in numbers.items():
            if number is not None:
                setattr(filter, name, c.read_int(number, name))
        if task_id is not None:
            filter.task_id = keeper.uuid(task_id, "task_id")[0]
        filter.correlation_id = keeper.text(correlation_id, "correlation_id", optional=True)
        filter.newest_first = 1 if newest_first else 0
        filter.types, filter.type_count = keeper.texts(types, "types")
        _, result = self._result(lib.sw_event_list, filter)
        return [event(row) for row in each(lib.sw_events, result)]

    def event_wait(self, after: int, wait_ms: int, /) -> int:
        """Wait until there is an event behind a position, the time is over or wake was called."""
        position = c.read_int(after, "after")
        wait = Wait(c.read_int(wait_ms, "wait_ms"))
        newest = ffi.new("int64_t *")
        while True:
            left = wait.next()
            self._call(lib.sw_event_wait, position, wait.slice_ms, newest)
            if newest[0] > position or wait.woken() or left == 0:
                return int(newest[0])

    def event_replay(self, task_id: str, until: int = 0, /) -> TaskPast:
        """A task as it was once the event at a position had happened, 0: as it is."""
        uuid = Keeper().uuid(task_id, "task_id")
        _, result = self._result(lib.sw_event_replay, uuid, c.read_int(until, "until"))
        return task_past(result)

    def projection_open(self, name: str, version: str, /) -> ProjectionRow:
        """The projection of this name, made anew when there is none of this version."""
        keeper = Keeper()
        names = (keeper.text(name, "name"), keeper.text(version, "version"))
        _, result = self._result(lib.sw_projection_open, *names)
        return projection(lib.sw_projections(result, ffi.NULL)[0])

    def projection_save(
        self, name: str, epoch: int, start: int, position: int, state: Optional[str], /
    ) -> None:
        """Replace position and state of a projection that still is at the position start."""
        keeper = Keeper()
        row = ffi.new("sw_projection *")
        row.name = keeper.text(name, "name")
        row.epoch = c.read_int(epoch, "epoch")
        begin = c.read_int(start, "start")
        row.position = c.read_int(position, "position")
        row.state = keeper.text(state, "state", optional=True)
        self._call(lib.sw_projection_save, row, begin)

    def projection_list(self) -> List[ProjectionRow]:
        """All projections, by name."""
        _, result = self._result(lib.sw_projection_list)
        return [projection(row) for row in each(lib.sw_projections, result)]

    def projection_delete(self, name: str, /) -> None:
        """Forget a projection."""
        keeper = Keeper()
        self._call(lib.sw_projection_delete, keeper.text(name, "name"))
