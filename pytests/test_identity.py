"""Many tasks at once, and what makes two submissions the same task, on both stores."""

from __future__ import annotations

from typing import Any

import pytest
import stepwell
from stepwell import Engine, Workflow


@pytest.fixture
def bulk(engine: Engine) -> Workflow[Any]:
    workflow = engine.workflow("bulk")
    workflow.external("a")
    return workflow


def test_in_one_transaction(engine: Engine, bulk: Workflow[Any]) -> None:
    tasks = bulk.start_many([{"n": i} for i in range(500)], tags=["bulk"], priority=3)
    assert [task.input["n"] for task in tasks] == list(range(500))
    assert all(task.created for task in tasks)
    assert (tasks[-1].row().tags, tasks[-1].row().priority) == (("bulk",), 3)
    assert tasks[0].history()[0].time_us == tasks[-1].history()[0].time_us
    assert bulk.start_many([]) == []


def test_all_or_none(engine: Engine, bulk: Workflow[Any]) -> None:
    bulk.start({"n": 1}, key="b")
    with pytest.raises(stepwell.ConflictError) as raised:
        bulk.start_many([{"n": 1}, {"n": 2}], keys=["a", "b"])
    assert raised.value.row == 1
    assert sum(engine.count().values()) == 1
    with pytest.raises(ValueError, match="1 inputs have 0 keys"):
        bulk.start_many([1], keys=[])  # type: ignore[list-item]


def test_caller_provided(bulk: Workflow[Any]) -> None:
    first = bulk.start_many([{"n": 1}, {"n": 2}], keys=["a", None])
    again = bulk.start_many([{"n": 1}, {"n": 2}], keys=["a", None])
    assert again[0] == first[0]
    assert [task.created for task in again] == [False, True]
    assert bulk.start({"n": 1}, key="a", identity_strategy="caller_provided") == first[0]
    with pytest.raises(stepwell.InvalidArgumentError, match="needs a key"):
        bulk.start({"n": 1}, identity_strategy="caller_provided")


def test_strict(bulk: Workflow[Any]) -> None:
    first = bulk.start({"a": 1, "b": [{"y": 2, "x": 3.5}]}, identity_strategy="strict")
    again = bulk.start({"b": [{"x": 3.5, "y": 2}], "a": 1}, identity_strategy="strict")
    assert first.created and again == first and not again.created
    inputs: Any = [{"a": 1}, {"a": 2**70}, {"a": 2**70 + 1}, {"a": 1.0}, [], None]
    tasks = bulk.start_many(inputs, identity_strategy="strict")
    assert len({task.id for task in tasks}) == 6
    twins = bulk.start_many([None, None], identity_strategy="strict")
    assert {task.id for task in twins} == {tasks[-1].id}
    with pytest.raises(stepwell.InvalidArgumentError, match="takes no key"):
        bulk.start({}, key="a", identity_strategy="strict")


def test_always_unique(bulk: Workflow[Any]) -> None:
    tasks = bulk.start_many([{}, {}], identity_strategy="always_unique")
    assert tasks[0] != tasks[1]
    with pytest.raises(stepwell.InvalidArgumentError, match="takes no key"):
        bulk.start({}, key="a", identity_strategy="always_unique")
    with pytest.raises(stepwell.InvalidArgumentError, match="'none' is no identity strategy"):
        bulk.start({}, identity_strategy="none")
