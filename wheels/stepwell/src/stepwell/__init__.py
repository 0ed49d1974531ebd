"""Stepwell: durable workflows in your own process.

    engine = Engine("sqlite:///orders.db")
    order = engine.workflow("order", input=Order)

    @order.step
    def validate(ctx: Context[Order]) -> dict: ...

    @order.step(retry=Retry(5, wait=2))
    async def charge(ctx: Context[Order], validate: dict) -> dict: ...

    task = order.start(Order(42), key="order-42")
    Worker(engine).run(until=task)

Importing it starts no thread and loads neither asyncio nor the worker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._binding import core
from ._handler import Handler
from ._retry import GiveUp, Retry, RetryAfter
from ._step import Step
from ._values import InputError, ResultError
from .context import Context
from .engine import Engine
from .task import Explanation, Task
from .workflow import Workflow

if TYPE_CHECKING:
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
WaitTimeoutError = core.WaitTimeoutError

Applied = core.Applied
AuditEntry = core.AuditEntry
AuditReport = core.AuditReport
Calibration = core.Calibration
Claim = core.Claim
Definition = core.Definition
EngineInfo = core.EngineInfo
Exchange = core.Exchange
Finished = core.Finished
Forecast = core.Forecast
ForecastCase = core.ForecastCase
ForecastStep = core.ForecastStep
Reason = core.Reason
Registered = core.Registered
StepInput = core.StepInput
StepRow = core.StepRow
Submitted = core.Submitted
TaskRow = core.TaskRow
WorkerRow = core.WorkerRow

__version__ = core.VERSION

__all__ = [
    "AccessError",
    "Applied",
    "AuditEntry",
    "AuditError",
    "AuditReport",
    "BusyError",
    "Calibration",
    "Claim",
    "ClosedError",
    "ConflictError",
    "Context",
    "CorruptDatabaseError",
    "Definition",
    "DefinitionError",
    "Engine",
    "EngineInfo",
    "Error",
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
    "Handler",
    "IllegalTransitionError",
    "InputError",
    "InvalidArgumentError",
    "LimitError",
    "NotFoundError",
    "PoisonedError",
    "Reason",
    "RefusedError",
    "Registered",
    "ResultError",
    "Retry",
    "RetryAfter",
    "SchemaVersionError",
    "Step",
    "StepInput",
    "StepRow",
    "StorageError",
    "StorageFullError",
    "Submitted",
    "Task",
    "TaskRow",
    "WaitTimeoutError",
    "Worker",
    "Workflow",
    "WorkerRow",
]


def __getattr__(name: str) -> Any:
    """Load the worker when it is first asked for; programs that only start tasks do without."""
    if name == "Worker":
        from .worker import Worker

        return Worker
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
