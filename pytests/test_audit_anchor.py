"""Anchors from Python: checkpoints in places outside, and what they prove."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import stepwell
from stepwell import Audit, Engine


def grow(engine: Engine) -> None:
    engine.worker_close(engine.worker_open(["w.a"]))


@pytest.fixture
def signer(tmp_path: Path) -> Path:
    return tmp_path / "w.key"


@pytest.fixture
def key(signer: Path) -> stepwell.AuditKey:
    return Audit.keygen("example.com/w", signer=signer)


@pytest.fixture
def checkpoint(engine: Engine, key: Any, signer: Path) -> stepwell.AuditCheckpoint:
    grow(engine)
    return engine.audit.seal(signer=signer)


def make_repository(folder: Path) -> str:
    for words in (
        ["init", "--quiet", str(folder)],
        ["-C", str(folder), "config", "user.name", "a"],
        ["-C", str(folder), "config", "user.email", "a@b"],
    ):
        subprocess.run(["git", *words], check=True)
    return f"git:{folder}"


def test_places(engine: Engine, key: Any, checkpoint: Any, tmp_path: Path) -> None:
    places = [f"file:{tmp_path}/far", f"db:{tmp_path}/far.db"]
    if shutil.which("git"):
        places.append(make_repository(tmp_path / "repo"))
    before = int(time.time())
    for place in places:
        put = engine.audit.anchor_put(place, checkpoint=checkpoint, vkeys=key)
        assert (put.place, put.note, put.entry_count) == (place, checkpoint.note, 2)
        assert before <= put.time_us // 10**6 <= time.time()
        got = Audit.anchor_get(place, "example.com/w")
        assert (got.place, got.note, got.entry_count) == (place, checkpoint.note, 2)
        report = engine.audit.verify(anchors=place, vkeys=key)
        assert (report.level, report.anchored_count) == ("anchored", 2)
    grow(engine)
    anchors = [places[0], Audit.anchor_get(places[-1], "example.com/w")]
    report = engine.audit.verify(anchors=anchors, vkeys=[key.vkey])
    assert (report.level, report.anchored_count, report.entry_count) == ("anchored", 2, 4)
    assert before <= report.anchored_us // 10**6 <= time.time()
    report = engine.audit.verify(checkpoints=anchors[1], vkeys=key)
    assert (report.level, report.anchored_count, report.anchored_us) == ("signed", 0, 0)


def test_a_folder(engine: Engine, key: Any, checkpoint: Any, tmp_path: Path) -> None:
    place = f"file:{tmp_path}/far"
    engine.audit.anchor_put(place, checkpoint=checkpoint, vkeys=key)
    engine.audit.export(tmp_path / "public", checkpoint=checkpoint)
    report = Audit.verify_export(tmp_path / "public", vkeys=key, anchors=place)
    assert report.level == "anchored"


def test_a_log_that_was_rolled_back(key: Any, signer: Path, tmp_path: Path) -> None:
    place = f"file:{tmp_path}/far"
    with Engine(f"{tmp_path}/a.db") as engine:
        grow(engine)
    shutil.copy(tmp_path / "a.db", tmp_path / "old.db")
    with Engine(f"{tmp_path}/a.db") as engine:
        grow(engine)
        checkpoint = engine.audit.seal(signer=signer)
        engine.audit.anchor_put(place, checkpoint=checkpoint, vkeys=key)
    with Engine(f"{tmp_path}/old.db") as engine:
        with pytest.raises(stepwell.AuditError, match="cut off") as caught:
            engine.audit.verify(anchors=place, vkeys=key)
        assert caught.value.report.level == "none"


def test_what_is_none(engine: Engine, key: Any, checkpoint: Any, tmp_path: Path) -> None:
    other = Audit.keygen("example.com/w", signer=tmp_path / "other.key")
    for place, vkeys, error in (
        ("far", key, stepwell.InvalidArgumentError),
        (f"file:{tmp_path}/far", other, stepwell.AuditError),
        (f"file:{tmp_path}/no/far", key, stepwell.NotFoundError),
    ):
        with pytest.raises(error):
            engine.audit.anchor_put(place, checkpoint=checkpoint, vkeys=vkeys)
    with pytest.raises(stepwell.NotFoundError):
        Audit.anchor_get(f"file:{tmp_path}/none", "example.com/w")
    with pytest.raises(stepwell.NotFoundError):
        engine.audit.verify(anchors=f"file:{tmp_path}/none", vkeys=key)
    with pytest.raises(TypeError, match="an anchor must be a tuple of 4"):
        engine.audit_verify(None, [key.vkey], [("p", "n", 1)])  # type: ignore[list-item]
    forged = checkpoint.note.replace("\n2\n", "\n9\n")
    with pytest.raises(stepwell.AuditError, match="cannot be trusted"):
        engine.audit_verify(None, [key.vkey], [("file:x", forged, 9, 0)])
