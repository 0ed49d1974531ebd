"""Coroutine functions as handlers, and tasks awaited from coroutines."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any, List

import pytest
import stepwell
from helper import until
from stepwell import Context, Engine, Retry, Worker


def loop_threads() -> List[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "stepwell-loop"]


def test_a_coroutine_handler(engine: Engine) -> None:
    w = engine.workflow("w")

    @w.step
    def plain() -> int:
        return 1

    @w.step(retry=Retry(3, wait=0.01))
    async def charge(ctx: Context[Any], plain: int) -> int:
        await asyncio.sleep(0)
        if ctx.attempt == 1:
            raise ConnectionError
        return plain + ctx.attempt

    @w.step
    def last(charge: int) -> int:
        return charge + 1

    task = w.start()
    Worker(engine).run(until=task)
    assert task.result("last") == 4


def test_many_coroutines_at_once(engine: Engine) -> None:
    w = engine.workflow("w")
    now, most = [0], [0]

    @w.step
    async def wait() -> None:
        now[0] += 1
        most[0] = max(most[0], now[0])
        await asyncio.sleep(0.1)
        now[0] -= 1

    tasks = [w.start() for _ in range(40)]
    with Worker(engine, coroutines=20):
        for task in tasks:
            task.wait(20)
    assert most[0] == 20


@pytest.mark.parametrize(
    "error", [ValueError("x"), SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError()]
)
def test_a_coroutine_that_raises(engine: Engine, error: BaseException) -> None:
    w = engine.workflow("w")

    @w.step
    async def bad() -> None:
        raise error

    @w.step
    async def good() -> int:
        await asyncio.sleep(0.05)
        return 1

    task = w.start()
    Worker(engine).run(until=task)
    assert task.result("good") == 1
    assert task.steps["bad"].error_class == type(error).__name__


def test_a_coroutine_over_its_time_is_cancelled(engine: Engine) -> None:
    w = engine.workflow("w")
    cancelled: List[bool] = []

    @w.step(timeout=0.1)
    async def endless(ctx: Context[Any]) -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.append(ctx.cancelled)
            raise

    task = w.start()
    Worker(engine).run(until=task)
    assert cancelled == [True]
    assert task.steps["endless"].error_class == "Timeout"


def test_a_coroutine_that_blocks_its_loop(engine: Engine) -> None:
    """It holds up the others until its time is over; then they run on a loop without it."""
    w = engine.workflow("w")
    started, release = threading.Event(), threading.Event()
    attempts: List[int] = []

    @w.step
    async def patient(ctx: Context[Any]) -> int:
        attempts.append(ctx.fencing_token)
        started.set()
        while len(attempts) < 2:
            await asyncio.sleep(0.01)
        return ctx.attempt

    @w.step(timeout=1)  # enough to begin on a busy machine
    async def blocks() -> None:
        await asyncio.to_thread(started.wait, 10)
        release.wait(30)

    task = w.start()
    with Worker(engine):
        assert task.wait(20).status == "failed"
        assert (task.result("patient"), len(attempts)) == (1, 2)
        assert task.steps["blocks"].error_class == "Timeout"
        assert len(loop_threads()) == 2
        release.set()
        until(lambda: len(loop_threads()) == 1, "the end of the loop that was left behind")


def test_stop_cancels_coroutines(engine: Engine) -> None:
    w = engine.workflow("w")
    started = threading.Event()

    @w.step
    async def endless() -> None:
        started.set()
        await asyncio.sleep(30)

    task = w.start()
    worker = Worker(engine, grace=0.1).start()
    assert started.wait(10)
    worker.stop()
    step = task.steps["endless"]
    assert (step.state, step.attempt) == ("ready", 0)


def test_run_async_uses_the_callers_loop(engine: Engine) -> None:
    w = engine.workflow("w")
    loops: List[Any] = []

    @w.step
    async def where() -> None:
        loops.append(asyncio.get_running_loop())

    @w.step
    def thread(where: None) -> str:
        return threading.current_thread().name

    async def main() -> Any:
        task = w.start()
        await Worker(engine).run_async(until=task)
        assert task.status == "succeeded"
        assert task.result("thread").startswith("stepwell")
        return asyncio.get_running_loop()

    loop = asyncio.run(main())
    assert loops == [loop]


def test_run_async_ends_when_it_is_cancelled(engine: Engine) -> None:
    w = engine.workflow("w")
    w.step(name="a")(lambda: 1)

    async def main() -> None:
        running = asyncio.ensure_future(Worker(engine).run_async())
        while not engine.worker_list():
            await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())
    assert engine.worker_list() == []


def test_await_a_task(engine: Engine) -> None:
    w = engine.workflow("w")
    w.step(name="a")(lambda: time.sleep(0.1))

    async def main() -> None:
        task = w.start()
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.005)

        ticking = asyncio.ensure_future(tick())
        assert await task is task
        ticking.cancel()
        assert task.status == "succeeded"
        assert ticks > 3

    with Worker(engine):
        asyncio.run(main())


def test_await_many_tasks(engine: Engine) -> None:
    w = engine.workflow("w")

    @w.step
    async def short(ctx: Context[Any]) -> int:
        await asyncio.sleep(0.01)
        return ctx.input

    async def main() -> List[Any]:
        tasks = [w.start(i) for i in range(50)]
        await asyncio.gather(*tasks)
        return [task.result("short") for task in tasks]

    with Worker(engine):
        assert asyncio.run(main()) == list(range(50))


def test_await_with_a_timeout(engine: Engine) -> None:
    w = engine.workflow("w")
    w.external("a")

    async def main() -> None:
        task = w.start()
        with pytest.raises(stepwell.WaitTimeoutError):
            await task.wait_async(0.05)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(task, 0.05)

    asyncio.run(main())


def test_a_callable_object_with_an_async_call(engine: Engine) -> None:
    class Handler:
        __name__ = "handler"

        async def __call__(self, ctx: Context[Any]) -> str:
            await asyncio.sleep(0)
            return ctx.step

    w = engine.workflow("w")
    step = w.step(name="object")(Handler())
    assert step.is_async
    task = w.start()
    Worker(engine).run(until=task)
    assert task.result("object") == "object"


def test_the_loop_thread_starts_only_for_coroutines(engine: Engine) -> None:
    w = engine.workflow("w")
    w.step(name="a")(lambda: 1)
    task = w.start()
    with Worker(engine):
        task.wait(10)
        assert not loop_threads()
