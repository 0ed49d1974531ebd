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
    Iterator,
    Mapping,
    Optional,
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
    from types import TracebackType

    from typing_extensions import ParamSpec

    P = ParamSpec("P")

R = TypeVar("R")
InputT = TypeVar("InputT")

_PAGE = 500


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
        on_failure: Optional[str] = None,
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
        on_failure: Optional[str] = None,
        metadata: Optional[Mapping[str, Any]] = None,
    ) -> Workflow[Any]: ...

    def workflow(self, name: str, **options: Any) -> Workflow[Any]:
        """Declare a workflow; add steps to it with Workflow.step.

        input is a dataclass or TypedDict that inputs are checked against, or a JSON Schema that
        is kept with the definition. on_failure is what a failure means where a step does not say
        ("block" by default); see Workflow.step.
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

    def tasks(
        self,
        *,
        workflow: Union[str, Workflow[Any], None] = None,
        status: Optional[str] = None,
        tag: Optional[str] = None,
        correlation_id: Optional[str] = None,
        limit: Optional[int] = None,
    ) -> Iterator[Task]:
        """Tasks that match, newest first; read page by page while it is iterated."""
        name = workflow.name if isinstance(workflow, Workflow) else workflow
        before: Optional[str] = None
        left = limit
        while left is None or left > 0:
            page = self.list(
                workflow=name,
                state=status,
                tag=tag,
                correlation_id=correlation_id,
                before=before,
                limit=_PAGE if left is None else min(left, _PAGE),
            )
            for row in page:
                yield Task(self, row.task_id)
            if not page:
                return
            before = page[-1].task_id
            left = None if left is None else left - len(page)
