"""What a step costs that does nothing, on the memory store: microseconds per step over the bare call
of its handler, for functions on threads and for coroutines. Beside a worker a loop by hand, which
calls the function for each claim of an exchange; and beside that loop graphlib, which hands the
same steps out without an engine. Prints the rows of script/bench.

handlers.py [--quick] [--json]
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from graphlib import TopologicalSorter
from typing import Any, Callable, Dict, List

from stepwell import Engine, Worker

LAYER = 500
BATCH = 100
QUICK = "--quick" in sys.argv
STEPS = 2_000 if QUICK else 10_000
ROUNDS = 3 if QUICK else 7


def nothing() -> None:
    """The handler."""


async def nothing_async() -> None:
    """The handler."""


def dependencies() -> Dict[str, List[str]]:
    """Layers, each step after two of the layer before."""
    after: Dict[str, List[str]] = {}
    for step in range(STEPS):
        before = (step // LAYER - 1) * LAYER
        after[f"s{step}"] = (
            [f"s{before + step % LAYER}", f"s{before + (step + 7) % LAYER}"] if before >= 0 else []
        )
    return after


def register(engine: Engine) -> None:
    steps = [
        {"name": name, "handler": "bench.step", "after": before}
        for name, before in dependencies().items()
    ]
    engine.register(json.dumps({"stepwell": 1, "name": "layered", "steps": steps}))


def timed(call: Callable[[], None]) -> float:
    """Microseconds per step."""
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1e6 / STEPS


def bare() -> None:
    for _ in range(STEPS):
        nothing()


def by_worker(function: Callable[..., Any]) -> Callable[[], None]:
    def call() -> None:
        task = engine.task(engine.submit([("layered",)])[0][0])
        if not task.wait(600) or task.status != "succeeded":
            raise SystemExit(f"the task is {task.status}")

    engine = Engine("memory:")
    register(engine)
    handler = engine.handler("bench.step")(function)
    Worker(engine, handler, threads=1, coroutines=BATCH, batch=BATCH).start()
    return call


def by_hand() -> Callable[[], None]:
    def call() -> None:
        engine.submit([("layered",)])
        rows: List[Any] = []
        while True:
            claims = engine.exchange(worker, rows, BATCH, 0).claims
            if not claims:
                return
            rows = []
            for claim in claims:
                nothing()
                rows.append((claim.step_id, claim.epoch, "succeeded", None))

    engine = Engine("memory:")
    register(engine)
    worker = engine.worker_open(["bench.step"])
    return call


def by_graphlib() -> Callable[[], None]:
    after = dependencies()

    def call() -> None:
        sorter = TopologicalSorter(after)
        sorter.prepare()
        while sorter.is_active():
            for step in sorter.get_ready():
                nothing()
                sorter.done(step)

    return call


def compare(name: str, ours: Callable[[], None], other: Callable[[], None], note: str) -> None:
    """Both in turn, because the machine changes; without what the bare calls take."""
    pairs = []
    for _ in range(ROUNDS):
        call = timed(bare)
        pairs.append((timed(ours) - call, timed(other) - call))
    mine = [pair[0] for pair in pairs]
    row = {
        "name": f"handlers/{name}",
        "unit": "us/step",
        "median": round(statistics.median(mine), 2),
        "min": round(min(mine), 2),
        "max": round(max(mine), 2),
        "floor": round(statistics.median(pair[1] for pair in pairs), 2),
        "ratio": round(statistics.median(a / b for a, b in pairs), 3),
    }
    if "--json" in sys.argv:
        print(json.dumps(row, separators=(",", ":")))
    else:
        print(
            f"{row['name']:<28} {row['median']:9.2f} {row['min']:9.2f} {row['max']:9.2f} {'':8} "
            f"{row['floor']:9.2f} {row['ratio']:6.2f}  us per step over the call; floor is {note}"
        )


compare("python_by_hand", by_hand(), by_graphlib(), "graphlib")
compare("python_worker", by_worker(nothing), by_hand(), "by hand")
compare("python_worker_async", by_worker(nothing_async), by_hand(), "by hand")
