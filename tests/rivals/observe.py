"""How much SQLite does: instructions of its machine, and commits, on every connection that this
process opens. A count, so that tests need no clock.

Works on the shared library that the extension is linked with. Not here: what a call takes in time
(tests/bench).
"""

from __future__ import annotations

import ctypes
from types import TracebackType
from typing import Callable, Dict, Optional, Type

_INSTRUCTIONS = 10  # between two looks

_ENTRY = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
_HOOK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
_TRACE = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p
)
_EACH_STATEMENT = 1  # SQLITE_TRACE_STMT


class Observer:
    """Counts while it is entered."""

    def __init__(self) -> None:
        self._sqlite = ctypes.CDLL("libsqlite3.so.0")
        self._entry = _ENTRY(self._opened)
        self._step = _HOOK(self._stepped)
        self._begin = _TRACE(self._began)
        self.instructions = 0
        self.commits = 0

    def __enter__(self) -> Observer:
        self._sqlite.sqlite3_auto_extension(self._entry)
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._sqlite.sqlite3_cancel_auto_extension(self._entry)

    def cost(self, call: Callable[[], object]) -> Dict[str, int]:
        """What a call costs."""
        before = (self.instructions, self.commits)
        call()
        spent = self.instructions - before[0]
        assert spent > 0, "no connection of this process is watched"
        return {"instructions": spent, "commits": self.commits - before[1]}

    def _opened(self, db: int, message: int, api: int) -> int:
        handle = ctypes.c_void_p(db)
        self._sqlite.sqlite3_progress_handler(handle, _INSTRUCTIONS, self._step, None)
        self._sqlite.sqlite3_trace_v2(handle, _EACH_STATEMENT, self._begin, None)
        return 0

    def _stepped(self, data: int) -> int:
        self.instructions += _INSTRUCTIONS
        return 0

    def _began(self, kind: int, data: int, statement: int, text: bytes) -> int:
        """Each transaction that may write begins so; the engine has the hook of commits itself."""
        self.commits += text == b"BEGIN IMMEDIATE"
        return 0
