"""The audit log: verify it, sign it, prove what it says.

Audit is about the whole log of an engine, TaskAudit about one task. Not here: reading the raw log
(Engine.audit_list), and what the bytes are (docs/reference/audit-format.md).
"""

from __future__ import annotations

import os
from typing import (
    TYPE_CHECKING,
    Any,
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

    # A checkpoint as Audit.seal answers it, or its text.
    Checkpoint = Union[str, core.AuditCheckpoint]
    Checkpoints = Union[Checkpoint, Iterable[Checkpoint]]
    Keys = Union[str, core.AuditKey, Iterable[Union[str, core.AuditKey]]]
    FilePath = Union[str, os.PathLike[str]]


_PAGE = 1000


class AuditStats(NamedTuple):
    """How many entries there are, by kind and outcome and by actor, the largest first."""

    kinds: List[core.AuditGroup]
    actors: List[core.AuditActor]


def _filter(since: Optional[datetime], until: Optional[datetime], rest: Any) -> Dict[str, Any]:
    return {**rest, "after_us": time_us(since), "before_us": time_us(until)}


def _note(checkpoint: Checkpoint) -> str:
    return checkpoint if isinstance(checkpoint, str) else checkpoint.note


def _notes(checkpoints: Checkpoints) -> List[str]:
    if isinstance(checkpoints, (str, core.AuditCheckpoint)):
        return [_note(checkpoints)]
    return [_note(checkpoint) for checkpoint in checkpoints]


def _vkeys(vkeys: Keys) -> List[str]:
    if isinstance(vkeys, (str, core.AuditKey)):
        vkeys = [vkeys]
    return [key if isinstance(key, str) else key.vkey for key in vkeys]


def _covered(checkpoint: str) -> int:
    """How many entries a checkpoint covers: its second line."""
    lines = checkpoint.split("\n", 2)
    return int(lines[1]) if len(lines) == 3 and lines[1].isdecimal() else 0


class Audit:
    """The audit log of an engine.

    Checkpoints are texts as Audit.seal answers them in note, or what it answers; keys are verifier
    keys, the public text that Audit.keygen answers in vkey, or what it answers. Both are given one
    or several.
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
    def check(proof: str, *, vkeys: Keys, checkpoints: Checkpoints = ()) -> core.AuditShown:
        """What a proof of either kind shows; a proof of consistency needs the older checkpoint.
        Raises AuditError when it proves nothing."""
        return core.Engine.audit_check(proof, _notes(checkpoints), _vkeys(vkeys))

    @staticmethod
    def verify_export(
        folder: FilePath, *, vkeys: Keys, checkpoints: Checkpoints = ()
    ) -> core.AuditReport:
        """Verify a folder that export wrote, and that it continues checkpoints that were kept.
        Raises AuditError with the attribute report."""
        return core.Engine.audit_verify_export(
            os.fspath(folder), _notes(checkpoints), _vkeys(vkeys)
        )

    def verify(self, *, checkpoints: Checkpoints = (), vkeys: Keys = ()) -> core.AuditReport:
        """Recompute the log and compare it with the state of every step: level "integrity"; with
        checkpoints and the keys that they must be signed by, also that the log begins as was
        signed: level "signed". Raises AuditError, whose attribute report has the first bad entry
        and says what kind of change it looks like."""
        return self._engine.audit_verify(_notes(checkpoints), _vkeys(vkeys))

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

    def seal(self, *, signer: FilePath) -> core.AuditCheckpoint:
        """Sign what the log says by now, with the secret key in the file signer. Raises AuditError
        when the log does not continue what the key signed last."""
        return self._engine.audit_seal(os.fspath(signer))

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

    def verify(self, *, checkpoints: Checkpoints = (), vkeys: Keys = ()) -> core.AuditReport:
        """Verify the whole log, since only the whole shows that no entry is missing; see
        Audit.verify. Raises NotFoundError when the task is not in it."""
        report = self._engine.audit.verify(checkpoints=checkpoints, vkeys=vkeys)
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
