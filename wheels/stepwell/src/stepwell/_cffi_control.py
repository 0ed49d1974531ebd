"""Control reports over cffi: their rows as named tuples, and the calls of Engine about them.

Not here: other calls about the audit log (_cffi_audit.py).
"""

from __future__ import annotations

from typing import Any, List, Optional, Sequence

from . import _cffi_library as c
from ._cffi_audit import AUDIT_LEVELS, read_trust
from ._cffi_library import Calls, Keeper, ffi, lib
from ._cffi_rows import each, state_name
from ._records import Control, ControlAnswer, ControlReport, ControlSignature, Evidence

STANDARDS = c.names_of(lib.sw_standard_name, lib.SW_STANDARD_COUNT)
EVIDENCE = c.names_of(lib.sw_evidence_name, lib.SW_EVIDENCE_COUNT)
ANSWERS = c.names_of(lib.sw_answer_name, lib.SW_ANSWER_COUNT)


def control(row: Any) -> Control:
    """A sw_control."""
    return Control(
        state_name(STANDARDS, row.standard),
        c.c_text(lib.sw_standard_title(row.standard)),
        c.known(row.id),
        c.known(row.title),
        c.known(row.question),
        [name for kind, name in enumerate(EVIDENCE) if row.evidence >> kind & 1],
    )


def answer(row: Any) -> ControlAnswer:
    """A sw_control_row."""
    about = row.control[0]
    return ControlAnswer(
        state_name(STANDARDS, about.standard),
        c.known(about.id),
        c.known(about.title),
        c.known(about.question),
        state_name(ANSWERS, row.answer),
        [row.entry_nos[i] for i in range(row.entry_no_count)],
    )


def evidence(row: Any) -> Evidence:
    """A sw_evidence_row."""
    return Evidence(
        state_name(EVIDENCE, row.evidence),
        c.c_text(lib.sw_evidence_question(row.evidence)),
        state_name(ANSWERS, row.answer),
        row.entry_count,
        [row.entry_nos[i] for i in range(row.entry_no_count)],
        row.against_count,
        [row.against_nos[i] for i in range(row.against_no_count)],
    )


def report(result: Any) -> ControlReport:
    """The rows of a control report."""
    row = next(each(lib.sw_control_summaries, result))
    return ControlReport(
        c.known(row.origin),
        row.entry_count,
        row.window_count,
        row.as_of_us,
        state_name(AUDIT_LEVELS, row.level),
        row.found,
        row.not_found,
        row.not_applicable,
        [answer(item) for item in each(lib.sw_control_rows, result)],
        [evidence(item) for item in each(lib.sw_evidence_rows, result)],
        c.known(row.text),
    )


def signature(result: Any) -> ControlSignature:
    """A sw_control_signature."""
    row = next(each(lib.sw_control_signatures, result))
    digest = bytes(ffi.buffer(row.digest)).hex()
    return ControlSignature(c.known(row.name), digest, c.known(row.note))


def read_options(
    keeper: Keeper, format: Any, standards: Any, after_us: Any, before_us: Any
) -> Any:
    """A sw_control_options."""
    options = ffi.new("sw_control_options *", {"size": ffi.sizeof("sw_control_options")})
    options.format = lib.sw_control_format_find(keeper.text(format, "format"))
    if options.format < 0:
        raise c.refusal(f"format is '{format[:64]}', which is none that there is")
    names, count = keeper.texts(standards, "standards")
    for i in range(count):
        standard = lib.sw_standard_find(names[i])
        if standard < 0:
            raise c.refusal(f"a standard is '{c.known(names[i])[:64]}', which is none that there is")
        options.standards |= 1 << standard
    if after_us is not None:
        options.after_us = c.read_int(after_us, "after_us")
    if before_us is not None:
        options.before_us = c.read_int(before_us, "before_us")
    return options


class ControlCalls(Calls):
    """Calls of an engine about controls."""

    def control_report(
        self,
        format: str,
        standards: Optional[Sequence[str]],
        after_us: Optional[int],
        before_us: Optional[int],
        checkpoints: Optional[Sequence[str]],
        keys: Optional[Sequence[str]],
        /,
    ) -> ControlReport:
        """What the log holds as evidence for controls, up to the newest checkpoint."""
        keeper = Keeper()
        options = read_options(keeper, format, standards, after_us, before_us)
        trust = read_trust(keeper, checkpoints, keys)
        _, result = self._result(lib.sw_control_report, trust, options)
        return report(result)

    @classmethod
    def control_report_export(
        cls,
        folder: str,
        format: str,
        standards: Optional[Sequence[str]],
        after_us: Optional[int],
        before_us: Optional[int],
        checkpoints: Optional[Sequence[str]],
        keys: Optional[Sequence[str]],
        /,
    ) -> ControlReport:
        """The same of a folder that audit_export wrote."""
        keeper = Keeper()
        path = keeper.text(folder, "folder")
        options = read_options(keeper, format, standards, after_us, before_us)
        trust = read_trust(keeper, checkpoints, keys)
        return report(c.result_of(lib.sw_control_report_export, path, trust, options))

    @classmethod
    def control_list(cls) -> List[Control]:
        """All controls."""
        count = ffi.new("size_t *")
        rows = lib.sw_control_list(count)
        return [control(rows[i]) for i in range(count[0])]

    @classmethod
    def control_sign(cls, path: str, text: str, /) -> ControlSignature:
        """Sign a report with the key at path."""
        keeper = Keeper()
        signing = ffi.new("sw_audit_signing *", {"size": ffi.sizeof("sw_audit_signing")})
        signing.path = keeper.text(path, "path")
        return signature(c.result_of(lib.sw_control_sign, signing, keeper.text(text, "text")))

    @classmethod
    def control_check(
        cls, text: str, note: str, keys: Optional[Sequence[str]], /
    ) -> ControlSignature:
        """Whose signature of a report it is."""
        keeper = Keeper()
        given = (keeper.text(text, "text"), keeper.text(note, "note"))
        names, count = keeper.texts(keys, "keys")
        return signature(c.result_of(lib.sw_control_check, names, count, *given))
