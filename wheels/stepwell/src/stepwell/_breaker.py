"""Circuit breakers of external services: how a workflow sets them, and what an engine does to them.

What they do is the engine's; steps name them (breaker=).
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from ._binding import core
from ._retry import milliseconds


class Breaker:
    """Settings of a circuit breaker.

    failures in a row open it for open seconds; then probes steps run at a time, until successes of
    them close it. A failing probe opens it again, for twice as long up to max_open seconds (by
    default open: it stays the same). What is left out is the engine's default: 5 failures, 2
    successes, 1 probe, 30 seconds.
    """

    __slots__ = ("failures", "successes", "probes", "open", "max_open")

    def __init__(
        self,
        *,
        failures: Optional[int] = None,
        successes: Optional[int] = None,
        probes: Optional[int] = None,
        open: Optional[float] = None,
        max_open: Optional[float] = None,
    ) -> None:
        self.failures = failures
        self.successes = successes
        self.probes = probes
        self.open = open
        self.max_open = max_open

    def __repr__(self) -> str:
        return (
            f"Breaker(failures={self.failures}, successes={self.successes}, "
            f"probes={self.probes}, open={self.open}, max_open={self.max_open})"
        )

    def definition(self) -> Dict[str, Any]:
        """The settings as they stand in a definition."""
        fields: Dict[str, Any] = {
            "failure_threshold": self.failures,
            "success_threshold": self.successes,
            "probes": self.probes,
        }
        if self.open is not None:
            fields["open_ms"] = milliseconds(self.open, "open")
        if self.max_open is not None:
            fields["max_open_ms"] = milliseconds(self.max_open, "max_open")
        return {key: value for key, value in fields.items() if value is not None}


class Breakers(core.Engine):
    """The part of Engine that lists, opens and closes circuit breakers."""

    def breakers(self) -> List[core.BreakerRow]:
        """Every circuit breaker that a registered workflow names, by name."""
        return self.breaker_list()

    def open_breaker(
        self, name: str, *, actor: str, reason: str, seconds: Optional[float] = None
    ) -> core.BreakerRow:
        """Open a circuit breaker by hand: steps that name it are not started; those that run go on.

        It stays open for so many seconds, after which probes follow; without them until it is
        closed by hand. Raises NotFoundError when no registered workflow names it.
        """
        open_ms = None if seconds is None else _open_ms(seconds)
        return self.breaker_override([(name, "open", actor, reason, open_ms)])[0]

    def close_breaker(self, name: str, *, actor: str, reason: str) -> core.BreakerRow:
        """Close a circuit breaker by hand: nothing is counted against it any more. Raises
        NotFoundError when no registered workflow names it."""
        return self.breaker_override([(name, "closed", actor, reason)])[0]


def _open_ms(seconds: float) -> int:
    try:
        open_ms = milliseconds(seconds, "seconds")
    except ValueError as error:
        raise core.InvalidArgumentError(str(error)) from None
    if open_ms == 0:
        raise core.InvalidArgumentError(f"seconds is {seconds}, expected more than 0")
    return open_ms
