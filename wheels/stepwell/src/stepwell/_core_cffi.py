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
from . import _cffi_given as given_rows
from . import _cffi_rows as rows_of
from ._cffi_audit import AuditCalls
from ._cffi_control import ControlCalls
from ._cffi_events import EventCalls
from ._cffi_forecast import ForecastCalls
from ._cffi_graph import Graph, GraphEdit
from ._cffi_library import Error, Keeper, Wait, ffi, lib
from ._cffi_operations import OperationCalls
from ._cffi_task_file import TaskFileCalls
from ._cffi_rows import OUTCOMES, STEP_STATES, TASK_STATES
from ._records import (
    Appended,
    Applied,
    AuditActor,
    AuditAnchor,
    AuditCheckpoint,
    AuditEntry,
    AuditGroup,
    AuditKey,
    AuditProof,
    AuditReport,
    AuditShown,
    Calibration,
    Claim,
    Control,
    ControlAnswer,
    ControlReport,
    ControlSignature,
    Evidence,
    BreakerRow,
    DeadGroup,
    DeadRow,
    Definition,
    EngineInfo,
    Erased,
    EventRow,
    Exchange,
    Finished,
    Forecast,
    ForecastCase,
    ForecastStep,
    Overridden,
    ProjectionRow,
    Pruned,
    Reason,
    Registered,
    StepInput,
    StepPast,
    StepReadiness,
    StepRow,
    Submitted,
    TaskContext,
    TaskPast,
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

_SLICE_FIRST_MS = 2


def tasker_readiness(
    rule: str,
    rows: Sequence[Tuple[Any, ...]],
    now_us: int,
    asked: Optional[Sequence[int]] = None,
    /,
) -> List[TaskerReadiness]:
    """Which steps Tasker would find ready by one of its rules; no engine is asked."""
    keeper = Keeper()
    number = given_rows.read_tasker_name(keeper, rule, "rule", lib.sw_tasker_rule_find)
    now = c.read_int(now_us, "now_us")
    chosen = None if asked is None else given_rows.read_numbers(keeper, asked, "asked")
    given = c.read_rows(rows, "rows")
    array = ffi.new("sw_tasker_step[]", len(given))
    c.fill_rows(array, given, lambda out, row: given_rows.fill_tasker(keeper, out, row))
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


class Engine(AuditCalls, ControlCalls, EventCalls, TaskFileCalls, OperationCalls, ForecastCalls):
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
        options.durability = given_rows.read_durability(durability, keeper)
        options.busy_timeout_ms = c.read_int(busy_timeout_ms, "busy_timeout_ms")
        options.payload_max = c.read_int(payload_max, "payload_max")
        options.must_exist = 1 if must_exist else 0
        if self._engine is not None:
            raise c.make_error(lib.SW_ESTATE, "this engine is open already")
        out = ffi.new("sw_engine **")
        error = ffi.new("sw_error *")
        if lib.sw_engine_open(options, out, error) < 0:
            raise c.error_of(error)
        self._place(out[0])

    def _place(self, engine: Any) -> None:
        """Take over an engine that this process has opened."""
        self._lock = threading.RLock()  # a signal handler may call, too
        self._calls = {}
        self._pid = os.getpid()
        self._engine = engine

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
        c.fill_rows(array, given, lambda out, row: given_rows.fill_submit(keeper, out, row))
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
        parent: Any = None,
    ) -> List[TaskRow]:
        """Tasks that match, newest first."""
        keeper = Keeper()
        rest = (created_after_us, created_before_us, parent)
        filter = given_rows.read_filter(keeper, workflow, state, tag, correlation_id, *rest)
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
        parent: Any = None,
    ) -> Dict[str, int]:
        """How many tasks match, by state."""
        keeper = Keeper()
        counts = ffi.new("int64_t[]", len(TASK_STATES))
        rest = (created_after_us, created_before_us, parent)
        filter = given_rows.read_filter(keeper, workflow, state, tag, correlation_id, *rest)
        self._call(lib.sw_task_count, filter, counts)
        return dict(zip(TASK_STATES, counts))

    def wait(self, task_id: str, wait_ms: int, /) -> Tuple[TaskRow, List[StepRow]]:
        """Wait until a task has ended, the time is over or wake was called."""
        uuid = Keeper().uuid(task_id, "task_id")
        wait = Wait(c.read_int(wait_ms, "wait_ms"))
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
        c.fill_rows(array, given, lambda out, row: given_rows.fill_cancel(keeper, out, row))
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
        wait = Wait(c.read_int(wait_ms, "wait_ms"), first_ms=_SLICE_FIRST_MS)
        array, count = given_rows.outcome_array(keeper, outcomes)
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
        array, count = given_rows.outcome_array(keeper, outcomes)
        _, result = self._result(lib.sw_step_update_batch, array, count)
        return rows_of.exchange(result).applied

    def heartbeat(self, held: Sequence[Tuple[int, int]], /) -> List[Applied]:
        """Say that attempts go on; fenced are those that count no longer."""
        given = c.read_rows(held, "held")
        array = ffi.new("sw_step_hold[]", len(given))
        c.fill_rows(array, given, given_rows.fill_hold)
        _, result = self._result(lib.sw_step_heartbeat, array, len(given))
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
        c.fill_rows(array, given, given_rows.fill_uuid)
        _, result = self._result(lib.sw_task_context, array, len(given))
        return [rows_of.task_context(row) for row in rows_of.each(lib.sw_task_contexts, result)]

    def step_readiness(self, task_id: str, /) -> List[StepReadiness]:
        """Whether each step of a task may start, in topological order."""
        _, result = self._result(lib.sw_step_readiness, Keeper().uuid(task_id, "task_id"))
        return [rows_of.step_readiness(row) for row in rows_of.each(lib.sw_readiness_rows, result)]

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
        c.fill_rows(array, given, given_rows.fill_hold)
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


__all__ = [
    "Applied",
    "AuditActor",
    "AuditAnchor",
    "AuditCheckpoint",
    "AuditEntry",
    "AuditGroup",
    "AuditKey",
    "AuditProof",
    "AuditReport",
    "AuditShown",
    "Calibration",
    "Claim",
    "Control",
    "ControlAnswer",
    "ControlReport",
    "ControlSignature",
    "Evidence",
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
