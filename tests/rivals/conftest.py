"""Fixtures of the rivals: an engine on a file, and how much work SQLite does for a call."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Iterator

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "wheels" / "stepwell" / "src"))
sys.path.insert(0, str(ROOT / "pytests"))

import stepwell  # noqa: E402
from observe import Observer  # noqa: E402


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[stepwell.Engine]:
    """An open engine on a SQLite file; its audit log must verify in the end."""
    with stepwell.Engine(tmp_path / "store.db") as opened:
        yield opened
        assert opened.audit_verify().ok


@pytest.fixture
def observer() -> Iterator[Observer]:
    """Watches every database that is opened while the test runs; ask for it before the engine."""
    with Observer() as watching:
        yield watching
