"""Tasks as files from Python: written, verified, opened, put back; and what is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Iterator

import pytest
from helper import ROOT, chain

import stepwell
from stepwell import Audit, AuditError, Engine, InvalidArgumentError, NotFoundError, Task, TaskFile

sys.path.insert(0, str(ROOT / "docs" / "examples" / "audit"))


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine("memory:") as opened:
        yield opened


@pytest.fixture
def task(engine: Engine) -> Task:
    engine.register(chain("w", "a", "b"))
    (submitted,) = engine.submit([("w", '{"n": 1}')])
    worker = engine.worker_open(["w.a", "w.b"])
    while claims := engine.exchange(worker, [], 9, 0).claims:
        engine.update_batch([(row.step_id, row.epoch, "succeeded", "1") for row in claims])
    return engine.task(submitted.task_id)


@pytest.fixture
def signer(tmp_path: Path) -> Path:
    return tmp_path / "w.key"


def test_a_file_is_written_read_and_verified(
    engine: Engine, task: Task, signer: Path, tmp_path: Path
) -> None:
    key = Audit.keygen("example.com/w", signer=signer)
    sealed = engine.audit.seal(signer=signer)
    path = tmp_path / "w.task"
    written = task.export(path, checkpoint=sealed)
    file = TaskFile.read(path)
    assert (file.text, file.source) == (written.text, str(path))
    assert repr(file) == f"<TaskFile {path}>"
    assert file.verified
    assert file.verify().level == "integrity"
    assert file.verify(vkeys=key).level == "signed"
    assert file.verify(vkeys=key, checkpoints=sealed).root == sealed.root
    engine.audit.anchor_put(f"file:{tmp_path}/far", checkpoint=sealed, vkeys=key)
    assert file.verify(vkeys=key, anchors=f"file:{tmp_path}/far").level == "anchored"


def test_a_file_keeps_the_parent(engine: Engine, task: Task) -> None:
    rest = (None, None, None, ("red",), 0, None, None, None, None, None)
    (submitted,) = engine.submit([("w", *rest, task.id)])
    with engine.task(submitted.task_id).export().open() as opened:
        (row,) = opened.list(parent=task.id)  # which is not in the file
        assert (row.task_id, row.parent_id) == (submitted.task_id, task.id)
        assert row.tags == ("red", f"parent:{task.id}")


def test_a_file_without_a_checkpoint(engine: Engine, task: Task, signer: Path) -> None:
    key = Audit.keygen("example.com/w", signer=signer)
    file = task.export()
    assert file.source is None
    with pytest.raises(AuditError, match="is not signed"):
        file.verify(vkeys=key)
    assert file.verify(vkeys=key, checkpoints=engine.audit.seal(signer=signer)).level == "signed"


def test_what_is_wrong_is_said(task: Task) -> None:
    text = task.export().text
    edited = TaskFile(text.replace('\\"n\\": 1', '\\"n\\": 2'), source="w.task")
    with pytest.raises(AuditError, match="the input of the task was edited") as caught:
        edited.verify()
    report: Any = getattr(caught.value, "report")
    assert (report.ok, report.level) == (False, "none")
    assert not edited.verified
    with pytest.raises(AuditError, match="edited"):
        edited.task()
    broken = TaskFile(text.replace('"version"', '"vrsn"', 1), source="w.task")
    with pytest.raises(InvalidArgumentError, match='^w.task:1:1: the key "version" is missing'):
        broken.verify()
    with pytest.raises(InvalidArgumentError):
        broken.open()


def test_a_file_is_the_task(task: Task) -> None:
    copy = task.export().task()
    assert copy.id == task.id
    assert copy.row() == task.row()
    assert copy.steps == task.steps
    assert copy.history() == task.history()
    assert copy.gantt("text") == task.gantt("text")
    assert isinstance(copy.engine, Engine)
    assert repr(copy.engine) == "<Engine memory:>"
    copy.engine.close()


def test_a_file_goes_back_and_knows_how_it_went_on(task: Task) -> None:
    file = task.export()
    start = next(entry.entry_no for entry in task.history() if entry.to_state == "running")
    copy = file.task(at_entry=start)
    assert copy.steps["a"].state == "running"
    assert [step.source for step in copy.forecast().steps] == ["step", "step"]
    for entry_no in (1, 1000):
        with pytest.raises(NotFoundError):
            file.open(at_entry=entry_no)


def test_another_implementation_agrees(engine: Engine, task: Task, signer: Path) -> None:
    from verify_task import verify

    key = Audit.keygen("example.com/w", signer=signer)
    text = task.export(checkpoint=engine.audit.seal(signer=signer)).text
    assert len(verify(json.loads(text), key.vkey)) == json.loads(text)["log"]["entries"]
    file = json.loads(text)
    del file["entries"][3]
    with pytest.raises(ValueError, match="something is missing"):
        verify(file, key.vkey)
    assert not TaskFile(json.dumps(file)).verified
    assert TaskFile(json.dumps(json.loads(text), indent=4)).verified


def test_what_there_is_not_is_refused(engine: Engine, task: Task, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        engine.task("01932f00-0000-7000-8000-000000000000").export()
    with pytest.raises(NotFoundError):
        task.export("/no/folder/x")
    with pytest.raises(InvalidArgumentError, match="no checkpoint"):
        task.export(tmp_path / "x", checkpoint="x")
    assert not (tmp_path / "x").exists()
    assert stepwell.TaskFile is TaskFile
