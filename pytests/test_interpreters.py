"""Sub-interpreters: each has a module, an engine type and errors of its own, or the import is
refused; the process is never harmed.

The wheel for all versions is built against the limited API of 3.10, which has no slot to say that
the module works under a GIL of its own. Interpreters that share the GIL may import it; those with
their own are refused. Runs on the versions that test_versions.py looks for; those that are not
there, or have no such interpreters, are skipped aloud.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from test_versions import find_python, run, wheel

__all__ = ["wheel"]  # a fixture, found by its name

# How each version makes an interpreter that shares the GIL, and one that does not: before 3.14 only
# private modules can. TEXT is one task from its definition to its end.
START = """
import os, sys, threading
try:
    import _interpreters as api
except ImportError:
    import _xxsubinterpreters as api
name, version = api.__name__, sys.version_info[:2]

def create(own_gil):
    if name == "_interpreters":
        return api.create("isolated" if own_gil else "legacy")
    return api.create() if version < (3, 12) else api.create(isolated=own_gil)

def execute(interpreter, text):
    '''None, or what the text raised.'''
    try:
        answer = (api.exec if name == "_interpreters" else api.run_string)(interpreter, text)
    except api.RunFailedError as error:
        return str(error)
    return None if answer is None else answer.formatted

TEXT = '''
import stepwell
with stepwell.Engine(%r) as engine:
    engine.register('{"stepwell":1,"name":"w","steps":[{"name":"a"}]}')
    id = engine.submit([("w",)])[0].task_id
    worker = engine.worker_open(["w.a"])
    claim = engine.exchange(worker, [], 1, 1_000_000).claims[0]
    engine.exchange(worker, [(claim.step_id, claim.epoch, "succeeded")], 0, 0)
    assert engine.wait(id, 5_000_000)[0].state == "succeeded"
    try:
        engine.get("no")
    except stepwell.Error as error:
        assert type(error).__module__.startswith("stepwell")
    else:
        raise AssertionError("a wrong identifier went through")
    worker = engine.worker_open(["w.a"])
    assert engine.audit_verify().ok
'''
"""

SHARED = """
import stepwell
kept = stepwell.Engine("memory:")
for store in ("memory:", sys.argv[1] + "/x.db"):
    interpreters = [create(False) for _ in range(3)]
    for interpreter in interpreters:
        said = execute(interpreter, TEXT % store)
        assert said is None, said
        exec(TEXT % store)
    for interpreter in interpreters:
        api.destroy(interpreter)
    exec(TEXT % store)

# Several at once, each from a thread.
interpreters = [create(False) for _ in range(3)]
answers = []
threads = [
    threading.Thread(target=lambda i=i: answers.append(execute(i, TEXT % "memory:")))
    for i in interpreters
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert answers == [None] * 3, answers
kept.info()
print("ok")
"""

ALONE = """
for known in (False, True):
    if known:
        import stepwell
    interpreter = create(True)
    said = execute(interpreter, TEXT % "memory:")
    assert said is not None and "ImportError" in said and "stepwell._core" in said, said
    api.destroy(interpreter)
exec(TEXT % "memory:")
print("ok")
"""


def interpreter_of(version: str) -> str:
    """A Python of this version that has sub-interpreters."""
    python = find_python(version)
    if python is None:
        pytest.skip(f"Python {version} is not installed")
    probe = "try: import _interpreters\nexcept ImportError: import _xxsubinterpreters"
    if subprocess.run([python, "-c", probe], capture_output=True).returncode:
        pytest.skip(f"Python {version} has no sub-interpreters to test with")
    return python


@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13"])
def test_with_a_shared_gil(wheel: Path, version: str, tmp_path: Path) -> None:
    python = interpreter_of(version)
    assert run(python, "-c", START + SHARED, str(tmp_path), path=wheel) == "ok\n"


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_an_own_gil_is_refused(wheel: Path, version: str) -> None:
    python = interpreter_of(version)
    assert run(python, "-c", START + ALONE, path=wheel) == "ok\n"
