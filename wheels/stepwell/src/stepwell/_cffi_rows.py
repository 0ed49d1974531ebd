"""Rows of the engine's results as named tuples, and rows from Python as C structs.

One function per kind of row, in the order of the public header. Not here: calls into the engine.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from . import _cffi_library as c
from ._cffi_library import Keeper, ffi, lib
from ._records import (
    Applied,
    AuditActor,
    AuditCheckpoint,
    AuditEntry,
    AuditGroup,
    AuditProof,
    AuditReport,
    AuditShown,
    Calibration,
    Claim,
    BreakerRow,
    DeadGroup,
    DeadRow,
    Exchange,
    Finished,
    Forecast,
    ForecastCase,
    ForecastStep,
    Overridden,
    Reason,
    StepInput,
    StepReadiness,
    StepRow,
    Submitted,
    TaskContext,
    TaskRow,
    TaskerReadiness,
    WorkerRow,
)

STEP_STATES = c.names_of(lib.sw_step_state_name, lib.SW_STEP_STATE_COUNT)
TASK_STATES = c.names_of(lib.sw_task_state_name, lib.SW_TASK_STATE_COUNT)
OUTCOMES = c.names_of(lib.sw_outcome_name, lib.SW_OUTCOME_COUNT)
ROW_STATUSES = c.names_of(lib.sw_row_status_name, lib.SW_ROW_STATUS_COUNT)
REASONS = c.names_of(lib.sw_reason_name, lib.SW_REASON_COUNT)
EXECUTION_STATUSES = c.names_of(lib.sw_execution_status_name, lib.SW_EXECUTION_STATUS_COUNT)
RECOMMENDED_ACTIONS = c.names_of(
    lib.sw_recommended_action_name, lib.SW_RECOMMENDED_ACTION_COUNT
)
HEALTH_STATUSES = c.names_of(lib.sw_health_status_name, lib.SW_HEALTH_STATUS_COUNT)
DURABILITIES = c.names_of(lib.sw_durability_name, lib.SW_DURABILITY_COUNT)
BREAKER_STATES = c.names_of(lib.sw_breaker_state_name, lib.SW_BREAKER_STATE_COUNT)
DURATION_SOURCES = c.names_of(lib.sw_duration_source_name, lib.SW_DURATION_SOURCE_COUNT)
AUDIT_KINDS = c.names_of(lib.sw_audit_kind_name, lib.SW_AUDIT_KIND_COUNT + 1)
AUDIT_LEVELS = c.names_of(lib.sw_audit_level_name, lib.SW_AUDIT_LEVEL_COUNT)


def each(read: Callable[[Any, Any], Any], result: Any) -> Iterator[Any]:
    """The C rows of one kind in a result, which lives until the last one was asked for."""
    count = ffi.new("size_t *")
    rows = read(result, count)
    for i in range(count[0]):
        yield rows[i]


def state_name(names: Tuple[str, ...], value: int) -> str:
    """Name of an enumeration's value."""
    return names[value] if 0 <= value < len(names) else "unknown"


def findings(result: Any) -> List[Dict[str, Any]]:
    """Findings of a definition as dicts."""
    return [
        {
            "severity": "error" if row.severity == lib.SW_SEVERITY_ERROR else "warning",
            "line": row.line,
            "column": row.column,
            "path": c.known(row.path),
            "message": c.known(row.message),
        }
        for row in each(lib.sw_findings, result)
    ]


def _refused(error: Exception, warnings: List[Dict[str, Any]]) -> Exception:
    error.findings = warnings  # type: ignore[attr-defined]
    return error


def load_workflow(
    definition: str, source: Optional[str], strict: bool
) -> Tuple[Any, List[Dict[str, Any]]]:
    """A definition read from its text, and its warnings; a refusal carries the findings."""
    keeper = Keeper()
    options = ffi.new("sw_workflow_options *", {"size": ffi.sizeof("sw_workflow_options")})
    options.source = keeper.text(source, "source", optional=True)
    options.strict = 1 if strict else 0
    text = keeper.text(definition, "definition")
    out = ffi.new("sw_workflow **")
    result = ffi.new("sw_result **")
    error = ffi.new("sw_error *")
    code = lib.sw_workflow_load(options, text, out, result, error)
    warnings = findings(ffi.gc(result[0], lib.sw_result_free))
    if code < 0:
        raise _refused(c.error_of(error), warnings)
    return ffi.gc(out[0], lib.sw_workflow_free), warnings


