"""Projections: folds over events, kept with the position they have reached.

    revenue = Projection("revenue")

    @revenue.on("order.paid")
    def paid(state: dict, event: Event) -> None:
        state["total"] = state.get("total", 0) + event.data["cents"]

    revenue.catch_up(engine).state

Position and state are saved together, so that an event counts once, whatever is killed when; of
two processes that fold the same events one is refused, and takes up what the other has saved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, NamedTuple, Optional, TypeVar

from ._binding import core
from ._events import Event, read_events
from ._values import decode, encode

if TYPE_CHECKING:
    from .engine import Engine

_BATCH = 1000

HandlerT = TypeVar("HandlerT", bound=Callable[[Any, Event], None])


class Snapshot(NamedTuple):
    """Where a projection stands."""

    position: int
    state: Any


class ProjectionError(core.Error):
    """A handler of a projection raised; __cause__ is what it raised."""

    projection: Projection
    event: Event


class Projection:
    """A fold over events, kept under a name.

    version is that of the code: with another one the projection begins anew. initial makes the
    state before the first event, of what JSON knows; handlers change it in place.
    """

    def __init__(
        self, name: str, *, version: str = "1", initial: Callable[[], Any] = dict
    ) -> None:
        self.name = name
        self.version = version
        self._initial = initial
        self._handlers: Dict[str, Callable[[Any, Event], None]] = {}

    def __repr__(self) -> str:
        return f"<Projection {self.name}>"

    def on(self, *types: str) -> Callable[[HandlerT], HandlerT]:
        """Say what events of these types do: the decorated function gets the state and the event."""
        if not types:
            raise TypeError("on needs a type")

        def bind(handler: HandlerT) -> HandlerT:
            for type in types:
                self._handlers[type] = handler
            return handler

        return bind

    def catch_up(self, engine: Engine, *, batch: int = _BATCH) -> Snapshot:
        """Fold all events that have come, so many in one transaction (at most 10,000).

        Raises ProjectionError when a handler does; the events of its transaction do not count.
        """
        row = self._open(engine)
        newest = engine.event_wait(0, 0)
        while row.position < newest:
            try:
                row = self._fold(engine, row, newest, batch)
            except core.VersionConflictError:
                # Another process, an erasure or another version was quicker.
                row = self._open(engine)
        return self._snapshot_of(row)

    def run(
        self, engine: Engine, *, timeout: Optional[float] = None, batch: int = _BATCH
    ) -> Iterator[Snapshot]:
        """Catch up, and again whenever something comes: a snapshot after each time.

        timeout is after how many seconds without a new event it ends.
        """
        wait_ms = -1 if timeout is None else max(0, int(timeout * 1000))
        while True:
            snapshot = self.catch_up(engine, batch=batch)
            yield snapshot
            while engine.event_wait(snapshot.position, wait_ms) <= snapshot.position:
                if wait_ms >= 0:
                    return

    def rebuild(self, engine: Engine, *, batch: int = _BATCH) -> Snapshot:
        """Begin anew with the first event. Raises ProjectionError."""
        try:
            engine.projection_delete(self.name)
        except core.NotFoundError:
            pass  # it has not begun yet
        return self.catch_up(engine, batch=batch)

    def snapshot(self, engine: Engine) -> Snapshot:
        """Where it stands, without folding anything."""
        return self._snapshot_of(self._open(engine))

    def at(self, engine: Engine, position: int) -> Snapshot:
        """What the state was once the event at a position had happened.

        Begins at what is kept when that is not behind the position, else with the first event;
        nothing is kept. Raises ProjectionError.
        """
        kept = self.snapshot(engine)
        if kept.position > position:
            kept = self._snapshot_of(None)
        filter = {"after": kept.position, "before": position + 1, "types": self._types()}
        for row in read_events(engine, None, False, filter):
            self._apply(kept.state, Event(row))
        return Snapshot(position, kept.state)

    def _types(self) -> List[str]:
        if not self._handlers:
            raise core.InvalidArgumentError(f"{self!r} has no handler")
        return list(self._handlers)

    def _open(self, engine: Engine) -> core.ProjectionRow:
        return engine.projection_open(self.name, self.version)

    def _snapshot_of(self, row: Optional[core.ProjectionRow]) -> Snapshot:
        text = row.state if row else None
        if text is None:  # through JSON, so that the first state is like all later ones
            text = encode(self._initial(), "state", core.InvalidArgumentError)
        return Snapshot(row.position if row else 0, decode(text))

    def _apply(self, state: Any, event: Event) -> None:
        try:
            self._handlers[event.type](state, event)
        except Exception as cause:
            error = ProjectionError(
                f"{self.name}: event {event.position} ({event.type}): "
                f"{type(cause).__name__}: {cause}"
            )
            error.projection = self
            error.event = event
            raise error from cause

    def _fold(
        self, engine: Engine, row: core.ProjectionRow, newest: int, batch: int
    ) -> core.ProjectionRow:
        state = self._snapshot_of(row).state
        page = engine.event_list(
            after=row.position, before=newest + 1, types=self._types(), limit=batch
        )
        for event in page:
            self._apply(state, Event(event))
        position = newest if len(page) < batch else page[-1].position
        text = encode(state, "state", core.InvalidArgumentError)
        engine.projection_save(self.name, row.epoch, row.position, position, text)
        return self._open(engine)
