"""Steps with heartbeat=: what ends an attempt that says nothing, what keeps one, what a handler
learns. The rules of the engine are in tests/unit/test_engine_heartbeat.c.
"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any, List

import pytest
import stepwell
from helper import until
from stepwell import Context, Engine, Retry, Worker


class Counting:
    """Counts the heartbeats that an engine is sent, or fails them."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch, error: Any = None) -> None:
        self.sent: List[Any] = []
        send = type(engine).heartbeat

        def heartbeat(self_: Engine, held: Any) -> Any:
            self.sent.append(held)
            if error is not None:
                raise error
            return send(self_, held)

        monkeypatch.setattr(type(engine), "heartbeat", heartbeat)


def attempt(engine: Engine, **options: Any) -> Context[Any]:
    """A claimed attempt of a step."""
    w = engine.workflow("w")
    w.step(name="a", **options)(lambda: None)
    w.start()
    worker = engine.worker_open(["w.a"])
    return Context(engine.exchange(worker, [], 1, 0).claims[0], None, engine)


def beat_for(seconds: float, ctx: Context[Any]) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ctx.heartbeat()
        time.sleep(0.005)


def test_silence_ends_an_attempt(engine: Engine) -> None:
    w = engine.workflow("w")
    told = threading.Event()

    @w.step(heartbeat=0.2, timeout=3600, retry=Retry(2, wait=0.01))
    def a(ctx: Context[Any]) -> str:
        if ctx.attempt == 2:
            return "second"
        until(lambda: ctx.cancelled, "losing the step")
        with pytest.raises(stepwell.FencedError, match="^attempt 1 of a counts no longer"):
            ctx.heartbeat()
        told.set()
        return "late"

    task = w.start()
    Worker(engine, threads=2, lease=0.3).run(until=task)
    step = task.steps["a"]
    assert (step.state, step.attempt, step.error_class) == ("succeeded", 2, "HeartbeatMissed")
    assert step.error_message == "no heartbeat within 200 ms"
    assert task.result(a) == "second"
    assert told.wait(10)
    assert "heartbeat missed" in [entry.reason for entry in task.history()]
    assert engine.audit_verify().ok


def test_heartbeats_keep_an_attempt(engine: Engine) -> None:
    w = engine.workflow("w")

    @w.step(heartbeat=0.3)
    def plain(ctx: Context[Any]) -> str:
        beat_for(1.5, ctx)
        return "plain"

    @w.step(heartbeat=0.3)
    async def coroutine(ctx: Context[Any]) -> str:
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            await ctx.heartbeat_async()
            await asyncio.sleep(0.005)
        return "coroutine"

    task = w.start()
    Worker(engine, lease=0.3).run(until=task)
    assert [task.result(step) for step in (plain, coroutine)] == ["plain", "coroutine"]
    assert {step.attempt for step in task.steps.values()} == {1}


def test_they_are_seldom_written(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    ctx = attempt(engine, heartbeat=0.6)
    counting = Counting(engine, monkeypatch)
    beat_for(0.15, ctx)
    assert counting.sent == []
    beat_for(0.85, ctx)
    assert 2 <= len(counting.sent) <= 5
    assert counting.sent[0] == [(ctx._claim.step_id, ctx._claim.epoch)]


def test_they_tell_of_a_cancellation(engine: Engine) -> None:
    ctx = attempt(engine, heartbeat=0.03)
    ctx.heartbeat()
    engine.cancel([(ctx.task_id, None, None)])
    time.sleep(0.02)
    for _ in range(2):
        with pytest.raises(stepwell.FencedError):
            ctx.heartbeat()
    assert ctx.cancelled


def test_they_tell_a_coroutine_of_a_cancellation(engine: Engine) -> None:
    ctx = attempt(engine, heartbeat=0.03)
    engine.cancel([(ctx.task_id, None, None)])
    time.sleep(0.02)
    with pytest.raises(stepwell.FencedError):
        asyncio.run(ctx.heartbeat_async())
    assert ctx.cancelled


def test_a_step_without_heartbeat(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    ctx = attempt(engine)
    counting = Counting(engine, monkeypatch)
    assert ctx._claim.heartbeat_ms == 0
    ctx.heartbeat()
    asyncio.run(ctx.heartbeat_async())
    ctx._cancelled = True
    with pytest.raises(stepwell.FencedError):
        ctx.heartbeat()
    with pytest.raises(stepwell.FencedError):
        asyncio.run(ctx.heartbeat_async())
    assert counting.sent == []


@pytest.mark.parametrize(
    "error",
    [
        stepwell.BusyError("for now"),
        stepwell.StorageError("for now"),
        stepwell.StorageFullError("for now"),
        MemoryError(),
    ],
)
def test_a_store_that_cannot_write_for_a_while(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    ctx = attempt(engine, heartbeat=0.03)
    counting = Counting(engine, monkeypatch, error)
    for sent in (1, 2):
        time.sleep(0.02)
        ctx.heartbeat()
        assert len(counting.sent) == sent


def test_an_engine_that_is_closed(engine: Engine) -> None:
    ctx = attempt(engine, heartbeat=0.003)
    engine.close()
    time.sleep(0.01)
    with pytest.raises(stepwell.ClosedError):
        ctx.heartbeat()


def test_several_attempts_in_one_call(engine: Engine) -> None:
    claims = [attempt_of_a_new_task(engine, number) for number in range(2)]
    held = [(claim.step_id, claim.epoch) for claim in claims]
    answer = engine.heartbeat([*held, (held[0][0], held[0][1] + 1)])
    assert [row.status for row in answer] == ["applied", "applied", "fenced"]
    assert {row.state for row in answer} == {"running"}
    with pytest.raises(stepwell.InvalidArgumentError) as refused:
        engine.heartbeat([held[0], (held[0][0], -1)])
    assert refused.value.row == 1
    with pytest.raises(stepwell.NotFoundError) as missing:
        engine.heartbeat([held[0], (held[1][0] + 1, 1)])
    assert missing.value.row == 1
    assert engine.heartbeat([]) == []


def attempt_of_a_new_task(engine: Engine, number: int) -> Any:
    w = engine.workflow(f"w{number}")
    w.step(name="a", heartbeat=60)(lambda: None)
    w.start()
    worker = engine.worker_open([f"w{number}.a"])
    return engine.exchange(worker, [], 1, 0).claims[0]


def test_the_definition(engine: Engine) -> None:
    w = engine.workflow("w")
    step = w.step(name="a", heartbeat=2.5)(lambda: None)
    assert step.definition()["heartbeat_ms"] == 2500
    v = engine.workflow("v")
    v.kind("a", "noop", heartbeat=1)
    with pytest.raises(stepwell.DefinitionError, match="sends no heartbeats"):
        v.start()
