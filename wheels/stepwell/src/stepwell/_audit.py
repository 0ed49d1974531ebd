"""The audit log: verify it, sign it, anchor it, prove what it says.

Audit is about the whole log of an engine, TaskAudit about one task. Not here: reading the raw log
(Engine.audit_list), and what the bytes are (docs/reference/audit-format.md).
"""

from __future__ import annotations

import os
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
    TextIO,
    Tuple,
    Union,
)

from ._binding import core
from ._dead import time_us

if TYPE_CHECKING:
    from datetime import datetime

    from ._step import Step
    from .engine import Engine

    # A checkpoint as Audit.seal answers it, one that was anchored, or its text.
    Checkpoint = Union[str, core.AuditCheckpoint, core.AuditAnchor]
    Checkpoints = Union[Checkpoint, Iterable[Checkpoint]]
    Keys = Union[str, core.AuditKey, Iterable[Union[str, core.AuditKey]]]
    # A place that is read, or what was read there.
    Anchor = Union[str, core.AuditAnchor]
    Anchors = Union[Anchor, Iterable[Anchor]]
    FilePath = Union[str, os.PathLike[str]]
    # Gets the bytes to sign, answers their Ed25519 signature (RFC 8032), 64 bytes.
    Sign = Callable[[bytes], bytes]
    Standards = Union[str, Iterable[str]]


_PAGE = 1000


class AuditStats(NamedTuple):
    """How many entries there are, by kind and outcome and by actor, the largest first."""

    kinds: List[core.AuditGroup]
    actors: List[core.AuditActor]


class AuditRotation(NamedTuple):
    """The key that took over, and the checkpoint that both keys signed, for auditors to keep."""

    key: core.AuditKey
    checkpoint: core.AuditCheckpoint


def _filter(since: Optional[datetime], until: Optional[datetime], rest: Any) -> Dict[str, Any]:
    return {**rest, "after_us": time_us(since), "before_us": time_us(until)}


def _note(checkpoint: Checkpoint) -> str:
    return checkpoint if isinstance(checkpoint, str) else checkpoint.note


def _notes(checkpoints: Checkpoints) -> List[str]:
    if isinstance(checkpoints, (str, core.AuditCheckpoint, core.AuditAnchor)):
        return [_note(checkpoints)]
    return [_note(checkpoint) for checkpoint in checkpoints]


def _vkeys(vkeys: Keys) -> List[str]:
    if isinstance(vkeys, (str, core.AuditKey)):
        vkeys = [vkeys]
    return [key if isinstance(key, str) else key.vkey for key in vkeys]


def _anchors(anchors: Anchors, vkeys: Keys) -> List[core.AuditAnchor]:
    """Places are read for the log that the first key names."""
    if isinstance(anchors, (str, core.AuditAnchor)):
        anchors = [anchors]
    origin = next(iter(_vkeys(vkeys)), "").partition("+")[0]
    return [
        core.Engine.audit_anchor_get(anchor, origin) if isinstance(anchor, str) else anchor
        for anchor in anchors
    ]


def _covered(checkpoint: str) -> int:
    """How many entries a checkpoint covers: its second line."""
    lines = checkpoint.split("\n", 2)
    return int(lines[1]) if len(lines) == 3 and lines[1].isdecimal() else 0


def _names(standards: Standards) -> List[str]:
    return [standards] if isinstance(standards, str) else list(standards)


def _text(report: Union[str, core.ControlReport]) -> str:
    return report if isinstance(report, str) else report.text


