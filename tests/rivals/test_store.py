"""Complaints about what an engine does to its database."""

from __future__ import annotations

import os
import threading
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, List

from helper import definition, read_line, start_program, submit
from observe import Observer
from stepwell import Engine, Worker

STEPS = 10
AFTER_ALL = datetime(2100, 1, 1, tzinfo=timezone.utc)


def many(engine: Engine, tasks: int) -> List[str]:
    """So many tasks of a chain of ten steps."""
    rows = [
        {"name": f"s{i}", "handler": "w.step", "after": [f"s{i - 1}"] if i else []}
        for i in range(STEPS)
    ]
    engine.register(definition("w", rows))
    return [row.task_id for row in engine.submit([("w",)] * tasks)]


def test_complaint_13_what_has_ended_can_go(tmp_path: Path) -> None:
    """The tables of tasks do not grow for ever: what was pruned gives its room back, and the log
    still proves all of it."""
    path = tmp_path / "store.db"
    sizes = []
    for prunes in (False, True):
        with Engine(path, durability="relaxed") as engine:
            if prunes:
                assert engine.prune(finished_before=AFTER_ALL).task_count == 1000
                assert list(engine.tasks()) == []
                assert engine.audit_verify().ok
            else:
                many(engine, 1000)
                engine.cancel([(task.id, "ann", "enough") for task in engine.tasks()])
        sizes.append(path.stat().st_size)
    full, pruned = sizes
    assert pruned < 0.8 * full


def test_complaint_14_an_idle_worker_asks_for_nothing(observer: Observer, tmp_path: Path) -> None:
    """Once it has looked in vain it sleeps: not one instruction of SQLite's machine meanwhile."""
    with Engine(tmp_path / "store.db") as engine:
        many(engine, 1)
        worker = engine.worker_open(["w.other"])
        assert observer.cost(lambda: engine.exchange(worker, [], 1, 50))["instructions"] > 0
        before = observer.instructions
        for _ in range(10):
            assert engine.exchange(worker, [], 1, 200).claims == []
        assert observer.instructions == before


BUSY = """
    import sys
    from stepwell import Engine
    engine = Engine(sys.argv[1])
    worker = engine.worker_open(["w.step"])
    done, count = [], 0
    print("ready", flush=True)
    while True:
        engine.submit([("w",)])
        claims = engine.exchange(worker, done, 5, 0).claims
        done = [(claim.step_id, claim.epoch, "succeeded") for claim in claims]
        count += len(claims)
        if count > 300:
            engine.exchange(worker, done, 0, 0)
            break
    print("done", flush=True)
"""


def test_complaint_15_no_database_is_locked(engine: Engine) -> None:
    """Six processes that submit, claim and complete as fast as they can on one file."""
    many(engine, 1)
    programs = [start_program(BUSY, str(engine.store)) for _ in range(6)]
    for program in programs:
        read_line(program, "ready")
    for program in programs:
        read_line(program, "done")
        assert program.wait(20) == 0


def test_complaint_17_one_connection_for_all_threads(engine: Engine) -> None:
    """Sixteen handlers run at once; the database is open as often as for none."""
    w = engine.workflow("w")
    here = threading.Barrier(17)
    count: List[int] = []

    def opened() -> int:
        paths = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
        return sum(os.path.realpath(path) == str(engine.store) for path in paths)

    before = opened()
    for i in range(16):
        w.step(lambda: here.wait(30), name=f"s{i}")
    task = w.start()
    with Worker(engine, threads=16):
        here.wait(30)
        count.append(opened())
        task.wait(30)
    assert (task.status, count) == ("succeeded", [before])


def test_complaint_20_a_completion_reads_no_other_task(observer: Observer, tmp_path: Path) -> None:
    """The same exchange with ten tasks in the database and with a thousand."""
    costs = []
    for tasks in (10, 1000):
        with Engine(tmp_path / f"{tasks}.db", durability="relaxed") as engine:
            many(engine, tasks)
            worker = engine.worker_open(["w.step"])
            done: List[Any] = []

            def turn(engine: Engine = engine, worker: int = worker) -> None:
                claims = engine.exchange(worker, done, 5, 0).claims
                done[:] = [(claim.step_id, claim.epoch, "succeeded") for claim in claims]

            turn()
            costs.append(sum(observer.cost(turn)["instructions"] for _ in range(20)))
    few, crowd = costs
    assert crowd < 1.3 * few


def test_complaint_21_a_small_step_costs_little(observer: Observer, tmp_path: Path) -> None:
    """Claiming and completing a step is a few hundred instructions of SQLite's machine and, in
    batches, a hundredth of a commit."""
    with Engine(tmp_path / "store.db", durability="relaxed") as engine:
        rows = [{"name": f"s{i}", "handler": "w.step"} for i in range(1000)]
        engine.register(definition("w", rows))
        task = submit(engine, "w")
        worker = engine.worker_open(["w.step"])
        done: List[Any] = []

        def all_steps() -> None:
            while engine.get(task)[0].state != "succeeded":
                claims = engine.exchange(worker, done, 100, 0).claims
                done[:] = [(claim.step_id, claim.epoch, "succeeded") for claim in claims]

        cost = observer.cost(all_steps)
    assert cost["commits"] <= 1000 // 100 + 2
    assert cost["instructions"] / 1000 < 2000


def test_complaint_25_stuck_has_a_reason(engine: Engine) -> None:
    """Every way in which a step can stand still is told in a sentence that names who or what."""
    rows = [
        {"name": "nobody", "handler": "w.nobody"},
        {"name": "behind", "handler": "w.step", "after": ["nobody"]},
        {"name": "held", "handler": "w.held"},
        {"name": "again", "handler": "w.again", "retry": {"max_attempts": 2, "base_ms": 60000}},
        {"name": "broken", "handler": "w.broken"},
        {"name": "lost", "handler": "w.step", "after": ["broken"]},
    ]
    engine.register(definition("w", rows))
    task = submit(engine, "w")
    worker = engine.worker_open(["w.held", "w.again", "w.broken"], name="ann")
    claims = {claim.name: claim for claim in engine.exchange(worker, [], 10, 0).claims}
    engine.update_batch(
        [
            (claims[name].step_id, claims[name].epoch, "failed", None, "Oops", "no luck")
            for name in ("again", "broken")
        ]
    )
    why: Dict[str, Any] = {reason.step: reason for reason in engine.explain(task)}
    assert "w.nobody" in why["nobody"].message
    assert why["behind"].subject == "nobody"
    assert "ann" in why["held"].message
    assert why["again"].until_us > 0
    assert why["lost"].subject == "broken"
    assert len({why[row["name"]].reason for row in rows if row["name"] in why}) >= 4


def test_complaint_25_a_sign_of_life_is_one_row(observer: Observer, engine: Engine) -> None:
    """Renewing a lease costs the same whether the worker holds one step or a hundred."""
    costs = []
    for held in (1, 100):
        rows = [{"name": f"s{i}", "handler": f"w.step{held}"} for i in range(held)]
        engine.register(definition(f"w{held}", rows))
        submit(engine, f"w{held}")
        worker = engine.worker_open([f"w.step{held}"])
        assert len(engine.exchange(worker, [], held, 0).claims) == held
        costs.append(observer.cost(lambda worker=worker: engine.worker_renew(worker, [])))
    one, hundred = costs
    assert one["commits"] == hundred["commits"] == 1
    assert hundred["instructions"] < 1.2 * one["instructions"] + 100
