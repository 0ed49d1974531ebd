"""The worker: claims steps whose handlers are in this program and runs them.

Plain functions run on threads, coroutine functions on an event loop; each kind has an entry of
its own in the store, so that room for one never claims work for the other. One more thread
renews the leases and watches the time of attempts. No thread exists before start.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence, Type, Union

from ._dispatch import Dispatcher
from ._executors import LoopExecutor, ThreadExecutor
from ._retry import milliseconds
from .workflow import Workflow

if TYPE_CHECKING:
    import asyncio
    from types import FrameType, TracebackType

    from ._handler import Handler
    from .engine import Engine
    from .task import Task

log = logging.getLogger("stepwell.worker")

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_POLL_MS = 50

# How long the last exchange may take, which waits for other writers at worst.
_LAST_EXCHANGE_S = 30.0


class Worker:
    """Runs the handlers of the named workflows and the named handlers of their own; when nothing
    is named, all that the engine has.

    threads is how many plain functions run at once, coroutines how many coroutine functions. batch
    is how many steps each thread is given at once; more than one pays when functions take less
    than a millisecond, because then claiming takes longer than they do.
    lease is how many seconds the worker may be silent before its steps go to others; grace how
    many seconds running handlers get after stop. A worker can be run or started once.
    """

    def __init__(
        self,
        engine: Engine,
        *work: Union[Workflow[Any], Handler[Any, Any]],
        threads: int = 4,
        coroutines: int = 100,
        queues: Optional[Sequence[str]] = None,
        name: Optional[str] = None,
        lease: float = 15.0,
        grace: float = 10.0,
        batch: int = 1,
    ) -> None:
        if threads < 1 or coroutines < 1 or batch < 1:
            raise ValueError("threads, coroutines and batch must be 1 or more")
        self.engine = engine
        self.work = work or (*engine.workflows.values(), *engine.handlers.values())
        self.threads = threads
        self.coroutines = coroutines
        self.batch = batch
        self.queues = queues
        self.name = name
        self.lease = lease
        self.grace = grace
        self._dispatchers: List[Dispatcher] = []
        self._events: SimpleQueue[str] = SimpleQueue()
        self._poke = threading.Event()
        self._renewer: Optional[threading.Thread] = None
        self._ending = threading.Lock()
        self._started = False
        self._asked = False
        self._hurry = False
        self._over = False

    def __enter__(self) -> Worker:
        return self.start()

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.stop()

    def start(self) -> Worker:
        """Start the threads and return; stop ends them."""
        self._use_up()
        self._start(None)
        return self

    def stop(self, grace: Optional[float] = None) -> None:
        """Claim no more, wait up to grace seconds for running handlers, give back the rest.

        Steps given back count no attempt. Raises what ended the worker, if something did.
        """
        self._events.put("stop")
        self._shut_down(self.grace if grace is None else grace)
        self._raise_error()

    def run(self, *, until: Optional[Task] = None) -> None:
        """Work until SIGTERM or SIGINT, stop, or, with until, until that task has ended.

        The first signal stops the worker as stop does, a second one cuts the grace short.
        Outside of the main thread signals are left alone.
        """
        self._use_up()
        previous = self._signals_on()  # before the first handler can run
        try:
            self._start(None)
            self._wait(until)
        finally:
            self._shut_down(self.grace)
            for number, handler in previous.items():
                signal.signal(number, handler)
        self._raise_error()

    async def run_async(self, *, until: Optional[Task] = None) -> None:
        """The same as run, with coroutine functions on the running event loop."""
        import asyncio

        self._use_up()
        loop = asyncio.get_running_loop()
        previous = self._signals_on()
        try:
            self._start(loop)
            await self._wait_async(until)
        finally:
            closing = loop.run_in_executor(None, self._shut_down, self.grace)
            await asyncio.shield(closing)
            for number, handler in previous.items():
                signal.signal(number, handler)
        self._raise_error()

    def _use_up(self) -> None:
        if self._started:
            raise RuntimeError("this worker was started before; make a new one")
        self._started = True

    def _handlers(self) -> Dict[str, Handler[Any, Any]]:
        handlers: Dict[str, Handler[Any, Any]] = {}
        for work in self.work:
            if isinstance(work, Workflow):
                work.register()
                handlers.update(work.handlers())
            else:
                handlers[work.handler] = work
        if not handlers:
            raise ValueError("there is no handler to run: no workflow has a step with a function")
        return handlers

    def _start(self, loop: Optional[asyncio.AbstractEventLoop]) -> None:
        handlers = self._handlers()
        try:
            self._add_all(handlers, loop)
        except BaseException:
            self._over = True
            for dispatcher in self._dispatchers:
                dispatcher.close()
            raise
        for dispatcher in self._dispatchers:
            dispatcher.start()
        self._renewer = threading.Thread(target=self._renew, name="stepwell-renew", daemon=True)
        self._renewer.start()

    def _add_all(
        self, handlers: Dict[str, Handler[Any, Any]], loop: Optional[asyncio.AbstractEventLoop]
    ) -> None:
        plain = {name: one for name, one in handlers.items() if not one.is_async}
        coroutine = {name: one for name, one in handlers.items() if one.is_async}
        if plain:
            self._add(
                plain,
                lambda report: ThreadExecutor(self.threads, report, "stepwell", self.batch),
                "",
            )
        if coroutine:
            self._add(
                coroutine,
                lambda report: LoopExecutor(self.coroutines, report, "stepwell-loop", loop),
                "/async",
            )

    def _add(
        self, handlers: Dict[str, Handler[Any, Any]], make_executor: Any, suffix: str
    ) -> None:
        dispatcher = Dispatcher(
            self.engine,
            handlers,
            make_executor,
            name=None if self.name is None else self.name + suffix,
            queues=self.queues,
            lease_ms=milliseconds(self.lease, "lease"),
            on_deadline=self._poke.set,
            on_end=lambda: self._events.put("ended"),
        )
        self._dispatchers.append(dispatcher)

    def _renew(self) -> None:
        """Learn at a third of the lease what is held no longer; look at deadlines when the nearest
        one comes. The lease does not depend on it (worker_keep)."""
        interval = self.lease / 3
        due = time.monotonic() + interval
        while not self._over:
            now = time.monotonic()
            if now >= due:
                due = now + interval
                for dispatcher in self._dispatchers:
                    self._renew_one(dispatcher)
            nearest = min(dispatcher.expire(now) for dispatcher in self._dispatchers)
            self._poke.wait(max(0.0, min(due, nearest) - time.monotonic()))
            self._poke.clear()

    def _renew_one(self, dispatcher: Dispatcher) -> None:
        try:
            dispatcher.renew()
        except Exception as error:  # the lease is lost at worst; the loop must go on
            log.warning("a lease could not be renewed: %s", error)

    def _on_signal(self, number: int, frame: Optional[FrameType]) -> None:
        """Put down what to do; SimpleQueue.put is safe in a signal handler, an Event is not."""
        self._hurry = self._asked
        self._asked = True
        self._events.put("stop")

    def _signals_on(self) -> Dict[int, Any]:
        if threading.current_thread() is not threading.main_thread():
            return {}
        return {number: signal.signal(number, self._on_signal) for number in _SIGNALS}

    def _wait(self, until: Optional[Task]) -> None:
        """Until there is an event, or the task has ended."""
        if until is None:
            self._events.get()
        else:
            while self._events.empty() and not until.done:
                self.engine.wait(until.id, _POLL_MS)

    async def _wait_async(self, until: Optional[Task]) -> None:
        import asyncio

        loop = asyncio.get_running_loop()
        while self._events.empty():
            if until is not None and await loop.run_in_executor(None, _is_done, until):
                return
            await asyncio.sleep(_POLL_MS / 1000)

    def _shut_down(self, grace: float) -> None:
        """Once: stop claiming, wait, drop what still runs, leave the store."""
        with self._ending:
            if self._over or not self._dispatchers:
                return
            for dispatcher in self._dispatchers:
                dispatcher.stop()
            self._wait_for_handlers(time.monotonic() + grace)
            for dispatcher in self._dispatchers:
                dispatcher.abort()
            for dispatcher in self._dispatchers:
                dispatcher.join(_LAST_EXCHANGE_S)
            self._over = True
            self._poke.set()
            for dispatcher in self._dispatchers:
                dispatcher.close()

    def _wait_for_handlers(self, deadline: float) -> None:
        for dispatcher in self._dispatchers:
            while not dispatcher.join(_POLL_MS / 1000):
                if self._hurry or time.monotonic() >= deadline:
                    return

    def _raise_error(self) -> None:
        for dispatcher in self._dispatchers:
            if dispatcher.error is not None:
                raise dispatcher.error


def _is_done(task: Task) -> bool:
    return task.done
