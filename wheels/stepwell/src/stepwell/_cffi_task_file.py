"""Task files over cffi: the calls of Engine that are about them.

Not here: what a report is (_cffi_audit.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional, Sequence, Tuple

from . import _cffi_library as c
from ._cffi_audit import _verified, read_trust
from ._cffi_library import Calls, Keeper, ffi, lib
from ._cffi_rows import each
from ._records import AuditReport

if TYPE_CHECKING:
    from typing_extensions import Self


class TaskFileCalls(Calls):
    """Calls about tasks as files."""

    def task_export(
        self, task_id: str, checkpoint: Optional[str] = None, path: Optional[str] = None, /
    ) -> str:
        """The text of a task file, which is written to path as well."""
        keeper = Keeper()
        note = keeper.text(checkpoint, "checkpoint", optional=True)
        place = keeper.text(path, "path", optional=True)
        uuid = keeper.uuid(task_id, "task_id")
        _, result = self._result(lib.sw_task_export, uuid, note, place)
        return c.known(next(each(lib.sw_task_files, result)).text)

    @classmethod
    def task_file_verify(
        cls,
        text: str,
        source: Optional[str],
        checkpoints: Optional[Sequence[str]],
        keys: Optional[Sequence[str]],
        anchors: Optional[Sequence[Tuple[str, str, int, int]]] = None,
        /,
    ) -> AuditReport:
        """Verify such a text."""
        keeper = Keeper()
        texts = (keeper.text(source, "source", optional=True), keeper.text(text, "text"))
        trust = read_trust(keeper, checkpoints, keys, anchors)
        trusts = trust.checkpoint_count + trust.key_count + trust.anchor_count > 0

        def verify(report: Any) -> None:
            error = ffi.new("sw_error *")
            given = trust if trusts else ffi.NULL
            if lib.sw_task_file_verify(*texts, given, report, error) < 0:
                raise c.error_of(error)

        return _verified(verify)

    @classmethod
    def task_file_open(
        cls, text: str, source: Optional[str] = None, entry_no: Optional[int] = None, /
    ) -> Self:
        """Open such a text as an engine in memory, as the task stood after an entry."""
        keeper = Keeper()
        options = ffi.new(
            "sw_task_file_options *", {"size": ffi.sizeof("sw_task_file_options")}
        )
        given = keeper.text(text, "text")
        options.source = keeper.text(source, "source", optional=True)
        if entry_no is not None:
            options.entry_no = c.read_int(entry_no, "entry_no")
        out = ffi.new("sw_engine **")
        error = ffi.new("sw_error *")
        if lib.sw_task_file_open(options, given, out, error) < 0:
            raise c.error_of(error)
        engine = cls.__new__(cls)
        engine._place(out[0])
        return engine
