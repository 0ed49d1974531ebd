"""One wheel for CPython 3.10 and later, a build of its own for 3.9.

The interpreters are looked for in ~/.pyenv/versions and on PATH; versions that are not there are
skipped aloud.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Optional

import pytest
from helper import ROOT

PACKAGE = ROOT / "wheels" / "stepwell"
VERSIONS = ["3.9", "3.10", "3.11", "3.12", "3.13", "3.14"]

pytest.importorskip("wheel", reason="wheel is not installed (python3-wheel)")
if not (ROOT / "core").exists() or sys.version_info < (3, 10):
    pytest.skip("needs the checkout and Python 3.10 to build the wheel", allow_module_level=True)

# Quickly: it is about versions, and test_package.py builds as users do.
QUICK = {"CFLAGS": "-O0"}

PROGRAM = """
import asyncio, gc, sys, threading
import stepwell
from stepwell import Context, Engine, Retry, Worker

assert stepwell._binding.core.__file__.endswith(".so"), stepwell._binding.core.__file__
for store in ("memory:", sys.argv[1] + "/x.db"):
    engine = Engine(store)
    w = engine.workflow("w")

    @w.step
    def first(ctx: Context):
        return {"n": ctx.input, "big": 2**70}

    @w.step(retry=Retry(3, wait=0.01, on=ConnectionError))
    async def second(ctx, first):
        await asyncio.sleep(0)
        if ctx.attempt < 2:
            raise ConnectionError("again")
        return first

    tasks = [w.start(i) for i in range(30)]
    with Worker(engine, threads=3):
        for i, task in enumerate(tasks):
            assert task.wait(60).result("second") == {"n": i, "big": 2**70}
    for bad in (None, 2**70, "\\ud800", b"x", float("nan")):
        try:
            engine.update_batch([(bad, 1, "failed")])
        except (TypeError, stepwell.InvalidArgumentError):
            pass
        else:
            raise SystemExit(repr(bad))
    assert engine.audit_verify().ok
    engine.close()
gc.collect()
print("ok", sys.version.split()[0])
"""


def find_python(version: str) -> Optional[str]:
    """An interpreter of this version that starts."""
    candidates = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    found = [str(path) for path in candidates[::-1]]
    found += filter(None, [shutil.which(f"python{version}")])
    for path in found:
        if subprocess.run([path, "-c", ""], capture_output=True).returncode == 0:
            return path
    return None


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "tree"
    for name in ("core", "ext_python", "wheels/stepwell"):
        shutil.copytree(
            ROOT / name,
            copy / name,
            symlinks=True,
            ignore=shutil.ignore_patterns("build", "dist", "*.so", "*.egg-info", "_cdef.h"),
        )
    subprocess.run(
        [*(sys.executable, "setup.py", "--quiet", "bdist_wheel"), *("--dist-dir", str(folder))],
        cwd=copy / "wheels" / "stepwell",
        env={**os.environ, **QUICK},
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def run(python: str, *arguments: str, path: Optional[Path] = None, cwd: Path = ROOT) -> str:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "STEPWELL"))}
    env.update(QUICK)
    if path is not None:
        env["PYTHONPATH"] = str(path)
    done = subprocess.run(
        [python, *arguments], env=env, cwd=cwd, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_the_wheel_works(wheel: Path, version: str, tmp_path: Path) -> None:
    python = find_python(version)
    if python is None:
        pytest.skip(f"Python {version} is not installed")
    assert run(python, "-X", "dev", "-c", PROGRAM, str(tmp_path), path=wheel).startswith("ok ")


@pytest.mark.parametrize("version", VERSIONS[:1])
def test_a_build_of_its_own(version: str, tmp_path: Path) -> None:
    python = find_python(version)
    if python is None:
        pytest.skip(f"Python {version} is not installed")
    if subprocess.run([python, "-c", "import setuptools"], capture_output=True).returncode:
        pytest.skip(f"Python {version} has no setuptools")
    target = tmp_path / "lib"
    run(
        *(python, "setup.py", "--quiet", "build_ext"),
        *("--build-lib", str(target), "--build-temp", str(tmp_path / "temp")),
        cwd=PACKAGE,
    )
    assert not list(target.rglob("*.abi3.so"))
    shutil.copytree(
        PACKAGE / "src" / "stepwell",
        target / "stepwell",
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("*.so", "_cdef.h", "__pycache__"),
    )
    assert run(python, "-X", "dev", "-c", PROGRAM, str(tmp_path), path=target).startswith("ok ")
