"""A worker that waits for work hears what another process starts, and its end is heard here."""

from __future__ import annotations

import time

from helper import read_line, start_program
from stepwell import Engine

# Well below the time after which a waiter looks by itself.
HEARD_S = 3.0

WORKER = """
    import sys, time
    from stepwell import Engine, Worker
    engine = Engine(sys.argv[1])
    w = engine.workflow("w")

    @w.step
    def a():
        return "done"

    worker = Worker(engine)
    worker.start()
    time.sleep(0.3)
    print("idle", flush=True)
    time.sleep(60)
"""


def test_another_process_wakes_a_worker(file_engine: Engine) -> None:
    w = file_engine.workflow("w")
    w.external("a")
    worker = start_program(WORKER, str(file_engine.store))
    read_line(worker, "idle")
    began = time.monotonic()
    task = w.start()
    assert task.wait(30).result("a") == "done"
    assert time.monotonic() - began < HEARD_S
    worker.kill()
    worker.wait(20)
