"""Complaints about joins, and about graphs that are larger than a message."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, List

import pytest
from helper import definition, submit
from observe import Observer
from stepwell import Engine

WIDE = 1000


def wide(engine: Engine) -> str:
    """A task of many steps that one step waits for."""
    names = [f"s{i}" for i in range(WIDE)]
    rows: List[Any] = [{"name": name, "handler": "w.work"} for name in names]
    rows.append({"name": "join", "handler": "w.join", "after": names})
    engine.register(definition("wide", rows))
    return submit(engine, "wide")


def work(engine: Engine, handler: str, batch: int) -> List[str]:
    """Claim and complete until there is nothing left; the names of the steps."""
    worker = engine.worker_open([handler])
    names: List[str] = []
    done: List[Any] = []
    while True:
        claims = engine.exchange(worker, done, batch, 0).claims
        done = [(claim.step_id, claim.epoch, "succeeded") for claim in claims]
        names += [claim.name for claim in claims]
        if not claims:
            return names


def test_complaint_05_a_fan_in_fires_exactly_once(engine: Engine) -> None:
    """Four threads complete what the join waits for, in batches that end at any moment."""
    task = wide(engine)
    parts: List[List[str]] = []
    threads = [
        threading.Thread(target=lambda size=size: parts.append(work(engine, "w.work", size)))
        for size in (1, 3, 7, 20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(name for part in parts for name in part) == sorted(f"s{i}" for i in range(WIDE))
    assert work(engine, "w.join", 10) == ["join"]
    row, steps = engine.get(task)
    assert row.state == "succeeded"
    assert {step.epoch for step in steps} == {1}


@pytest.mark.parametrize("wait", ["before", "behind"])
def test_complaint_05_a_fan_in_fires_although_its_worker_died(engine: Engine, wait: str) -> None:
    """The worker that completes the last step dies before it claims the join, or behind it: there
    is no callback that could have been lost with it."""
    task = wide(engine)
    assert len(work(engine, "w.work", WIDE)) == WIDE
    if wait == "behind":
        lost = engine.worker_open(["w.join"], lease_ms=1)
        assert len(engine.exchange(lost, [], 1, 0).claims) == 1
    while engine.get(task)[0].state != "succeeded":
        work(engine, "w.join", 1)
    join = engine.get(task)[1][-1]
    assert (join.name, join.epoch) == ("join", 1 if wait == "before" else 2)


def test_complaint_07_the_graph_is_stored_once(tmp_path: Path) -> None:
    """Chords in chords in chords: elsewhere every message carries the rest of the graph. Here a
    task is as large as its steps, however they hang together."""
    folder = [tmp_path / "nested.db", tmp_path / "flat.db"]
    sizes = []
    for path, depth in zip(folder, (6, 0)):
        with Engine(path, durability="relaxed") as engine:
            layers = [[f"l{layer}n{i}" for i in range(10)] for layer in range(10)]
            rows = [
                {"name": name, "after": layers[number - 1] if number and depth else []}
                for number, layer in enumerate(layers)
                for name in layer
            ]
            engine.register(definition("w", rows))
            engine.submit([("w",)] * 100)
        sizes.append(path.stat().st_size)
    nested, flat = sizes
    assert nested < 1.2 * flat
    assert nested / (100 * 100) < 200  # bytes per step


def test_complaint_08_a_join_needs_no_lock_per_edge(observer: Observer, tmp_path: Path) -> None:
    """All completions of a call are one transaction, and the join is written once for all of
    them: a thousand edges cost what their thousand steps cost."""
    with Engine(tmp_path / "store.db") as engine:
        costs = {}
        for joined in (True, False):
            if joined:
                wide(engine)
            else:
                rows = [{"name": f"s{i}", "handler": "w.work"} for i in range(WIDE)]
                engine.register(definition("flat", rows))
                submit(engine, "flat")
            worker = engine.worker_open(["w.work"])
            claims = engine.exchange(worker, [], WIDE, 0).claims
            done = [(claim.step_id, claim.epoch, "succeeded") for claim in claims]
            costs[joined] = observer.cost(lambda: engine.update_batch(done))
        assert costs[True]["commits"] == costs[False]["commits"] == 1
        assert costs[True]["instructions"] < 1.2 * costs[False]["instructions"]
