"""The audit log from Python: verify, sign, prove, export, and what is refused."""

from __future__ import annotations

import csv
import io
import json
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import stepwell
from helper import ROOT, chain, submit
from stepwell import Audit, Engine


@pytest.fixture
def key(tmp_path: Path) -> stepwell.AuditKey:
    return Audit.keygen("example.com/w", signer=tmp_path / "w.key")


@pytest.fixture
def signer(tmp_path: Path) -> Path:
    return tmp_path / "w.key"


def work(engine: Engine, name: str = "w") -> stepwell.Task:
    """A task of two steps that has ended."""
    engine.register(chain(name, "a", "b"))
    task_id = submit(engine, name)
    worker = engine.worker_open([f"{name}.a", f"{name}.b"])
    claims = engine.exchange(worker, [], 10, 0).claims
    while claims:
        rows = [(c.step_id, c.epoch, "succeeded", "1") for c in claims]
        claims = engine.exchange(worker, rows, 10, 0).claims
    engine.worker_close(worker)
    return engine.task(task_id)


def test_a_key_is_text_and_a_file_for_its_owner(key: Any, signer: Path) -> None:
    assert key.name == "example.com/w"
    assert key.vkey.startswith("example.com/w+")
    assert os.stat(signer).st_mode & 0o777 == 0o600
    with pytest.raises(stepwell.ConflictError):
        Audit.keygen("example.com/w", signer=signer)
    with pytest.raises(stepwell.InvalidArgumentError):
        Audit.keygen("a+b", signer=str(signer) + "2")


def test_a_task_verifies(engine: Engine) -> None:
    task = work(engine)
    assert task.audit.verify()
    assert task.audit.verified and engine.audit.verified
    assert [entry.kind for entry in task.audit][0] == "task_submitted"
    assert task.audit.entries == task.history()
    report = engine.audit.verify()
    assert (report.ok, report.level, report.signed_count) == (True, "integrity", 0)
    assert report.root is None and report.pruned_count == 0
    with pytest.raises(stepwell.NotFoundError):
        engine.task("01a1fa53-a1dc-76ad-9ffc-eb15f6879603").audit.verify()


def test_a_checkpoint_raises_the_level(engine: Engine, key: Any, signer: Path) -> None:
    work(engine)
    first = engine.audit.seal(signer=signer)
    assert first.origin == key.name and first.entries_new == first.entry_count > 5
    assert first.note.startswith(f"example.com/w\n{first.entry_count}\n")
    work(engine)
    for checkpoints in (first, first.note, [first], (first.note,)):
        report = engine.audit.verify(checkpoints=checkpoints, vkeys=key)
        assert (report.level, report.signed_count) == ("signed", first.entry_count)
        assert report.entry_count > first.entry_count
    second = engine.audit.seal(signer=signer)
    assert second.entries_new == second.entry_count - first.entry_count
    report = engine.audit.verify(checkpoints=[first, second], vkeys=[key.vkey])
    assert report.root == second.root


def test_what_cannot_be_trusted(engine: Engine, key: Any, signer: Path, tmp_path: Path) -> None:
    work(engine)
    checkpoint = engine.audit.seal(signer=signer)
    other = Audit.keygen("example.com/w", signer=tmp_path / "other.key")
    with pytest.raises(stepwell.AuditError, match="not signed by any") as caught:
        engine.audit.verify(checkpoints=checkpoint, vkeys=other)
    assert not caught.value.report.ok and caught.value.report.level == "none"
    with pytest.raises(stepwell.InvalidArgumentError, match="no checkpoint"):
        engine.audit.verify(vkeys=key)
    with pytest.raises(stepwell.InvalidArgumentError, match="keys are needed"):
        engine.audit.verify(checkpoints=checkpoint)
    with pytest.raises(stepwell.NotFoundError):
        engine.audit.seal(signer=tmp_path / "none.key")
    with Engine("memory:") as stranger:
        work(stranger)
        work(stranger)
        with pytest.raises(stepwell.AuditError, match="refused to sign"):
            stranger.audit.seal(signer=signer)
        with pytest.raises(stepwell.AuditError) as caught:
            stranger.audit.verify(checkpoints=checkpoint, vkeys=key)
        assert caught.value.report.first_bad_entry == 1


