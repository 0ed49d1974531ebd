"""The audit log over cffi: its rows as named tuples, and the calls of Engine that are about it.

Not here: rows of other kinds (_cffi_rows.py), other calls (_core_cffi.py).
"""

from __future__ import annotations

from typing import Any, Callable, List, Optional, Sequence, Tuple

from . import _cffi_library as c
from ._cffi_library import Calls, Error, Keeper, ffi, lib
from ._cffi_rows import BREAKER_STATES, STEP_STATES, TASK_STATES, each, state_name
from ._records import (
    AuditActor,
    AuditAnchor,
    AuditCheckpoint,
    AuditEntry,
    AuditGroup,
    AuditKey,
    AuditProof,
    AuditReport,
    AuditShown,
)

AUDIT_KINDS = c.names_of(lib.sw_audit_kind_name, lib.SW_AUDIT_KIND_COUNT + 1)
AUDIT_LEVELS = c.names_of(lib.sw_audit_level_name, lib.SW_AUDIT_LEVEL_COUNT)


def entry(row: Any) -> AuditEntry:
    """A sw_audit_entry; what its states are states of depends on its kind."""
    names: Tuple[str, ...] = ()
    if row.kind in (lib.SW_AUDIT_STEP_CHANGED, lib.SW_AUDIT_STEP_FENCED):
        names = STEP_STATES
    elif row.kind in (
        lib.SW_AUDIT_TASK_CHANGED,
        lib.SW_AUDIT_TASK_PRUNED,
        lib.SW_AUDIT_TASK_ERASED,
    ):
        names = TASK_STATES
    elif row.kind == lib.SW_AUDIT_BREAKER_CHANGED:
        names = BREAKER_STATES
    return AuditEntry(
        row.entry_no,
        row.time_us,
        state_name(AUDIT_KINDS, row.kind),
        c.uuid_of(row.task_id) if any(row.task_id.bytes) else None,
        row.step_id,
        c.text_of(row.step),
        state_name(names, getattr(row, "from")) if names else None,
        state_name(names, row.to) if names else None,
        row.attempt,
        row.epoch,
        row.worker_id,
        c.text_of(row.actor),
        c.text_of(row.reason),
        c.text_of(row.subject),
        bytes(ffi.buffer(row.digest.ptr, row.digest.len)) if row.digest.len else b"",
    )


def report(row: Any) -> AuditReport:
    """A sw_audit_report."""
    return AuditReport(
        bool(row.ok),
        row.entry_count,
        row.segment_count,
        row.step_count,
        row.commit_count,
        row.fenced_count,
        row.reclaim_count,
        row.first_bad_entry,
        row.last_bad_entry,
        ffi.string(row.head).decode(),
        ffi.string(row.message).decode("utf-8", "replace"),
        state_name(AUDIT_LEVELS, row.level),
        row.signed_count,
        ffi.string(row.root).decode() or None,
        row.pruned_count,
        row.erased_count,
        row.anchored_count,
        row.anchored_us,
    )


def _fill_anchor(keeper: Keeper, out: Any, row: Any) -> None:
    place, note, entry_count, time_us = c.read_row(row, "an anchor", 4, 4)
    out.place = keeper.text(place, "place")
    out.note = keeper.text(note, "note")
    out.entry_count = c.read_int(entry_count, "entry_count")
    out.time_us = c.read_int(time_us, "time_us")


def read_trust(keeper: Keeper, checkpoints: Any, keys: Any, anchors: Any = None) -> Any:
    """A sw_audit_trust of two sequences of str and one of anchors, or None."""
    trust = ffi.new("sw_audit_trust *", {"size": ffi.sizeof("sw_audit_trust")})
    trust.checkpoints, trust.checkpoint_count = keeper.texts(checkpoints, "checkpoints")
    trust.keys, trust.key_count = keeper.texts(keys, "keys")
    rows = () if anchors is None else c.read_rows(anchors, "anchors")
    array = keeper.keep(ffi.new("sw_audit_anchor[]", max(len(rows), 1)))
    c.fill_rows(array, rows, lambda out, row: _fill_anchor(keeper, out, row))
    trust.anchors, trust.anchor_count = array, len(rows)
    return trust


