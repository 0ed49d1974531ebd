"""Control reports: what they say, from a database as from its export, and that the verifier in
Python refuses a report of which any fact was changed."""

import copy
import hashlib
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Iterator, List, Tuple

import pytest
import stepwell
from helper import ROOT
from stepwell import Audit, Engine

FORMATS = ("json", "markdown", "html")


@pytest.fixture
def signer(tmp_path: Path) -> Path:
    return tmp_path / "key"


@pytest.fixture
def key(signer: Path) -> Any:
    return Audit.keygen("example.com/w", signer=signer)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return tmp_path / "export"


@pytest.fixture
def checkpoint(engine: Engine, signer: Path, key: Any, export: Path) -> Any:
    text = json.dumps({"stepwell": 1, "name": "w", "steps": [{"name": "a"}, {"name": "b"}]})
    engine.register(text)
    rows = [("w", "{}", None, None, None, 0, who) for who in ("ann", "ann", None)]
    first = engine.submit(rows)[0].task_id
    engine.cancel([(first, "b<script>|*_`", "why")])
    sealed = engine.audit.seal(signer=signer)
    engine.audit.export(export, checkpoint=sealed)
    return sealed


@pytest.mark.parametrize("format", FORMATS)
def test_a_database_and_its_export_say_the_same(
    engine: Engine, checkpoint: Any, key: Any, export: Path, format: str
) -> None:
    report = engine.audit.report(checkpoints=checkpoint, vkeys=key, format=format)
    assert report == Audit.report_export(export, vkeys=key, format=format)
    assert "complian" not in report.text.lower()
    assert format == "json" or "<script" not in report.text


def test_what_a_report_says(engine: Engine, checkpoint: Any, key: Any) -> None:
    report = engine.audit.report(checkpoints=checkpoint, vkeys=key)
    assert (report.origin, report.level) == ("example.com/w", "signed")
    assert report.entry_count == report.window_count == checkpoint.entry_count
    assert report.found + report.not_found + report.not_applicable == len(report.controls)
    (operators,) = (row for row in report.controls if row.control == "10.2.1.2")
    assert (operators.standard, operators.answer) == ("pci", "found")
    (requests,) = (row for row in report.evidence if row.evidence == "requests")
    assert (requests.answer, requests.entry_count, requests.against_count) == ("not_found", 2, 1)
    document = json.loads(report.text)
    assert [row["answer"] for row in document["controls"]] == [r.answer for r in report.controls]


def test_standards_and_times(engine: Engine, checkpoint: Any, key: Any) -> None:
    def asked(**options: Any) -> Any:
        return engine.audit.report(checkpoints=checkpoint, vkeys=key, **options)

    assert {row.standard for row in asked(standards="gdpr").controls} == {"gdpr"}
    assert {row.standard for row in asked(standards=("gdpr", "soc2")).controls} == {"gdpr", "soc2"}
    soon = datetime.now(timezone.utc) + timedelta(hours=1)
    assert asked(since=soon).window_count == 0
    assert asked(until=soon).window_count == checkpoint.entry_count
    assert len(Audit.controls()) == len(asked().controls)
    first = Audit.controls("pci")[0]
    assert (first.cites, first.evidence) == ("PCI DSS v4.0.1", ["integrity", "events"])


def test_what_is_refused(engine: Engine, checkpoint: Any, key: Any, tmp_path: Path) -> None:
    with pytest.raises(stepwell.InvalidArgumentError, match="format"):
        engine.audit.report(checkpoints=checkpoint, vkeys=key, format="pdf")
    with pytest.raises(stepwell.InvalidArgumentError, match="standard"):
        engine.audit.report(checkpoints=checkpoint, vkeys=key, standards="iso9001")
    with pytest.raises(stepwell.InvalidArgumentError, match="checkpoint"):
        engine.audit.report(checkpoints=(), vkeys=key)
    with pytest.raises(stepwell.AuditError):
        forged = checkpoint.note.replace("w", "v", 1)
        engine.audit.report(checkpoints=forged, vkeys=key)
    with pytest.raises(stepwell.NotFoundError):
        Audit.report_export(tmp_path / "nothing", vkeys=key)