def test_proofs_of_a_step(engine: Engine, key: Any, signer: Path) -> None:
    task = work(engine)
    checkpoint = engine.audit.seal(signer=signer)
    proofs = task.audit.prove("a", checkpoint=checkpoint)
    assert [proof.entry.to_state for proof in proofs if proof.entry] == ["running", "succeeded"]
    for proof in proofs:
        shown = Audit.check(proof.text, vkeys=key)
        assert (shown.origin, shown.entry) == ("example.com/w", proof.entry)
        assert (shown.entry_count, shown.old_count) == (checkpoint.entry_count, 0)
    (third,) = engine.audit.prove(3, checkpoint=checkpoint.note)
    assert third.entry == engine.audit_list(3, 1)[0]
    assert len(task.audit.prove(checkpoint=checkpoint)) == len(task.audit.entries)
    with pytest.raises(stepwell.AuditError, match="does not hold"):
        Audit.check(third.text.replace("\nindex 2\n", "\nindex 1\n"), vkeys=key)
    with pytest.raises(stepwell.NotFoundError, match="covers no entry"):
        work(engine).audit.prove(checkpoint=checkpoint)
    with pytest.raises(stepwell.InvalidArgumentError) as caught:
        engine.audit.prove(1, 999, checkpoint=checkpoint)
    assert caught.value.row == 1


def test_proof_of_consistency(engine: Engine, key: Any, signer: Path) -> None:
    work(engine)
    old = engine.audit.seal(signer=signer)
    work(engine)
    new = engine.audit.seal(signer=signer)
    proof = engine.audit.prove_consistency(old, new)
    assert proof.entry is None
    shown = Audit.check(proof.text, vkeys=key, checkpoints=old)
    assert (shown.old_count, shown.entry_count) == (old.entry_count, new.entry_count)
    assert shown.entry is None
    with pytest.raises(stepwell.AuditError, match="not given"):
        Audit.check(proof.text, vkeys=key)


def test_jobs(engine: Engine, key: Any, signer: Path) -> None:
    work(engine)
    checkpoint = engine.audit.seal(signer=signer)
    report = engine.audit.verify(checkpoints=checkpoint, vkeys=key)
    for jobs in (1, 3, 64):
        assert engine.audit.verify(checkpoints=checkpoint, vkeys=key, jobs=jobs) == report
        assert engine.audit.verify(jobs=jobs).level == "integrity"
    for jobs in (-1, 65):
        with pytest.raises(stepwell.InvalidArgumentError, match="jobs must be 0 to 64"):
            engine.audit.verify(jobs=jobs)


def test_export(engine: Engine, key: Any, signer: Path, tmp_path: Path) -> None:
    work(engine)
    checkpoint = engine.audit.seal(signer=signer)
    folder = tmp_path / "public"
    engine.audit.export(folder, checkpoint=checkpoint)
    report = Audit.verify_export(folder, vkeys=key, checkpoints=checkpoint)
    assert (report.level, report.signed_count) == ("signed", checkpoint.entry_count)
    assert report.root == checkpoint.root
    for jobs in (1, 3, 64):
        assert Audit.verify_export(folder, vkeys=key, checkpoints=checkpoint, jobs=jobs) == report
    for jobs in (-1, 65):
        with pytest.raises(stepwell.InvalidArgumentError, match="jobs must be 0 to 64"):
            Audit.verify_export(folder, vkeys=key, jobs=jobs)
    (bundle,) = (folder / "tile" / "entries").rglob(f"{checkpoint.entry_count}")
    bundle.write_bytes(bundle.read_bytes() + b"x")
    with pytest.raises(stepwell.AuditError) as caught:
        Audit.verify_export(folder, vkeys=key)
    assert not caught.value.report.ok
    with pytest.raises(stepwell.NotFoundError):
        Audit.verify_export(tmp_path / "nothing", vkeys=key)


def test_proofs_out_of_an_export(
    engine: Engine, key: Any, signer: Path, tmp_path: Path
) -> None:
    work(engine)
    old = engine.audit.seal(signer=signer)
    work(engine)
    new = engine.audit.seal(signer=signer)
    folder = tmp_path / "public"
    engine.audit.export(folder, checkpoint=new)
    assert Audit.prove_export(folder, 2, 3) == engine.audit.prove(2, 3, checkpoint=new)
    assert Audit.prove_export(folder, 1, checkpoint=old) == engine.audit.prove(1, checkpoint=old)
    for proof in (
        Audit.prove_export_consistency(folder, old),
        Audit.prove_export_consistency(folder, old, new),
    ):
        assert proof == engine.audit.prove_consistency(old, new)
        assert Audit.check(proof.text, vkeys=key, checkpoints=old).old_count == old.entry_count
    with pytest.raises(stepwell.InvalidArgumentError) as caught:
        Audit.prove_export(folder, 1, 999)
    assert caught.value.row == 1
    with pytest.raises(stepwell.NotFoundError):
        Audit.prove_export(tmp_path / "nothing", 1)
    with pytest.raises(stepwell.InvalidArgumentError):
        Audit.prove_export_consistency(folder, new, old)


