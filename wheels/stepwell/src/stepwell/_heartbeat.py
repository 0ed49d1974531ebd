"""What the handler of a step with heartbeat= says while it goes on, and how often it is written.

Not here: what follows when it says nothing, which is the engine's business.
"""

from __future__ import annotations

import logging
import time

from ._binding import core

log = logging.getLogger("stepwell.worker")

# Of the time that an attempt may be silent: a write may be lost, and another one late.
_PARTS = 3

# The store may recover from these before the attempt counts as silent.
_PASSING = (core.BusyError, core.StorageError, core.StorageFullError, MemoryError)


class Heartbeat:
    """Of one attempt. Threads of a handler may share it: at worst one write more is made."""

    __slots__ = ("_engine", "_hold", "_pause_s", "_due")

    def __init__(self, engine: core.Engine, claim: core.Claim) -> None:
        self._engine = engine
        self._hold = (claim.step_id, claim.epoch)
        self._pause_s = claim.heartbeat_ms / 1000 / _PARTS
        self._due = time.monotonic() + self._pause_s

    def is_due(self) -> bool:
        """Whether to send now; the next time is a third of the heartbeat later, whatever comes of
        this one."""
        now = time.monotonic()
        if now < self._due:
            return False
        self._due = now + self._pause_s
        return True

    def send(self) -> bool:
        """Write, and answer whether the attempt still counts, as far as is known."""
        try:
            return self._engine.heartbeat([self._hold])[0].status == "applied"
        except _PASSING as error:
            log.warning("a heartbeat of step %d could not be written: %s", self._hold[0], error)
            return True
