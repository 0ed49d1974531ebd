"""Importing the package is quick and has no effects."""

from __future__ import annotations

import pytest
from helper import run_program
from stepwell._binding import core

EXTENSION = str(core.__file__).endswith(".so")

# What an import may load besides the package, each with what it loads itself; all of them together
# are what `import json, typing` and a date need. How long that takes is printed by tests/bench/load.py.
LIGHT = "collections, contextlib, datetime, enum, functools, importlib, json, re, typing, warnings"


@pytest.mark.skipif(not EXTENSION, reason="the cffi binding needs cffi and its rows")
def test_it_loads_little() -> None:
    run_program(
        f"""
        from __future__ import annotations
        import {LIGHT}
        import sys
        light = set(sys.modules)
        import stepwell
        loaded = set(sys.modules) - light
        other = sorted(name for name in loaded if name.split(".")[0] != "stepwell")
        assert not other, other
        late = {{"_records", "_analysis", "_dispatch", "_executors", "_pictures", "graph", "worker"}}
        early = sorted(late & {{name.partition(".")[2] for name in loaded}})
        assert not early, early
        """
    )


def test_it_starts_no_thread() -> None:
    run_program(
        """
        import threading
        import stepwell
        assert threading.active_count() == 1
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