def workflow_names(workflow: Any) -> Tuple[str, str, str]:
    """Name, version and digest of a definition."""
    return (
        c.known(lib.sw_workflow_name(workflow)),
        c.known(lib.sw_workflow_version(workflow)),
        c.known(lib.sw_workflow_digest(workflow)),
    )


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


def read_filter(
    keeper: Keeper,
    workflow: Optional[str],
    state: Optional[str],
    tag: Optional[str],
    correlation_id: Optional[str],
    created_after_us: Optional[int],
    created_before_us: Optional[int],
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
    fields = c.read_row(row, "a row", 1, 11)
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
    deadline_ms, deadline_us = fields[9:]
    out.deadline_ms = 0 if deadline_ms is None else c.read_int(deadline_ms, "deadline_ms")
    out.deadline_us = 0 if deadline_us is None else c.read_int(deadline_us, "deadline_us")


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


def fill_change(keeper: Keeper, out: Any, row: Any) -> None:
    """Fill a sw_forecast_change."""
    step, kind, factor = c.read_row(row, "a change", 2, 3)
    out.step = keeper.text(step, "step")
    text = keeper.text(kind, "kind")
    if factor is not None:
        if not isinstance(factor, (float, int)):
            raise TypeError("factor must be float or int")
        out.factor = float(factor)
    out.kind = lib.sw_forecast_kind_find(text)
    if out.kind < 0:
        raise c.refusal(f"kind is '{kind[:64]}', expected fail, slower, skip or resolve")


def fill_resource(keeper: Keeper, out: Any, row: Any) -> None:
    """Fill a sw_forecast_resource."""
    seats, steps = c.read_row(row, "a resource", 2, 2)
    out.seats = c.read_int(seats, "seats", 32)
    out.steps, out.step_count = keeper.texts(steps, "steps")


def outcome_array(keeper: Keeper, outcomes: Any) -> Tuple[Any, int]:
    """An array of sw_step_outcome and its length."""
    given = c.read_rows(outcomes, "outcomes")
    array = ffi.new("sw_step_outcome[]", len(given))
    c.fill_rows(array, given, lambda out, row: fill_outcome(keeper, out, row))
    return array, len(given)


def submitted(row: Any) -> Submitted:
    """A sw_task_submitted."""
    return Submitted(c.uuid_of(row.task_id), bool(row.created), TASK_STATES[row.state])


def task_row(row: Any) -> TaskRow:
    """A sw_task_row."""
    return TaskRow(
        c.uuid_of(row.task_id),
        c.known(row.workflow),
        c.known(row.version),
        c.known(row.digest),
        state_name(TASK_STATES, row.state),
        c.text_of(row.input),
        c.text_of(row.key),
        c.texts_of(row.tags, row.tag_count),
        row.priority,
        c.text_of(row.initiator),
        c.text_of(row.reason),
        c.text_of(row.correlation_id),
        row.created_us,
        row.started_us,
        row.finished_us,
        row.step_count,
        dict(zip(STEP_STATES, row.step_counts)),
        row.deadline_us,
    )


def step_row(row: Any) -> StepRow:
    """A sw_step_row."""
    return StepRow(
        row.step_id,
        c.known(row.name),
        c.text_of(row.title),
        c.known(row.handler),
        c.known(row.queue),
        state_name(STEP_STATES, row.state),
        row.attempt,
        row.max_attempts,
        row.open_deps,
        row.level,
        row.epoch,
        row.changed_us,
        row.not_before_us,
        row.deadline_us,
        row.worker_id,
        c.text_of(row.result),
        c.text_of(row.error_class),
        c.text_of(row.error_message),
        c.text_of(row.error_detail),
        row.fails_us,
    )


def task_pair(result: Any) -> Tuple[TaskRow, List[StepRow]]:
    """The task and the steps of a result."""
    (task,) = each(lib.sw_tasks, result)
    return task_row(task), [step_row(row) for row in each(lib.sw_steps, result)]


def applied(row: Any) -> Applied:
    """A sw_step_applied."""
    return Applied(
        row.step_id,
        row.epoch,
        state_name(ROW_STATUSES, row.status),
        state_name(STEP_STATES, row.state),
        row.not_before_us,
    )


def claim(row: Any) -> Claim:
    """A sw_step_claim."""
    inputs = (row.inputs[i] for i in range(row.input_count))
    return Claim(
        row.step_id,
        row.epoch,
        c.uuid_of(row.task_id),
        c.known(row.workflow),
        c.known(row.version),
        c.known(row.name),
        c.known(row.handler),
        c.known(row.queue),
        c.text_of(row.parameters),
        c.text_of(row.input),
        c.known(row.idempotency_key),
        c.text_of(row.correlation_id),
        [
            StepInput(c.known(i.name), c.text_of(i.result), state_name(STEP_STATES, i.state))
            for i in inputs
        ],
        row.attempt,
        row.max_attempts,
        row.timeout_ms,
    )


def exchange(result: Any) -> Exchange:
    """The three parts of an exchange's result."""
    return Exchange(
        [applied(row) for row in each(lib.sw_step_applications, result)],
        [claim(row) for row in each(lib.sw_step_claims, result)],
        [
            Finished(c.uuid_of(row.task_id), state_name(TASK_STATES, row.state))
            for row in each(lib.sw_tasks_finished, result)
        ],
    )


def reason(row: Any) -> Reason:
    """A sw_step_reason."""
    return Reason(
        c.known(row.step),
        state_name(STEP_STATES, row.state),
        state_name(REASONS, row.reason),
        c.text_of(row.subject),
        c.known(row.message),
        row.until_us,
    )


def task_context(row: Any) -> TaskContext:
    """A sw_task_context_row."""
    return TaskContext(
        c.uuid_of(row.task_id),
        c.known(row.workflow),
        c.known(row.version),
        state_name(TASK_STATES, row.state),
        state_name(EXECUTION_STATUSES, row.execution_status),
        state_name(RECOMMENDED_ACTIONS, row.recommended_action),
        state_name(HEALTH_STATUSES, row.health_status),
        row.completion_percentage,
        row.step_count,
        dict(zip(STEP_STATES, row.step_counts)),
        row.ready_count,
        row.next_retry_us,
        c.texts_of(row.next_steps, row.next_step_count),
        c.texts_of(row.blocking_steps, row.blocking_step_count),
        c.texts_of(row.blocked_steps, row.blocked_step_count),
    )


def step_readiness(row: Any) -> StepReadiness:
    """A sw_step_readiness_row."""
    return StepReadiness(
        row.step_id,
        c.known(row.step),
        state_name(STEP_STATES, row.state),
        bool(row.ready),
        state_name(REASONS, row.reason),
        bool(row.dependencies_satisfied),
        bool(row.retry_eligible),
        row.attempts,
        row.max_attempts,
        row.total_parents,
        row.completed_parents,
        row.next_retry_us,
    )


def overridden(row: Any) -> Overridden:
    """A sw_step_overridden."""
    return Overridden(
        row.step_id,
        state_name(ROW_STATUSES, row.status),
        None if getattr(row, "from") < 0 else state_name(STEP_STATES, getattr(row, "from")),
        None if row.state < 0 else state_name(STEP_STATES, row.state),
        row.code,
        c.text_of(row.message),
    )


def dead_row(row: Any) -> DeadRow:
    """A sw_dead_letter."""
    return DeadRow(
        row.step_id,
        c.uuid_of(row.task_id),
        c.known(row.workflow),
        c.known(row.version),
        c.known(row.step),
        c.known(row.handler),
        c.known(row.queue),
        c.text_of(row.error_class),
        c.text_of(row.error_message),
        c.text_of(row.error_detail),
        row.failed_us,
        row.attempt,
        row.max_attempts,
        row.crashes,
        state_name(TASK_STATES, row.task_state),
    )


def dead_group(row: Any) -> DeadGroup:
    """A sw_dead_group."""
    return DeadGroup(
        c.text_of(row.error_class),
        c.known(row.handler),
        row.count,
        row.oldest_us,
        row.newest_us,
    )


def tasker(row: Any) -> TaskerReadiness:
    """A sw_tasker_readiness."""
    return TaskerReadiness(
        bool(row.ready),
        bool(row.dependencies_satisfied),
        bool(row.retry_eligible),
        row.total_parents,
        row.completed_parents,
        None if row.next_retry_us < 0 else row.next_retry_us,
    )


def breaker(row: Any) -> BreakerRow:
    """A sw_breaker_row."""
    return BreakerRow(
        c.known(row.settings.name),
        state_name(BREAKER_STATES, row.state),
        row.failures,
        row.successes,
        row.probing,
        row.openings,
        bool(row.forced),
        row.until_us,
        row.changed_us,
        c.text_of(row.error_class),
        row.settings.failure_threshold,
        row.settings.success_threshold,
        row.settings.probes,
        row.settings.open_ms,
        row.settings.max_open_ms,
    )


def worker_row(row: Any) -> WorkerRow:
    """A sw_worker_row."""
    return WorkerRow(
        row.worker_id,
        c.known(row.name),
        c.known(row.host),
        row.pid,
        row.lease_until_us,
        row.held,
        bool(row.alive),
        c.texts_of(row.handlers, row.handler_count),
    )


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
    )


