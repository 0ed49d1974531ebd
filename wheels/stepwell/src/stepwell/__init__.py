"""Stepwell: durable workflows in your own process.

    engine = Engine("sqlite:///orders.db")
    order = engine.workflow("order", input=Order)

    @order.step
    def validate(ctx: Context[Order]) -> dict: ...

    @order.step(retry=Retry(5, wait=2))
    async def charge(ctx: Context[Order], validate: dict) -> dict: ...

    task = order.start(Order(42), key="order-42")
    Worker(engine).run(until=task)

Importing it starts no thread and loads neither asyncio nor the worker nor graphs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List

from ._audit import Audit, AuditRotation, AuditStats, TaskAudit
from ._binding import core
from ._handler import Handler
from ._retry import GiveUp, Retry, RetryAfter
from ._step import Step
from ._task_file import TaskFile
from ._tasker import tasker_readiness
from ._values import InputError, ResultError
from .context import Context
from ._breaker import Breaker
from ._dead import BatchUpdate, DeadLetter
from ._duration import StepDuration
from ._events import Event
from .engine import Engine
from .projection import Projection, ProjectionError, Snapshot
from .task import Explanation, Task
from .workflow import Workflow

if TYPE_CHECKING:
    from .graph import (
        Analysis,
        Bottleneck,
        Change,
        Common,
        Cut,
        Graph,
        GraphEdit,
        Knot,
        Layout,
        Makespan,
        Place,
        Slot,
    )
    from .worker import Worker

AccessError = core.AccessError
AuditError = core.AuditError
BusyError = core.BusyError
ClosedError = core.ClosedError
ConflictError = core.ConflictError
CorruptDatabaseError = core.CorruptDatabaseError
DefinitionError = core.DefinitionError
Error = core.Error
FencedError = core.FencedError
ForeignDatabaseError = core.ForeignDatabaseError
ForkedEngineError = core.ForkedEngineError
IllegalTransitionError = core.IllegalTransitionError
InvalidArgumentError = core.InvalidArgumentError
LimitError = core.LimitError
NotFoundError = core.NotFoundError
PoisonedError = core.PoisonedError
RefusedError = core.RefusedError
SchemaVersionError = core.SchemaVersionError
StorageError = core.StorageError
StorageFullError = core.StorageFullError
VersionConflictError = core.VersionConflictError
WaitTimeoutError = core.WaitTimeoutError

Appended = core.Appended
Applied = core.Applied
AuditActor = core.AuditActor
AuditAnchor = core.AuditAnchor
AuditCheckpoint = core.AuditCheckpoint
AuditEntry = core.AuditEntry
AuditGroup = core.AuditGroup
AuditKey = core.AuditKey
AuditProof = core.AuditProof
AuditReport = core.AuditReport
AuditShown = core.AuditShown
Calibration = core.Calibration
Claim = core.Claim
Control = core.Control
ControlAnswer = core.ControlAnswer
ControlReport = core.ControlReport
ControlSignature = core.ControlSignature
Evidence = core.Evidence
BreakerRow = core.BreakerRow
TaskerReadiness = core.TaskerReadiness
DeadGroup = core.DeadGroup
DeadRow = core.DeadRow
Definition = core.Definition
EngineInfo = core.EngineInfo
Erased = core.Erased
EventRow = core.EventRow
Exchange = core.Exchange
Finished = core.Finished
Forecast = core.Forecast
ForecastCase = core.ForecastCase
ForecastStep = core.ForecastStep
Overridden = core.Overridden
ProjectionRow = core.ProjectionRow
Pruned = core.Pruned
Reason = core.Reason
Registered = core.Registered
StepInput = core.StepInput
StepPast = core.StepPast
StepReadiness = core.StepReadiness
StepRow = core.StepRow
Submitted = core.Submitted
TaskContext = core.TaskContext
TaskPast = core.TaskPast
TaskRow = core.TaskRow
WorkerRow = core.WorkerRow

__version__ = core.VERSION

__all__ = [
    "AccessError",
    "Analysis",
    "Appended",
    "Applied",
    "Audit",
    "AuditActor",
    "AuditAnchor",
    "AuditCheckpoint",
    "AuditEntry",
    "AuditError",
    "AuditGroup",
    "AuditKey",
    "AuditProof",
    "AuditReport",
    "AuditRotation",
    "AuditShown",
    "AuditStats",
    "BatchUpdate",
    "Bottleneck",
    "Breaker",
    "BreakerRow",
    "BusyError",
    "Calibration",
    "Change",
    "Claim",
    "ClosedError",
    "Common",
    "ConflictError",
    "Control",
    "ControlAnswer",
    "ControlReport",
    "ControlSignature",
    "Context",
    "CorruptDatabaseError",
    "Cut",
    "DeadGroup",
    "DeadLetter",
    "DeadRow",
    "Definition",
    "DefinitionError",
    "Engine",
    "EngineInfo",
    "Erased",
    "Error",
    "Evidence",
    "Event",
    "EventRow",
    "Exchange",
    "Explanation",
    "FencedError",
    "Finished",
    "Forecast",
    "ForecastCase",
    "ForecastStep",
    "ForeignDatabaseError",
    "ForkedEngineError",
    "GiveUp",
    "Graph",
    "GraphEdit",
    "Handler",
    "IllegalTransitionError",
    "InputError",
    "InvalidArgumentError",
    "Knot",
    "Layout",
    "LimitError",
    "Makespan",
    "NotFoundError",
    "Overridden",
    "Place",
    "Projection",
    "ProjectionError",
    "ProjectionRow",
    "Pruned",
    "PoisonedError",
    "Reason",
    "RefusedError",
    "Registered",
    "ResultError",
    "Retry",
    "RetryAfter",
    "SchemaVersionError",
    "Slot",
    "Snapshot",
    "Step",
    "StepDuration",
    "StepInput",
    "StepPast",
    "StepReadiness",
    "StepRow",
    "StorageError",
    "StorageFullError",
    "Submitted",
    "Task",
    "TaskAudit",
    "TaskContext",
    "TaskFile",
    "TaskerReadiness",
    "TaskPast",
    "TaskRow",
    "VersionConflictError",
    "WaitTimeoutError",
    "Worker",
    "Workflow",
    "WorkerRow",
    "tasker_readiness",
]


_GRAPH_NAMES = frozenset(
    "Analysis Bottleneck Change Common Cut Graph GraphEdit Knot Layout Makespan Place Slot".split()
)


def __getattr__(name: str) -> Any:
    """Load the worker and the graphs when they are first asked for; programs that only start tasks
    do without."""
    if name == "Worker":
        from .worker import Worker

        return Worker
    if name in _GRAPH_NAMES:
        from . import graph

        return getattr(graph, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> List[str]:
    """All names, those that are loaded later too."""
    return sorted({*globals(), *__all__})
