"""Importing the package is quick and has no effects."""

from __future__ import annotations

from pathlib import Path

import pytest
from helper import run_program
from stepwell._binding import core

EXTENSION = str(core.__file__).endswith(".so")


def import_ms(names: str, cache: Path) -> float:
    """The shortest of some tries; the first one only compiles."""
    program = f"""
        import time
        start = time.perf_counter()
        import {names}
        print((time.perf_counter() - start) * 1000)
    """
    # An installed package has its bytecode; here it is kept apart from the tree.
    environment = {"PYTHONPYCACHEPREFIX": str(cache), "PYTHONDONTWRITEBYTECODE": ""}
    return min([float(run_program(program, **environment).stdout) for _ in range(8)][1:])


@pytest.mark.skipif(not EXTENSION, reason="the import time is a promise of the C extension")
def test_it_takes_no_longer_than_parts_of_the_standard_library(tmp_path: Path) -> None:
    floor = import_ms("json, ssl, typing", tmp_path)
    assert import_ms("stepwell", tmp_path) < 1.5 * floor


def test_it_starts_no_thread_and_loads_little() -> None:
    run_program(
        """
        import sys, threading
        import stepwell
        assert threading.active_count() == 1
        heavy = {"asyncio", "concurrent.futures", "dataclasses", "inspect", "logging", "sqlite3"}
        if "_core_cffi" not in str(stepwell._binding.core):
            loaded = heavy & set(sys.modules)
            assert not loaded, loaded
        """
    )


def test_an_engine_starts_no_thread() -> None:
    run_program(
        """
        import os, stepwell
        engine = stepwell.Engine("memory:")
        engine.register('{"stepwell":1,"name":"w","steps":[{"name":"a"}]}')
        engine.submit([("w",)])
        assert len(os.listdir("/proc/self/task")) == 1
        """
    )


def test_the_worker_comes_when_it_is_asked_for() -> None:
    run_program(
        """
        import sys
        import stepwell
        assert "stepwell.worker" not in sys.modules
        assert stepwell.Worker.__module__ == "stepwell.worker"
        assert set(stepwell.__all__) <= set(dir(stepwell)) | {"Worker"}
        try:
            stepwell.nothing
        except AttributeError as error:
            assert "nothing" in str(error)
        else:
            raise SystemExit("an attribute that is not there")
        """
    )
