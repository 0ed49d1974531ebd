"""The engine: one open store, with workflows declared on it.

Engine extends the binding's Engine, so the batch calls (submit, exchange, update_batch, ...) are
here at full speed, beside the friendly ones. Not here: running handlers (worker.py).
"""

from __future__ import annotations

import json
import os
import re
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Type,
    TypeVar,
    Union,
    overload,
)

from ._audit import Audit
from ._binding import core
from ._breaker import Breaker, Breakers
from ._dead import BatchUpdate, DeadLetters, time_us
from ._duration import StepDuration
from ._events import Events
from ._handler import Handler
from ._retry import Retry
from .task import Task
from .workflow import Workflow

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from types import TracebackType

    from typing_extensions import ParamSpec

    from ._analysis import Analysis
    from ._records import Definition
    from ._step import Step

    P = ParamSpec("P")
    # A step by name or as declared, or several of them.
    StepNames = Union[str, Step[Any, Any], Sequence[Union[str, Step[Any, Any]]]]

R = TypeVar("R")
InputT = TypeVar("InputT")

_PAGE = 500
_TASK_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _task_id(task: Union[str, Task]) -> str:
    return task.id if isinstance(task, Task) else task


def _duration_us(duration: Any) -> int:
    """Microseconds of a timedelta or of a number of seconds."""
    total = getattr(duration, "total_seconds", None)
    return int((total() if total else duration) * 1_000_000)


def _step_name(step: Any) -> str:
    name = step if isinstance(step, str) else getattr(step, "name", None)
    if not isinstance(name, str):
        raise TypeError(f"a step must be str or Step, not {type(step).__name__}")
    return name


def _step_names(steps: Any) -> List[str]:
    """The names of one step or several."""
    if isinstance(steps, (list, tuple)):
        return [_step_name(step) for step in steps]
    return [_step_name(steps)]


