"""What Python gives to the core, over cffi: rows and filters as C structs.

Not here: what comes back (_cffi_rows.py), the audit log (_cffi_audit.py).
"""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence, Tuple

from . import _cffi_library as c
from ._cffi_library import Keeper, ffi, lib


def read_durability(value: Any, keeper: Keeper) -> int:
    """Number of a durability by name, strict for None."""
    if value is None:
        return 0
    number = int(lib.sw_durability_find(keeper.text(value, "durability")))
    if number < 0:
        raise c.refusal(
            f"durability is '{value[:64]}', expected 'strict', 'relaxed' or 'memory'"
        )
    return number


def task_id(task: Any) -> Any:
    """The id of a task that is given by it, or itself: then it has one."""
    return task if isinstance(task, str) else getattr(task, "id", task)


def read_filter(
    keeper: Keeper,
    workflow: Optional[str],
    state: Optional[str],
    tag: Optional[str],
    correlation_id: Optional[str],
    created_after_us: Optional[int],
    created_before_us: Optional[int],
    parent: Any,
) -> Any:
    """A sw_task_filter."""
    out = ffi.new("sw_task_filter *", {"size": ffi.sizeof("sw_task_filter"), "state": -1})
    out.workflow = keeper.text(workflow, "workflow", optional=True)
    if state is not None:
        out.state = lib.sw_task_state_find(keeper.text(state, "state"))
        if out.state < 0:
            raise c.refusal(f"state is '{state[:64]}', which is no state of a task")
    out.tag = keeper.text(tag, "tag", optional=True)
    out.correlation_id = keeper.text(correlation_id, "correlation_id", optional=True)
    if created_after_us is not None:
        out.created_after_us = c.read_int(created_after_us, "created_after_us")
    if created_before_us is not None:
        out.created_before_us = c.read_int(created_before_us, "created_before_us")
    if parent is not None:
        out.parent_id = keeper.uuid(task_id(parent), "parent")[0]
    return out


def prune_options(
    keeper: Keeper,
    finished_before_us: int,
    workflow: Optional[str],
    states: Sequence[str],
    limit: int,
    actor: Optional[str],
    reason: Optional[str],
) -> Any:
    """A sw_prune_options."""
    out = ffi.new("sw_prune_options *", {"size": ffi.sizeof("sw_prune_options")})
    out.finished_before_us = finished_before_us
    out.workflow = keeper.text(workflow, "workflow", optional=True)
    out.limit = c.read_int(limit, "limit")
    out.actor = keeper.text(actor, "actor", optional=True)
    out.reason = keeper.text(reason, "reason", optional=True)
    names, out.state_count = keeper.texts(states, "states")
    out.states = keeper.keep(ffi.new("int32_t[]", max(out.state_count, 1)))
    for i in range(out.state_count):
        out.states[i] = lib.sw_task_state_find(names[i])
        if out.states[i] < 0:
            raise c.refusal(f"state is '{states[i][:64]}', which is no state of a task")
    return out


def fill_uuid(out: Any, value: Any) -> None:
    """Fill a sw_uuid."""
    ffi.memmove(ffi.addressof(out), Keeper().uuid(value, "task_id"), ffi.sizeof("sw_uuid"))


def fill_submit(keeper: Keeper, out: Any, row: Any) -> None:
    """Fill a sw_task_submit_row."""
    fields = c.read_row(row, "a row", 1, 12)
    workflow, input, key, version, tags, priority, initiator, reason, correlation_id = fields[:9]
    out.workflow = keeper.text(workflow, "workflow")
    out.input = keeper.text(input, "input", optional=True)
    out.key = keeper.text(key, "key", optional=True)
    out.version = keeper.text(version, "version", optional=True)
    out.tags, out.tag_count = keeper.texts(tags, "tags")
    out.priority = 0 if priority is None else c.read_int(priority, "priority", 32)
    out.initiator = keeper.text(initiator, "initiator", optional=True)
    out.reason = keeper.text(reason, "reason", optional=True)
    out.correlation_id = keeper.text(correlation_id, "correlation_id", optional=True)
    deadline_ms, deadline_us, parent = fields[9:]
    out.deadline_ms = 0 if deadline_ms is None else c.read_int(deadline_ms, "deadline_ms")
    out.deadline_us = 0 if deadline_us is None else c.read_int(deadline_us, "deadline_us")
    if parent is not None:
        out.parent_id = keeper.uuid(task_id(parent), "parent")[0]


def fill_cancel(keeper: Keeper, out: Any, row: Any) -> None:
    """Fill a sw_cancel_row."""
    task_id, actor, reason = c.read_row(row, "a row", 1, 3)
    out.task_id = keeper.uuid(task_id, "task_id")[0]
    out.actor = keeper.text(actor, "actor", optional=True)
    out.reason = keeper.text(reason, "reason", optional=True)


def fill_override(keeper: Keeper, out: Any, row: Any) -> None:
    """Fill a sw_step_override_row."""
    step_id, state, actor, reason, result = c.read_row(row, "a row", 4, 5)
    out.step_id = c.read_int(step_id, "step_id")
    out.state = lib.sw_step_state_find(keeper.text(state, "state"))
    if out.state < 0:
        raise c.refusal(f"state is '{state[:64]}', which is no state of a step")
    out.actor = keeper.text(actor, "actor", optional=True)
    out.reason = keeper.text(reason, "reason", optional=True)
    out.result = keeper.text(result, "result", optional=True)


