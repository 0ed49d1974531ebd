"""Events and projections: appended at versions, read every way, folded once whatever is killed."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import stepwell
from helper import chain, read_line, start_program, submit, until
from stepwell import Engine, Event, Projection, Task


@pytest.fixture
def task(engine: Engine) -> Task:
    engine.register(chain("w", "a"))
    row = ("w", '{"n":1}', None, None, None, 0, None, None, "c")
    return engine.task(engine.submit([row])[0].task_id)


def test_append_at_a_version(engine: Engine, task: Task) -> None:
    version = task.version
    appended = task.append(
        "order.paid", {"cents": 42}, expected_version=version, step="a", actor="ann", reason="why"
    )
    assert appended == (version + 1, version + 1, "appended", 0, None)
    with pytest.raises(stepwell.VersionConflictError) as caught:
        task.append("order.paid", expected_version=version)
    assert caught.value.version == version + 1
    assert caught.value.expected_version == version
    assert caught.value.name == "EOUTDATED"
    (event,) = task.events(types="order.paid")
    assert event.data == {"cents": 42}
    assert (event.position, event.step, event.task_id) == (version + 1, "a", task.id)
    entry = event.row.entry
    assert (entry.kind, entry.actor, entry.reason, entry.subject) == (
        *("event", "ann", "why"),
        "order.paid",
    )
    assert abs(event.time - datetime.now(timezone.utc)) < timedelta(seconds=60)


def test_a_key_appends_once(task: Task) -> None:
    first = task.append("paid", 1, key="k", correlation_id="x")
    again = task.append("paid", 1, key="k", correlation_id="x", expected_version=1)
    assert (again.status, again.position) == ("duplicate", first.position)
    (event,) = task.events(correlation_id="x")
    assert (event.key, event.correlation_id) == ("k", "x")
    with pytest.raises(stepwell.ConflictError):
        task.append("paid", 2, key="k")


def test_refusals_by_their_classes(engine: Engine, task: Task) -> None:
    with pytest.raises(stepwell.InvalidArgumentError, match="one of the engine's"):
        task.append("step.completed")
    with pytest.raises(stepwell.IllegalTransitionError):
        task.append("x", step="none")
    with pytest.raises(stepwell.InvalidArgumentError):
        task.append("x", object())
    with pytest.raises(stepwell.NotFoundError):
        engine.append_event("01a1fa53-a1dc-76ad-9ffc-eb15f6879603", "x")
    with pytest.raises(TypeError, match="colour"):
        engine.append_events([(task, "x", None, {"colour": 1})])
    rows = [(task, "x"), (task, "x", None, {"expected_version": 1})]
    with pytest.raises(stepwell.VersionConflictError) as caught:
        engine.append_events(rows)
    assert caught.value.row == 1
    assert caught.value.version is None
    assert not list(task.events(types="x"))
    done, refused = engine.append_events(rows, mode="partial")
    assert (done.status, refused.status) == ("appended", "refused")
    assert (refused.code, refused.version, refused.position) == (-22, done.version, 0)
    assert "version" in str(refused.message)


def test_reading_every_way(engine: Engine, task: Task) -> None:
    for start in range(0, 2100, 500):
        numbers = range(start, min(start + 500, 2100))
        engine.append_events((task, "odd" if n % 2 else "even", n) for n in numbers)
    assert [e.data for e in engine.events(types="even")] == list(range(0, 2100, 2))
    newest = engine.events(types=["even", "odd"], newest_first=True, limit=3)
    assert [e.data for e in newest] == [2099, 2098, 2097]
    assert sum(1 for _ in engine.events(correlation_id="c", types="odd")) == 1050
    first = next(task.events())
    assert (first.type, first.data) == ("task.submitted", {"n": 1})
    assert [e.data for e in task.events(after=first.position, limit=2)] == [0, 1]
    assert not list(task.events(before=first.position))
    later = datetime.now(timezone.utc) + timedelta(seconds=60)
    assert not list(task.events(since=later))
    assert [e.type for e in task.events(until=later, limit=1)] == ["task.submitted"]


def test_waiting_for_what_comes(engine: Engine, task: Task) -> None:
    start = task.version

    def append() -> None:
        for number, type in enumerate(("early", "late", "late")):
            time.sleep(0.03)
            task.append(type, number)

    thread = threading.Thread(target=append)
    thread.start()
    followed = engine.follow_events(after=start, types="late")
    assert [next(followed).data, next(followed).data] == [1, 2]
    thread.join()
    assert not list(engine.follow_events(after=task.version, timeout=0.01))


def test_a_task_as_it_was(engine: Engine, task: Task) -> None:
    before = task.version
    worker = engine.worker_open(["w.a"])
    (claim,) = engine.exchange(worker, [], 1, 0).claims
    engine.update_batch([(claim.step_id, claim.epoch, "succeeded", "7")])
    past = task.as_of(before)
    assert (past.state, past.position, past.workflow) == ("pending", before, "w")
    assert [(s.name, s.state, s.attempt, s.position) for s in past.steps] == [("a", "ready", 0, 0)]
    now = task.as_of(task.version)
    assert now.state == "succeeded" and now.step_counts["succeeded"] == 1
    with pytest.raises(stepwell.NotFoundError):
        task.as_of(before - 1)


def revenue(version: str = "1", factor: int = 1) -> Projection:
    projection = Projection("revenue", version=version, initial=lambda: {"total": 0})

    @projection.on("order.paid", "order.refunded")
    def money(state: Any, event: Event) -> None:
        state["total"] += factor * event.data

    @projection.on("task.submitted")
    def submitted(state: Any, event: Event) -> None:
        state["tasks"] = state.get("tasks", 0) + 1

    return projection


def test_a_projection_folds_once(engine: Engine, task: Task) -> None:
    for number in range(5):
        task.append("order.paid", number)
    assert revenue().catch_up(engine, batch=2) == (task.version, {"total": 10, "tasks": 1})
    task.append("order.refunded", -3)
    assert revenue().catch_up(engine).state["total"] == 7
    assert revenue().catch_up(engine).state["total"] == 7
    (row,) = engine.projections()
    assert (row.name, row.version, row.position) == ("revenue", "1", task.version)
    assert revenue().rebuild(engine).state == {"total": 7, "tasks": 1}


def test_another_version_begins_anew(engine: Engine, task: Task) -> None:
    task.append("order.paid", 1)
    revenue().catch_up(engine)
    newer = revenue("2", 100)
    assert newer.snapshot(engine) == (0, {"total": 0})
    assert newer.catch_up(engine).state["total"] == 100


def test_a_projection_at_a_position(engine: Engine, task: Task) -> None:
    positions = [task.append("order.paid", n).position for n in (1, 2, 3, 4)]
    assert revenue().at(engine, positions[1]).state["total"] == 3
    revenue().catch_up(engine)
    task.append("order.paid", 5)
    assert revenue().at(engine, task.version).state["total"] == 15
    assert revenue().at(engine, positions[2]).state["total"] == 6
    assert revenue().snapshot(engine).state["total"] == 10


def test_a_handler_that_raises_moves_nothing(engine: Engine, task: Task) -> None:
    task.append("order.paid", 1)
    task.append("order.paid", "much")
    projection = revenue()
    with pytest.raises(stepwell.ProjectionError, match="order.paid") as caught:
        projection.catch_up(engine)
    assert caught.value.event.data == "much"
    assert caught.value.projection is projection
    assert isinstance(caught.value.__cause__, TypeError)
    assert projection.snapshot(engine).position == 0


def test_another_process_was_quicker(engine: Engine, task: Task) -> None:
    task.append("order.paid", 1)
    slow = revenue()
    waiting = [revenue()]

    @slow.on("order.paid")
    def paid(state: Any, event: Event) -> None:
        state["total"] += event.data
        if waiting:
            waiting.pop().catch_up(engine)

    assert slow.catch_up(engine).state["total"] == 1


def test_run_ends_in_time(engine: Engine, task: Task) -> None:
    task.append("order.paid", 1)
    assert [s.state["total"] for s in revenue().run(engine, timeout=0.01)] == [1]
    snapshots = revenue().run(engine)
    assert next(snapshots).state["total"] == 1
    task.append("order.paid", 2)
    assert next(snapshots).state["total"] == 3


def test_what_is_missing_is_said(engine: Engine, task: Task) -> None:
    with pytest.raises(TypeError):
        revenue().on()
    with pytest.raises(stepwell.InvalidArgumentError, match="no handler"):
        Projection("p").catch_up(engine)
    with pytest.raises(stepwell.InvalidArgumentError):
        Projection("").catch_up(engine)


FOLD = """
    import sys
    from stepwell import Engine, Projection
    counting = Projection("counting")

    @counting.on("order.paid")
    def paid(state, event):
        state["n"] = state.get("n", 0) + 1
        state["total"] = state.get("total", 0) + event.data

    engine = Engine(sys.argv[1])
    print("ready", flush=True)
    counting.catch_up(engine, batch=1)
"""


def test_every_event_counts_once_whatever_is_killed(tmp_path: Path) -> None:
    """A process that is killed at any moment while it catches up has saved an event or has not."""
    engine = Engine(tmp_path / "x.db")
    engine.register(chain("w", "a"))
    task = engine.task(submit(engine, "w"))
    engine.append_events((task, "order.paid", n) for n in range(400))
    counting = Projection("counting")

    @counting.on("order.paid")
    def paid(state: Any, event: Event) -> None:
        state["n"] = state.get("n", 0) + 1
        state["total"] = state.get("total", 0) + event.data

    def place() -> int:
        return max((row.position for row in engine.projections()), default=0)

    for _ in range(3):
        start = place()
        program = start_program(FOLD, str(engine.store))
        read_line(program, "ready")
        until(lambda: place() > start + 10, "folding")
        program.kill()
        program.wait(20)
        position, state = counting.snapshot(engine)
        folded = [e.data for e in task.events(types="order.paid", before=position + 1)]
        assert state == {"n": len(folded), "total": sum(folded)}
    assert counting.catch_up(engine).state == {"n": 400, "total": sum(range(400))}
    assert engine.audit_verify().ok
    engine.close()
