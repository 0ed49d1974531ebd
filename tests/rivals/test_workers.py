"""Complaints about workers that die, stand still, are replaced, or come back."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any, Iterator, List

import pytest
from helper import definition, read_line, start_program, submit, until
from stepwell import Engine, Worker

# A worker of the workflow w that says which step it starts and notes it in a ledger. What it does
# then is in the handlers: how long each takes, in seconds, or "exit".
PROGRAM = """
    import json, os, sys, time
    from stepwell import Engine, Worker

    store, ledger, plan, lease = sys.argv[1:]
    engine = Engine(store)

    def handler(name, action):
        def run(ctx):
            with open(ledger, "a") as file:
                file.write(f"{name} {ctx.attempt}\\n")
            print(name, ctx.attempt, flush=True)
            if action == "exit":
                os._exit(9)
            if action == "busy":
                sum(range(100_000_000))  # one call, which never lets another thread in
            else:
                time.sleep(action)
            return f"{name} by {os.getpid()}"
        return run

    for name, action in json.loads(plan).items():
        engine.handler(f"w.{name}")(handler(name, action))
    Worker(engine, lease=float(lease), grace=0.1).run()
"""


class Shop:
    """An engine with the workflow w, the worker programs on it, and the ledger they keep."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.ledger = folder / "ledger"
        self.ledger.touch()
        self.programs: List[Any] = []

    def task(self, *steps: str, version: str = "") -> Any:
        """A task whose steps come one after the other."""
        rows = [{"name": name, "after": steps[max(0, i - 1) : i]} for i, name in enumerate(steps)]
        self.engine.register(definition("w", rows, version=version))
        return self.engine.task(submit(self.engine, "w", None, None, version))

    def worker(self, lease: float = 60.0, **plan: Any) -> Any:
        program = start_program(
            PROGRAM, str(self.engine.store), str(self.ledger), json.dumps(plan), str(lease)
        )
        self.programs.append(program)
        return program

    def lines(self) -> List[str]:
        return self.ledger.read_text().splitlines()

    def close(self) -> None:
        for program in self.programs:
            program.kill()
            program.wait(20)


@pytest.fixture
def shop(engine: Engine, tmp_path: Path) -> Iterator[Shop]:
    made = Shop(engine, tmp_path)
    yield made
    made.close()


def test_complaint_01_a_dead_worker_leaves_nothing_stuck(shop: Shop) -> None:
    """Its lease has a minute left; nobody waits for that."""
    task = shop.task("only")
    first = shop.worker(only=600)
    read_line(first, "only 1")
    shop.worker(only=0)
    first.kill()
    assert task.wait(20).status == "succeeded"
    assert all(worker.alive or worker.held == 0 for worker in shop.engine.worker_list())


def test_complaint_02_live_work_is_not_run_twice(shop: Shop) -> None:
    """A handler that holds its interpreter far beyond the lease, beside a worker with nothing to
    do: elsewhere the rescuer takes it for dead."""
    task = shop.task("only")
    busy = shop.worker(only="busy", lease=0.2)
    read_line(busy, "only 1")
    stolen: List[int] = []
    handler = shop.engine.handler("w.only")(lambda ctx: stolen.append(ctx.attempt))
    with Worker(shop.engine, handler, lease=0.2):
        task.wait(60)
    assert (stolen, shop.lines()) == ([], ["only 1"])
    assert task.steps["only"].epoch == 1
    assert shop.engine.audit_verify().reclaim_count == 0


def test_complaint_03_a_crash_costs_no_attempt(shop: Shop) -> None:
    """The one attempt that the step has is not used up by workers that die."""
    task = shop.task("only")
    for _ in range(2):
        read_line(program := shop.worker(only=600))
        program.kill()
        program.wait(20)
    shop.worker(only=0)
    assert task.wait(20).status == "succeeded"
    assert shop.lines() == ["only 1", "only 2", "only 3"]


