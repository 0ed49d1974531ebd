"""Exceptions: one class per code of the public header, in the binding, the stub and the package."""

from __future__ import annotations

import os
import pickle
import re
import sys
from typing import Any, Dict, Tuple

import pytest
import stepwell
from helper import ROOT, run_program
from stepwell._binding import core

HEADER = ROOT / "core" / "include" / "stepwell" / "error.h"
STUB = ROOT / "wheels" / "stepwell" / "src" / "stepwell" / "_core.pyi"

needs_header = pytest.mark.skipif(not HEADER.exists(), reason="the header is not here")


def codes() -> Dict[str, Tuple[int, str]]:
    """Name of the code, its value and its class, as the header lists them."""
    found = re.findall(r"XX\((E\w+), (-\d+), (\w+),", HEADER.read_text())
    assert len(found) > 15
    return {name: (int(value), kind) for name, value, kind in found}


@needs_header
def test_every_code_has_its_class() -> None:
    for name, (value, class_name) in codes().items():
        if name == "ENOMEM":
            continue
        kind = getattr(stepwell, class_name)
        assert kind is getattr(core, class_name)
        assert issubclass(kind, stepwell.Error)
        assert (kind.code, kind.name, kind.row) == (value, name, None)
        assert kind.__module__ == "stepwell" and kind.__doc__
        assert class_name in stepwell.__all__


@needs_header
def test_the_stub_and_the_package_list_no_others() -> None:
    classes = {class_name for _, class_name in codes().values()} - {"OutOfMemoryError"}
    stub = set(re.findall(r"class (\w+)\(Error\b", STUB.read_text()))
    package = {
        name
        for name in stepwell.__all__
        if isinstance(getattr(stepwell, name), type)
        and stepwell.Error in getattr(stepwell, name).__bases__
        and getattr(stepwell, name).code is not None
    }
    assert stub == package == classes


def test_ordinary_except_clauses_catch_them() -> None:
    assert issubclass(stepwell.InvalidArgumentError, ValueError)
    assert issubclass(stepwell.NotFoundError, LookupError)
    assert issubclass(stepwell.WaitTimeoutError, TimeoutError)
    assert issubclass(stepwell.AccessError, PermissionError)
    assert issubclass(stepwell.ResultError, stepwell.InvalidArgumentError)
    assert issubclass(stepwell.InputError, stepwell.InvalidArgumentError)


def test_the_base_class_has_no_code() -> None:
    error = stepwell.Error("text")
    assert (error.code, error.name, error.row) == (None, None, None)


def test_an_exception_carries_code_and_row(engine: stepwell.Engine) -> None:
    with pytest.raises(stepwell.NotFoundError) as caught:
        engine.submit([("nobody",)])
    error = caught.value
    assert (error.name, error.row) == ("ENOTFOUND", 0)
    assert "nobody" in str(error)
    assert type(error).row is None


def test_exceptions_can_be_pickled(engine: stepwell.Engine) -> None:
    with pytest.raises(stepwell.NotFoundError) as caught:
        engine.submit([("nobody",)])
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is stepwell.NotFoundError
    assert (str(copy), copy.row) == (str(caught.value), 0)


@pytest.mark.skipif(not hasattr(sys, "getrefcount"), reason="needs reference counts")
def test_raising_leaks_no_reference(engine: stepwell.Engine) -> None:
    def counts() -> Any:
        kinds = (stepwell.NotFoundError, stepwell.InvalidArgumentError, stepwell.DefinitionError)
        return [sys.getrefcount(kind) for kind in kinds] + [sys.getrefcount(None)]

    def fail() -> None:
        for call in (
            lambda: engine.submit([("nobody",)]),
            lambda: engine.update_batch([(1, 1, "done")]),
            lambda: engine.register("{}"),
        ):
            with pytest.raises(stepwell.Error):
                call()

    fail()
    before = counts()
    for _ in range(200):
        fail()
    after = counts()
    assert all(b - a < 50 for a, b in zip(before, after)), (before, after)


@pytest.mark.skipif(
    "libasan" in os.environ.get("LD_PRELOAD", ""), reason="AddressSanitizer needs the address space"
)
def test_no_memory_is_a_memory_error() -> None:
    """An address space that cannot grow: the call fails, and the engine works on."""
    run_program(
        """
        import resource
        import stepwell

        engine = stepwell.Engine("memory:")
        engine.register('{"stepwell": 1, "name": "w", "steps": [{"name": "a"}]}')
        rows = [("w", '"' + "x" * 100_000 + '"')] * 2_000
        used = int(open("/proc/self/statm").read().split()[0]) * 4096
        resource.setrlimit(resource.RLIMIT_AS, (used + 50_000_000, resource.RLIM_INFINITY))
        try:
            engine.submit(rows)
        except MemoryError:
            pass
        else:
            raise SystemExit("200 MB fitted into 50 MB")
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert sum(engine.count().values()) == 0
        engine.submit(rows[:10])
        assert engine.audit_verify().ok
        """
    )


@pytest.mark.skipif(
    not core.__file__.endswith(".so"), reason="the cffi binding has no interpreter of its own"
)
def test_interpreters_have_their_own_classes() -> None:
    """Each interpreter initialises the module for itself and can use it."""
    run_program(
        """
        try:
            import _interpreters as interpreters
            other = interpreters.create("legacy")
        except ImportError:
            import _xxsubinterpreters as interpreters
            other = interpreters.create(isolated=False)
        import stepwell

        lines = [
            "import stepwell",
            "engine = stepwell.Engine('memory:')",
            "try:",
            "    engine.get('x')",
            "except stepwell.InvalidArgumentError as error:",
            "    assert type(error) is stepwell.InvalidArgumentError",
            "else:",
            "    raise SystemExit('not refused')",
            "engine.close()",
        ]
        failure = interpreters.run_string(other, "\\n".join(lines))
        assert failure is None, failure
        interpreters.destroy(other)
        stepwell.Engine("memory:").close()
        """
    )
