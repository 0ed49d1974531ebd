"""Rows of the engine's results as named tuples.

One function per kind of row, in the order of the public header. Not here: what is given to the core
(_cffi_given.py), rows of the audit log and of forecasts (_cffi_audit.py, _cffi_forecast.py), calls.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from . import _cffi_library as c
from ._cffi_library import Keeper, ffi, lib
from ._records import (
    Applied,
    Claim,
    BreakerRow,
    DeadGroup,
    DeadRow,
    Exchange,
    Finished,
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
        c.uuid_of(row.parent_id) if any(row.parent_id.bytes) else None,
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
        row.heartbeat_ms,
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
        row.deadline_us,
        row.next_deadline_us,
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