class Engine(DeadLetters, Breakers, Events):
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
        self._begin(os.fspath(store))

    def _begin(self, store: str) -> None:
        self.store = store
        self.workflows: Dict[str, Workflow[Any]] = {}
        self.handlers: Dict[str, Handler[Any, Any]] = {}

    @classmethod
    def task_file_open(
        cls, text: str, source: Optional[str] = None, entry_no: Optional[int] = None, /
    ) -> Engine:
        """An engine in memory of the text of a task file; TaskFile.open says more."""
        engine = super().task_file_open(text, source, entry_no)
        engine._begin("memory:")
        return engine

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

    @property
    def audit(self) -> Audit:
        """The audit log: verify, sign, prove, export."""
        return Audit(self)

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
        breakers: Optional[Mapping[str, Breaker]] = None,
        deadline: Optional[float] = None,
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
        breakers: Optional[Mapping[str, Breaker]] = None,
        deadline: Optional[float] = None,
        metadata: Optional[Mapping[str, Any]] = None,
    ) -> Workflow[Any]: ...

    def workflow(self, name: str, **options: Any) -> Workflow[Any]:
        """Declare a workflow; add steps to it with Workflow.step.

        input is a dataclass or TypedDict that inputs are checked against, or a JSON Schema that
        is kept with the definition. on_failure is what a failure means where a step does not say
        ("block" by default); see Workflow.step. breakers sets circuit breakers that steps name.
        deadline is how many seconds a task may take from its start on.
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

    def analyze_dependencies(
        self,
        workflow: Union[str, Workflow[Any]],
        *,
        version: Optional[str] = None,
        duration: Optional[Mapping[str, float]] = None,
        durations: str = "declared",
        parts: Optional[Iterable[str]] = None,
    ) -> Analysis[str]:
        """Levels, critical path, slack, bottlenecks, width, impact and more of a stored workflow.

        workflow is its name, a Workflow, or the identifier of a task, which stands for the
        definition that its steps come from. duration says how many seconds steps take; a step that
        it does not name counts with its timeout, one without a timeout as a second; durations
        "p50" and "p95" take what ended tasks took instead, where there are any. Times in the
        answer are seconds. Raises NotFoundError.
        """
        from .graph import Graph

        definition = self._definition_of(workflow, version)
        steps = json.loads(definition.json)["steps"]
        seconds = {step["name"]: step.get("timeout_ms", 0) / 1000 or 1.0 for step in steps}
        seconds.update(self._learnt(definition.json, durations))
        return Graph.of(definition).analyze(
            duration={**seconds, **(duration or {})},
            parts=parts,
        )

    analyze = analyze_dependencies

    def _learnt(self, definition: str, durations: str) -> Dict[str, float]:
        """Seconds that steps took in ended tasks, of those that are known from them."""
        if durations == "declared":
            return {}
        if durations not in ("p50", "p95"):
            error = core.InvalidArgumentError(
                f"durations is {durations!r}, expected 'declared', 'p50' or 'p95'"
            )
            error.row = None
            raise error
        rows = [StepDuration(*row) for row in self.duration_rows(definition)]
        return {
            row.name: (row.p50_us if durations == "p50" else row.p95_us) / 1_000_000
            for row in rows
            if row.sample_count > 0
        }

    def durations(
        self,
        workflow: Union[str, Workflow[Any]],
        *,
        version: Optional[str] = None,
        history: int = 0,
    ) -> Dict[str, StepDuration]:
        """What the steps of a stored workflow take, as far as its ended tasks tell, by name.

        workflow is as for analyze_dependencies, history how many of the newest ended tasks teach
        (0 means 50, 1,000 at most). Raises NotFoundError.
        """
        definition = self._definition_of(workflow, version)
        rows = self.duration_rows(definition.json, history)
        return {row[0]: StepDuration(*row) for row in rows}

    def picture(self, task: Union[str, Task], format: str = "svg", **options: Any) -> str:
        """A task as it stands: states, and how long the attempts of each step have run.

        format is "svg", "mermaid", "dot", "json" or "text". critical marks the path that decides
        the end, by measured times and the median of earlier tasks; slack shows how much later
        steps may end, redundant marks dependencies that follow from others, durations shows what
        paths are reckoned with. direction is "down" or "right", title stands instead of the
        workflow's name; for text, columns (80), ascii and color.

        Raises NotFoundError, LimitError for what is too large or too wide.
        """
        from ._pictures import read_options

        marks, rest = read_options(**options)
        return self.picture_text(_task_id(task), format, marks, *rest)

    def gantt(
        self,
        task: Union[str, Task],
        format: str = "svg",
        *,
        title: Optional[str] = None,
        columns: int = 0,
        width: int = 0,
        ascii: bool = False,
        color: bool = False,
    ) -> str:
        """The attempts of a task along a time line: one line per step, waiting and running apart.

        format is "svg" (width pixels, 960 unless given), "json" or "text" (at most so many columns,
        80 unless given). Raises NotFoundError, InvalidArgumentError for another format.
        """
        return self.gantt_text(
            _task_id(task), format, title, columns, width, int(ascii), int(color)
        )

    def _definition_of(
        self, workflow: Union[str, Workflow[Any]], version: Optional[str]
    ) -> Definition:
        if isinstance(workflow, Workflow):
            workflow.register()
            return self.definition(workflow.name, workflow.version)
        try:
            return self.definition(workflow, version)
        except core.NotFoundError:
            if not _TASK_ID.fullmatch(workflow):
                raise
            row = self.get(workflow)[0]
            return self.definition(row.workflow, row.version)

    def forecast(
        self,
        task_id: str,
        *,
        fail: StepNames = (),
        slower: Optional[Mapping[Any, float]] = None,
        skip: StepNames = (),
        resolve: StepNames = (),
        workers: int = 0,
        more_workers: int = 0,
        resources: Sequence[Tuple[int, StepNames]] = (),
        draws: int = 0,
        history: int = 0,
        calibrate: int = 0,
    ) -> core.Forecast:
        """When a task ends, from what its steps took in earlier tasks, and the same with changes.

        fail, skip and resolve name one step or several: those that fail for good when they would
        have ended, and those that an operator skips or resolves now. slower maps steps to factors.
        workers is how many steps run at once, more_workers is added to that or to the number
        learnt (it may be negative), resources are (seats, steps): at most so many of these steps
        run at once. draws is how often the rest of the task is played (200, of large tasks less
        often, but 5 times), history how many of the newest ended tasks teach (50, of large ones
        those with 200,000 steps together), calibrate how many of them are forecast in hindsight
        (20, of large ones fewer or none; -1 for none). Nothing is written; the same question about
        the same state has the same answer.

        Raises NotFoundError for a step the task does not have, IllegalTransitionError for one
        that has ended or that an operator could not change so; row counts over fail, skip,
        resolve, slower.
        """
        changes: List[Tuple[Any, ...]] = [(name, "fail") for name in _step_names(fail)]
        changes += [(name, "skip") for name in _step_names(skip)]
        changes += [(name, "resolve") for name in _step_names(resolve)]
        changes += [
            (_step_name(step), "slower", factor) for step, factor in (slower or {}).items()
        ]
        return self.forecast_rows(
            task_id,
            changes,
            workers=workers,
            more_workers=more_workers,
            resources=[(seats, _step_names(steps)) for seats, steps in resources],
            draws=draws,
            history=history,
            calibrate=calibrate,
        )

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
        cancelled one wait for its dependencies, "skipped" leaves it out, with what cannot start
        without it, "resolved" says that it was done by other means, and lets the rest go on,
        "cancelled" keeps it from starting. What was skipped because of a step stays so when it is
        taken up again. Each change is checked against what is possible and audited; a task that had failed or was cancelled goes on. With the mode
        "partial" what is refused is left out, otherwise it raises IllegalTransitionError or
        NotFoundError, whose row says which, and nothing is written. What workers report is
        update_batch.
        """
        changed = self.override([(step_id, state, actor, reason) for step_id, state in rows], mode)
        return BatchUpdate(sum(row.status == "applied" for row in changed), changed)

    def prune(
        self,
        *,
        older_than: Union[timedelta, float, None] = None,
        finished_before: Optional[datetime] = None,
        workflow: Union[str, Workflow[Any], None] = None,
        states: Union[str, Sequence[str]] = (),
        limit: int = 0,
        dry_run: bool = False,
        actor: Optional[str] = None,
        reason: Optional[str] = None,
    ) -> core.Pruned:
        """Take out tasks that ended long ago, with their steps, inputs, results, tags and
        idempotency keys, in many short transactions that let workers go on; then give their room
        back to the file system.

        older_than is the time since they ended, in seconds when it is a number; finished_before
        is a time with a time zone. One of the two must be given. states says in which states they
        ended (any, when it is empty), limit how many tasks at most, the oldest first. dry_run
        counts and changes nothing. The audit log keeps what it says of them and gets an entry for
        each with actor and reason, so that audit_verify still replays everything. Raises
        ValueError without a time or with two, InvalidArgumentError for a state in which no task
        ends.
        """
        if (older_than is None) == (finished_before is None):
            raise ValueError("either older_than or finished_before")
        before = time_us(finished_before)
        if before is None:
            before = self.info().now_us - _duration_us(older_than)
        return self.task_prune(
            before,
            workflow=workflow.name if isinstance(workflow, Workflow) else workflow,
            states=[states] if isinstance(states, str) else list(states),
            limit=limit,
            dry_run=dry_run,
            actor=actor,
            reason=reason,
        )

    def erase(
        self,
        subject: str,
        *,
        actor: str,
        reason: str,
        dry_run: bool = False,
        quick: bool = False,
    ) -> core.Erased:
        """Destroy what is known of a subject: inputs, results and errors of all tasks with the
        tag "subject:SUBJECT".

        States and the audit log stay, every proof still holds, and the log keeps who asked and
        why. The tasks cannot be taken up again. dry_run counts and changes nothing; quick does not
        rewrite the file, so that old copies may remain in unused room of it. Raises
        IllegalTransitionError while a task of the subject has not ended; nothing is erased then.
        """
        return self.task_erase(subject, actor, reason, dry_run=dry_run, quick=quick)

    def tasks(
        self,
        *,
        workflow: Union[str, Workflow[Any], None] = None,
        status: Optional[str] = None,
        tag: Optional[str] = None,
        correlation_id: Optional[str] = None,
        created_after: Optional[datetime] = None,
        created_before: Optional[datetime] = None,
        parent: Union[str, Task, None] = None,
        limit: Optional[int] = None,
    ) -> Iterator[Task]:
        """Tasks that match, newest first; read page by page while it is iterated. created_after
        takes tasks of that time too, created_before does not; times need a zone. parent takes
        the tasks that this one started."""
        name = workflow.name if isinstance(workflow, Workflow) else workflow
        before: Optional[str] = None
        left = limit
        while left is None or left > 0:
            page = self.list(
                workflow=name,
                state=status,
                tag=tag,
                correlation_id=correlation_id,
                created_after_us=time_us(created_after),
                created_before_us=time_us(created_before),
                parent=parent,
                before=before,
                limit=_PAGE if left is None else min(left, _PAGE),
            )
            for row in page:
                yield Task(self, row.task_id)
            if not page:
                return
            before = page[-1].task_id
            left = None if left is None else left - len(page)
