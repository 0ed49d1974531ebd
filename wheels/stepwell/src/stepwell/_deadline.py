"""When a task has to have ended, as people say it and as the engine takes it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Optional, Tuple, Union

from ._retry import milliseconds

Deadline = Union[float, timedelta, datetime, None]


def deadline_fields(deadline: Deadline) -> Tuple[Optional[int], Optional[int]]:
    """The fields deadline_ms and deadline_us of a submitted row."""
    if deadline is None:
        return None, None
    if isinstance(deadline, datetime):
        return None, round(deadline.timestamp() * 1_000_000)
    if isinstance(deadline, timedelta):
        deadline = deadline.total_seconds()
    left_ms = milliseconds(deadline, "deadline")
    if left_ms <= 0:
        raise ValueError("deadline must be more than 0 seconds")
    return left_ms, None
