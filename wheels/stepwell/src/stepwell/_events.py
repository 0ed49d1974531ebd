"""Events: appending them, reading them, waiting for them.

Events is the part of Engine that does so. A stream is a task, a position the number of an entry of
the audit log, and the version of a stream the position of its newest event. Not here: folding
events (projection.py).
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, List, Optional, Sequence, Union

from ._binding import core
from ._dead import time_us
from ._values import decode, encode

if TYPE_CHECKING:
    from .task import Task

_PAGE = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_OPTIONS = ("expected_version", "key", "correlation_id", "step", "actor", "reason")


def id_of(task: Union[str, Task]) -> str:
    """The identifier of a task that may be given as one; what is neither, the core refuses."""
    given: Any = task
    found: str = given if isinstance(given, str) else getattr(given, "id", given)
    return found


class Event:
    """An event. row has everything as the core tells it, also the entry of the audit log."""

    __slots__ = ("row",)

    def __init__(self, row: core.EventRow) -> None:
        self.row = row

    def __repr__(self) -> str:
        return f"<Event {self.position} {self.type}>"

    @property
    def position(self) -> int:
        """Number of its entry in the audit log."""
        return self.row.position

    @property
    def type(self) -> str:
        """Like "step.completed", or what was appended."""
        return self.row.type

    @property
    def task_id(self) -> Optional[str]:
        """Its stream."""
        return self.row.task_id

    @property
    def step(self) -> Optional[str]:
        """Name of the step it is about."""
        return self.row.step

    @property
    def key(self) -> Optional[str]:
        """Key of an appended event."""
        return self.row.key

    @property
    def correlation_id(self) -> Optional[str]:
        """Correlation id of an appended event."""
        return self.row.correlation_id

    @property
    def time(self) -> datetime:
        """When it happened, in UTC."""
        return _EPOCH + timedelta(microseconds=self.row.time_us)

    @property
    def data(self) -> Any:
        """Of an appended event what was appended, of task.submitted the input, of step.completed
        and step.resolved the result, of step.failed a dict with class, message and detail. None
        where the store does not have it any more."""
        return decode(self.row.data)


def read_events(
    engine: core.Engine, limit: Optional[int], newest_first: bool, filter: Dict[str, Any]
) -> Iterator[core.EventRow]:
    """The rows that a filter finds, page by page."""
    left = limit
    while left is None or left > 0:
        size = _PAGE if left is None else min(left, _PAGE)
        page = engine.event_list(limit=size, newest_first=newest_first, **filter)
        yield from page
        if len(page) < size:
            return
        left = None if left is None else left - size
        filter["before" if newest_first else "after"] = page[-1].position


class Events(core.Engine):
    """Calls about events; docs/guide/events.md lists the types of the engine's own."""

    def append_event(
        self,
        task: Union[str, Task],
        type: str,
        data: Any = None,
        *,
        expected_version: Optional[int] = None,
        key: Optional[str] = None,
        correlation_id: Optional[str] = None,
        step: Optional[str] = None,
        actor: Optional[str] = None,
        reason: Optional[str] = None,
    ) -> core.Appended:
        """Append one event to the stream of a task.

        data is anything that JSON can hold. expected_version is the version that the stream must
        have; without it, any. Appending with a known key does nothing, and answers the first event.
        step is what the event is about, actor and reason are for the audit log.

        Raises VersionConflictError, whose version says which the stream has, ConflictError where
        the key is known with another type, data or correlation id, NotFoundError,
        IllegalTransitionError where the task was erased or has no such step.
        """
        options = (expected_version, key, correlation_id, step, actor, reason)
        text = encode(data, "data", core.InvalidArgumentError)
        appended = self.event_append([(id_of(task), type, text, *options)], "partial")[0]
        if appended.status != "refused":
            return appended
        raise _refusal_of(appended, expected_version)

    def append_events(
        self, rows: Iterable[Sequence[Any]], *, mode: str = "all_or_nothing"
    ) -> List[core.Appended]:
        """Append several in one transaction, each checked after those before it.

        Rows are (task, type, data, options), options a dict with the other arguments of
        append_event; the last two may be left out. To append several to one stream at a version,
        expect it in the first only: nobody comes between. With the mode "partial" a row that is
        refused leaves the others; else it raises what append_event does, and row says which.
        """
        return self.event_append([_row_of(row) for row in rows], mode)

    def events(
        self,
        *,
        after: int = 0,
        before: Optional[int] = None,
        types: Union[str, Sequence[str], None] = None,
        task: Union[str, Task, None] = None,
        correlation_id: Optional[str] = None,
        since: Optional[datetime] = None,
        until: Optional[datetime] = None,
        newest_first: bool = False,
        limit: Optional[int] = None,
    ) -> Iterator[Event]:
        """Events that match, read page by page while they are iterated.

        after and before are positions, which are not included. correlation_id is that of the task
        or of the event itself. since is a time, until one that is not included; both with a time
        zone.
        """
        filter = _filter_of(types, task, correlation_id)
        filter.update(after=after, before=before)
        filter.update(after_us=time_us(since), before_us=time_us(until))
        return (Event(row) for row in read_events(self, limit, newest_first, filter))

    def follow_events(
        self,
        *,
        after: int = 0,
        types: Union[str, Sequence[str], None] = None,
        task: Union[str, Task, None] = None,
        correlation_id: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> Iterator[Event]:
        """The same from a position on, without end: waits for what comes. timeout is after how many
        seconds without a new event it ends."""
        wait_ms = -1 if timeout is None else max(0, int(timeout * 1000))
        while True:
            newest = self.event_wait(after, wait_ms)
            if newest <= after:
                if wait_ms < 0:
                    continue  # woken
                return
            filter = _filter_of(types, task, correlation_id)
            filter.update(after=after, before=newest + 1)
            for row in read_events(self, None, False, filter):
                yield Event(row)
            after = newest

    def projections(self) -> List[core.ProjectionRow]:
        """All projections that are kept, by name."""
        return self.projection_list()


def _row_of(row: Sequence[Any]) -> Any:
    task, type, data, options = (*row, None, None)[:4] if len(row) < 4 else row
    options = options or {}
    unknown = set(options) - set(_OPTIONS)
    if unknown:
        raise TypeError(f"an event has no {sorted(unknown)[0]}")
    text = encode(data, "data", core.InvalidArgumentError)
    return (id_of(task), type, text, *(options.get(name) for name in _OPTIONS))


def _filter_of(types: Any, task: Any, correlation_id: Optional[str]) -> Dict[str, Any]:
    return {
        "types": [types] if isinstance(types, str) else types,
        "task_id": None if task is None else id_of(task),
        "correlation_id": correlation_id,
    }


def _refusal_of(appended: core.Appended, expected_version: Optional[int]) -> core.Error:
    for kind in (
        core.VersionConflictError,
        core.ConflictError,
        core.NotFoundError,
        core.IllegalTransitionError,
    ):
        if kind.code == appended.code:
            break
    error = kind(appended.message)
    if isinstance(error, core.VersionConflictError):
        error.version = appended.version
        error.expected_version = expected_version
    return error
