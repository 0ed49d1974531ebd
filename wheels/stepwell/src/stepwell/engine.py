"""The engine: one open store, with workflows declared on it.

Engine extends the binding's Engine, so the batch calls (submit, exchange, update_batch, ...) are
here at full speed, beside the friendly ones. Not here: running handlers (worker.py).
"""

from __future__ import annotations

import os
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Tuple,
    Type,
    TypeVar,
    Union,
    overload,
)

from ._binding import core
from ._handler import Handler
from ._retry import Retry
from .task import Task
from .workflow import Workflow

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType

    from typing_extensions import ParamSpec

    P = ParamSpec("P")

R = TypeVar("R")
InputT = TypeVar("InputT")

_PAGE = 500


def _task_id(task: Union[str, Task]) -> str:
    return task.id if isinstance(task, Task) else task


def _time_us(time: Optional[datetime]) -> Optional[int]:
    """Microseconds UTC, exactly."""
    if time is None:
        return None
    offset = time.utcoffset()
    if offset is None:
        raise core.InvalidArgumentError(f"{time} has no time zone")
    since = time.replace(tzinfo=None) - offset - type(time)(1970, 1, 1)
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds


class BatchUpdate(NamedTuple):
    """The answer of batch_update_step_states: how many steps were changed, and a row for each."""

    updated_count: int
    rows: List[core.Overridden]


class Engine(core.Engine):
    """An open store: a path, "sqlite:///path" or "memory:".

    durability is "strict" (acknowledged means on disk, the default) or "relaxed". It starts no
    thread, and belongs to the process that opened it: in a forked child every call raises
    ForkedEngineError.
    """

    def __init__(
        self,
        store: Union[str, os.PathLike[str]],
        *,
        durability: Optional[str] = None,
        busy_timeout: float = 5.0,
        payload_max: int = 0,
        must_exist: bool = False,
    ) -> None:
        super().__init__(
            os.fspath(store),
            durability=durability,
            busy_timeout_ms=max(1, round(busy_timeout * 1000)),
            payload_max=payload_max,
            must_exist=must_exist,
        )
        self.store = os.fspath(store)
        self.workflows: Dict[str, Workflow[Any]] = {}
        self.handlers: Dict[str, Handler[Any, Any]] = {}

    def __repr__(self) -> str:
        return f"<Engine {getattr(self, 'store', 'closed')}>"

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    @overload
    def workflow(
        self,
        name: str,
        *,
        input: Type[InputT],
        version: str = "",
        description: Optional[str] = None,
        max_parallel: Optional[int] = None,
        metadata: Optional[Mapping[str, Any]] = None,
    ) -> Workflow[InputT]: ...

    @overload
    def workflow(
        self,
        name: str,
        *,
        input: Optional[Mapping[str, Any]] = None,
        version: str = "",
        description: Optional[str] = None,
        max_parallel: Optional[int] = None,
        metadata: Optional[Mapping[str, Any]] = None,
    ) -> Workflow[Any]: ...

    def workflow(self, name: str, **options: Any) -> Workflow[Any]:
        """Declare a workflow; add steps to it with Workflow.step.

        input is a dataclass or TypedDict that inputs are checked against, or a JSON Schema that
        is kept with the definition.
        """
        if name in self.workflows:
            raise core.DefinitionError(f"this engine has a workflow {name} already")
        workflow: Workflow[Any] = Workflow(self, name, **options)
        self.workflows[name] = workflow
        return workflow

    def handler(
        self, name: str, *, retry: Optional[Retry] = None, input: Any = None
    ) -> Callable[[Callable[P, R]], Handler[P, R]]:
        """Bind the decorated function to a handler name, for steps that were declared elsewhere:
        in another program, another language or a file.

        Parameters get results as in Workflow.step. Of retry only on and give_up_on count here,
        the rest is the definition's.
        """

        def bind(function: Callable[P, R]) -> Handler[P, R]:
            if name in self.handlers:
                raise core.DefinitionError(f"this engine has a handler {name} already")
            self.handlers[name] = handler = Handler(function, name, retry=retry, input=input)
            return handler

        return bind

    def task(self, task_id: str) -> Task:
        """The task with this identifier. Raises NotFoundError."""
        return Task(self, self.get(task_id)[0].task_id)

    def get_task_execution_context(self, task: Union[str, Task]) -> core.TaskContext:
        """Where a task stands: how it goes on, what blocks it, what comes next. Raises
        NotFoundError. task_context asks about many at one moment."""
        return self.task_context([_task_id(task)])[0]

    def discover_viable_steps(self, task: Union[str, Task]) -> List[core.StepReadiness]:
        """Whether each step of a task may start, and why not, in topological order; those whose
        ready is true are the viable ones. Raises NotFoundError."""
        return self.step_readiness(_task_id(task))

    def batch_update_step_states(
        self,
        rows: Iterable[Tuple[int, str]],
        *,
        actor: str,
        reason: str,
        mode: str = "all_or_nothing",
    ) -> BatchUpdate:
        """Bring steps into other states by hand, in one transaction; rows are (step_id, state).

        "ready" tries a failed, skipped or cancelled step (again), "pending" lets a skipped or
        cancelled one wait for its dependencies, "skipped" and "resolved" release the steps that
        depend on it, "cancelled" keeps it from starting. Each change is checked against what is
        possible and audited; a task that had failed or was cancelled goes on. With the mode
        "partial" what is refused is left out, otherwise it raises IllegalTransitionError or
        NotFoundError, whose row says which, and nothing is written. What workers report is
        update_batch.
        """
        changed = self.override([(step_id, state, actor, reason) for step_id, state in rows], mode)
        return BatchUpdate(sum(row.status == "applied" for row in changed), changed)

    def tasks(
        self,
        *,
        workflow: Union[str, Workflow[Any], None] = None,
        status: Optional[str] = None,
        tag: Optional[str] = None,
        correlation_id: Optional[str] = None,
        created_after: Optional[datetime] = None,
        created_before: Optional[datetime] = None,
        limit: Optional[int] = None,
    ) -> Iterator[Task]:
        """Tasks that match, newest first; read page by page while it is iterated. created_after
        takes tasks of that time too, created_before does not; times need a zone."""
        name = workflow.name if isinstance(workflow, Workflow) else workflow
        before: Optional[str] = None
        left = limit
        while left is None or left > 0:
            page = self.list(
                workflow=name,
                state=status,
                tag=tag,
                correlation_id=correlation_id,
                created_after_us=_time_us(created_after),
                created_before_us=_time_us(created_before),
                before=before,
                limit=_PAGE if left is None else min(left, _PAGE),
            )
            for row in page:
                yield Task(self, row.task_id)
            if not page:
                return
            before = page[-1].task_id
            left = None if left is None else left - len(page)
