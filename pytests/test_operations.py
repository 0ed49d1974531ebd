"""What operators ask and do, under its own names and under those of Tasker, on both stores."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Dict

import pytest
import stepwell
from helper import definition, submit
from stepwell import Engine

NOBODY = "01920000-0000-7000-8000-000000000000"
BRANCHES = definition(
    "w",
    [
        {"name": "a"},
        {"name": "b", "after": ["a"]},
        {"name": "c"},
        {"name": "d", "after": ["c"]},
    ],
)


@pytest.fixture
def task_id(engine: Engine) -> str:
    """A task with two branches."""
    engine.register(BRANCHES)
    return submit(engine, "w")


def report(engine: Engine, **outcomes: str) -> None:
    """Claim everything for a new worker, report some of it and give the rest back."""
    worker = engine.worker_open(["w.a", "w.b", "w.c", "w.d"])
    claims = engine.exchange(worker, [], 100, 0).claims
    engine.update_batch(
        [(row.step_id, row.epoch, outcomes.get(row.name, "released")) for row in claims]
    )


class TestTaskContext:
    def test_where_tasks_stand(self, engine: Engine, task_id: str) -> None:
        report(engine, a="failed_for_good")
        other = submit(engine, "w")
        engine.cancel([(other, "ann", "enough")])
        row, cancelled = engine.task_context([task_id, other])
        assert row.execution_status == "has_ready_steps"
        assert row.recommended_action == "execute_ready_steps"
        assert row.health_status == "recovering"
        assert (row.task_id, row.workflow, row.state) == (task_id, "w", "running")
        assert (row.completion_percentage, row.step_count, row.ready_count) == (0.0, 4, 1)
        assert row.next_steps == ("c",)
        assert row.blocking_steps == ("a",)
        assert row.blocked_steps == ("b",)
        assert row.next_retry_us == 0
        assert sum(row.step_counts.values()) == 4 and row.step_counts["failed"] == 1
        assert cancelled.execution_status == "blocked_by_failures"
        assert cancelled.recommended_action == "handle_failures"
        assert cancelled.health_status == "blocked"
        assert engine.task_context([]) == []

    def test_a_task_that_is_not_there(self, engine: Engine, task_id: str) -> None:
        with pytest.raises(stepwell.NotFoundError) as raised:
            engine.task_context([task_id, NOBODY])
        assert raised.value.row == 1
        with pytest.raises(stepwell.InvalidArgumentError, match="task_id") as refused:
            engine.task_context([task_id, task_id, "x"])
        assert refused.value.row == 2

    @pytest.mark.parametrize("wrong", [1, None, NOBODY, [1], [None]])
    def test_wrong_types(self, engine: Engine, wrong: Any) -> None:
        with pytest.raises(TypeError):
            engine.task_context(wrong)

    def test_the_name_in_tasker(self, engine: Engine, task_id: str) -> None:
        task = engine.task(task_id)
        (row,) = engine.task_context([task_id])
        assert engine.get_task_execution_context(task) == row
        assert engine.get_task_execution_context(task_id) == row
        assert task.context() == row


class TestStepReadiness:
    def test_whether_steps_may_start(self, engine: Engine, task_id: str) -> None:
        report(engine, a="failed_for_good")
        rows = {row.step: row for row in engine.step_readiness(task_id)}
        assert sorted(rows) == ["a", "b", "c", "d"]
        a = rows["a"]
        assert (a.state, a.ready, a.reason) == ("failed", False, "attempts_used_up")
        assert (a.dependencies_satisfied, a.retry_eligible) == (True, False)
        assert (a.attempts, a.max_attempts, a.next_retry_us) == (1, 1, 0)
        assert (a.total_parents, a.completed_parents) == (0, 0)
        assert rows["b"].reason == "failed_dependency" and not rows["b"].dependencies_satisfied
        assert rows["c"].ready is True and rows["c"].reason == "queued"
        assert rows["d"].reason == "open_dependency" and rows["d"].total_parents == 1
        assert all(row.step_id > 0 for row in rows.values())

    def test_the_name_in_tasker(self, engine: Engine, task_id: str) -> None:
        task = engine.task(task_id)
        rows = engine.discover_viable_steps(task)
        assert rows == engine.step_readiness(task_id)
        assert [row.step for row in rows if row.ready] == ["a", "c"]
        with pytest.raises(stepwell.NotFoundError):
            engine.discover_viable_steps(NOBODY)


class TestOverride:
    def ids(self, engine: Engine, task_id: str) -> Dict[str, int]:
        return {step.name: step.step_id for step in engine.get(task_id)[1]}

    def test_all_or_none(self, engine: Engine, task_id: str) -> None:
        ids = self.ids(engine, task_id)
        report(engine, a="failed_for_good", c="succeeded")
        good = (ids["a"], "resolved", "ann", "paid")
        with pytest.raises(stepwell.IllegalTransitionError, match="succeeded") as raised:
            engine.override([good, (ids["c"], "ready", "ann", "again")])
        assert raised.value.row == 1
        assert {s.name: s.state for s in engine.get(task_id)[1]}["a"] == "failed"
        (row,) = engine.override([good])
        assert row == (ids["a"], "applied", "failed", "resolved", 0, None)
        assert {s.name: s.state for s in engine.get(task_id)[1]}["b"] == "ready"
        (entry,) = (e for e in engine.audit_task(task_id) if e.to_state == "resolved")
        assert (entry.actor, entry.reason, entry.step) == ("ann", "paid", "a")
        assert engine.audit_verify().ok

    def test_in_part(self, engine: Engine, task_id: str) -> None:
        ids = self.ids(engine, task_id)
        applied, refused = engine.override(
            [(ids["a"], "skipped", "ann", "why"), (1, "ready", "ann", "why")], "partial"
        )
        assert (applied.status, refused.status) == ("applied", "refused")
        assert (refused.from_state, refused.state) == (None, None)
        assert refused.code == stepwell.NotFoundError.code
        assert refused.message == "there is no step 1"

    @pytest.mark.parametrize(
        "row, message",
        [
            ((1, "gone", "a", "b"), "state is 'gone', which is no state of a step"),
            ((1, "ready", None, "b"), "actor is missing"),
            ((1, "ready", "a", ""), "reason is missing"),
        ],
    )
    def test_bad_rows(self, engine: Engine, row: Any, message: str) -> None:
        with pytest.raises(stepwell.InvalidArgumentError, match=message) as raised:
            engine.override([row])
        assert raised.value.row == 0

    def test_bad_mode(self, engine: Engine) -> None:
        with pytest.raises(stepwell.InvalidArgumentError, match="mode is 'some'"):
            engine.override([], "some")

    def test_the_name_in_tasker(self, engine: Engine, task_id: str) -> None:
        ids = self.ids(engine, task_id)
        rows = [
            (ids["a"], "skipped"),
            (ids["a"], "succeeded"),
            (ids["c"], "cancelled"),
            (ids["d"], "ready"),
        ]
        update = engine.batch_update_step_states(rows, actor="ann", reason="why", mode="partial")
        assert update.updated_count == 2
        assert [r.status for r in update.rows] == ["applied", "refused", "applied", "refused"]
        with pytest.raises(stepwell.IllegalTransitionError):
            engine.batch_update_step_states(rows, actor="ann", reason="why")


class TestPrune:
    def ended(self, engine: Engine, **key: str) -> str:
        engine.register(BRANCHES)
        (row,) = engine.submit([("w", None, key.get("key"))])
        engine.cancel([(row.task_id, "ann", "enough")])
        return str(row.task_id)

    def test_what_ended_long_ago_is_taken_out(self, engine: Engine) -> None:
        old = self.ended(engine, key="k")
        assert engine.prune(older_than=timedelta(hours=1)) == (0, 0, 0)
        assert engine.prune(older_than=-60, dry_run=True)[:2] == (1, 4)
        assert engine.get(old)[0].state == "cancelled"
        assert engine.prune(older_than=-60.5, states="succeeded").task_count == 0
        pruned = engine.prune(
            older_than=timedelta(0) - timedelta(minutes=1),
            states=["failed", "cancelled"],
            actor="bob",
            reason="old",
        )
        assert (pruned.task_count, pruned.step_count) == (1, 4)
        with pytest.raises(stepwell.NotFoundError):
            engine.get(old)
        entry = engine.audit_list()[-1]
        assert (entry.kind, entry.from_state, entry.task_id) == ("task_pruned", "cancelled", old)
        assert (entry.actor, entry.reason) == ("bob", "old")
        assert "but for 1 pruned task" in engine.audit_verify().message
        assert self.ended(engine, key="k") != old

    def test_by_time_workflow_and_number(self, engine: Engine) -> None:
        for _ in range(3):
            self.ended(engine)
        now = datetime.now(timezone.utc)
        minute = timedelta(minutes=1)
        assert engine.prune(finished_before=now - minute).task_count == 0
        assert engine.prune(finished_before=now + minute, workflow="other").task_count == 0
        assert engine.prune(finished_before=now + minute, workflow="w", limit=2).task_count == 2
        assert sum(engine.count().values()) == 1

    def test_what_makes_no_sense_is_refused(self, engine: Engine) -> None:
        with pytest.raises(ValueError):
            engine.prune()
        with pytest.raises(ValueError):
            engine.prune(older_than=1, finished_before=datetime.now(timezone.utc))
        with pytest.raises(stepwell.InvalidArgumentError, match="no task ends as running"):
            engine.prune(older_than=1, states=["running"])
        with pytest.raises(stepwell.InvalidArgumentError):
            engine.prune(older_than=1, states=["some"])
        with pytest.raises(stepwell.InvalidArgumentError):
            engine.prune(older_than=1, limit=-1)
        with pytest.raises(stepwell.InvalidArgumentError, match="time zone"):
            engine.prune(finished_before=datetime(2026, 1, 1))