def read_audit_filter(
    keeper: Keeper,
    *,
    kind: Any = None,
    actor: Any = None,
    step: Any = None,
    outcome: Any = None,
    correlation_id: Any = None,
    task_id: Any = None,
    after_us: Any = None,
    before_us: Any = None,
    after_entry_no: Any = None,
    limit: Any = None,
) -> Any:
    """A sw_audit_filter."""
    filter = ffi.new("sw_audit_filter *", {"size": ffi.sizeof("sw_audit_filter")})
    if kind is not None:
        filter.kind = lib.sw_audit_kind_find(keeper.text(kind, "kind"))
        if filter.kind < 0:
            raise c.refusal(f"kind is '{kind[:64]}', which is no kind of an entry")
    texts = {"actor": actor, "step": step, "outcome": outcome, "correlation_id": correlation_id}
    for name, text in texts.items():
        setattr(filter, name, keeper.text(text, name, optional=True))
    if task_id is not None:
        filter.task_id = keeper.uuid(task_id, "task_id")[0]
    numbers = {"after_us": after_us, "before_us": before_us}
    numbers.update(after_entry_no=after_entry_no, limit=limit)
    for name, number in numbers.items():
        if number is not None:
            setattr(filter, name, c.read_int(number, name))
    return filter


def group(row: Any) -> AuditGroup:
    """A sw_audit_group."""
    names = TASK_STATES if row.kind == lib.SW_AUDIT_TASK_CHANGED else STEP_STATES
    outcome = state_name(names, row.to) if row.to >= 0 else None
    kind = state_name(AUDIT_KINDS, row.kind)
    return AuditGroup(kind, outcome, row.count, row.oldest_us, row.newest_us)


def actor(row: Any) -> AuditActor:
    """A sw_audit_actor."""
    return AuditActor(c.text_of(row.actor), row.count, row.oldest_us, row.newest_us)


def checkpoint(row: Any) -> AuditCheckpoint:
    """A sw_audit_checkpoint."""
    root = bytes(ffi.buffer(row.root)).hex()
    note = c.known(row.note)
    return AuditCheckpoint(c.known(row.origin), row.entry_count, row.entries_new, root, note)


def anchor(row: Any) -> AuditAnchor:
    """A sw_audit_anchor."""
    return AuditAnchor(c.known(row.place), c.known(row.note), row.entry_count, row.time_us)


def _key(result: Any) -> AuditKey:
    row = next(each(lib.sw_audit_keys, result))
    return AuditKey(c.known(row.name), c.known(row.verifier))


class _Signing:
    """Who signs, and what the application raised while it was asked to."""

    def __init__(self) -> None:
        self.raised: Optional[BaseException] = None
        self._keeper = Keeper()

    def read(self, path: Any, sign: Any, what: str) -> Any:
        """A sw_audit_signing."""
        if sign is not None and not callable(sign):
            raise TypeError(f"{what} must be callable or None, not {type(sign).__name__}")
        signing = ffi.new("sw_audit_signing *", {"size": ffi.sizeof("sw_audit_signing")})
        signing.path = self._keeper.text(path, "path")
        if sign is not None:
            asking = self._asking(sign)
            signing.sign = self._keeper.keep(
                ffi.callback("int(void *, sw_str, uint8_t *)", asking)
            )
        return signing

    def _asking(self, sign: Callable[[bytes], Any]) -> Callable[..., int]:
        def ask(_: Any, message: Any, signature: Any) -> int:
            try:
                answer = sign(bytes(ffi.buffer(message.ptr, message.len)))
                if not isinstance(answer, bytes):
                    raise TypeError(f"a signature must be bytes, not {type(answer).__name__}")
                if len(answer) != 64:
                    raise c.refusal(f"a signature has 64 bytes, not {len(answer)}")
                ffi.memmove(signature, answer, 64)
                return 0
            except BaseException as error:  # nothing may leave a callback of C
                self.raised = error
                return int(lib.SW_EAUDIT)

        return ask

    def result(self, ask: Callable[[], Tuple[int, Any]]) -> Any:
        """What ask answers; what the application raised goes on."""
        try:
            return ask()[1]
        except Error:
            if self.raised is not None:
                raise self.raised from None
            raise


def _proof_entry(row: Any) -> Optional[AuditEntry]:
    return entry(row) if row.entry_no else None


def proof(row: Any) -> AuditProof:
    """A sw_audit_proof."""
    return AuditProof(_proof_entry(row.entry), c.known(row.text))


def _entry_nos(entry_nos: Any) -> Tuple[Any, int]:
    """An array of the numbers of entries, and how many there are."""
    given = c.read_rows(entry_nos, "entry_nos")
    array = ffi.new("int64_t[]", len(given))
    for i, entry_no in enumerate(given):
        array[i] = c.read_int(entry_no, "an entry number")
    return array, len(given)


def shown(row: Any) -> AuditShown:
    """A sw_audit_shown."""
    return AuditShown(
        c.known(row.origin), row.entry_count, row.old_count, _proof_entry(row.entry)
    )


def _verified(verify: Callable[[Any], Any]) -> AuditReport:
    """The report that verify fills; an AuditError carries it."""
    out = ffi.new("sw_audit_report *", {"size": ffi.sizeof("sw_audit_report")})
    try:
        verify(out)
    except Error as error:
        if error.code == lib.SW_EAUDIT:
            error.report = report(out)  # type: ignore[attr-defined]
        raise
    return report(out)


