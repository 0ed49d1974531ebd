"""Circuit breakers: what the binding reads and gives; what they do is in tests/golden and the C
tests."""

from __future__ import annotations

import pytest
import stepwell
from stepwell import Breaker, Engine, Retry

WHO = {"actor": "ann", "reason": "by hand"}


@pytest.fixture
def order(engine: Engine) -> Engine:
    payments = Breaker(failures=1, successes=3, probes=2, open=60, max_open=600)
    workflow = engine.workflow("order", breakers={"payments": payments, "mail": Breaker()})

    @workflow.step(breaker="payments", retry=Retry(2, backoff="none"))
    def charge() -> bool:
        return True

    workflow.external("ship", after=charge, breaker="carrier")
    workflow.register()
    return engine


def test_one_row_for_each_that_a_workflow_names(order: Engine) -> None:
    rows = {row.name: row for row in order.breakers()}
    assert list(rows) == ["carrier", "mail", "payments"]
    assert {row.state for row in rows.values()} == {"closed"}
    assert rows["payments"][2:] == (0, 0, 0, 0, False, 0, 0, None, 1, 3, 2, 60_000, 600_000)
    assert rows["carrier"][-5:] == rows["mail"][-5:] == (5, 2, 1, 30_000, 30_000)


def test_failures_open_it(order: Engine) -> None:
    task_id = order.submit([("order",)])[0].task_id
    worker = order.worker_open(["order.charge"])
    (claim,) = order.exchange(worker, [], 1, 0).claims
    order.update_batch([(claim.step_id, claim.epoch, "failed", None, "Down")])
    row = order.breakers()[-1]
    assert (row.state, row.failures, row.openings, row.forced) == ("open", 1, 1, False)
    assert (row.until_us - row.changed_us, row.error_class) == (60_000_000, "Down")
    assert order.exchange(worker, [], 1, 0).claims == []
    (reason,) = order.explain(task_id, "charge")
    assert (reason.reason, reason.subject) == ("breaker_open", "payments")
    assert "circuit payments is open for another" in reason.message
    assert order.close_breaker("payments", **WHO).state == "closed"
    assert [claim.name for claim in order.exchange(worker, [], 1, 0).claims] == ["charge"]


def test_by_hand(order: Engine) -> None:
    row = order.open_breaker("payments", **WHO)
    assert (row.state, row.forced, row.until_us) == ("open", True, 0)
    row = order.open_breaker("payments", seconds=0.5, **WHO)
    assert row.until_us - row.changed_us == 500_000
    order.close_breaker("payments", **WHO)
    entries = [entry for entry in order.audit_list(1, 100) if entry.kind == "breaker_changed"]
    assert [(entry.from_state, entry.to_state) for entry in entries] == [
        ("closed", "open"),
        ("open", "open"),
        ("open", "closed"),
    ]
    assert {(e.subject, e.actor, e.reason) for e in entries} == {("payments", "ann", "by hand")}
    assert order.audit_verify().ok


def test_several_or_none(order: Engine) -> None:
    rows = [("mail", "open", "ann", "why"), ("carrier", "open", "ann", "why", 5)]
    assert [row.name for row in order.breaker_override(rows)] == ["mail", "carrier"]
    with pytest.raises(stepwell.NotFoundError, match="none") as caught:
        order.breaker_override([("mail", "closed", "ann", "why"), ("none", "open", "ann", "why")])
    assert caught.value.row == 1
    assert [row.state for row in order.breakers()] == ["open", "open", "closed"]


def test_refusals(order: Engine) -> None:
    with pytest.raises(stepwell.InvalidArgumentError, match="operator"):
        order.breaker_override([("mail", "half_open", "ann", "why")])
    with pytest.raises(stepwell.InvalidArgumentError, match="actor"):
        order.open_breaker("mail", actor="", reason="x")
    with pytest.raises(stepwell.InvalidArgumentError, match="seconds"):
        order.open_breaker("mail", seconds=0, **WHO)
    with pytest.raises(stepwell.InvalidArgumentError, match="broken"):
        order.breaker_override([("mail", "broken", "ann", "why")])
    with pytest.raises(TypeError, match="4 to 5 items"):
        order.breaker_override([("mail",)])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="open"):
        Breaker(open="soon").definition()  # type: ignore[arg-type]
    assert "failures=3" in repr(Breaker(failures=3))
