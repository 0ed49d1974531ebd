"""Defects that were measured in the four systems which Stepwell replaces."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Dict, List

import pytest
import stepwell
from helper import chain, definition, submit, until
from stepwell import Engine, Graph

ROOT = Path(__file__).resolve().parents[2]


def test_row_12_a_cycle_is_refused_with_its_path(engine: Engine) -> None:
    """Elsewhere such a task is made, never starts, and is reported as healthy."""
    rows = [{"name": name, "after": [before]} for name, before in ("ac", "ba", "cb")]
    with pytest.raises(stepwell.DefinitionError) as caught:
        engine.register(definition("w", rows))
    assert str(caught.value).endswith("in a circle: a → b → c → a")
    assert list(engine.tasks()) == []


def test_row_16_ancestors_are_counted_once_at_any_depth() -> None:
    """Twelve layers of three have 3 ** 12 paths, which elsewhere are all walked; and a chain is
    longer than fifty."""
    layers = [[f"{layer}.{i}" for i in range(3)] for layer in range(13)]
    edges = [
        (before, node)
        for number, layer in enumerate(layers[1:])
        for before in layers[number]
        for node in layer
    ]
    assert len(Graph(edges).dependencies("12.0")) == 36
    assert len(Graph([(i, i + 1) for i in range(1000)]).dependencies(1000)) == 1000


def test_row_30_a_batch_counts_what_it_changed(engine: Engine) -> None:
    """Of three steps one can be changed: the count is one, and the others say why not."""
    engine.register(chain("w", "a", "b"))
    task = submit(engine, "w")
    a, b = (step.step_id for step in engine.get(task)[1])
    rows = [(a, "resolved"), (b, "ready"), (10**9, "ready")]
    with pytest.raises(stepwell.Error) as refused:
        engine.batch_update_step_states(rows, actor="ann", reason="test")
    assert refused.value.row in (1, 2)
    assert [step.state for step in engine.get(task)[1]] == ["ready", "pending"]
    done = engine.batch_update_step_states(rows, actor="ann", reason="test", mode="partial")
    assert done.updated_count == 1
    assert [row.status for row in done.rows] == ["applied", "refused", "refused"]
    assert all(row.message for row in done.rows[1:])


def test_row_36_one_step_is_as_ready_as_among_all(engine: Engine) -> None:
    """Asked for a subset, elsewhere dependencies outside of it were taken as met."""
    engine.register(chain("w", "a", "b", "c"))
    task = submit(engine, "w")
    ready = [row.step for row in engine.discover_viable_steps(task) if row.ready]
    everything = {reason.step: reason for reason in engine.explain(task)}
    assert ready == ["a"]
    for step in ("a", "b", "c"):
        assert engine.explain(task, step) == [everything[step]]


def test_row_37_no_step_is_claimed_twice(engine: Engine) -> None:
    """Eight workers at once on the same steps."""
    rows = [{"name": f"s{i}", "handler": "w.step"} for i in range(400)]
    engine.register(definition("w", rows))
    submit(engine, "w")
    claimed: List[int] = []

    def claim() -> None:
        worker = engine.worker_open(["w.step"])
        while True:
            claims = engine.exchange(worker, [], 7, 0).claims
            claimed.extend(claim.step_id for claim in claims)
            if not claims:
                return

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 400


def test_row_45_a_failure_beside_ready_steps_blocks_nothing(engine: Engine) -> None:
    engine.register(
        definition(
            "w",
            [
                {"name": "broken", "handler": "w.broken"},
                {"name": "lost", "after": ["broken"]},
                {"name": "good", "handler": "w.good"},
            ],
        )
    )
    task = submit(engine, "w")
    worker = engine.worker_open(["w.broken"])
    (claim,) = engine.exchange(worker, [], 1, 0).claims
    engine.update_batch([(claim.step_id, claim.epoch, "failed", None, "Oops")])
    context = engine.get_task_execution_context(task)
    assert (context.execution_status, context.next_steps) == ("has_ready_steps", ("good",))
    assert (context.blocking_steps, context.blocked_steps) == (("broken",), ("lost",))


def test_row_46_long_waits_are_kept_and_found_again(engine: Engine) -> None:
    """A server asks for three hours: not for the 60 s that a cap elsewhere makes of them. And a
    wait that is over is found by whoever claims next."""
    engine.register(
        definition("w", [{"name": "only", "handler": "w.only", "retry": {"max_attempts": 3}}])
    )
    task = submit(engine, "w")
    worker = engine.worker_open(["w.only"])

    def fail(retry_after_ms: int) -> Any:
        (claim,) = until(lambda: engine.exchange(worker, [], 1, 100).claims, "a claim")
        row = (claim.step_id, claim.epoch, "failed", None, "Busy", None, None, retry_after_ms)
        return engine.update_batch([row])[0]

    fail(50)
    applied = fail(3 * 3600 * 1000)
    assert applied.not_before_us - engine.info().now_us > (3 * 3600 - 30) * 1_000_000
    assert engine.exchange(worker, [], 1, 0).claims == []
    (reason,) = engine.explain(task)
    assert reason.until_us == applied.not_before_us


def test_row_49_every_step_has_its_own_backoff(engine: Engine) -> None:
    policies: Dict[str, Dict[str, Any]] = {
        "linear": {"backoff": "linear", "base_ms": 200_000},
        "exponential": {"backoff": "exponential", "base_ms": 100_000, "max_ms": 150_000},
        "fibonacci": {"backoff": "fibonacci", "base_ms": 400_000},
    }
    rows = [
        {"name": name, "handler": "w.step", "retry": {"max_attempts": 9, "jitter": 0, **policy}}
        for name, policy in policies.items()
    ]
    engine.register(definition("w", rows))
    submit(engine, "w")
    worker = engine.worker_open(["w.step"])
    claims = engine.exchange(worker, [], 10, 0).claims
    now = engine.info().now_us
    done = engine.update_batch([(c.step_id, c.epoch, "failed", None, "Oops") for c in claims])
    seconds = {
        claim.name: (row.not_before_us - now) / 1e6 for claim, row in zip(claims, done)
    }
    expected = {"linear": 200, "exponential": 100, "fibonacci": 400}
    assert seconds == pytest.approx(expected, abs=20)


def test_row_52_nothing_outlives_its_timeout(tmp_path: Path) -> None:
    """The command starts a child of its own and waits for it; both are gone when the step is."""
    mark = f"6{time.time_ns() % 10**8}"
    script = f"sleep {mark} & sleep {mark}"
    step = {
        "name": "only",
        "handler": "command",
        "timeout_ms": 300,
        "parameters": {"argv": ["sh", "-c", script]},
    }
    mission = tmp_path / "mission.json"
    mission.write_text(json.dumps({"stepwell": 1, "name": "w", "steps": [step]}))
    done = subprocess.run(
        [ROOT / "build" / "release" / "stepwell", "run", "--db", tmp_path / "store.db", mission],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0, done.stdout + done.stderr

    def left() -> List[str]:
        lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")]
        return [str(line) for line in lines if mark.encode() in line]

    until(lambda: not left(), "the end of what the command started", timeout=5)