def _read_jobs(jobs: Optional[int]) -> int:
    """Threads; None: as many as there are processors."""
    return 0 if jobs is None else c.read_int(jobs, "jobs", 32)


class AuditCalls(Calls):
    """Calls of an engine about its audit log."""

    def audit_verify(
        self,
        checkpoints: Optional[Sequence[str]] = None,
        keys: Optional[Sequence[str]] = None,
        anchors: Optional[Sequence[Tuple[str, str, int, int]]] = None,
        jobs: Optional[int] = None,
        /,
    ) -> AuditReport:
        """Recompute the log, compare it with the state and with signed checkpoints."""
        keeper = Keeper()
        trust = read_trust(keeper, checkpoints, keys, anchors)
        trusts = trust.checkpoint_count + trust.key_count + trust.anchor_count > 0
        given = trust if trusts else ffi.NULL
        threads = _read_jobs(jobs)
        return _verified(
            lambda report: self._call(lib.sw_audit_verify_by, given, threads, report)
        )

    def audit_task(self, task_id: str, /) -> List[AuditEntry]:
        """The entries of one task, oldest first."""
        _, result = self._result(lib.sw_audit_task, Keeper().uuid(task_id, "task_id"))
        return [entry(row) for row in each(lib.sw_audit_entries, result)]

    def audit_list(self, entry_no: int = 1, limit: int = 1000, /) -> List[AuditEntry]:
        """Entries of the whole log from entry_no on, at most limit."""
        bounds = (c.read_int(entry_no, "entry_no"), c.read_int(limit, "limit"))
        _, result = self._result(lib.sw_audit_list, *bounds)
        return [entry(row) for row in each(lib.sw_audit_entries, result)]

    def audit_search(self, **filter: Any) -> List[AuditEntry]:
        """Entries that match, oldest first."""
        keeper = Keeper()
        _, result = self._result(lib.sw_audit_search, read_audit_filter(keeper, **filter))
        return [entry(row) for row in each(lib.sw_audit_entries, result)]

    def audit_count(self, **filter: Any) -> Tuple[List[AuditGroup], List[AuditActor]]:
        """How many entries match, by kind and outcome and by actor."""
        keeper = Keeper()
        _, result = self._result(lib.sw_audit_count, read_audit_filter(keeper, **filter))
        groups = each(lib.sw_audit_groups, result)
        actors = each(lib.sw_audit_actors, result)
        return ([group(row) for row in groups], [actor(row) for row in actors])

    def audit_dump(
        self, format: str = "jsonl", heads: bool = True, **filter: Any
    ) -> Tuple[str, int, int]:
        """A page as text, the number of its entries, and that of the last one."""
        keeper = Keeper()
        known = lib.sw_audit_format_find(keeper.text(format, "format"))
        if known < 0:
            raise c.refusal(f"format is '{format[:64]}', expected jsonl, yaml or csv")
        wanted = read_audit_filter(keeper, **filter)
        _, result = self._result(lib.sw_audit_dump, wanted, known, 1 if heads else 0)
        row = next(each(lib.sw_audit_texts, result))
        return (c.known(row.text), row.entry_count, row.last_entry_no)

    def audit_seal(
        self, path: str, sign: Optional[Callable[[bytes], bytes]] = None, /
    ) -> AuditCheckpoint:
        """Sign all entries of the log with the key at path."""
        signing = _Signing()
        by = signing.read(path, sign, "sign")
        result = signing.result(lambda: self._result(lib.sw_audit_seal_with, by))
        return checkpoint(next(each(lib.sw_audit_checkpoints, result)))

    def audit_rotate(
        self,
        path: str,
        next_path: str,
        sign: Optional[Callable[[bytes], bytes]] = None,
        next_sign: Optional[Callable[[bytes], bytes]] = None,
        /,
    ) -> Tuple[AuditKey, AuditCheckpoint]:
        """Hand the log over to another key."""
        signing = _Signing()
        by = signing.read(path, sign, "sign")
        taking = signing.read(next_path, next_sign, "next_sign")
        result = signing.result(lambda: self._result(lib.sw_audit_rotate, by, taking))
        return (_key(result), checkpoint(next(each(lib.sw_audit_checkpoints, result))))

    def audit_anchor_put(
        self, place: str, checkpoint: str, keys: Optional[Sequence[str]], /
    ) -> AuditAnchor:
        """Give a checkpoint to a place outside."""
        keeper = Keeper()
        where, note = keeper.text(place, "place"), keeper.text(checkpoint, "checkpoint")
        trust = read_trust(keeper, None, keys)
        _, result = self._result(lib.sw_audit_anchor_put, where, trust, note)
        return anchor(next(each(lib.sw_audit_anchors, result)))

    def audit_prove(self, checkpoint: str, entry_nos: Sequence[int], /) -> List[AuditProof]:
        """Prove that entries are in the log that a checkpoint signed."""
        keeper = Keeper()
        note = keeper.text(checkpoint, "checkpoint")
        array, count = _entry_nos(entry_nos)
        _, result = self._result(lib.sw_audit_prove, note, array, count)
        return [proof(row) for row in each(lib.sw_audit_proofs, result)]

    def audit_prove_consistency(self, old: str, checkpoint: str, /) -> AuditProof:
        """Prove that the log of a checkpoint continues that of an older one."""
        keeper = Keeper()
        notes = (keeper.text(old, "old"), keeper.text(checkpoint, "checkpoint"))
        _, result = self._result(lib.sw_audit_prove_consistency, *notes)
        return proof(next(each(lib.sw_audit_proofs, result)))

    def audit_export(self, folder: str, checkpoint: str, /) -> None:
        """Write the entries that a checkpoint covers into a folder."""
        keeper = Keeper()
        texts = (keeper.text(folder, "folder"), keeper.text(checkpoint, "checkpoint"))
        self._call(lib.sw_audit_export, *texts)

    @classmethod
    def audit_keygen(cls, name: str, path: str, /) -> AuditKey:
        """Make a key that signs the log called name."""
        keeper = Keeper()
        texts = (keeper.text(name, "name"), keeper.text(path, "path"))
        return _key(c.result_of(lib.sw_audit_keygen, *texts))

    @classmethod
    def audit_enrol(cls, vkey: str, path: str, /) -> None:
        """Let a key sign whose secret only the application has."""
        keeper = Keeper()
        error = ffi.new("sw_error *")
        if lib.sw_audit_enrol(keeper.text(vkey, "vkey"), keeper.text(path, "path"), error) < 0:
            raise c.error_of(error)

    @classmethod
    def audit_anchor_get(cls, place: str, origin: str, /) -> AuditAnchor:
        """The newest anchor of a log at a place."""
        keeper = Keeper()
        texts = (keeper.text(place, "place"), keeper.text(origin, "origin"))
        result = c.result_of(lib.sw_audit_anchor_get, *texts)
        return anchor(next(each(lib.sw_audit_anchors, result)))

    @classmethod
    def audit_prove_export(
        cls, folder: str, checkpoint: Optional[str], entry_nos: Sequence[int], /
    ) -> List[AuditProof]:
        """Prove out of an export that entries are in the log of a checkpoint."""
        keeper = Keeper()
        place = keeper.text(folder, "folder")
        note = keeper.text(checkpoint, "checkpoint", optional=True)
        array, count = _entry_nos(entry_nos)
        result = c.result_of(lib.sw_audit_prove_export, place, note, array, count)
        return [proof(row) for row in each(lib.sw_audit_proofs, result)]

    @classmethod
    def audit_prove_export_consistency(
        cls, folder: str, old: str, checkpoint: Optional[str], /
    ) -> AuditProof:
        """Prove out of an export that the log of a checkpoint continues that of an older one."""
        keeper = Keeper()
        texts = (keeper.text(folder, "folder"), keeper.text(old, "old"))
        note = keeper.text(checkpoint, "checkpoint", optional=True)
        result = c.result_of(lib.sw_audit_prove_export_consistency, *texts, note)
        return proof(next(each(lib.sw_audit_proofs, result)))

    @classmethod
    def audit_check(
        cls,
        proof: str,
        checkpoints: Optional[Sequence[str]],
        keys: Optional[Sequence[str]],
        /,
    ) -> AuditShown:
        """Check a proof of either kind."""
        keeper = Keeper()
        text = keeper.text(proof, "proof")
        trust = read_trust(keeper, checkpoints, keys)
        result = c.result_of(lib.sw_audit_check, trust, text)
        return shown(next(each(lib.sw_audit_shown_rows, result)))

    @classmethod
    def audit_verify_export(
        cls,
        folder: str,
        checkpoints: Optional[Sequence[str]],
        keys: Optional[Sequence[str]],
        anchors: Optional[Sequence[Tuple[str, str, int, int]]] = None,
        jobs: Optional[int] = None,
        /,
    ) -> AuditReport:
        """Verify a folder of the log."""
        keeper = Keeper()
        path = keeper.text(folder, "folder")
        trust = read_trust(keeper, checkpoints, keys, anchors)
        threads = _read_jobs(jobs)

        def verify(report: Any) -> None:
            error = ffi.new("sw_error *")
            if lib.sw_audit_verify_export(path, trust, threads, report, error) < 0:
                raise c.error_of(error)

        return _verified(verify)
