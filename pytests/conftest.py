"""Fixtures: engines on both stores, and a way to run a Python program beside the tests.

The tests import the in-place build (wheels/stepwell/build_inplace); with STEPWELL_INSTALLED=1
they import the package that is installed instead.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Iterator

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "wheels" / "stepwell" / "src"

os.environ.setdefault(
    "HYPOTHESIS_STORAGE_DIRECTORY", os.path.join(tempfile.gettempdir(), "stepwell-hypothesis")
)
if not os.environ.get("STEPWELL_INSTALLED"):
    sys.path.insert(0, str(SOURCE))
sys.path.insert(0, str(Path(__file__).parent))

try:
    import stepwell
except ImportError as error:
    pytest.exit(f"{error}\nBuild the extension first: wheels/stepwell/build_inplace", returncode=2)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: Any, tmp_path: Path) -> str:
    """A new store of each kind."""
    return "memory:" if request.param == "memory" else str(tmp_path / "store.db")


@pytest.fixture
def engine(store: str) -> Iterator[stepwell.Engine]:
    """An open engine on each kind of store; its audit log must verify in the end."""
    with stepwell.Engine(store, durability=None if store == "memory:" else "relaxed") as opened:
        yield opened
        if not opened.closed:
            assert opened.audit_verify().ok


@pytest.fixture
def file_engine(tmp_path: Path) -> Iterator[stepwell.Engine]:
    """An open engine on a SQLite file, for tests with several processes."""
    with stepwell.Engine(tmp_path / "store.db") as opened:
        yield opened
        if not opened.closed:
            assert opened.audit_verify().ok


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say aloud what was skipped, one line per reason."""
    reasons = {}
    for report in terminalreporter.stats.get("skipped", []):
        text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons.setdefault(text.replace("Skipped: ", ""), []).append(report.nodeid)
    for text, nodes in reasons.items():
        terminalreporter.write_line(f"skipped: {text} ({len(nodes)} of {nodes[0].split('::')[0]})")
