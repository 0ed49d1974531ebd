"""The warehouse of the demonstration: a worker in Python for two steps of the order workflow.

    python3 warehouse.py PROGRESS     be a worker until SIGTERM

Packing takes a few seconds and writes a line per box to the file PROGRESS, so that somebody who
wants to kill the worker in the middle of it knows when.
"""

import os
import sys
import time
from pathlib import Path

from stepwell import Context, Engine, Worker

engine = Engine(os.environ["STEPWELL_DB"])
warehouse = engine.workflow("warehouse")
progress = Path(sys.argv[1])


@warehouse.step
async def reserve(ctx: Context) -> dict:
    return {"shelf": "B7", "boxes": sum(item["count"] for item in ctx.input["items"])}


@warehouse.step
def pack(ctx: Context) -> dict:
    boxes = ctx.result("reserve")["boxes"]
    for box in range(1, boxes + 1):
        with progress.open("a") as out:
            print(f"attempt {ctx.attempt} token {ctx.fencing_token} box {box}", file=out)
        time.sleep(0.4)
    return {"boxes": boxes, "packed_by_attempt": ctx.attempt}


Worker(engine, warehouse, lease=2, name="python").run()