class Audit:
    """The audit log of an engine.

    Checkpoints are texts as Audit.seal answers them in note, or what it answers; keys are verifier
    keys, the public text that Audit.keygen answers in vkey, or what it answers; anchors are places
    ("file:/mnt/far/anchors", "git:/srv/anchors", ...), which are read, or what anchor_get and
    anchor_put answer. All are given one or several.
    """

    __slots__ = ("_engine",)

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @staticmethod
    def keygen(name: str, *, signer: FilePath) -> core.AuditKey:
        """Make a key to sign checkpoints with: the secret goes to the file signer, what it signed
        last to signer.state. name names the log too, best an address without https://. Raises
        ConflictError when a file is there."""
        return core.Engine.audit_keygen(name, os.fspath(signer))

    @staticmethod
    def enrol(vkey: Union[str, core.AuditKey], *, signer: FilePath) -> None:
        """Let a key sign whose secret only the application has, as in a hardware module or a key
        service: the file signer gets the verifier key, signer.state what was signed last. seal and
        rotate are then given sign. Raises ConflictError when a file is there."""
        core.Engine.audit_enrol(_vkeys(vkey)[0], os.fspath(signer))

    @staticmethod
    def anchor_get(place: str, origin: str) -> core.AuditAnchor:
        """The newest anchor of the log called origin at a place, where anchor_put or the command
        have put it. Whether it is signed, verify says. Raises NotFoundError when there is none."""
        return core.Engine.audit_anchor_get(place, origin)

    @staticmethod
    def prove_export(
        folder: FilePath, *entry_nos: int, checkpoint: Optional[Checkpoint] = None
    ) -> List[core.AuditProof]:
        """Prove out of a folder that export wrote, without a database, that entries are in the log
        of a checkpoint, or of the folder's own. A handful of files is read, however long the log
        is. Raises AuditError when the folder is not that of the checkpoint."""
        note = None if checkpoint is None else _note(checkpoint)
        return core.Engine.audit_prove_export(os.fspath(folder), note, entry_nos)

    @staticmethod
    def prove_export_consistency(
        folder: FilePath, old: Checkpoint, new: Optional[Checkpoint] = None
    ) -> core.AuditProof:
        """Prove out of such a folder that the log of one checkpoint, or of the folder's own,
        continues that of an older one."""
        note = None if new is None else _note(new)
        return core.Engine.audit_prove_export_consistency(os.fspath(folder), _note(old), note)

    @staticmethod
    def check(proof: str, *, vkeys: Keys, checkpoints: Checkpoints = ()) -> core.AuditShown:
        """What a proof of either kind shows; a proof of consistency needs the older checkpoint.
        Raises AuditError when it proves nothing."""
        return core.Engine.audit_check(proof, _notes(checkpoints), _vkeys(vkeys))

    @staticmethod
    def verify_export(
        folder: FilePath,
        *,
        vkeys: Keys,
        checkpoints: Checkpoints = (),
        anchors: Anchors = (),
        jobs: Optional[int] = None,
    ) -> core.AuditReport:
        """Verify a folder that export wrote, and that it continues checkpoints and anchors that
        were kept. jobs threads read and hash entries, 1 to 64; None: as many as there are
        processors, at most 8. They are none of Python's, and the answer does not depend on them.
        Raises AuditError with the attribute report; InvalidArgumentError when a key cannot be read
        or jobs is out of range."""
        trust = (_notes(checkpoints), _vkeys(vkeys), _anchors(anchors, vkeys))
        return core.Engine.audit_verify_export(os.fspath(folder), *trust, jobs)

    @staticmethod
    def report_export(
        folder: FilePath,
        *,
        vkeys: Keys,
        checkpoints: Checkpoints = (),
        format: str = "json",
        standards: Standards = (),
        since: Optional[datetime] = None,
        until: Optional[datetime] = None,
    ) -> core.ControlReport:
        """report from a folder that export wrote, up to its own checkpoint. Raises AuditError when
        it does not verify."""
        options = (format, _names(standards), time_us(since), time_us(until))
        trust = (_notes(checkpoints), _vkeys(vkeys))
        return core.Engine.control_report_export(os.fspath(folder), *options, *trust)

    @staticmethod
    def controls(*standards: str) -> List[core.Control]:
        """The controls of standards, of all when there is none."""
        rows = core.Engine.control_list()
        return [row for row in rows if not standards or row.standard in standards]

    @staticmethod
    def sign_report(
        report: Union[str, core.ControlReport], *, signer: FilePath
    ) -> core.ControlSignature:
        """Sign a report with a key of keygen, best that of whoever answers for it."""
        return core.Engine.control_sign(os.fspath(signer), _text(report))

    @staticmethod
    def check_report(
        report: Union[str, core.ControlReport],
        signature: Union[str, core.ControlSignature],
        *,
        vkeys: Keys,
    ) -> core.ControlSignature:
        """Whose signature of a report it is. Raises AuditError when it is of another text, or of
        none of the keys."""
        note = signature if isinstance(signature, str) else signature.note
        return core.Engine.control_check(_text(report), note, _vkeys(vkeys))

    def verify(
        self,
        *,
        checkpoints: Checkpoints = (),
        vkeys: Keys = (),
        anchors: Anchors = (),
        jobs: Optional[int] = None,
    ) -> core.AuditReport:
        """Recompute the log and compare it with the state of every step: level "integrity"; with
        checkpoints and the keys that they must be signed by, also that the log begins as was
        signed: level "signed"; with anchors, also that somebody outside holds such a checkpoint:
        level "anchored", and anchored_us says since when. Of jobs threads, 1 to 64, one replays and
        the others hash; None: as many as there are processors, at most 8. They are none of Python's,
        and the answer does not depend on them. Raises AuditError, whose attribute report has the
        first bad entry and says what kind of change it looks like; InvalidArgumentError when a key
        cannot be read or jobs is out of range."""
        return self._engine.audit_verify(
            _notes(checkpoints), _vkeys(vkeys), _anchors(anchors, vkeys), jobs
        )

    @property
    def verified(self) -> bool:
        """Whether the log verifies; verify says more."""
        try:
            return self.verify().ok
        except core.AuditError:
            return False

    def entries(
        self,
        *,
        since: Optional[datetime] = None,
        until: Optional[datetime] = None,
        limit: Optional[int] = None,
        **filter: Any,
    ) -> Iterator[core.AuditEntry]:
        """Entries that match, oldest first; read page by page while it is iterated.

        Filters are kind, actor, step, outcome (a state that a step or task was brought into),
        correlation_id, task_id and after_entry_no. since and until need a zone.
        """
        query = _filter(since, until, filter)
        left = limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(left, _PAGE)
            page = self._engine.audit_search(**query, limit=size)
            yield from page
            if len(page) < size:
                return
            query["after_entry_no"] = page[-1].entry_no
            left = None if left is None else left - size

    def stats(
        self,
        *,
        since: Optional[datetime] = None,
        until: Optional[datetime] = None,
        **filter: Any,
    ) -> AuditStats:
        """How many entries match; filters as for entries."""
        return AuditStats(*self._engine.audit_count(**_filter(since, until, filter)))

    def dump(
        self,
        file: TextIO,
        *,
        format: str = "jsonl",
        since: Optional[datetime] = None,
        until: Optional[datetime] = None,
        **filter: Any,
    ) -> int:
        """Write entries that match as "jsonl", "yaml" or "csv", and answer how many; filters as
        for entries. In CSV, a text that a spreadsheet would take for a formula gets an apostrophe
        in front; open the file with newline=""."""
        query = _filter(since, until, filter)
        total = 0
        while True:
            text, count, last = self._engine.audit_dump(format, total == 0, **query, limit=_PAGE)
            file.write(text)
            total += count
            if count < _PAGE:
                return total
            query["after_entry_no"] = last

    def seal(self, *, signer: FilePath, sign: Optional[Sign] = None) -> core.AuditCheckpoint:
        """Sign what the log says by now, with the secret key in the file signer. Raises AuditError
        when the log does not continue what the key signed last.

        For a key whose secret is not in its file (enrol), sign gets bytes and answers their Ed25519
        signature (RFC 8032), 64 bytes. What it raises is raised here, and nothing is signed then;
        it cannot close the engine."""
        return self._engine.audit_seal(os.fspath(signer), sign)

    def rotate(
        self,
        *,
        signer: FilePath,
        next_signer: FilePath,
        sign: Optional[Sign] = None,
        next_sign: Optional[Sign] = None,
    ) -> AuditRotation:
        """Hand the log over to another key of the same name, which is made when the file
        next_signer is not there. Both sign one checkpoint: whoever trusts the old key and is given
        it trusts the new one from there on. The old key signs nothing any more. sign and next_sign
        as for seal. Raises ConflictError when the next key has another name or has signed
        something, or the log is empty."""
        paths = (os.fspath(signer), os.fspath(next_signer))
        return AuditRotation(*self._engine.audit_rotate(*paths, sign, next_sign))

    def anchor_put(
        self, place: str, *, checkpoint: Checkpoint, vkeys: Keys
    ) -> core.AuditAnchor:
        """Give a checkpoint to a place outside, where neither who writes the database nor who has
        the key can take it back: "file:PATH", "db:PATH" (another SQLite database), "git:FOLDER" (a
        work tree), "syslog:PATH" (the system's log, which does not say whether that arrived; it is
        read from PATH, the file that collects it), or the address of a C2SP witness, whose
        cosignature is then in note and worth keeping. Raises AuditError when the checkpoint is not signed by a key, or the
        witness refuses it."""
        return self._engine.audit_anchor_put(place, _note(checkpoint), _vkeys(vkeys))

    def prove(self, *entry_nos: int, checkpoint: Checkpoint) -> List[core.AuditProof]:
        """Prove that entries are in the log that a checkpoint signed."""
        return self._engine.audit_prove(_note(checkpoint), entry_nos)

    def prove_consistency(self, old: Checkpoint, new: Checkpoint) -> core.AuditProof:
        """Prove that the log of one checkpoint continues that of an older one."""
        return self._engine.audit_prove_consistency(_note(old), _note(new))

    def export(self, folder: FilePath, *, checkpoint: Checkpoint) -> None:
        """Write all entries that a checkpoint covers into a folder, with the tiles of their tree,
        in the layout of C2SP tlog-tiles. A later export into the same folder adds to it."""
        self._engine.audit_export(os.fspath(folder), _note(checkpoint))

    def report(
        self,
        *,
        checkpoints: Checkpoints,
        vkeys: Keys,
        format: str = "json",
        standards: Standards = (),
        since: Optional[datetime] = None,
        until: Optional[datetime] = None,
    ) -> core.ControlReport:
        """What the log holds as evidence for the controls of standards ("soc2", "iso27001",
        "hipaa", "pci", "nist", "gdpr"; all when there is none), up to the newest checkpoint given.

        format is that of the document: "json", "markdown" or "html"; since and until choose
        entries by when they were written and need a zone. The log is verified first: raises
        AuditError when it does not.
        """
        options = (format, _names(standards), time_us(since), time_us(until))
        return self._engine.control_report(*options, _notes(checkpoints), _vkeys(vkeys))