def test_a_report_is_signed(engine: Engine, checkpoint: Any, key: Any, signer: Path) -> None:
    report = engine.audit.report(checkpoints=checkpoint, vkeys=key)
    signature = Audit.sign_report(report, signer=signer)
    assert signature.name == "example.com/w"
    assert signature.digest == hashlib.sha256(report.text.encode()).hexdigest()
    assert Audit.check_report(report, signature, vkeys=key) == signature
    assert Audit.check_report(report.text, signature.note, vkeys=key.vkey) == signature
    with pytest.raises(stepwell.AuditError, match="edited"):
        Audit.check_report(report.text + " ", signature, vkeys=key)


# ---- the verifier ----


@pytest.fixture
def verifier(monkeypatch: Any) -> Any:
    if not (ROOT / "docs").exists():
        pytest.skip("the documentation is not here")
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "examples" / "audit"))
    import verify_report

    return verify_report


# What is said about facts; a signature covers it.
WORDS = {"cites", "title", "question", "reason", "standard", "control"}


def mutations(value: Any, path: Tuple[Any, ...] = ()) -> Iterator[Tuple[Tuple[Any, ...], Any]]:
    """Where a fact stands, and what it is changed to."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from mutations(item, (*path, name))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from mutations(item, (*path, i))
        if all(isinstance(item, int) for item in value):
            yield path, [*value, 1]
    elif value is None:  # times of a window in which nothing lies
        yield path, 7 if path[-1] == "until_us" else 1 << 62
    elif isinstance(value, bool):
        yield path, not value
    elif isinstance(value, int):
        yield path, value + 1
    elif value.isidentifier():
        yield path, "not_found" if value == "found" else "found"
    else:
        at = len(value) // 2
        yield path, value[:at] + ("B" if value[at] == "A" else "A") + value[at + 1 :]


def edited(document: Any, path: Tuple[Any, ...], value: Any) -> str:
    document = copy.deepcopy(document)
    place = document
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return json.dumps(document)


REFUSALS = (ValueError, KeyError, IndexError, TypeError, AttributeError)


def test_every_fact_is_checked(
    engine: Engine, checkpoint: Any, key: Any, export: Path, verifier: Any
) -> None:
    text = engine.audit.report(checkpoints=checkpoint, vkeys=key).text
    document = json.loads(text)
    said = verifier.check(key.vkey, text, export)
    assert f"hold in the {checkpoint.entry_count} entries of example.com/w" in said
    tried: List[Any] = []
    verifier.signed = good_unless_changed(verifier.signed)
    for path, value in mutations(document):
        if path[-1] in WORDS and path[0] != "proofs":
            continue
        with pytest.raises(REFUSALS):
            verifier.check(key.vkey, edited(document, path, value), export)
            pytest.fail(f"{path} was changed to {value!r}")
        tried.append(path)
    assert len(tried) > 300


def good_unless_changed(signed: Any) -> Any:
    """The same answers; the slow arithmetic only once for the same question."""
    known = {}

    def asked(*question: bytes) -> bool:
        if question not in known:
            known[question] = signed(*question)
        return bool(known[question])

    return asked


def test_another_export_is_refused(
    engine: Engine, checkpoint: Any, key: Any, export: Path, verifier: Any
) -> None:
    text = engine.audit.report(checkpoints=checkpoint, vkeys=key).text
    (bundle,) = (path for path in (export / "tile" / "entries").rglob("*") if path.is_file())
    data = bytearray(bundle.read_bytes())
    data[40] ^= 1
    bundle.write_bytes(data)
    with pytest.raises(REFUSALS):
        verifier.check(key.vkey, text, export)


def test_a_later_export_serves_as_well(
    engine: Engine, checkpoint: Any, key: Any, signer: Path, export: Path, verifier: Any
) -> None:
    report = engine.audit.report(checkpoints=checkpoint, vkeys=key)
    signature = Audit.sign_report(report, signer=signer)
    for _ in range(100):
        engine.submit([("w",)] * 3)
    engine.audit.export(export, checkpoint=engine.audit.seal(signer=signer))
    assert "hold in" in verifier.check(key.vkey, report.text, export, signature.note)
    whole = Audit.report_export(export, vkeys=key)
    assert "hold in" in verifier.check(key.vkey, whole.text, export)
    with pytest.raises(ValueError, match="another report"):
        verifier.check(key.vkey, whole.text, export, signature.note)