def read_trust(keeper: Keeper, checkpoints: Any, keys: Any) -> Any:
    """A sw_audit_trust of two sequences of str, or None."""
    trust = ffi.new("sw_audit_trust *", {"size": ffi.sizeof("sw_audit_trust")})
    trust.checkpoints, trust.checkpoint_count = keeper.texts(checkpoints, "checkpoints")
    trust.keys, trust.key_count = keeper.texts(keys, "keys")
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


def _proof_entry(row: Any) -> Optional[AuditEntry]:
    return entry(row) if row.entry_no else None


def proof(row: Any) -> AuditProof:
    """A sw_audit_proof."""
    return AuditProof(_proof_entry(row.entry), c.known(row.text))


def shown(row: Any) -> AuditShown:
    """A sw_audit_shown."""
    return AuditShown(
        c.known(row.origin), row.entry_count, row.old_count, _proof_entry(row.entry)
    )


def forecast(result: Any) -> Forecast:
    """The sw_forecast of a result with its steps."""
    row = next(each(lib.sw_forecasts, result))
    calibration = row.calibration
    return Forecast(
        c.uuid_of(row.task_id),
        state_name(TASK_STATES, row.state),
        bool(row.changed),
        row.now_us,
        row.elapsed_us,
        row.step_count,
        row.ended_count,
        row.history_count,
        row.draws,
        bool(row.workers_learnt),
        _forecast_case(row.base),
        _forecast_case(row.what_if),
        (row.difference_us[0], row.difference_us[1], row.difference_us[2]),
        Calibration(
            calibration.task_count,
            calibration.within_count,
            calibration.error,
            bool(calibration.trusted),
        ),
        [_forecast_step(step) for step in each(lib.sw_forecast_steps, result)],
    )


def _forecast_case(row: Any) -> ForecastCase:
    return ForecastCase(
        state_name(TASK_STATES, row.state),
        row.workers,
        (row.left_us[0], row.left_us[1], row.left_us[2]),
        (row.p50_between_us[0], row.p50_between_us[1]),
        row.work_us,
        row.never_count,
        c.texts_of(row.path, row.path_count),
        row.progress,
    )


def _forecast_step(row: Any) -> ForecastStep:
    return ForecastStep(
        c.known(row.name),
        state_name(STEP_STATES, row.state),
        state_name(DURATION_SOURCES, row.source),
        row.sample_count,
        row.p50_us,
        row.p95_us,
        row.elapsed_us,
        bool(row.runs),
        bool(row.runs_what_if),
        bool(row.overdue),
        row.decides,
        row.decides_what_if,
    )
