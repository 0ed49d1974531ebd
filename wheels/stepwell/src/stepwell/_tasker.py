"""Tasker's two published readiness rules, for those who move from it and want to see the same
answers."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, List, Mapping, Optional, Sequence, Tuple

from ._binding import core

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_KNOWN = {
    *("state", "parents", "processed", "in_process", "retryable", "attempts", "retry_limit"),
    *("max_attempts", "backoff_request_seconds", "last_attempted_at", "failed_at"),
}


def tasker_readiness(
    steps: Sequence[Mapping[str, Any]],
    *,
    rule: str = "core",
    now: Optional[datetime] = None,
    asked: Optional[Sequence[int]] = None,
) -> List[core.TaskerReadiness]:
    """Which steps Tasker would find ready: by the rule of its Rails engine ("rails"), or of
    tasker-core ("core").

    steps are all steps of a task, as mappings with the columns of Tasker's tables: state (a name
    of Tasker's), parents (indices of the steps it depends on), processed, in_process, retryable
    (default True), attempts, retry_limit (of tasker-core: max_attempts), backoff_request_seconds,
    last_attempted_at and failed_at (datetimes with a zone; of the current error). What is left out
    or None is NULL there. asked holds the indices to answer for, by default all; unlike in
    Tasker, parents outside of them count.
    """
    moment = _microseconds(now or datetime.now(timezone.utc), "now")
    rows = [_row(index, step) for index, step in enumerate(steps)]
    return core.tasker_readiness(rule, rows, moment, asked)


def _row(index: int, step: Mapping[str, Any]) -> Tuple[Any, ...]:
    unknown = set(step) - _KNOWN
    if unknown:
        raise TypeError(f"step {index} has no column {sorted(unknown)[0]}")
    limit = step.get("retry_limit")
    return (
        step.get("state"),
        step.get("parents", ()),
        step.get("processed", False),
        step.get("in_process", False),
        step.get("retryable", True),
        step.get("attempts"),
        step.get("max_attempts") if limit is None else limit,
        step.get("backoff_request_seconds"),
        _microseconds(step.get("last_attempted_at"), "last_attempted_at"),
        _microseconds(step.get("failed_at"), "failed_at"),
    )


def _microseconds(time: Optional[datetime], what: str) -> Any:
    if time is None:
        return None
    if time.tzinfo is None:
        raise ValueError(f"{what} needs a zone")
    return (time - _EPOCH) // timedelta(microseconds=1)
