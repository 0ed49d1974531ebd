"""Command line: python -m stepwell worker MODULE:ENGINE

Runs a worker for the workflows declared on the engine that the name leads to. Not here: anything
that needs no Python handlers; that is the command `stepwell`.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from typing import List, Optional

from .engine import Engine
from .worker import Worker


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command and answer its exit status: 0 done, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.WARNING if options.quiet else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    try:
        engine = find_engine(options.engine)
    except ValueError as error:
        print(f"stepwell: {error}", file=sys.stderr)
        return 2
    worker = Worker(
        engine,
        threads=options.threads,
        coroutines=options.coroutines,
        queues=options.queue,
        name=options.name,
        lease=options.lease,
        grace=options.grace,
    )
    logging.getLogger("stepwell.worker").info(
        "working on %s for %s", engine.store, ", ".join([*engine.workflows, *engine.handlers])
    )
    worker.run()
    return 0


def find_engine(place: str) -> Engine:
    """The engine at MODULE:NAME. Raises ValueError that says what is missing."""
    module_name, _, name = place.partition(":")
    if not module_name or not name:
        raise ValueError(f"{place!r} is no place of an engine, expected MODULE:NAME")
    sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not module_name.startswith(error.name):
            raise
        raise ValueError(f"there is no module {module_name}") from None
    engine = getattr(module, name, None)
    if not isinstance(engine, Engine):
        raise ValueError(f"{name} in {module_name} is {engine!r}, expected a stepwell.Engine")
    return engine


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stepwell")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    worker = commands.add_parser("worker", help="run the handlers of an engine's workflows")
    worker.add_argument("engine", metavar="MODULE:ENGINE", help="for example shop.workflows:engine")
    worker.add_argument("--threads", type=int, default=4, help="plain functions at once")
    worker.add_argument("--coroutines", type=int, default=100, help="coroutine functions at once")
    worker.add_argument("--queue", action="append", help="claim from this queue only; repeatable")
    worker.add_argument("--name", help="name in the list of workers")
    worker.add_argument("--lease", type=float, default=15.0, help="seconds of silence allowed")
    worker.add_argument("--grace", type=float, default=10.0, help="seconds to finish on a signal")
    worker.add_argument("--quiet", action="store_true", help="log warnings and errors only")
    return parser


if __name__ == "__main__":
    sys.exit(main())
