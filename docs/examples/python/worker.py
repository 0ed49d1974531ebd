"""A worker process and a program that gives it work.

    python3 worker.py work           work until SIGTERM or SIGINT
    python3 worker.py start 1 2 3    start one task per number and print what comes out

The same worker starts with: python3 -m stepwell worker worker:engine
"""

import os
import sys
from typing import Any, List

from stepwell import Context, Engine, Worker

engine = Engine(os.environ.get("STEPWELL_DB", "squares.db"))
squares = engine.workflow("squares")


@squares.step
def square(ctx: Context[Any]) -> int:
    return int(ctx.input) ** 2


@squares.step
def say(ctx: Context[Any], square: int) -> str:
    return f"{ctx.input} squared is {square}, says process {os.getpid()}"


def main(arguments: List[str]) -> int:
    if arguments[:1] == ["work"]:
        Worker(engine, threads=4, grace=10).run()
    elif arguments[:1] == ["start"] and len(arguments) > 1:
        tasks = [squares.start(int(number), key=number) for number in arguments[1:]]
        for task in tasks:
            print(task.wait(30).result("say"))
    else:
        print("usage: worker.py work | start NUMBER...", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
