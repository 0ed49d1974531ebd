"""Workers as processes: killed without warning, ended by a signal, frozen and woken."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest
import stepwell
from helper import read_line, start_program, until
from stepwell import Engine

WORKER = """
    import os, sys, time
    from stepwell import Engine, Retry, Worker
    engine = Engine(sys.argv[1])
    w = engine.workflow("w")

    @w.step
    def first():
        return "first"

    @w.step(retry=Retry(2, wait=0.01))
    def slow(ctx, first):
        print("slow", ctx.attempt, ctx.fencing_token, flush=True)
        if sys.argv[2] == "exit":
            os._exit(9)
        time.sleep(float(sys.argv[2]))
        return [first, sys.argv[3]]

    Worker(engine, lease=1.0, grace=float(sys.argv[4]), name=sys.argv[3]).run()
    print("ended", flush=True)
"""


@pytest.fixture
def task(file_engine: Engine) -> Any:
    """A started task; its handlers are in the worker programs."""
    w = file_engine.workflow("w")
    w.external("first")
    w.external("slow", after="first", retry=stepwell.Retry(2, wait=0.01))
    return w.start()


def start(engine: Engine, slow: str, name: str, grace: str = "10") -> Any:
    return start_program(WORKER, str(engine.store), slow, name, grace)


@pytest.mark.parametrize("death", ["kill", "exit"])
def test_another_worker_takes_over(file_engine: Engine, task: Any, death: str) -> None:
    first = start(file_engine, "exit" if death == "exit" else "60", "one")
    read_line(first, "slow 1 1")
    if death == "kill":
        first.kill()
    assert first.wait(20) in (-signal.SIGKILL, 9)
    second = start(file_engine, "0", "two")
    assert read_line(second).startswith("slow ")
    assert task.wait(30).status == "succeeded"
    assert task.result("slow") == ["first", "two"]
    assert task.steps["slow"].epoch == 2
    reasons = [entry.reason for entry in task.history() if entry.step == "slow"]
    assert "worker died" in reasons
    second.terminate()
    assert second.wait(20) == 0
    report = file_engine.audit_verify()
    assert report.ok and report.reclaim_count == 1


def test_a_frozen_worker_is_fenced(file_engine: Engine, task: Any) -> None:
    """Stopped longer than its lease, it wakes up too late: its renewal tells it that the step is
    lost, or its report comes first and is refused. Neither changes what the other one did."""
    first = start(file_engine, "0.3", "one")
    read_line(first, "slow 1 1")
    first.send_signal(signal.SIGSTOP)
    second = start(file_engine, "0", "two")
    read_line(second)
    assert task.wait(30).result("slow") == ["first", "two"]
    first.send_signal(signal.SIGCONT)
    time.sleep(0.5)
    for program in (first, second):
        program.terminate()
        assert program.wait(20) == 0
    assert task.result("slow") == ["first", "two"]
    report = file_engine.audit_verify()
    assert (report.commit_count, report.reclaim_count) == (2, 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_gives_steps_back_uncounted(
    file_engine: Engine, task: Any, number: signal.Signals
) -> None:
    first = start(file_engine, "60", "one", grace="0.2")
    read_line(first, "slow 1 1")
    first.send_signal(number)
    read_line(first, "ended")
    assert first.wait(20) == 0
    step = task.steps["slow"]
    assert (step.state, step.attempt) == ("ready", 0)
    assert file_engine.worker_list() == []
    second = start(file_engine, "0", "two")
    read_line(second, "slow 1 2")
    assert task.wait(30).status == "succeeded"
    second.terminate()
    assert second.wait(20) == 0


def test_a_signal_lets_handlers_finish(file_engine: Engine, task: Any) -> None:
    program = start(file_engine, "0.5", "one")
    read_line(program, "slow 1 1")
    program.terminate()
    assert program.wait(20) == 0
    assert task.status == "succeeded"


def test_a_second_signal_cuts_the_grace_short(file_engine: Engine, task: Any) -> None:
    program = start(file_engine, "60", "one", grace="60")
    read_line(program, "slow 1 1")
    program.send_signal(signal.SIGINT)
    until(lambda: not _claims(file_engine), "stopping")
    program.send_signal(signal.SIGINT)
    assert program.wait(20) == 0
    assert task.steps["slow"].state == "ready"


def _claims(engine: Engine) -> bool:
    """Whether the worker would claim another task's first step."""
    task = engine.workflows["w"].start()
    try:
        until(lambda: task.steps["first"].state != "ready", "a claim", timeout=0.5)
    except AssertionError:
        return False
    finally:
        if not task.done:
            task.cancel()
    return True


def test_many_kills(tmp_path: Path) -> None:
    """Workers die one after the other in the middle of their steps; nothing is lost or doubled."""
    ledger = tmp_path / "ledger"
    ledger.touch()
    program = """
        import os, sys, time
        from stepwell import Engine, Worker
        engine = Engine(sys.argv[1])
        w = engine.workflow("w")

        @w.step
        def work(ctx):
            with open(sys.argv[2], "a") as ledger:
                ledger.write(f"{ctx.input}\\n")
            time.sleep(0.005)
            return ctx.input

        @w.step
        def after(work):
            return work

        print("ready", flush=True)
        Worker(engine, lease=0.5, threads=4).run()
    """
    with Engine(tmp_path / "x.db") as engine:
        w = engine.workflow("w")
        w.external("work")
        w.external("after", after="work")
        tasks = [w.start(i) for i in range(200)]
        for _ in range(5):
            worker = start_program(program, str(engine.store), str(ledger))
            read_line(worker, "ready")
            done = engine.count()["succeeded"]
            try:
                until(lambda: engine.count()["succeeded"] > done + 5, "progress", timeout=20)
            except AssertionError:
                assert engine.count()["succeeded"] >= 190
            worker.kill()
            worker.wait(20)
        worker = start_program(program, str(engine.store), str(ledger))
        for i, task in enumerate(tasks):
            assert task.wait(60).status == "succeeded"
            assert task.result("after") == i
        worker.terminate()
        assert worker.wait(20) == 0
        report = engine.audit_verify()
        assert report.ok and report.commit_count == 400
    assert {int(line) for line in ledger.read_text().split()} == set(range(200))
