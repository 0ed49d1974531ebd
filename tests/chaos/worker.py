"""A worker in Python that does the steps of tests/chaos/workflows and keeps a ledger; see
chaos_worker.c for what the steps do.

    python3 worker.py STORE LEDGER LEASE_MS SLOTS DEFINITION...
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, Callable, List, Sequence

import stepwell

STORE, LEDGER, LEASE_MS, SLOTS, *DEFINITIONS = sys.argv[1:]
NAME = os.path.basename(LEDGER)
AGAIN_S = 0.02

ledger = os.open(LEDGER, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)


def put(*words: Any) -> None:
    """A line is one write at the end of the file, so that a kill leaves whole lines."""
    os.write(ledger, (" ".join(map(str, words)) + "\n").encode())


class Unwilling(Exception):
    pass


class AcknowledgingEngine(stepwell.Engine):
    """Puts into the ledger what answers acknowledge, and what goes wrong."""

    def exchange(self, worker_id: int, rows: Any, *rest: Any) -> Any:
        exchange = super().exchange
        answer = self._told(lambda: exchange(worker_id, rows, *rest))
        self._acknowledge(rows, answer.applied)
        return answer

    def update_batch(self, rows: Any, /) -> Any:
        update_batch = super().update_batch
        applied = self._told(lambda: update_batch(rows))
        self._acknowledge(rows, applied)
        return applied

    def _told(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except stepwell.Error as error:
            put("error", type(error).__name__)
            raise

    def _acknowledge(self, rows: Sequence[Any], applied: Sequence[Any]) -> None:
        for row, answer in zip(rows, applied):
            put("ack" if answer.status == "applied" else "fenced", *row[:3])


def handle(ctx: stepwell.Context[Any]) -> Any:
    put(
        "start",
        f"{ctx.task_id}/{ctx.step}",
        ctx.fencing_token,
        ctx.attempt,
        time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000,
    )
    parameters = ctx.parameters
    while "hold" in parameters and ctx.attempt == 1 and not ctx.cancelled:
        time.sleep(0.02)
    time.sleep(parameters.get("ms", 0) / 1000)
    if ctx.attempt <= parameters.get("fails", 0):
        raise Unwilling
    # Of a dependency that failed there is no result.
    present = [s for s in ctx.upstream if ctx.state(s) == "failed" or ctx.result(s) is not None]
    return {"by": NAME, "epoch": ctx.fencing_token, "inputs": len(present)}


def handler_names() -> List[str]:
    names = []
    for path in DEFINITIONS:
        definition = json.loads(Path(path).read_text())
        for step in definition["steps"]:
            names.append(step.get("handler", f"{definition['name']}.{step['name']}"))
    return [name for name in names if "." in name]


def work() -> None:
    with AcknowledgingEngine(STORE) as engine:
        for name in handler_names():
            engine.handler(name)(handle)
        stepwell.Worker(engine, threads=int(SLOTS), lease=int(LEASE_MS) / 1000, name=NAME).run()


# Until the worker has a better answer.
signal.signal(signal.SIGTERM, lambda number, frame: os._exit(0))
while True:
    try:
        work()
        break
    except (stepwell.BusyError, stepwell.StorageError, stepwell.StorageFullError) as error:
        put("error", type(error).__name__)
        time.sleep(AGAIN_S)
