"""When a failed attempt is tried again.

Delays, jitter and counting are the engine's; here is what the engine cannot know: which Python
exceptions are worth another attempt.
"""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple, Type, Union

Exceptions = Union[Type[BaseException], Tuple[Type[BaseException], ...]]


class GiveUp(Exception):
    """Raised by a handler: the step fails for good, whatever attempts are left."""


class RetryAfter(Exception):
    """Raised by a handler: the attempt fails, and the next one starts after so many seconds.

    However long that is, it holds; it never shortens the delay of the retry policy.
    """

    def __init__(self, seconds: float, message: str = "") -> None:
        super().__init__(message or f"try again in {seconds:g} s")
        self.seconds = seconds


class Retry:
    """Retry policy of a step.

    attempts counts all attempts, the first included. wait and max_wait are seconds, jitter is a
    share between 0 and 1: the delay is multiplied by a number within [1 - jitter, 1 + jitter].
    backoff is "none", "linear", "exponential" or "fibonacci". crashes is how many attempts may end
    because their worker was lost, beside those that fail; 5 by default; with 0 the step never runs
    again after one. on names the exceptions that are
    tried again (all by default), give_up_on those that never are.
    """

    __slots__ = ("attempts", "wait", "backoff", "max_wait", "jitter", "crashes", "on", "give_up_on")

    def __init__(
        self,
        attempts: int,
        *,
        wait: float = 1.0,
        backoff: str = "exponential",
        max_wait: float = 60.0,
        jitter: float = 0.1,
        crashes: Optional[int] = None,
        on: Exceptions = (),
        give_up_on: Exceptions = (),
    ) -> None:
        self.attempts = attempts
        self.wait = wait
        self.backoff = backoff
        self.max_wait = max(wait, max_wait)
        self.jitter = jitter
        self.crashes = crashes
        self.on = _exceptions(on, "on")
        self.give_up_on = _exceptions(give_up_on, "give_up_on")

    def __repr__(self) -> str:
        return (
            f"Retry({self.attempts}, wait={self.wait}, backoff={self.backoff!r}, "
            f"max_wait={self.max_wait}, jitter={self.jitter}, crashes={self.crashes})"
        )

    def wants(self, error: BaseException) -> bool:
        """Whether another attempt could help after this exception."""
        if isinstance(error, (GiveUp, *self.give_up_on)):
            return False
        return not self.on or isinstance(error, (RetryAfter, *self.on))

    def definition(self) -> Dict[str, Any]:
        """The policy as it stands in a definition."""
        fields: Dict[str, Any] = {
            "max_attempts": self.attempts,
            "backoff": self.backoff,
            "base_ms": milliseconds(self.wait, "wait"),
            "max_ms": milliseconds(self.max_wait, "max_wait"),
            "jitter": self.jitter,
        }
        if self.crashes is not None:
            fields["max_crashes"] = self.crashes
        return fields


def milliseconds(seconds: float, what: str) -> int:
    """Whole milliseconds of a duration in seconds."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(f"{what} must be a number of seconds, not {type(seconds).__name__}")
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"{what} is {seconds}, expected 0 or more seconds")
    return round(seconds * 1000)


def retry_after_ms(error: BaseException) -> Optional[int]:
    """The delay that an exception asks for, None when it asks for none."""
    if isinstance(error, RetryAfter):
        return milliseconds(error.seconds, "seconds")
    return None


def _exceptions(value: Exceptions, what: str) -> Tuple[Type[BaseException], ...]:
    types = value if isinstance(value, tuple) else (value,)
    for kind in types:
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise TypeError(f"{what} must be exception classes, not {kind!r}")
    return types
