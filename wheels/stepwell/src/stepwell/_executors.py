"""Where handlers run: plain functions on threads, coroutine functions on an event loop.

An executor takes attempts and reports outcomes; it never waits for a handler that hangs. A thread
or a loop that does not come back in time is left to itself and replaced, up to a bound, so that
one endless handler costs its own step and not the worker.
Not here: claiming, renewing, deciding that time is over (_dispatch).
"""

from __future__ import annotations

import threading
import time
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, List, Optional, Protocol, Tuple

from ._attempt import Attempt, Outcome

if TYPE_CHECKING:
    import asyncio

Report = Callable[[Attempt, Outcome], None]

# How many threads may be left behind by handlers that never return, per thread of the pool.
_ABANDONED_PER_THREAD = 8

# How long a cancelled coroutine may take before its loop counts as stuck.
_LOOP_PATIENCE_S = 2.0


class Executor(Protocol):
    """What the dispatcher needs of either executor."""

    capacity: int

    def submit(self, attempts: Iterable[Attempt]) -> None:
        """Run attempts; there is room for them."""

    def abandon(self, attempt: Attempt) -> None:
        """Stop caring for an attempt that is dropped; its place is free again."""

    def close(self) -> None:
        """Accept no more; handlers that still run are left to themselves."""


class ThreadExecutor:
    """Daemon threads that each run one handler at a time; started when first needed. Up to batch
    attempts for each thread are taken at once; those that no thread has taken yet wait in line."""

    def __init__(self, size: int, report: Report, name: str, batch: int = 1) -> None:
        self.capacity = size * batch
        self._report = report
        self._name = name
        self._size = size
        self._batch = batch
        self._queue: SimpleQueue[Optional[Attempt]] = SimpleQueue()
        self._lock = threading.Lock()
        self._busy: Dict[Attempt, threading.Thread] = {}
        self._abandoned: List[threading.Thread] = []
        self._started = 0
        self._threads = 0  # of those started, the ones that take attempts
        self._load = 0  # attempts in line or in the hands of these

    def submit(self, attempts: Iterable[Attempt]) -> None:
        batch = list(attempts)
        with self._lock:
            for _ in batch:
                self._load += 1
                self._start_if_needed()
        for attempt in batch:
            self._queue.put(attempt)

    def _start_if_needed(self) -> None:
        if self._load <= self._threads or self._threads >= self._size_now():
            return
        self._started += 1
        self._threads += 1
        thread = threading.Thread(
            target=self._work, name=f"{self._name}-{self._started}", daemon=True
        )
        thread.start()

    def _work(self) -> None:
        thread = threading.current_thread()
        while True:
            attempt = self._queue.get()
            if attempt is None:
                return
            with self._lock:
                if attempt.dropped:
                    self._load -= 1
                    continue
                self._busy[attempt] = thread
            outcome = attempt.run()
            with self._lock:
                if self._busy.pop(attempt, None) is None:
                    self._abandoned.remove(thread)
                    self.capacity = self._size_now() * self._batch
                    self._start_if_needed()
                    return  # another thread has taken this one's place
                self._load -= 1
            self._report(attempt, outcome)

    def abandon(self, attempt: Attempt) -> None:
        with self._lock:
            thread = self._busy.pop(attempt, None)
            if thread is not None:
                self._abandoned.append(thread)
                self._threads -= 1
                self._load -= 1
                self.capacity = self._size_now() * self._batch
                self._start_if_needed()

    def _size_now(self) -> int:
        """All threads, until too many hang; then fewer, and none in the end."""
        allowed = self._size * _ABANDONED_PER_THREAD
        return max(0, self._size - max(0, len(self._abandoned) - allowed))

    def close(self) -> None:
        for _ in range(self._started):
            self._queue.put(None)


class LoopExecutor:
    """Coroutines on an event loop: the caller's, or one in a thread of its own."""

    def __init__(
        self,
        size: int,
        report: Report,
        name: str,
        loop: Optional[asyncio.AbstractEventLoop] = None,
    ) -> None:
        self.capacity = size
        self._report = report
        self._name = name
        self._given = loop
        self._loop = loop
        self._tasks: Dict[Attempt, Tuple[Any, Any]] = {}  # loop and task, None before it starts

    def submit(self, attempts: Iterable[Attempt]) -> None:
        batch = list(attempts)
        loop = self._loop
        if loop is None:
            loop = self._loop = self._start()
        self._tasks.update((attempt, (loop, None)) for attempt in batch)
        loop.call_soon_threadsafe(self._spawn, loop, batch)

    def _start(self) -> asyncio.AbstractEventLoop:
        import asyncio

        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._serve, args=(loop,), name=self._name, daemon=True)
        thread.start()
        return loop

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.run_forever()
        finally:
            loop.close()

    def _spawn(self, loop: asyncio.AbstractEventLoop, attempts: List[Attempt]) -> None:
        for attempt in attempts:
            if attempt.dropped:
                self._tasks.pop(attempt, None)
                continue
            task = loop.create_task(attempt.run_async())
            self._tasks[attempt] = (loop, task)
            task.add_done_callback(partial(self._done, attempt))
        self._end_if_replaced(loop)

    def _done(self, attempt: Attempt, task: asyncio.Task[Outcome]) -> None:
        loop, _ = self._tasks.pop(attempt)
        self._report(attempt, attempt.released() if task.cancelled() else task.result())
        self._end_if_replaced(loop)

    def _end_if_replaced(self, loop: asyncio.AbstractEventLoop) -> None:
        if loop not in (self._loop, self._given) and not self._attempts_on(loop):
            loop.stop()

    def _attempts_on(self, loop: asyncio.AbstractEventLoop) -> List[Attempt]:
        return [attempt for attempt, (place, _) in list(self._tasks.items()) if place is loop]

    def abandon(self, attempt: Attempt) -> None:
        loop, task = self._tasks.get(attempt, (None, None))
        if loop is None:
            return
        if task is not None:
            loop.call_soon_threadsafe(task.cancel)
        if self._given is None:
            watch = threading.Thread(target=self._watch, args=(loop,), daemon=True)
            watch.start()

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Replace the loop when a coroutine blocks it instead of ending. The others on it are
        given back, to run again where they can."""
        beat = threading.Event()
        loop.call_soon_threadsafe(beat.set)
        if beat.wait(_LOOP_PATIENCE_S) or self._loop is not loop:
            return
        self._loop = None
        for attempt in self._attempts_on(loop):
            if not attempt.dropped:
                attempt.drop()
                self._report(attempt, attempt.released())

    def close(self) -> None:
        loop = self._loop
        if loop is None:
            return
        for attempt in self._attempts_on(loop):
            task = self._tasks.get(attempt, (loop, None))[1]
            if task is not None:
                loop.call_soon_threadsafe(task.cancel)
        if loop is self._given:
            return
        deadline = time.monotonic() + _LOOP_PATIENCE_S
        while self._attempts_on(loop) and time.monotonic() < deadline:
            time.sleep(0.005)
        loop.call_soon_threadsafe(loop.stop)
