"""Dead letters: which steps are, in pages and groups, and retrying and resolving one or many."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import Any, List

import pytest
import stepwell
from helper import definition, submit
from stepwell import Engine

WORKFLOW = definition(
    "w",
    [
        {"name": "charge"},
        {"name": "lax", "on_failure": "continue"},
        {"name": "ship", "after": ["charge"]},
    ],
)
WHO = {"actor": "ann", "reason": "by hand"}


@pytest.fixture
def worker(engine: Engine) -> int:
    engine.register(WORKFLOW)
    return engine.worker_open(["w.charge", "w.lax", "w.ship"])


def fail(engine: Engine, worker: int, error_class: str) -> str:
    """Submit a task and fail its first steps for good."""
    task_id = submit(engine, "w")
    claims = engine.exchange(worker, [], 10, 0).claims
    rows = [
        (row.step_id, row.epoch, "failed_for_good", None, error_class, "no funds", None)
        for row in claims
    ]
    engine.exchange(worker, rows, 0, 0)
    return task_id


def classes(engine: Engine, **filter: Any) -> List[Any]:
    return [letter.error_class for letter in engine.dead_letters(**filter)]


def test_letters_are_the_steps_that_block_their_task(engine: Engine, worker: int) -> None:
    assert list(engine.dead_letters()) == []
    first = fail(engine, worker, "Declined")
    second = fail(engine, worker, "Timeout")
    letters = list(engine.dead_letters())
    assert [letter.task_id for letter in letters] == [second, first]
    letter = letters[-1]
    assert (letter.workflow, letter.step, letter.handler) == ("w", "charge", "w.charge")
    assert (letter.error_class, letter.error_message) == ("Declined", "no funds")
    row = letter.row
    assert (row.attempt, row.max_attempts, row.crashes, row.task_state) == (1, 1, 0, "failed")
    assert (row.queue, row.version, row.error_detail) == ("default", "", None)
    assert letter.failed_at.timestamp() == pytest.approx(row.failed_us / 1e6)
    assert letter.task.id == first
    assert "charge" in repr(letter)


def test_letters_are_found_by_what_is_asked_for(engine: Engine, worker: int) -> None:
    fail(engine, worker, "Declined")
    (first,) = engine.dead_letters()
    between = first.failed_at + timedelta(microseconds=1)
    time.sleep(0.002)
    fail(engine, worker, "Timeout")
    assert classes(engine, error_class="Declined") == ["Declined"]
    assert classes(engine, workflow="w", handler="w.charge", step="charge") == [
        "Timeout",
        "Declined",
    ]
    assert classes(engine, step="lax") == []
    assert classes(engine, failed_after=between) == ["Timeout"]
    assert classes(engine, failed_before=between) == ["Declined"]
    assert classes(engine, limit=1) == ["Timeout"]
    page = engine.dead_list(limit=1)
    rest = engine.dead_list(after_us=page[0].failed_us, after_step_id=page[0].step_id)
    assert [row.error_class for row in rest] == ["Declined"]


def test_letters_are_counted(engine: Engine, worker: int) -> None:
    for name in ("Declined", "Timeout", "Declined"):
        fail(engine, worker, name)
    groups = engine.count_dead_letters()
    assert [tuple(row)[:3] for row in groups] == [
        ("Declined", "w.charge", 2),
        ("Timeout", "w.charge", 1),
    ]
    assert groups[0].newest_us > groups[0].oldest_us
    assert engine.count_dead_letters(error_class="Boom") == []


def test_a_letter_is_retried_once(engine: Engine, worker: int) -> None:
    task_id = fail(engine, worker, "Declined")
    (letter,) = engine.dead_letters()
    assert letter.retry(**WHO).status == "applied"
    assert engine.get(task_id)[0].state == "running"
    assert list(engine.dead_letters()) == []
    with pytest.raises(stepwell.IllegalTransitionError):
        letter.retry(**WHO)


def test_dependents_read_the_result_of_a_resolved_letter(engine: Engine, worker: int) -> None:
    fail(engine, worker, "Declined")
    (letter,) = engine.dead_letters()
    assert letter.resolve({"paid": True}, **WHO).state == "resolved"
    (claim,) = engine.exchange(worker, [], 10, 0).claims
    assert claim.name == "ship"
    assert claim.inputs[0].result == '{"paid":true}'
    assert engine.audit_verify().ok


def test_letters_are_changed_together(engine: Engine, worker: int) -> None:
    for name in ("Declined", "Timeout", "Declined", "Timeout"):
        fail(engine, worker, name)
    changed = engine.retry_dead_letters(error_class="Declined", limit=1, **WHO)
    assert (changed.updated_count, [row.state for row in changed.rows]) == (1, ["ready"])
    assert engine.retry_dead_letters(error_class="Declined", **WHO).updated_count == 1
    soon = datetime.now(timezone.utc) + timedelta(hours=1)
    changed = engine.resolve_dead_letters(7, failed_before=soon, **WHO)
    assert [row.state for row in changed.rows] == ["resolved", "resolved"]
    assert engine.retry_dead_letters(**WHO).updated_count == 0
    assert engine.audit_verify().ok


def test_what_makes_no_sense_is_refused(engine: Engine, worker: int) -> None:
    with pytest.raises(stepwell.InvalidArgumentError, match="limit"):
        engine.dead_list(limit=10_001)
    with pytest.raises(TypeError):
        engine.dead_list(nothing=1)  # type: ignore[call-arg]
    with pytest.raises(stepwell.InvalidArgumentError, match="no time zone"):
        list(engine.dead_letters(failed_after=datetime(2026, 1, 1)))
    with pytest.raises(stepwell.InvalidArgumentError, match="actor"):
        engine.retry_dead_letters(actor="", reason="x")
    with pytest.raises(stepwell.InvalidArgumentError, match="skipped"):
        engine.dead_override("skipped", "a", "b")
    with pytest.raises(stepwell.InvalidArgumentError, match="JSON"):
        engine.dead_override("resolved", "a", "b", "{")