def test_complaint_03_a_killer_is_put_away(engine: Engine) -> None:
    """A step that kills whoever runs it must not go round for ever either."""
    engine.register(definition("w", [{"name": "only"}]))
    task = submit(engine, "w")
    workers = 0
    while engine.get(task)[0].state not in ("failed", "succeeded") and workers < 50:
        worker = engine.worker_open(["w.only"], lease_ms=20)
        workers += len(engine.exchange(worker, [], 1, 0).claims)
        time.sleep(0.03)
    row, (step,) = engine.get(task)
    assert (row.state, step.state) == ("failed", "failed")
    assert 3 <= workers <= 10
    assert step.error_class and step.error_message


@pytest.mark.parametrize("late", ["succeeded", "failed"])
def test_complaint_04_late_completions_do_not_count(engine: Engine, late: str) -> None:
    """A worker that was taken for dead reports after another one."""
    engine.register(definition("w", [{"name": "only"}]))
    task = submit(engine, "w")
    first = engine.worker_open(["w.only"], lease_ms=20)
    (old,) = engine.exchange(first, [], 1, 0).claims
    time.sleep(0.05)
    second = engine.worker_open(["w.only"])
    (new,) = until(lambda: engine.exchange(second, [], 1, 100).claims, "the second claim")
    (done,) = engine.update_batch([(new.step_id, new.epoch, "succeeded", '"new"')])
    report = (old.step_id, old.epoch, late, '"old"' if late == "succeeded" else None)
    (refused,) = engine.update_batch([report])
    assert (done.status, refused.status) == ("applied", "fenced")
    (step,) = engine.get(task)[1]
    assert (step.state, step.result) == ("succeeded", '"new"')
    assert [entry.kind for entry in engine.audit_task(task)].count("step_fenced") == 1
    assert engine.audit_verify().commit_count == 1


def test_complaint_09_resuming_replays_no_code(shop: Shop) -> None:
    """The next process has its handlers in another order and answers differently every time: what
    was done stays done, and nothing is compared with a journal."""
    task = shop.task("a", "b", "c", "d")
    first = shop.worker(a=0, b=0, c="exit", d=0)
    assert first.wait(30) == 9
    results = [task.result("a"), task.result("b")]
    shop.worker(d=0, c=0, b=0, a=0)
    assert task.wait(30).status == "succeeded"
    assert shop.lines() == ["a 1", "b 1", "c 1", "c 2", "d 1"]
    assert [task.result("a"), task.result("b")] == results


def test_complaint_10_a_deploy_strands_nothing(shop: Shop) -> None:
    """The old process is told to go in the middle of a step; the new one has a new version."""
    task = shop.task("a", "b", version="1")
    old = shop.worker(a=600, b=0)
    read_line(old, "a 1")
    old.send_signal(signal.SIGTERM)
    assert old.wait(20) == 0
    assert (task.steps["a"].state, task.steps["a"].attempt) == ("ready", 0)
    newer = shop.task("b", "c", version="2")
    shop.worker(a=0, b=0, c=0)
    assert task.wait(30).status == newer.wait(30).status == "succeeded"
    assert [list(each.steps) for each in (task, newer)] == [["a", "b"], ["b", "c"]]


def test_complaint_23_everything_dies_and_comes_back(shop: Shop) -> None:
    """All processes are killed at once, again and again; nobody calls a repair command."""
    steps = [f"s{i}" for i in range(12)]
    task = shop.task(*steps)
    for _ in range(3):
        crew = [shop.worker(**dict.fromkeys(steps, 0.05)) for _ in range(2)]
        before = len(shop.lines())
        until(lambda: len(shop.lines()) > before + 1, "some work")
        for program in crew:
            program.kill()
            program.wait(20)
    shop.worker(**dict.fromkeys(steps, 0))
    assert task.wait(30).status == "succeeded"
    ran = Counter(line.split()[0] for line in shop.lines())
    assert set(ran) == set(steps) and sum(ran.values()) <= len(steps) + 3
    assert shop.engine.audit_verify().commit_count == len(steps)
