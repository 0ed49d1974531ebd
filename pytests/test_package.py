"""What users install: the source distribution and the wheel, built, looked into and used.

Each is installed into an empty virtual environment and runs a workflow there. No package index is
asked: the build uses the setuptools and wheel of this interpreter.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import List, Set

import pytest
from helper import ROOT

PACKAGE = ROOT / "wheels" / "stepwell"

pytest.importorskip("build", reason="build is not installed (python3-build)")
pytest.importorskip("wheel", reason="wheel is not installed (python3-wheel)")
if not (ROOT / "core").exists():
    pytest.skip("the checkout is not here", allow_module_level=True)

PROGRAM = """
import sys
from dataclasses import dataclass
import stepwell
from stepwell import Context, Engine, Retry, Worker

assert stepwell.__file__.startswith(sys.prefix), stepwell.__file__

@dataclass
class Order:
    number: int

engine = Engine("installed.db")
order = engine.workflow("order", version="1", input=Order)

@order.step
def check(ctx: Context[Order]) -> int:
    return ctx.input.number

@order.step(retry=Retry(3, wait=0.01))
async def charge(ctx: Context[Order], check: int) -> str:
    if ctx.attempt == 1:
        raise ConnectionError("again")
    return f"paid {check}"

task = order.start(Order(42), key="one")
Worker(engine).run(until=task)
assert task.result("charge") == "paid 42"
assert engine.audit_verify().ok
print("ok", stepwell.__version__)
"""


def run(*command: str, cwd: Path, **extra: str) -> str:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "STEPWELL", "PIP_"))}
    done = subprocess.run(
        command, cwd=cwd, env={**env, **extra}, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both; the wheel is built from the source distribution, as an installer does."""
    folder = tmp_path_factory.mktemp("dist")
    run(
        *(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(PACKAGE)),
        cwd=folder,
    )
    return folder


def only(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(pattern)
    return path


def tree(folder: Path, *patterns: str) -> Set[str]:
    """Files below a folder of the checkout, as names in a package."""
    paths = [path for pattern in patterns for path in (ROOT / folder).rglob(pattern)]
    return {str(path.relative_to(ROOT)) for path in paths}


def modules() -> List[str]:
    return sorted(path.name for path in (PACKAGE / "src" / "stepwell").glob("*.py"))


def test_files_of_the_source_distribution(built: Path) -> None:
    path = only(built, "*.tar.gz")
    with tarfile.open(path) as archive:
        members = archive.getmembers()
    assert all(member.isfile() or member.isdir() for member in members), "links cannot be installed"
    names = {member.name.partition("/")[2] for member in members if member.isfile()}
    expected = {"LICENSE", "README.md", "MANIFEST.in", "pyproject.toml", "setup.py"}
    expected |= tree(Path("core/src"), "*.c", "*.h") | tree(Path("core/include"), "*.h")
    expected |= tree(Path("ext_python"), "*.c", "*.h")
    expected |= {f"src/stepwell/{name}" for name in [*modules(), "py.typed", "_core.pyi"]}
    assert expected <= names, expected - names
    others = {name for name in names - expected if "egg-info" not in name}
    assert others <= {"PKG-INFO", "setup.cfg"}, others
    assert path.stat().st_size < 1_000_000


def test_files_of_the_wheel(built: Path) -> None:
    path = only(built, "*.whl")
    with zipfile.ZipFile(path) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        metadata = next(name for name in archive.namelist() if name.endswith("METADATA"))
        about = archive.read(metadata).decode()
        licences = [name for name in archive.namelist() if name.endswith("LICENSE")]
    expected = {f"stepwell/{name}" for name in [*modules(), "py.typed", "_core.pyi", "_cdef.h"]}
    assert expected <= names, expected - names
    (extension,) = names - expected
    if sys.version_info >= (3, 10):
        assert extension == "stepwell/_core.abi3.so"
        assert "-cp310-abi3-linux" in path.name
    assert "Requires-Python: >=3.9" in about and "Requires-Dist" not in about
    assert licences


def test_the_extension_exports_one_symbol(built: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(only(built, "*.whl")) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".so"))
        archive.extract(name, tmp_path)
    said = run("nm", "-D", "--defined-only", str(tmp_path / name), cwd=tmp_path)
    assert [line.split()[-1] for line in said.splitlines()] == ["PyInit__core"]


@pytest.mark.parametrize("pattern", ["*.whl", "*.tar.gz"])
def test_it_installs_and_runs(built: Path, tmp_path: Path, pattern: str) -> None:
    venv = tmp_path / "venv"
    python = str(venv / "bin" / "python")
    run(sys.executable, "-m", "venv", "--system-site-packages", str(venv), cwd=tmp_path)
    run(
        *(python, "-m", "pip", "install", "--quiet", "--no-index", "--no-build-isolation"),
        *("--no-deps", str(only(built, pattern))),
        cwd=tmp_path,
    )
    assert run(python, "-c", PROGRAM, cwd=tmp_path).startswith("ok ")


def test_the_version_is_that_of_the_engine(built: Path) -> None:
    header = (ROOT / "core/include/stepwell/abi.h").read_text()
    version = header.split('#define SW_VERSION "')[1].split('"')[0]
    assert only(built, "*.whl").name.startswith(f"stepwell-{version}-")


def test_licence_is_that_of_the_project() -> None:
    assert (PACKAGE / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert not (PACKAGE / "LICENSE").is_symlink() and not (PACKAGE / "README.md").is_symlink()


def test_a_checkout_without_symlinks_is_refused(tmp_path: Path) -> None:
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        (tmp_path / name).write_bytes((PACKAGE / name).read_bytes())
    (tmp_path / "core").write_text("../../core")
    done = subprocess.run(
        [sys.executable, "setup.py", "build_ext"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "core.symlinks=true" in done.stderr and "Traceback" not in done.stderr


def test_missing_libraries_are_named(tmp_path: Path) -> None:
    fake = tmp_path / "pkg-config"
    fake.write_text("#!/bin/sh\necho 'Package jansson was not found' >&2\nexit 1\n")
    fake.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "setup.py", "build_ext"],
        cwd=PACKAGE,
        env={**os.environ, "PKG_CONFIG": str(fake)},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    for text in ("jansson was not found", "apt-get install", "dnf install", "brew install"):
        assert text in done.stderr
    assert "Traceback" not in done.stderr
