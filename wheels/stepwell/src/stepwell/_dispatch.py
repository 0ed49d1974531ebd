"""The loop between the engine and an executor: report what has ended, claim what there is room for.

One dispatcher has one entry in the store, one executor and one thread. While it waits inside an
exchange, an outcome that becomes ready wakes the engine, so reporting never waits for new work.
Every change of the running attempts is made under one lock; whoever takes an attempt out of the
table decides its fate, so an outcome is reported once or, when it was dropped, never.
Not here: when to renew and when to stop (worker.py).
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Sequence, Tuple

from ._attempt import Attempt, Outcome
from ._binding import core

if TYPE_CHECKING:
    from ._executors import Executor, Report
    from ._handler import Handler
    from .engine import Engine

log = logging.getLogger("stepwell.worker")

_WAIT_MS = 1_000
_PAUSE_MIN_S = 0.05
_PAUSE_MAX_S = 5.0

# The store may recover from these; nothing was written, so the rows are sent again.
_PASSING = (core.BusyError, core.StorageError, core.StorageFullError, MemoryError)

# These are about one row of the batch when they name one.
_OF_A_ROW = (core.InvalidArgumentError, core.LimitError, core.NotFoundError)


class Dispatcher:
    """Feeds one executor."""

    def __init__(
        self,
        engine: Engine,
        handlers: Dict[str, Handler[Any, Any]],
        make_executor: Callable[[Report], Executor],
        *,
        name: Optional[str],
        queues: Optional[Sequence[str]],
        lease_ms: int,
        on_deadline: Callable[[], None],
        on_end: Callable[[], None],
    ) -> None:
        self.error: Optional[BaseException] = None
        self._engine = engine
        self._handlers = handlers
        self._on_deadline = on_deadline
        self._on_end = on_end
        self._changed = threading.Condition()
        self._running: Dict[Tuple[int, int], Attempt] = {}
        self._outcomes: List[Outcome] = []
        self._waiting = False
        self._stopping = False
        self._pause_s = 0.0
        self._executor = make_executor(self.report)
        self._worker_id = engine.worker_open(
            list(handlers), name=name, queues=queues, lease_ms=lease_ms
        )
        self._thread = threading.Thread(target=self._run, name="stepwell-dispatch", daemon=True)

    def start(self) -> None:
        """Begin to claim, with a lease that no busy handler can stop."""
        self._engine.worker_keep(self._worker_id)
        self._thread.start()

    def stop(self) -> None:
        """Claim no more; the thread ends when nothing runs any longer."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._engine.wake()

    def join(self, timeout: float) -> bool:
        """Whether the thread has ended within so many seconds, or has never begun."""
        if self._thread.ident is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def abort(self) -> None:
        """Drop everything that still runs; close gives the steps back. All are marked first, lest
        a thread that becomes free takes one that waits in line."""
        attempts = self._attempts()
        for attempt in attempts:
            attempt.drop()
        for attempt in attempts:
            self._drop(attempt.hold)

    def close(self) -> None:
        """Leave the store; steps that are held still become ready again."""
        self._executor.close()
        try:
            self._engine.worker_close(self._worker_id)
        except core.Error as error:
            log.warning("worker %d could not leave: %s", self._worker_id, error)

    def report(self, attempt: Attempt, outcome: Outcome) -> None:
        """Take an outcome; called by the executor on any thread."""
        with self._changed:
            if self._running.pop(attempt.hold, None) is None:
                return  # dropped before; the engine would refuse it as well
            self._outcomes.append(outcome)
            self._changed.notify()
            waiting = self._waiting
        if waiting:
            self._engine.wake()

    def renew(self) -> None:
        """Renew the lease and drop what is held no longer."""
        try:
            held = {attempt.hold: attempt for attempt in self._attempts()}
            for hold in self._engine.worker_renew(self._worker_id, list(held)):
                log.info("%s is held no longer", held[hold].context)
                self._drop(hold)
        except _PASSING as error:
            log.warning("worker %d could not renew its lease: %s", self._worker_id, error)

    def expire(self, now: float) -> float:
        """Drop attempts whose time is over and answer the next deadline (infinity: none). The
        engine counts the attempt as timed out by itself."""
        nearest = float("inf")
        for attempt in self._attempts():
            if attempt.deadline > now:
                nearest = min(nearest, attempt.deadline)
            else:
                log.warning("%s did not end in time", attempt.context)
                self._drop(attempt.hold)
        return nearest

    def _attempts(self) -> List[Attempt]:
        with self._changed:
            return list(self._running.values())

    def _drop(self, hold: Tuple[int, int]) -> None:
        with self._changed:
            attempt = self._running.pop(hold, None)
            if attempt is None:
                return
            attempt.drop()
            self._changed.notify()
            waiting = self._waiting
        self._executor.abandon(attempt)
        if waiting:
            self._engine.wake()

    def _run(self) -> None:
        try:
            while self._step():
                pass
        except (core.ClosedError, core.ForkedEngineError) as error:
            self.error = error
        except BaseException as error:
            log.exception("the worker stops")
            self.error = error
        finally:
            self._on_end()

    def _step(self) -> bool:
        """One exchange; False when the loop shall end."""
        rows, room, wakes = self._next()
        if not rows and room == 0:
            return False
        try:
            answer = self._exchange(rows, room, wakes)
        except _PASSING as error:
            self._put_back(rows, error)
            return True
        finally:
            self._waiting = False
        self._pause_s = 0.0
        self._log_fenced(answer.applied)
        if answer.claims:
            self._begin(answer.claims)
        return True

    def _next(self) -> Tuple[List[Outcome], int, int]:
        """Outcomes to report, places to fill, and the wakes counted so far; waits while there is
        neither outcome nor place. None of both means that the loop shall end."""
        with self._changed:
            while not self._outcomes:
                if self._stopping and not self._running:
                    return [], 0, 0
                if self._room() > 0:
                    break
                self._changed.wait()
            rows, self._outcomes = self._outcomes, []
            room = self._room()
            self._waiting = not rows
            return rows, room, self._engine.wake_count()

    def _room(self) -> int:
        if self._stopping:
            return 0
        return max(0, self._executor.capacity - len(self._running))

    def _exchange(self, rows: List[Outcome], room: int, wakes: int) -> core.Exchange:
        wait_ms = 0 if rows else _WAIT_MS
        while True:
            try:
                return self._engine.exchange(self._worker_id, rows, room, wait_ms, wakes)
            except _OF_A_ROW as error:
                if error.row is None:
                    raise
                rows[error.row : error.row + 1] = self._repaired(rows[error.row], error)

    def _repaired(self, row: Outcome, error: core.Error) -> List[Outcome]:
        """What to report instead of a row that the engine refuses."""
        if isinstance(error, core.NotFoundError):
            log.warning("step %d is gone: %s", row[0], error)
            return []
        if row[2] == "released":
            raise error
        name = "ResultError" if row[2] == "succeeded" else type(error).__name__
        return [(row[0], row[1], "failed_for_good", None, name, str(error))]

    def _put_back(self, rows: List[Outcome], error: BaseException) -> None:
        """Keep the outcomes for the next exchange and wait a moment."""
        self._pause_s = min(_PAUSE_MAX_S, max(_PAUSE_MIN_S, self._pause_s * 2))
        log.warning("the exchange failed, trying again in %.2f s: %s", self._pause_s, error)
        with self._changed:
            self._outcomes = rows + self._outcomes
            self._changed.wait_for(lambda: self._stopping, self._pause_s)
            stopping = self._stopping
        if stopping:  # soon again, because stop waits, but not at once
            time.sleep(_PAUSE_MIN_S)

    def _log_fenced(self, applied: Sequence[core.Applied]) -> None:
        for row in applied:
            if row.status == "fenced":
                log.warning("the outcome of step %d came too late, it is %s", row[0], row.state)

    def _begin(self, claims: Sequence[core.Claim]) -> None:
        attempts = [
            Attempt(claim, self._handlers[claim.handler], self._engine) for claim in claims
        ]
        with self._changed:
            self._running.update((attempt.hold, attempt) for attempt in attempts)
        self._executor.submit(attempts)
        if any(claim.timeout_ms for claim in claims):
            self._on_deadline()