def fill_breaker(keeper: Keeper, out: Any, row: Any) -> None:
    """Fill a sw_breaker_override_row."""
    name, state, actor, reason, open_ms = c.read_row(row, "a row", 4, 5)
    out.name = keeper.text(name, "name")
    out.state = lib.sw_breaker_state_find(keeper.text(state, "state"))
    if out.state < 0:
        raise c.refusal(f"state is '{state[:64]}', which is no state of a breaker")
    out.actor = keeper.text(actor, "actor", optional=True)
    out.reason = keeper.text(reason, "reason", optional=True)
    out.open_ms = 0 if open_ms is None else c.read_int(open_ms, "open_ms")


def read_numbers(keeper: Keeper, value: Any, what: str) -> Any:
    """An array of int32_t."""
    items = [c.read_int(item, what, 32) for item in c.read_rows(value, what)]
    return keeper.keep(ffi.new("int32_t[]", items))


def read_tasker_name(keeper: Keeper, value: Any, what: str, find: Any) -> int:
    """The number of a name of Tasker's."""
    number: int = find(keeper.text(value, what))
    if number < 0:
        raise c.refusal(f"{what} is '{value[:64]}', which Tasker does not know")
    return number


def fill_tasker(keeper: Keeper, out: Any, row: Any) -> None:
    """Fill a sw_tasker_step."""
    columns = c.read_row(row, "a step", 10, 10)
    out.state = read_tasker_name(keeper, columns[0], "state", lib.sw_tasker_state_find)
    parents = read_numbers(keeper, columns[1], "parents")
    out.parents = parents
    out.parent_count = len(parents)
    out.processed, out.in_process, out.retryable = (bool(value) for value in columns[2:5])
    names = ("attempts", "retry_limit", "backoff_request_seconds", "last_attempted_us", "failed_us")
    for name, value in zip(names, columns[5:]):
        setattr(out, name, -1 if value is None else c.read_int(value, name))


def read_dead_filter(keeper: Keeper, texts: Dict[str, Any], numbers: Dict[str, Any]) -> Any:
    """A sw_dead_filter; what is None is left out."""
    out = ffi.new("sw_dead_filter *", {"size": ffi.sizeof("sw_dead_filter")})
    for name, text in texts.items():
        setattr(out, name, keeper.text(text, name, optional=True))
    for name, number in numbers.items():
        if number is not None:
            setattr(out, name, c.read_int(number, name))
    return out


def read_dead_action(keeper: Keeper, state: Any, actor: Any, reason: Any, result: Any) -> Any:
    """A sw_dead_action."""
    out = ffi.new("sw_dead_action *")
    out.state = lib.sw_step_state_find(keeper.text(state, "state"))
    if out.state < 0:
        raise c.refusal(f"state is '{state[:64]}', which is no state of a step")
    out.actor = keeper.text(actor, "actor", optional=True)
    out.reason = keeper.text(reason, "reason", optional=True)
    out.result = keeper.text(result, "result", optional=True)
    return out


def read_mode(value: Any, keeper: Keeper) -> int:
    """Number of a batch mode by name, all or nothing for None."""
    if value is None:
        return 0
    number = int(lib.sw_batch_mode_find(keeper.text(value, "mode")))
    if number < 0:
        raise c.refusal(f"mode is '{value[:64]}', expected all_or_nothing or partial")
    return number


def fill_hold(out: Any, row: Any) -> None:
    """Fill a sw_step_hold."""
    step_id, epoch = c.read_row(row, "a hold", 2, 2)
    out.step_id = c.read_int(step_id, "step_id")
    out.epoch = c.read_int(epoch, "epoch")


def fill_outcome(keeper: Keeper, out: Any, row: Any) -> None:
    """Fill a sw_step_outcome."""
    step_id, epoch, outcome, result, *error, retry_after_ms = c.read_row(row, "an outcome", 3, 8)
    out.step_id = c.read_int(step_id, "step_id")
    out.epoch = c.read_int(epoch, "epoch")
    out.outcome = lib.sw_outcome_find(keeper.text(outcome, "outcome"))
    if out.outcome < 0:
        raise c.refusal(
            f"outcome is '{outcome[:64]}', expected succeeded, failed, failed_for_good or released"
        )
    out.result = keeper.text(result, "result", optional=True)
    out.error_class = keeper.text(error[0], "error_class", optional=True)
    out.error_message = keeper.text(error[1], "error_message", optional=True)
    out.error_detail = keeper.text(error[2], "error_detail", optional=True)
    if retry_after_ms is not None:
        out.retry_after_ms = c.read_int(retry_after_ms, "retry_after_ms")


def outcome_array(keeper: Keeper, outcomes: Any) -> Tuple[Any, int]:
    """An array of sw_step_outcome and its length."""
    given = c.read_rows(outcomes, "outcomes")
    array = ffi.new("sw_step_outcome[]", len(given))
    c.fill_rows(array, given, lambda out, row: fill_outcome(keeper, out, row))
    return array, len(given)