class TaskAudit:
    """What the audit log says of one task; iterating gives its entries, oldest first."""

    __slots__ = ("_engine", "_task_id")

    def __init__(self, engine: Engine, task_id: str) -> None:
        self._engine = engine
        self._task_id = task_id

    @property
    def entries(self) -> List[core.AuditEntry]:
        """Every transition of the task and its steps, oldest first."""
        return self._engine.audit_task(self._task_id)

    def __iter__(self) -> Iterator[core.AuditEntry]:
        return iter(self.entries)

    def verify(
        self, *, checkpoints: Checkpoints = (), vkeys: Keys = (), anchors: Anchors = ()
    ) -> core.AuditReport:
        """Verify the whole log, since only the whole shows that no entry is missing; see
        Audit.verify. Raises NotFoundError when the task is not in it."""
        report = self._engine.audit.verify(
            checkpoints=checkpoints, vkeys=vkeys, anchors=anchors
        )
        self._engine.get(self._task_id)
        return report

    @property
    def verified(self) -> bool:
        """Whether the log verifies; verify says more."""
        try:
            return self.verify().ok
        except core.AuditError:
            return False

    def prove(
        self, step: Union[str, Step[..., object], None] = None, *, checkpoint: Checkpoint
    ) -> List[core.AuditProof]:
        """Prove all entries about the task, or about one step of it, that a checkpoint covers.
        Raises NotFoundError when it covers none."""
        note = _note(checkpoint)
        covered = _covered(note)
        name = getattr(step, "name", step)
        wanted: Tuple[int, ...] = tuple(
            entry.entry_no
            for entry in self
            if entry.entry_no <= covered and name in (None, entry.step)
        )
        if not wanted:
            raise core.NotFoundError("the checkpoint covers no entry about that")
        return self._engine.audit_prove(note, wanted)
