"""Tasker's two readiness rules, row by row against the same rules in plain Python."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, List, Optional

import pytest
import stepwell
from stepwell import tasker_readiness

NOW = datetime(2026, 3, 1, tzinfo=timezone.utc)
STATES = [
    *("pending", "enqueued", "in_progress", "enqueued_for_orchestration"),
    *("enqueued_as_error_for_orchestration", "waiting_for_retry", "complete", "error"),
    *("cancelled", "resolved_manually"),
]
Step = Dict[str, Any]


def at(seconds: Optional[int]) -> Optional[datetime]:
    return None if seconds is None else NOW + timedelta(seconds=seconds)


def draw(rng: random.Random, count: int) -> List[Step]:
    def maybe(low: int, high: int) -> Optional[int]:
        return rng.choice([None, rng.randint(low, high)])

    return [
        {
            "state": rng.choice([*STATES, "pending", "complete", "error", "waiting_for_retry"]),
            "parents": [parent for parent in range(i) if rng.random() < 0.3],
            "processed": rng.random() < 0.2,
            "in_process": rng.random() < 0.2,
            "retryable": rng.random() < 0.8,
            "attempts": maybe(0, 7),
            "retry_limit": maybe(0, 7),
            "backoff_request_seconds": maybe(0, 90),
            "last_attempted_at": at(maybe(-90, 0)),
            "failed_at": at(maybe(-90, 0)),
        }
        for i in range(count)
    ]


def over(since: Optional[datetime], seconds: Optional[float]) -> Optional[bool]:
    if since is None or seconds is None:
        return None
    return since + timedelta(seconds=seconds) <= NOW


def common(steps: List[Step], step: Step) -> bool:
    done = ("complete", "resolved_manually")
    parents_done = all(steps[parent]["state"] in done for parent in step["parents"])
    return parents_done and not step["processed"] and not step["in_process"]


def rails(steps: List[Step], step: Step) -> bool:
    attempts = step["attempts"] or 0
    limit = 3 if step["retry_limit"] is None else step["retry_limit"]
    asked = over(step["last_attempted_at"], step["backoff_request_seconds"])
    failed = over(step["failed_at"], min(2**attempts, 30))
    return (
        common(steps, step)
        and step["state"] in ("pending", "error")
        and attempts < limit
        and step["retryable"]
        and asked is not False
        and failed is not False
    )


def core(steps: List[Step], step: Step) -> bool:
    attempts = step["attempts"] or 0
    limit = 3 if step["retry_limit"] is None else step["retry_limit"]
    asked = over(step["last_attempted_at"], step["backoff_request_seconds"])
    failed = over(step["failed_at"], min(2.0**attempts, 60))
    return (
        common(steps, step)
        and step["state"] in ("pending", "waiting_for_retry")
        and (attempts == 0 or (step["retryable"] and attempts < limit))
        and (failed if asked is None else asked) is not False
    )


@pytest.mark.parametrize("rule, reference", [("rails", rails), ("core", core)])
def test_row_by_row(rule: str, reference: Any) -> None:
    rng = random.Random(7)
    ready = 0
    for _ in range(400):
        steps = draw(rng, 8)
        found = [row.ready for row in tasker_readiness(steps, rule=rule, now=NOW)]
        assert found == [reference(steps, step) for step in steps], steps
        ready += sum(found)
    assert ready > 30


def test_what_a_row_says() -> None:
    steps = [
        {"state": "complete"},
        {"state": "error", "parents": [0], "attempts": 2, "failed_at": NOW},
    ]
    (row,) = tasker_readiness(steps, rule="rails", now=NOW, asked=[1])
    wait = int(NOW.timestamp() + 4) * 1_000_000
    assert row == (False, True, False, 1, 1, wait)
    later = NOW + timedelta(seconds=4)
    assert tasker_readiness(steps, rule="rails", now=later)[1].ready
    assert tasker_readiness(steps, rule="rails")[0].next_retry_us is None
    assert tasker_readiness([]) == []


def test_refusals() -> None:
    with pytest.raises(stepwell.InvalidArgumentError, match="rule is 'other'"):
        tasker_readiness([], rule="other")
    with pytest.raises(stepwell.InvalidArgumentError, match="ready") as caught:
        tasker_readiness([{"state": "pending"}, {"state": "ready"}])
    assert caught.value.row == 1
    with pytest.raises(stepwell.InvalidArgumentError, match="parent 3"):
        tasker_readiness([{"state": "pending", "parents": [3]}])
    with pytest.raises(stepwell.InvalidArgumentError, match="step 2"):
        tasker_readiness([{"state": "pending"}], asked=[2])
    with pytest.raises(TypeError, match="colour"):
        tasker_readiness([{"state": "pending", "colour": "red"}])
    with pytest.raises(TypeError, match="attempts"):
        tasker_readiness([{"state": "pending", "attempts": "many"}])
    with pytest.raises(ValueError, match="zone"):
        tasker_readiness([{"state": "pending", "failed_at": datetime(2026, 1, 1)}])
