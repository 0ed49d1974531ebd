"""Keys whose secret only the application has, and handing the log over from key to key."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import threading
from pathlib import Path
from typing import Any, Callable, List, Tuple

import pytest
import stepwell
from helper import ROOT
from stepwell import Audit, Engine

SOURCE = ROOT / "docs/examples/audit/verify_proof.py"
if not SOURCE.exists():
    pytest.skip("the curve is borrowed from the documentation", allow_module_level=True)

spec = importlib.util.spec_from_file_location("verify_proof", SOURCE)
assert spec is not None and spec.loader is not None
curve: Any = importlib.util.module_from_spec(spec)
spec.loader.exec_module(curve)

BASE = curve.point((4 * pow(5, -1, curve.P) % curve.P).to_bytes(32, "little"))


def encoded(point: Tuple[int, int]) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


class Module:
    """What holds a secret: Ed25519 as RFC 8032, 5.1.5 and 5.1.6, say it."""

    def __init__(self, seed: bytes, name: str = "example.com/w") -> None:
        digest = hashlib.sha512(seed).digest()
        self._secret = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
        self._prefix = digest[32:]
        self._public = encoded(curve.times(self._secret, BASE))
        key = b"\x01" + self._public
        hash4 = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex()
        self.vkey = f"{name}+{hash4}+{base64.b64encode(key).decode()}"

    def sign(self, message: bytes) -> bytes:
        def number(*parts: bytes) -> int:
            digest = hashlib.sha512(b"".join(parts)).digest()
            return int.from_bytes(digest, "little") % int(curve.Q)

        r = number(self._prefix, message)
        point = encoded(curve.times(r, BASE))
        s = (r + number(point, self._public, message) * self._secret) % curve.Q
        return point + s.to_bytes(32, "little")


MODULE = Module(b"a" * 32)


def grow(engine: Engine) -> None:
    engine.worker_close(engine.worker_open(["w.a"]))


@pytest.fixture
def signer(engine: Engine, tmp_path: Path) -> Path:
    grow(engine)
    Audit.enrol(MODULE.vkey, signer=tmp_path / "w.key")
    return tmp_path / "w.key"


def test_the_application_is_asked(engine: Engine, signer: Path) -> None:
    asked: List[Tuple[int, bytes]] = []

    def sign(message: bytes) -> bytes:
        asked.append((threading.get_ident(), message))
        return MODULE.sign(message)

    checkpoint = engine.audit.seal(signer=signer, sign=sign)
    text = checkpoint.note.encode().partition(b"\n\n")[0] + b"\n"
    assert asked == [(threading.get_ident(), text)]
    report = engine.audit.verify(checkpoints=checkpoint, vkeys=MODULE.vkey)
    assert (report.level, report.signed_count) == ("signed", 2)
    assert engine.audit.seal(signer=signer, sign=sign).note == checkpoint.note
    assert len(asked) == 1


def test_what_the_application_raises_is_raised(engine: Engine, signer: Path) -> None:
    class Gone(BaseException):
        pass

    def sign(message: bytes) -> bytes:
        raise Gone("no module")

    with pytest.raises(Gone, match="no module") as caught:
        engine.audit.seal(signer=signer, sign=sign)
    assert any(entry.name == "sign" for entry in caught.traceback)
    assert engine.audit.seal(signer=signer, sign=MODULE.sign).entries_new == 2


def test_what_is_no_signature(engine: Engine, signer: Path) -> None:
    cases: List[Tuple[Any, Any, str]] = [
        (lambda message: None, TypeError, "must be bytes, not NoneType"),
        (lambda message: b"short", stepwell.InvalidArgumentError, "64 bytes, not 5"),
        (lambda message: bytes(64), stepwell.InvalidArgumentError, "not good"),
        (None, stepwell.InvalidArgumentError, "holds no secret"),
        ("sign", TypeError, "sign must be callable or None, not str"),
    ]
    for sign, error, text in cases:
        with pytest.raises(error, match=text):
            engine.audit.seal(signer=signer, sign=sign)
    with pytest.raises(stepwell.ConflictError):
        Audit.enrol(MODULE.vkey, signer=signer)
    with pytest.raises(stepwell.InvalidArgumentError):
        Audit.enrol("x", signer=str(signer) + "2")
    assert engine.audit.seal(signer=signer, sign=MODULE.sign).entries_new == 2


def test_the_application_uses_the_engine(engine: Engine, signer: Path) -> None:
    def sign(message: bytes) -> bytes:
        with pytest.raises(stepwell.IllegalTransitionError):
            engine.close()
        with pytest.raises(stepwell.BusyError):
            engine.audit.seal(signer=signer, sign=MODULE.sign)
        assert engine.audit.verify().entry_count == 2
        grow(engine)
        return MODULE.sign(message)

    engine.audit.seal(signer=signer, sign=sign)
    checkpoint = engine.audit.seal(signer=signer, sign=MODULE.sign)
    assert (checkpoint.entries_new, checkpoint.entry_count) == (2, 4)


def test_many_threads_sign(engine: Engine, tmp_path: Path) -> None:
    grow(engine)
    modules = [Module(bytes([i]) * 32, f"example.com/{i}") for i in range(4)]
    notes: List[str] = []
    together = threading.Barrier(4, timeout=30)

    def seal(module: Module, file: Path) -> None:
        def sign(message: bytes) -> bytes:
            together.wait()  # all of them are asked at the same time
            return module.sign(message)

        Audit.enrol(module.vkey, signer=file)
        notes.append(engine.audit.seal(signer=file, sign=sign).note)

    threads = [
        threading.Thread(target=seal, args=(module, tmp_path / f"{i}.key"))
        for i, module in enumerate(modules)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    vkeys = [module.vkey for module in modules]
    assert engine.audit.verify(checkpoints=notes, vkeys=vkeys).level == "signed"


def test_the_log_is_handed_over(engine: Engine, tmp_path: Path) -> None:
    first_signer, next_signer = tmp_path / "w.key", tmp_path / "x.key"
    key = Audit.keygen("example.com/w", signer=first_signer)
    with pytest.raises(stepwell.ConflictError, match="empty"):
        engine.audit.rotate(signer=first_signer, next_signer=tmp_path / "y.key")
    grow(engine)
    first = engine.audit.seal(signer=first_signer)
    grow(engine)
    rotation = engine.audit.rotate(signer=first_signer, next_signer=next_signer)
    assert rotation.key.name == "example.com/w" and rotation.key.vkey != key.vkey
    assert rotation.checkpoint.entry_count == 4
    grow(engine)
    last = engine.audit.seal(signer=next_signer)
    report = engine.audit.verify(checkpoints=[first, rotation.checkpoint, last], vkeys=key)
    assert report.signed_count == 6
    with pytest.raises(stepwell.AuditError):
        engine.audit.verify(checkpoints=last, vkeys=key)
    with pytest.raises(stepwell.ConflictError, match="replaced"):
        engine.audit.seal(signer=first_signer)


def test_the_log_is_handed_to_the_application(engine: Engine, tmp_path: Path) -> None:
    files = [tmp_path / f"{i}.key" for i in range(3)]
    key = Audit.keygen("example.com/w", signer=files[0])
    other = Module(b"b" * 32)
    Audit.enrol(MODULE.vkey, signer=files[1])
    Audit.enrol(other.vkey, signer=files[2])
    grow(engine)

    def rotate(step: int, sign: Any, next_sign: Callable[[bytes], bytes]) -> Any:
        return engine.audit.rotate(
            signer=files[step], next_signer=files[step + 1], sign=sign, next_sign=next_sign
        )

    def refuse(message: bytes) -> bytes:
        raise KeyError("gone")

    with pytest.raises(KeyError):
        rotate(0, None, refuse)
    assert engine.audit.seal(signer=files[0]).entry_count == 2
    first = rotate(0, None, MODULE.sign)
    assert first.key.vkey == MODULE.vkey
    grow(engine)
    last = rotate(1, MODULE.sign, other.sign)
    report = engine.audit.verify(checkpoints=[first.checkpoint, last.checkpoint], vkeys=key)
    assert report.signed_count == 4