@pytest.mark.skipif(not (ROOT / "docs").exists(), reason="the documentation is not here")
def test_the_other_verifier_agrees(
    engine: Engine, key: Any, signer: Path, monkeypatch: Any
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "examples" / "audit"))
    import verify_proof

    task = work(engine)
    for proof in task.audit.prove("b", checkpoint=engine.audit.seal(signer=signer)):
        assert "is one of the" in verify_proof.check(key.vkey, proof.text)


def test_entries_are_found(engine: Engine) -> None:
    task = work(engine)
    work(engine)
    everything = list(engine.audit.entries())
    assert everything == engine.audit_list()
    mine = list(engine.audit.entries(task_id=task.id))
    assert mine == task.history()
    done = list(engine.audit.entries(outcome="succeeded", step="b"))
    assert [(e.kind, e.to_state) for e in done] == [("step_changed", "succeeded")] * 2
    assert list(engine.audit.entries(limit=3)) == everything[:3]
    assert list(engine.audit.entries(after_entry_no=3, limit=2)) == everything[3:5]
    middle = datetime.fromtimestamp(everything[-1].time_us // 10**6 + 1, timezone.utc)
    assert list(engine.audit.entries(since=middle)) == []
    assert list(engine.audit.entries(until=middle)) == everything
    with pytest.raises(stepwell.InvalidArgumentError, match="no kind"):
        list(engine.audit.entries(kind="gone"))
    with pytest.raises(stepwell.InvalidArgumentError, match="no state"):
        list(engine.audit.entries(outcome="gone"))


def test_entries_are_counted(engine: Engine) -> None:
    work(engine)
    everything = engine.audit_list()
    kinds, actors = engine.audit.stats()
    assert sum(kind.count for kind in kinds) == len(everything)
    assert sum(actor.count for actor in actors) == len(everything)
    (group,) = engine.audit.stats(outcome="succeeded", step="a").kinds
    assert (group.kind, group.outcome, group.count) == ("step_changed", "succeeded", 1)


def test_entries_are_written(engine: Engine) -> None:
    engine.register(chain("w", "a"))
    engine.submit([("w", None, None, None, None, 0, "ann", '=1+"1"')])
    everything = engine.audit_list()
    lines = io.StringIO()
    assert engine.audit.dump(lines) == len(everything)
    rows = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [row["entry_no"] for row in rows] == [entry.entry_no for entry in everything]
    assert rows[-1]["reason"] == '=1+"1"'
    table = io.StringIO(newline="")
    engine.audit.dump(table, format="csv", kind="task_submitted")
    (found,) = csv.DictReader(io.StringIO(table.getvalue(), newline=""))
    assert (found["reason"], found["actor"], found["step"]) == ("'=1+\"1\"", "ann", "")
    text = io.StringIO()
    engine.audit.dump(text, format="yaml")
    assert text.getvalue().count("\n- entry_no: ") == len(everything) - 1
    with pytest.raises(stepwell.InvalidArgumentError, match="jsonl, yaml or csv"):
        engine.audit.dump(text, format="xml")


def test_a_subject_is_erased(engine: Engine, key: Any, signer: Path) -> None:
    secret = '{"name":"SECRET"}'
    engine.register(chain("w", "a"))
    ids = [
        row.task_id
        for row in engine.submit([("w", secret, None, None, [f"subject:{who}"]) for who in "ab"])
    ]
    before = engine.audit.seal(signer=signer)
    (proof, *_) = engine.task(ids[0]).audit.prove(checkpoint=before)
    with pytest.raises(stepwell.IllegalTransitionError, match="cancel it"):
        engine.erase("a", actor="eve", reason="request 7")
    engine.cancel([(ids[0], "eve", "to be erased")])
    assert engine.erase("a", actor="eve", reason="request 7", dry_run=True).task_count == 1
    assert engine.get(ids[0])[0].input == secret
    erased = engine.erase("a", actor="eve", reason="request 7")
    assert (erased.task_count, erased.erased_count, erased.clean) == (1, 0, True)
    assert [engine.get(task)[0].input for task in ids] == [None, secret]
    report = engine.audit.verify(checkpoints=before, vkeys=key)
    assert (report.level, report.erased_count) == ("signed", 1)
    assert Audit.check(proof.text, vkeys=key).entry == proof.entry
    assert engine.task(ids[0]).audit.prove(checkpoint=before)[0] == proof
    entry = engine.task(ids[0]).history()[-1]
    assert (entry.kind, entry.actor, entry.reason) == ("task_erased", "eve", "request 7")
    assert entry.from_state == entry.to_state == "cancelled"
    with pytest.raises(stepwell.InvalidArgumentError, match="reason is missing"):
        engine.erase("a", actor="eve", reason="")
