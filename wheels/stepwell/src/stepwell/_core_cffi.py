"""The interface of stepwell._core over cffi, for interpreters without the C extension.

Same names, same rows, same exceptions; the stub _core.pyi describes both. Every call goes through
Engine._call, which counts it, so that close waits for calls of other threads.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from . import _cffi_library as c
from . import _cffi_pictures as pictures
from . import _cffi_rows as rows_of
from ._cffi_graph import Graph, GraphEdit
from ._cffi_library import Error, Keeper, ffi, lib
from ._cffi_rows import OUTCOMES, STEP_STATES, TASK_STATES
from ._records import (
    Applied,
    AuditActor,
    AuditCheckpoint,
    AuditEntry,
    AuditGroup,
    AuditKey,
    AuditProof,
    AuditReport,
    AuditShown,
    Calibration,
    Claim,
    BreakerRow,
    DeadGroup,
    DeadRow,
    Definition,
    EngineInfo,
    Erased,
    Exchange,
    Finished,
    Forecast,
    ForecastCase,
    ForecastStep,
    Overridden,
    Pruned,
    Reason,
    Registered,
    StepInput,
    StepReadiness,
    StepRow,
    Submitted,
    TaskContext,
    TaskRow,
    TaskerReadiness,
    WorkerRow,
)

VERSION: str = ffi.string(lib.sw_version()).decode()
STEP_STATES_ENDED = tuple(
    name for i, name in enumerate(STEP_STATES) if lib.sw_step_state_terminal(i)
)
TASK_STATES_ENDED = tuple(
    name for i, name in enumerate(TASK_STATES) if lib.sw_task_state_terminal(i)
)

globals().update({kind.__name__: kind for kind in c.error_classes if issubclass(kind, Error)})

_SLICE_MAIN_MS = 100
_SLICE_OTHER_MS = 250
_SLICE_FIRST_MS = 2


class _Wait:
    """A wait in slices, so that signals are seen in time and no wake is lost."""

    def __init__(self, wait_ms: int, first_ms: int = _SLICE_MAIN_MS) -> None:
        self.slice_ms = 0
        self._wait_ms = wait_ms
        self._most_ms = first_ms
        self._start = self._begin = time.monotonic()

    def next(self) -> int:
        """Begin a slice and answer what is left of the whole wait, 0 for nothing."""
        self._begin = time.monotonic()
        left_ms = self._wait_ms
        if left_ms > 0:
            left_ms = max(0, left_ms - int((self._begin - self._start) * 1000))
        self.slice_ms = self._most_ms if left_ms < 0 else min(left_ms, self._most_ms)
        main = threading.current_thread() is threading.main_thread()
        self._most_ms = _SLICE_MAIN_MS if main else _SLICE_OTHER_MS
        return left_ms

    def woken(self) -> bool:
        """Whether the slice came back clearly before its time."""
        return (time.monotonic() - self._begin) * 1000 + 5 < self.slice_ms


def _verified(verify: Callable[[Any], Any]) -> AuditReport:
    """The report that verify fills; an AuditError carries it."""
    report = ffi.new("sw_audit_report *", {"size": ffi.sizeof("sw_audit_report")})
    try:
        verify(report)
    except Error as error:
        if error.code == lib.SW_EAUDIT:
            error.report = rows_of.report(report)  # type: ignore[attr-defined]
        raise
    return rows_of.report(report)


def tasker_readiness(
    rule: str,
    rows: Sequence[Tuple[Any, ...]],
    now_us: int,
    asked: Optional[Sequence[int]] = None,
    /,
) -> List[TaskerReadiness]:
    """Which steps Tasker would find ready by one of its rules; no engine is asked."""
    keeper = Keeper()
    number = rows_of.read_tasker_name(keeper, rule, "rule", lib.sw_tasker_rule_find)
    now = c.read_int(now_us, "now_us")
    chosen = None if asked is None else rows_of.read_numbers(keeper, asked, "asked")
    given = c.read_rows(rows, "rows")
    array = ffi.new("sw_tasker_step[]", len(given))
    c.fill_rows(array, given, lambda out, row: rows_of.fill_tasker(keeper, out, row))
    count = len(given) if chosen is None else len(chosen)
    out = ffi.new("sw_tasker_readiness[]", max(count, 1))
    error = ffi.new("sw_error *")
    asked_array = ffi.NULL if chosen is None else chosen
    code = lib.sw_tasker_readiness_of(
        number, array, len(given), asked_array, 0 if chosen is None else count, now, out, error
    )
    if code < 0:
        raise c.error_of(error)
    return [rows_of.tasker(out[i]) for i in range(count)]


class Engine:
    """An open store: a path, 'sqlite:///path' or 'memory:'. Methods take and give plain tuples."""

    _engine: Any = None
    _calls: Dict[int, int] = {}
    _wakes = 0
    _pid = 0

    def __init__(
        self,
        store: str,
        *,
        durability: Optional[str] = None,
        busy_timeout_ms: int = 0,
        payload_max: int = 0,
        must_exist: bool = False,
    ) -> None:
        keeper = Keeper()
        options = ffi.new("sw_engine_options *", {"size": ffi.sizeof("sw_engine_options")})
        options.store = keeper.text(store, "store")
        options.durability = rows_of.read_durability(durability, keeper)
        options.busy_timeout_ms = c.read_int(busy_timeout_ms, "busy_timeout_ms")
        options.payload_max = c.read_int(payload_max, "payload_max")
        options.must_exist = 1 if must_exist else 0
        if self._engine is not None:
            raise c.make_error(lib.SW_ESTATE, "this engine is open already")
        out = ffi.new("sw_engine **")
        error = ffi.new("sw_error *")
        self._lock = threading.RLock()  # a signal handler may call, too
        self._calls = {}
        if lib.sw_engine_open(options, out, error) < 0:
            raise c.error_of(error)
        self._pid = os.getpid()
        self._engine = out[0]

    def __del__(self) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        """Whether the store was closed."""
        return self._engine is None

    def close(self) -> None:
        """Close the store; closing twice is no error."""
        engine = self._engine
        if engine is None:
            return
        if threading.get_ident() in self._calls and self._pid == os.getpid():
            raise c.make_error(lib.SW_ESTATE, "close was called inside of another call")
        self._engine = None
        while self._pid == os.getpid() and self._calls:
            lib.sw_engine_wake(engine)
            time.sleep(0.001)
        lib.sw_engine_close(engine)

    def _count(self, change: int) -> None:
        """Count the calls of each thread; a signal handler can call from within one."""
        thread = threading.get_ident()
        with self._lock:
            count = self._calls.get(thread, 0) + change
            if count:
                self._calls[thread] = count
            else:
                self._calls.pop(thread)

    def _call(self, function: Callable[..., int], *arguments: Any, passes: int = 0) -> int:
        """Call the core; a code other than 0 and passes is raised."""
        if self._engine is None:
            raise c.make_error(lib.SW_ECLOSED, "the engine is closed")
        if self._pid != os.getpid():
            # Another thread of the parent may have held the lock, which nobody gives back here.
            raise c.make_error(lib.SW_EFORKED, c.c_text(lib.sw_code_text(lib.SW_EFORKED)))
        error = ffi.new("sw_error *")
        self._count(1)
        try:
            engine = self._engine
            if engine is None:
                raise c.make_error(lib.SW_ECLOSED, "the engine is closed")
            code = function(engine, *arguments, error)
        finally:
            self._count(-1)
        if code < 0 and code != passes:
            raise c.error_of(error)
        return code

    def _result(
        self, function: Callable[..., int], *arguments: Any, passes: int = 0
    ) -> Tuple[int, Any]:
        """Call the core for a result, which is freed when Python lets go of it."""
        out = ffi.new("sw_result **")
        code = self._call(function, *arguments, out, passes=passes)
        return code, ffi.gc(out[0], lib.sw_result_free)

    def info(self) -> EngineInfo:
        """What is open."""
        info = ffi.new("sw_engine_info *", {"size": ffi.sizeof("sw_engine_info")})
        self._call(lib.sw_engine_info_get, info)
        durability = rows_of.state_name(rows_of.DURABILITIES, info.durability)
        return EngineInfo(durability, info.schema_version, bool(info.sqlite), info.now_us)

    def wake(self) -> None:
        """Let every exchange and wait of this process return at once."""
        if self._pid != os.getpid():
            return
        with self._lock:
            self._wakes += 1
            if self._engine is not None:
                lib.sw_engine_wake(self._engine)

    def wake_count(self) -> int:
        """How often wake was called; see exchange."""
        return self._wakes

    def register(
        self, definition: str, /, *, source: Optional[str] = None, strict: bool = False
    ) -> Registered:
        """Load a definition from JSON or YAML text and store it."""
        workflow, warnings = rows_of.load_workflow(definition, source, strict)
        self._call(lib.sw_workflow_register, ffi.new("sw_workflow *[]", [workflow]), 1)
        return Registered(*rows_of.workflow_names(workflow), warnings)

    def definition(self, name: str, version: Optional[str] = None, /) -> Definition:
        """The newest registered definition of a name."""
        keeper = Keeper()
        out = ffi.new("sw_workflow **")
        names = (keeper.text(name, "name"), keeper.text(version, "version", optional=True))
        self._call(lib.sw_workflow_get, *names, out)
        workflow = ffi.gc(out[0], lib.sw_workflow_free)
        return Definition(
            *rows_of.workflow_names(workflow),
            c.known(lib.sw_workflow_json(workflow)),
            c.text_of(lib.sw_workflow_input_schema(workflow)),
            lib.sw_workflow_max_parallel(workflow),
            lib.sw_workflow_deadline_ms(workflow),
        )

    def submit(self, rows: Sequence[Tuple[Any, ...]], /) -> List[Submitted]:
        """Start tasks in one transaction; rows as for the C extension."""
        keeper = Keeper()
        given = c.read_rows(rows, "rows")
        array = ffi.new("sw_task_submit_row[]", len(given))
        c.fill_rows(array, given, lambda out, row: rows_of.fill_submit(keeper, out, row))
        _, result = self._result(lib.sw_task_submit, array, len(given))
        return [rows_of.submitted(row) for row in rows_of.each(lib.sw_task_submissions, result)]

    def get(self, task_id: str, /) -> Tuple[TaskRow, List[StepRow]]:
        """One task with its steps."""
        _, result = self._result(lib.sw_task_get, Keeper().uuid(task_id, "task_id"))
        return rows_of.task_pair(result)

    def list(
        self,
        *,
        workflow: Optional[str] = None,
        state: Optional[str] = None,
        tag: Optional[str] = None,
        correlation_id: Optional[str] = None,
        before: Optional[str] = None,
        limit: int = 0,
        created_after_us: Optional[int] = None,
        created_before_us: Optional[int] = None,
    ) -> List[TaskRow]:
        """Tasks that match, newest first."""
        keeper = Keeper()
        times = (created_after_us, created_before_us)
        filter = rows_of.read_filter(keeper, workflow, state, tag, correlation_id, *times)
        if before is not None:
            filter.before = keeper.uuid(before, "before")[0]
        filter.limit = c.read_int(limit, "limit")
        _, result = self._result(lib.sw_task_list, filter)
        return [rows_of.task_row(row) for row in rows_of.each(lib.sw_tasks, result)]

    def count(
        self,
        *,
        workflow: Optional[str] = None,
        state: Optional[str] = None,
        tag: Optional[str] = None,
        correlation_id: Optional[str] = None,
        created_after_us: Optional[int] = None,
        created_before_us: Optional[int] = None,
    ) -> Dict[str, int]:
        """How many tasks match, by state."""
        keeper = Keeper()
        counts = ffi.new("int64_t[]", len(TASK_STATES))
        times = (created_after_us, created_before_us)
        filter = rows_of.read_filter(keeper, workflow, state, tag, correlation_id, *times)
        self._call(lib.sw_task_count, filter, counts)
        return dict(zip(TASK_STATES, counts))

    def wait(self, task_id: str, wait_ms: int, /) -> Tuple[TaskRow, List[StepRow]]:
        """Wait until a task has ended, the time is over or wake was called."""
        uuid = Keeper().uuid(task_id, "task_id")
        wait = _Wait(c.read_int(wait_ms, "wait_ms"))
        while True:
            left = wait.next()
            code, result = self._result(
                lib.sw_task_wait, uuid, wait.slice_ms, passes=lib.SW_ETIMEOUT
            )
            if code == 0 or wait.woken() or left == 0:
                return rows_of.task_pair(result)

    def cancel(self, rows: Sequence[Tuple[Any, ...]], /) -> None:
        """Cancel tasks in one transaction, all or none."""
        keeper = Keeper()
        given = c.read_rows(rows, "rows")
        array = ffi.new("sw_cancel_row[]", len(given))
        c.fill_rows(array, given, lambda out, row: rows_of.fill_cancel(keeper, out, row))
        self._call(lib.sw_task_cancel, array, len(given))

    def exchange(
        self,
        worker_id: int,
        outcomes: Sequence[Tuple[Any, ...]],
        claim_max: int,
        wait_ms: int,
        wake_count: Optional[int] = None,
        /,
    ) -> Exchange:
        """Report outcomes and claim new steps in one transaction."""
        keeper = Keeper()
        wakes = self._wakes if wake_count is None else c.read_int(wake_count, "wake_count")
        worker = ffi.new("sw_worker_ref *", [c.read_int(worker_id, "worker_id")])
        most = c.read_size(claim_max, "claim_max")
        wait = _Wait(c.read_int(wait_ms, "wait_ms"), first_ms=_SLICE_FIRST_MS)
        array, count = rows_of.outcome_array(keeper, outcomes)
        while True:
            left = wait.next()
            _, result = self._result(
                lib.sw_step_exchange, worker, array, count, most, wait.slice_ms
            )
            answer = self._take(result)
            if any(answer) or left == 0 or wait.woken() or self._wakes != wakes:
                return answer
            count = 0

    def _take(self, result: Any) -> Exchange:
        """The answer in a result; claims that an exception keeps from the caller are given back."""
        try:
            return rows_of.exchange(result)
        except BaseException:
            claims = list(rows_of.each(lib.sw_step_claims, result))
            self.update_batch([(claim.step_id, claim.epoch, "released") for claim in claims])
            raise

    def update_batch(self, outcomes: Sequence[Tuple[Any, ...]], /) -> List[Applied]:
        """Report outcomes without claiming."""
        keeper = Keeper()
        array, count = rows_of.outcome_array(keeper, outcomes)
        _, result = self._result(lib.sw_step_update_batch, array, count)
        return rows_of.exchange(result).applied

    def explain(self, task_id: str, step: Optional[str] = None, /) -> List[Reason]:
        """Why a step, or each step that has not ended, is not running."""
        keeper = Keeper()
        uuid = keeper.uuid(task_id, "task_id")
        name = keeper.text(step, "step", optional=True)
        _, result = self._result(lib.sw_step_explain, uuid, name)
        return [rows_of.reason(row) for row in rows_of.each(lib.sw_step_reasons, result)]

    def task_context(self, task_ids: Sequence[str], /) -> List[TaskContext]:
        """Where tasks stand, all of one moment."""
        given = c.read_rows(task_ids, "task_ids")
        array = ffi.new("sw_uuid[]", len(given))
        c.fill_rows(array, given, rows_of.fill_uuid)
        _, result = self._result(lib.sw_task_context, array, len(given))
        return [rows_of.task_context(row) for row in rows_of.each(lib.sw_task_contexts, result)]

    def step_readiness(self, task_id: str, /) -> List[StepReadiness]:
        """Whether each step of a task may start, in topological order."""
        _, result = self._result(lib.sw_step_readiness, Keeper().uuid(task_id, "task_id"))
        return [rows_of.step_readiness(row) for row in rows_of.each(lib.sw_readiness_rows, result)]

    def override(
        self, rows: Sequence[Tuple[Any, ...]], mode: Optional[str] = None, /
    ) -> List[Overridden]:
        """Bring steps into other states by hand, in one transaction."""
        keeper = Keeper()
        number = rows_of.read_mode(mode, keeper)
        given = c.read_rows(rows, "rows")
        array = ffi.new("sw_step_override_row[]", len(given))
        c.fill_rows(array, given, lambda out, row: rows_of.fill_override(keeper, out, row))
        _, result = self._result(lib.sw_step_override, array, len(given), number)
        return [rows_of.overridden(row) for row in rows_of.each(lib.sw_step_overrides, result)]

    def breaker_list(self) -> List[BreakerRow]:
        """Every circuit breaker that a registered workflow names, by name."""
        _, result = self._result(lib.sw_breaker_list)
        return [rows_of.breaker(row) for row in rows_of.each(lib.sw_breakers, result)]

    def breaker_override(self, rows: Sequence[Tuple[Any, ...]], /) -> List[BreakerRow]:
        """Open or close circuit breakers by hand, all or none."""
        keeper = Keeper()
        given = c.read_rows(rows, "rows")
        array = ffi.new("sw_breaker_override_row[]", len(given))
        c.fill_rows(array, given, lambda out, row: rows_of.fill_breaker(keeper, out, row))
        _, result = self._result(lib.sw_breaker_override, array, len(given))
        return [rows_of.breaker(row) for row in rows_of.each(lib.sw_breakers, result)]

    def task_prune(
        self,
        finished_before_us: int,
        /,
        *,
        workflow: Optional[str] = None,
        states: Sequence[str] = (),
        limit: int = 0,
        dry_run: bool = False,
        actor: Optional[str] = None,
        reason: Optional[str] = None,
    ) -> Pruned:
        """Take out tasks that ended before a time."""
        keeper = Keeper()
        before = c.read_int(finished_before_us, "finished_before_us")
        options = rows_of.prune_options(keeper, before, workflow, states, limit, actor, reason)
        options.dry_run = bool(dry_run)
        report = ffi.new("sw_prune_report *", {"size": ffi.sizeof("sw_prune_report")})
        self._call(lib.sw_task_prune, options, report)
        return Pruned(report.task_count, report.step_count, report.freed_bytes)

    def task_erase(
        self,
        subject: str,
        actor: Optional[str],
        reason: Optional[str],
        /,
        *,
        dry_run: bool = False,
        quick: bool = False,
    ) -> Erased:
        """Destroy inputs, results and errors of all tasks of a subject."""
        keeper = Keeper()
        options = ffi.new("sw_erase_options *", {"size": ffi.sizeof("sw_erase_options")})
        options.subject = keeper.text(subject, "subject")
        options.actor = keeper.text(actor, "actor", optional=True)
        options.reason = keeper.text(reason, "reason", optional=True)
        options.dry_run = 1 if dry_run else 0
        options.quick = 1 if quick else 0
        report = ffi.new("sw_erase_report *", {"size": ffi.sizeof("sw_erase_report")})
        self._call(lib.sw_task_erase, options, report)
        return Erased(report.task_count, report.erased_count, bool(report.clean))

    def dead_list(
        self,
        *,
        workflow: Optional[str] = None,
        handler: Optional[str] = None,
        step: Optional[str] = None,
        error_class: Optional[str] = None,
        failed_after_us: Optional[int] = None,
        failed_before_us: Optional[int] = None,
        after_us: Optional[int] = None,
        after_step_id: Optional[int] = None,
        limit: Optional[int] = None,
    ) -> List[DeadRow]:
        """Steps that have failed for good, newest first."""
        keeper = Keeper()
        texts = {"workflow": workflow, "handler": handler, "step": step, "error_class": error_class}
        numbers = {"failed_after_us": failed_after_us, "failed_before_us": failed_before_us}
        numbers.update(after_us=after_us, after_step_id=after_step_id, limit=limit)
        filter = rows_of.read_dead_filter(keeper, texts, numbers)
        _, result = self._result(lib.sw_dead_list, filter)
        return [rows_of.dead_row(row) for row in rows_of.each(lib.sw_dead_letters, result)]

    def dead_count(
        self,
        *,
        workflow: Optional[str] = None,
        handler: Optional[str] = None,
        step: Optional[str] = None,
        error_class: Optional[str] = None,
        failed_after_us: Optional[int] = None,
        failed_before_us: Optional[int] = None,
    ) -> List[DeadGroup]:
        """How many dead letters there are of each error class and handler."""
        keeper = Keeper()
        texts = {"workflow": workflow, "handler": handler, "step": step, "error_class": error_class}
        numbers = {"failed_after_us": failed_after_us, "failed_before_us": failed_before_us}
        filter = rows_of.read_dead_filter(keeper, texts, numbers)
        _, result = self._result(lib.sw_dead_count, filter)
        return [rows_of.dead_group(row) for row in rows_of.each(lib.sw_dead_groups, result)]

    def dead_override(
        self,
        state: str,
        actor: str,
        reason: str,
        result: Optional[str] = None,
        *,
        workflow: Optional[str] = None,
        handler: Optional[str] = None,
        step: Optional[str] = None,
        error_class: Optional[str] = None,
        failed_after_us: Optional[int] = None,
        failed_before_us: Optional[int] = None,
        after_us: Optional[int] = None,
        after_step_id: Optional[int] = None,
        limit: Optional[int] = None,
    ) -> Tuple[List[DeadRow], List[Overridden]]:
        """Retry or resolve all that a filter finds, in one transaction."""
        keeper = Keeper()
        texts = {"workflow": workflow, "handler": handler, "step": step, "error_class": error_class}
        numbers = {"failed_after_us": failed_after_us, "failed_before_us": failed_before_us}
        numbers.update(after_us=after_us, after_step_id=after_step_id, limit=limit)
        action = rows_of.read_dead_action(keeper, state, actor, reason, result)
        filter = rows_of.read_dead_filter(keeper, texts, numbers)
        _, answer = self._result(lib.sw_dead_override, filter, action)
        found = [rows_of.dead_row(row) for row in rows_of.each(lib.sw_dead_letters, answer)]
        changed = [rows_of.overridden(row) for row in rows_of.each(lib.sw_step_overrides, answer)]
        return found, changed

    def forecast_rows(
        self,
        task_id: str,
        /,
        changes: Sequence[Tuple[Any, ...]] = (),
        *,
        workers: int = 0,
        more_workers: int = 0,
        resources: Sequence[Tuple[int, Sequence[str]]] = (),
        draws: int = 0,
        history: int = 0,
        calibrate: int = 0,
    ) -> Forecast:
        """A Forecast of a task; rows as for the C extension."""
        keeper = Keeper()
        uuid = keeper.uuid(task_id, "task_id")
        options = ffi.new("sw_forecast_options *", {"size": ffi.sizeof("sw_forecast_options")})
        given = c.read_rows(changes, "changes")
        change_array = ffi.new("sw_forecast_change[]", len(given))
        c.fill_rows(change_array, given, lambda out, row: rows_of.fill_change(keeper, out, row))
        options.changes, options.change_count = change_array, len(given)
        given = c.read_rows(resources, "resources")
        array = ffi.new("sw_forecast_resource[]", len(given))
        c.fill_rows(array, given, lambda out, row: rows_of.fill_resource(keeper, out, row))
        options.resources, options.resource_count = array, len(given)
        options.what_if_workers = c.read_int(workers, "workers", 32)
        options.more_workers = c.read_int(more_workers, "more_workers", 32)
        options.draws = c.read_int(draws, "draws", 32)
        options.history = c.read_int(history, "history", 32)
        options.calibrate = c.read_int(calibrate, "calibrate", 32)
        _, result = self._result(lib.sw_task_forecast, options, uuid)
        return rows_of.forecast(result)

    def picture_text(self, task_id: str, format: str, *rest: Any) -> str:
        """A task as it stands, as text of a format."""
        keeper = Keeper()
        uuid = keeper.uuid(task_id, "task_id")
        options = pictures.picture_options(keeper, format, *rest)
        _, result = self._result(lib.sw_task_picture, options, ffi.NULL, uuid)
        return c.known(lib.sw_pictures(result, ffi.NULL).text)

    def gantt_text(self, task_id: str, format: str, *rest: Any) -> str:
        """The attempts of a task along a time line, as text of a format."""
        keeper = Keeper()
        uuid = keeper.uuid(task_id, "task_id")
        options = pictures.gantt_options(keeper, format, *rest)
        _, result = self._result(lib.sw_task_gantt, options, uuid)
        return c.known(lib.sw_pictures(result, ffi.NULL).text)

    def duration_rows(
        self, definition: str, history: int = 0, /
    ) -> List[Tuple[str, str, int, int, int]]:
        """What the steps of a definition take: (name, source, sample_count, p50_us, p95_us)."""
        learnt = c.read_int(history, "history", 32)
        workflow, _ = rows_of.load_workflow(definition, None, False)
        _, result = self._result(lib.sw_workflow_durations, workflow, learnt)
        return [pictures.duration_row(row) for row in rows_of.each(lib.sw_step_durations, result)]

    def worker_open(
        self,
        handlers: Sequence[str],
        *,
        name: Optional[str] = None,
        queues: Optional[Sequence[str]] = None,
        lease_ms: int = 0,
    ) -> int:
        """Enter a worker into the store and answer its number."""
        keeper = Keeper()
        options = ffi.new("sw_worker_options *", {"size": ffi.sizeof("sw_worker_options")})
        options.name = keeper.text(name, "name", optional=True)
        options.handlers, options.handler_count = keeper.texts(handlers, "handlers")
        options.queues, options.queue_count = keeper.texts(queues, "queues")
        options.lease_ms = c.read_int(lease_ms, "lease_ms")
        worker = ffi.new("sw_worker_ref *")
        self._call(lib.sw_worker_open, options, worker)
        return int(worker.worker_id)

    def worker_renew(
        self, worker_id: int, held: Sequence[Tuple[int, int]], /
    ) -> List[Tuple[int, int]]:
        """Renew the lease; the answer is what is held no longer."""
        worker = ffi.new("sw_worker_ref *", [c.read_int(worker_id, "worker_id")])
        given = c.read_rows(held, "held")
        array = ffi.new("sw_step_hold[]", len(given))
        c.fill_rows(array, given, rows_of.fill_hold)
        _, result = self._result(lib.sw_worker_renew, worker, array, len(given))
        return [(row.step_id, row.epoch) for row in rows_of.each(lib.sw_step_holds, result)]

    def worker_keep(self, worker_id: int, /) -> None:
        """Renew the lease from a native thread until the worker or the engine is closed."""
        worker = ffi.new("sw_worker_ref *", [c.read_int(worker_id, "worker_id")])
        self._call(lib.sw_worker_keep, worker)

    def worker_close(self, worker_id: int, /) -> None:
        """Leave; steps still held become ready again."""
        worker = ffi.new("sw_worker_ref *", [c.read_int(worker_id, "worker_id")])
        self._call(lib.sw_worker_close, worker)

    def worker_list(self) -> List[WorkerRow]:
        """The workers in the store."""
        _, result = self._result(lib.sw_worker_list)
        return [rows_of.worker_row(row) for row in rows_of.each(lib.sw_workers, result)]

    def audit_verify(
        self,
        checkpoints: Optional[Sequence[str]] = None,
        keys: Optional[Sequence[str]] = None,
        /,
    ) -> AuditReport:
        """Recompute the log, compare it with the state and with signed checkpoints."""
        keeper = Keeper()
        trust = rows_of.read_trust(keeper, checkpoints, keys)
        if trust.checkpoint_count + trust.key_count == 0:
            return _verified(lambda report: self._call(lib.sw_audit_verify, report))
        return _verified(lambda report: self._call(lib.sw_audit_verify_signed, trust, report))

    def audit_task(self, task_id: str, /) -> List[AuditEntry]:
        """The entries of one task, oldest first."""
        _, result = self._result(lib.sw_audit_task, Keeper().uuid(task_id, "task_id"))
        return [rows_of.entry(row) for row in rows_of.each(lib.sw_audit_entries, result)]

    def audit_list(self, entry_no: int = 1, limit: int = 1000, /) -> List[AuditEntry]:
        """Entries of the whole log from entry_no on, at most limit."""
        bounds = (c.read_int(entry_no, "entry_no"), c.read_int(limit, "limit"))
        _, result = self._result(lib.sw_audit_list, *bounds)
        return [rows_of.entry(row) for row in rows_of.each(lib.sw_audit_entries, result)]

    def audit_search(self, **filter: Any) -> List[AuditEntry]:
        """Entries that match, oldest first."""
        keeper = Keeper()
        _, result = self._result(lib.sw_audit_search, rows_of.read_audit_filter(keeper, **filter))
        return [rows_of.entry(row) for row in rows_of.each(lib.sw_audit_entries, result)]

    def audit_count(self, **filter: Any) -> Tuple[List[AuditGroup], List[AuditActor]]:
        """How many entries match, by kind and outcome and by actor."""
        keeper = Keeper()
        _, result = self._result(lib.sw_audit_count, rows_of.read_audit_filter(keeper, **filter))
        groups = rows_of.each(lib.sw_audit_groups, result)
        actors = rows_of.each(lib.sw_audit_actors, result)
        return ([rows_of.group(row) for row in groups], [rows_of.actor(row) for row in actors])

    def audit_dump(
        self, format: str = "jsonl", heads: bool = True, **filter: Any
    ) -> Tuple[str, int, int]:
        """A page as text, the number of its entries, and that of the last one."""
        keeper = Keeper()
        known = lib.sw_audit_format_find(keeper.text(format, "format"))
        if known < 0:
            raise c.refusal(f"format is '{format[:64]}', expected jsonl, yaml or csv")
        wanted = rows_of.read_audit_filter(keeper, **filter)
        _, result = self._result(lib.sw_audit_dump, wanted, known, 1 if heads else 0)
        row = next(rows_of.each(lib.sw_audit_texts, result))
        return (c.known(row.text), row.entry_count, row.last_entry_no)

    def audit_seal(self, path: str, /) -> AuditCheckpoint:
        """Sign all entries of the log with the key at path."""
        keeper = Keeper()
        _, result = self._result(lib.sw_audit_seal, keeper.text(path, "path"))
        return rows_of.checkpoint(next(rows_of.each(lib.sw_audit_checkpoints, result)))

    def audit_prove(self, checkpoint: str, entry_nos: Sequence[int], /) -> List[AuditProof]:
        """Prove that entries are in the log that a checkpoint signed."""
        keeper = Keeper()
        note = keeper.text(checkpoint, "checkpoint")
        given = c.read_rows(entry_nos, "entry_nos")
        array = ffi.new("int64_t[]", len(given))
        for i, entry_no in enumerate(given):
            array[i] = c.read_int(entry_no, "an entry number")
        _, result = self._result(lib.sw_audit_prove, note, array, len(given))
        return [rows_of.proof(row) for row in rows_of.each(lib.sw_audit_proofs, result)]

    def audit_prove_consistency(self, old: str, checkpoint: str, /) -> AuditProof:
        """Prove that the log of a checkpoint continues that of an older one."""
        keeper = Keeper()
        notes = (keeper.text(old, "old"), keeper.text(checkpoint, "checkpoint"))
        _, result = self._result(lib.sw_audit_prove_consistency, *notes)
        return rows_of.proof(next(rows_of.each(lib.sw_audit_proofs, result)))

    def audit_export(self, folder: str, checkpoint: str, /) -> None:
        """Write the entries that a checkpoint covers into a folder."""
        keeper = Keeper()
        texts = (keeper.text(folder, "folder"), keeper.text(checkpoint, "checkpoint"))
        self._call(lib.sw_audit_export, *texts)

    @classmethod
    def audit_keygen(cls, name: str, path: str, /) -> AuditKey:
        """Make a key that signs the log called name."""
        keeper = Keeper()
        texts = (keeper.text(name, "name"), keeper.text(path, "path"))
        result = c.result_of(lib.sw_audit_keygen, *texts)
        row = next(rows_of.each(lib.sw_audit_keys, result))
        return AuditKey(c.known(row.name), c.known(row.verifier))

    @classmethod
    def audit_check(
        cls,
        proof: str,
        checkpoints: Optional[Sequence[str]],
        keys: Optional[Sequence[str]],
        /,
    ) -> AuditShown:
        """Check a proof of either kind."""
        keeper = Keeper()
        text = keeper.text(proof, "proof")
        trust = rows_of.read_trust(keeper, checkpoints, keys)
        result = c.result_of(lib.sw_audit_check, trust, text)
        return rows_of.shown(next(rows_of.each(lib.sw_audit_shown_rows, result)))

    @classmethod
    def audit_verify_export(
        cls,
        folder: str,
        checkpoints: Optional[Sequence[str]],
        keys: Optional[Sequence[str]],
        /,
    ) -> AuditReport:
        """Verify a folder of the log."""
        keeper = Keeper()
        path = keeper.text(folder, "folder")
        trust = rows_of.read_trust(keeper, checkpoints, keys)

        def verify(report: Any) -> None:
            error = ffi.new("sw_error *")
            if lib.sw_audit_verify_export(path, trust, report, error) < 0:
                raise c.error_of(error)

        return _verified(verify)


__all__ = [
    "Applied",
    "AuditActor",
    "AuditCheckpoint",
    "AuditEntry",
    "AuditGroup",
    "AuditKey",
    "AuditProof",
    "AuditReport",
    "AuditShown",
    "Calibration",
    "Claim",
    "BreakerRow",
    "DeadGroup",
    "DeadRow",
    "Definition",
    "Engine",
    "EngineInfo",
    "Erased",
    "Error",
    "Exchange",
    "Finished",
    "Forecast",
    "ForecastCase",
    "ForecastStep",
    "Graph",
    "GraphEdit",
    "OUTCOMES",
    "Overridden",
    "Pruned",
    "Reason",
    "Registered",
    "STEP_STATES",
    "STEP_STATES_ENDED",
    "StepInput",
    "StepReadiness",
    "StepRow",
    "Submitted",
    "TASK_STATES",
    "TASK_STATES_ENDED",
    "TaskContext",
    "TaskRow",
    "VERSION",
    "TaskerReadiness",
    "WorkerRow",
    "tasker_readiness",
]
