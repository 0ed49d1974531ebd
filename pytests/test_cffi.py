"""The C interface through cffi: the ABI test, and the binding that PyPy uses.

Needs python3-cffi and a libstepwell.so: the one that STEPWELL_LIBRARY names, or the newest that
CMake has built under build/.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest
from helper import ROOT, SOURCE, environment

cffi = pytest.importorskip("cffi", reason="cffi is not installed (python3-cffi)")

HEADERS = ROOT / "core" / "include"
DECLARATIONS = SOURCE / "stepwell" / "_cdef.h"


def find_library() -> Optional[Path]:
    if os.environ.get("STEPWELL_LIBRARY"):
        return Path(os.environ["STEPWELL_LIBRARY"])
    built = [
        path
        for path in (ROOT / "build").glob("*/libstepwell.so")
        if "san" not in path.parent.name and path.exists()
    ]
    return max(built, key=lambda path: path.stat().st_mtime, default=None)


LIBRARY = find_library()
pytestmark = [
    pytest.mark.skipif(LIBRARY is None, reason="there is no libstepwell.so (build it with CMake)"),
    pytest.mark.skipif(not HEADERS.exists(), reason="the headers are not here"),
]


@pytest.fixture(scope="module")
def ffi() -> Any:
    interface = cffi.FFI()
    interface.cdef(DECLARATIONS.read_text())
    return interface


@pytest.fixture(scope="module")
def declared() -> List[str]:
    """Functions that the headers declare."""
    names = []
    for header in sorted(HEADERS.rglob("*.h")):
        names += re.findall(r"^SW_API [^;]*?\b(sw_\w+)\(", header.read_text(), re.MULTILINE)
    assert len(names) > 40
    return names


def test_every_function_resolves(ffi: Any, declared: List[str]) -> None:
    library = ffi.dlopen(str(LIBRARY))
    for name in declared:
        assert getattr(library, name) != ffi.NULL, name


def test_the_declarations_are_those_of_the_headers(declared: List[str]) -> None:
    text = DECLARATIONS.read_text()
    missing = [name for name in declared if f"{name}(" not in text]
    assert not missing, "stale: run wheels/stepwell/build_inplace"


def struct_names() -> List[str]:
    names = []
    for header in sorted(HEADERS.rglob("*.h")):
        names += re.findall(r"^typedef struct (sw_\w+) \{", header.read_text(), re.MULTILINE)
    assert len(names) > 20
    return names


def test_structs_have_the_layout_that_c_says(ffi: Any, tmp_path: Path) -> None:
    """A C program prints sizes and offsets; cffi must see the same."""
    expected: Dict[str, int] = {}
    lines = []
    for struct in struct_names():
        expected[struct] = ffi.sizeof(struct)
        lines.append(f'printf("%s %zu\\n", "{struct}", sizeof({struct}));')
        for field, _ in ffi.typeof(struct).fields:
            expected[f"{struct}.{field}"] = ffi.offsetof(struct, field)
            lines.append(
                f'printf("%s %zu\\n", "{struct}.{field}", offsetof({struct}, {field}));'
            )
    source = tmp_path / "layout.c"
    body = "\n    ".join(lines)
    source.write_text(
        "#include <stddef.h>\n#include <stdio.h>\n#include <stepwell.h>\n"
        f"int main(void)\n{{\n    {body}\n    return 0;\n}}\n"
    )
    compiler = os.environ.get("CC", "cc").split()
    program = tmp_path / "layout"
    subprocess.run([*compiler, "-I", str(HEADERS), str(source), "-o", str(program)], check=True)
    said = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout
    found = {name: int(size) for name, size in (line.split() for line in said.splitlines())}
    assert found == expected


def test_both_bindings_have_the_same_names() -> None:
    program = """
import inspect, sys
from stepwell import _core, _core_cffi

def public(module):
    return {name for name in vars(module) if not name.startswith("_") and
            (name.isupper() or isinstance(getattr(module, name), type))}

parts = {"Any", "AuditCalls", "ControlCalls", "EventCalls", "ForecastCalls",
         "Keeper", "OperationCalls", "TaskFileCalls", "Wait"}
extension, cffi = public(_core), public(_core_cffi) - parts
assert extension == cffi, extension ^ cffi
for name in extension:
    left, right = getattr(_core, name), getattr(_core_cffi, name)
    if name.isupper():
        assert left == right, name
    elif issubclass(left, Exception):
        assert (left.code, left.name, left.__doc__) == (right.code, right.name, right.__doc__), name
        assert [b.__name__ for b in left.__mro__] == [b.__name__ for b in right.__mro__], name
    elif hasattr(right, "_fields"):
        fields = [f for f in vars(left) if inspect.ismemberdescriptor(getattr(left, f))]
        assert tuple(fields) == right._fields, name
    else:
        members = {m for m in dir(left) if not m.startswith("_")}
        assert members == {m for m in dir(right) if not m.startswith("_")}
"""
    run_with_library([sys.executable, "-c", program], STEPWELL_BINDING="c")


def test_an_engine_can_be_collected_while_cffi_looks_something_up() -> None:
    program = """
from stepwell import Engine
from stepwell._cffi_library import ffi

engine = Engine("memory:")
with ffi._lock:
    del engine
print("closed")
"""
    said = run_with_library(
        ["timeout", "60", sys.executable, "-c", program], STEPWELL_BINDING="cffi"
    )
    assert said == "closed\n"


def run_with_library(command: List[str], **extra: str) -> str:
    done = subprocess.run(
        command,
        env=environment(STEPWELL_LIBRARY=str(LIBRARY), **extra),
        capture_output=True,
        text=True,
        timeout=540,
        cwd=Path(__file__).parent,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(
    os.environ.get("STEPWELL_BINDING") == "cffi", reason="these are the tests over cffi"
)
@pytest.mark.parametrize(
    "name",
    [
        *("engine", "errors", "types", "golden", "workflow", "fork", "fidelity", "worker"),
        *("async", "operations", "dead_letters", "breakers", "tasker", "identity", "graph"),
        *("picture", "audit", "audit_signing", "audit_anchor", "control", "events"),
    ],
)
def test_the_tests_over_cffi(name: str, tmp_path: Path) -> None:
    said = run_with_library(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *(f"--basetemp={tmp_path}/t", f"test_{name}.py"),
        ],
        STEPWELL_BINDING="cffi",
    )
    assert re.search(r"\d+ passed", said), said


PYPY = shutil.which("pypy3")


@pytest.mark.skipif(PYPY is None, reason="PyPy is not installed (pypy3)")
def test_pypy(tmp_path: Path) -> None:
    program = """
import sys
from stepwell import Context, Engine, Retry, Worker
assert sys.implementation.name == "pypy"
for store in ("memory:", sys.argv[1] + "/x.db"):
    engine = Engine(store)
    w = engine.workflow("w")

    @w.step
    def first(ctx: Context):
        return [ctx.input, 2**70, 1.5, "\\u00fc"]

    @w.step(retry=Retry(3, wait=0.01))
    async def second(ctx, first):
        if ctx.attempt < 3:
            raise ConnectionError
        return first

    tasks = [w.start(i) for i in range(20)]
    with Worker(engine):
        for i, task in enumerate(tasks):
            assert task.wait(30).result("second") == [i, 2**70, 1.5, "\\u00fc"]
    assert engine.audit_verify().ok
    engine.close()
print("ok")
"""
    assert PYPY is not None
    assert run_with_library([PYPY, "-c", program, str(tmp_path)]).endswith("ok\n")
