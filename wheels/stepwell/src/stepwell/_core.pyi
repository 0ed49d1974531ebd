# The interface of the C extension. stepwell._core_cffi offers the same in Python.
# Outcome rows are (step_id, epoch, outcome, result=None, error_class=None, error_message=None,
# error_detail=None, retry_after_ms=0). Submit rows are (workflow, input=None, key=None,
# version=None, tags=None, priority=0, initiator=None, reason=None, correlation_id=None,
# deadline_ms=None, deadline_us=None, parent=None).

from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from typing_extensions import Self

from ._records import Appended as Appended
from ._records import Applied as Applied
from ._records import AuditActor as AuditActor
from ._records import AuditAnchor as AuditAnchor
from ._records import AuditCheckpoint as AuditCheckpoint
from ._records import AuditEntry as AuditEntry
from ._records import AuditGroup as AuditGroup
from ._records import AuditKey as AuditKey
from ._records import AuditProof as AuditProof
from ._records import AuditReport as AuditReport
from ._records import AuditShown as AuditShown
from ._records import Calibration as Calibration
from ._records import Claim as Claim
from ._records import Control as Control
from ._records import ControlAnswer as ControlAnswer
from ._records import ControlReport as ControlReport
from ._records import ControlSignature as ControlSignature
from ._records import Evidence as Evidence
from ._records import BreakerRow as BreakerRow
from ._records import DeadGroup as DeadGroup
from ._records import DeadRow as DeadRow
from ._records import Definition as Definition
from ._records import EngineInfo as EngineInfo
from ._records import Erased as Erased
from ._records import EventRow as EventRow
from ._records import Exchange as Exchange
from ._records import Finished as Finished
from ._records import Forecast as Forecast
from ._records import ForecastCase as ForecastCase
from ._records import ForecastStep as ForecastStep
from ._records import Overridden as Overridden
from ._records import ProjectionRow as ProjectionRow
from ._records import Pruned as Pruned
from ._records import Reason as Reason
from ._records import Registered as Registered
from ._records import StepInput as StepInput
from ._records import StepPast as StepPast
from ._records import StepReadiness as StepReadiness
from ._records import StepRow as StepRow
from ._records import Submitted as Submitted
from ._records import TaskContext as TaskContext
from ._records import TaskPast as TaskPast
from ._records import TaskRow as TaskRow
from ._records import TaskerReadiness as TaskerReadiness
from ._records import WorkerRow as WorkerRow

VERSION: str
STEP_STATES: Tuple[str, ...]
STEP_STATES_ENDED: Tuple[str, ...]
TASK_STATES: Tuple[str, ...]
TASK_STATES_ENDED: Tuple[str, ...]
OUTCOMES: Tuple[str, ...]

class Error(Exception):
    code: Optional[int]
    name: Optional[str]
    row: Optional[int]

class InvalidArgumentError(Error, ValueError): ...
class NotFoundError(Error, LookupError): ...
class ConflictError(Error): ...
class BusyError(Error): ...
class StorageError(Error): ...
class StorageFullError(Error): ...
class CorruptDatabaseError(Error): ...
class ForeignDatabaseError(Error): ...
class SchemaVersionError(Error): ...

class DefinitionError(Error):
    findings: Sequence[Dict[str, Any]]
    cycle: Any  # nodes of a Graph, one way around

class LimitError(Error): ...
class IllegalTransitionError(Error): ...
class FencedError(Error): ...
class ForkedEngineError(Error): ...
class ClosedError(Error): ...
class PoisonedError(Error): ...
class WaitTimeoutError(Error, TimeoutError): ...

class AuditError(Error):
    report: AuditReport

class RefusedError(Error): ...
class AccessError(Error, PermissionError): ...

class VersionConflictError(Error):
    version: Optional[int]  # of the stream, where one event was to be appended
    expected_version: Optional[int]

def tasker_readiness(
    rule: str, rows: Sequence[Tuple[Any, ...]], now_us: int, asked: Optional[Sequence[int]] = ..., /
) -> List[TaskerReadiness]: ...

class Engine:
    def __init__(
        self,
        store: str,
        *,
        durability: Optional[str] = ...,
        busy_timeout_ms: int = ...,
        payload_max: int = ...,
        must_exist: bool = ...,
    ) -> None: ...
    @property
    def closed(self) -> bool: ...
    def close(self) -> None: ...
    def info(self) -> EngineInfo: ...
    def wake(self) -> None: ...
    def wake_count(self) -> int: ...
    def register(
        self, definition: str, /, *, source: Optional[str] = ..., strict: bool = ...
    ) -> Registered: ...
    def definition(self, name: str, version: Optional[str] = ..., /) -> Definition: ...
    def submit(self, rows: Sequence[Tuple[Any, ...]], /) -> List[Submitted]: ...
    def get(self, task_id: str, /) -> Tuple[TaskRow, List[StepRow]]: ...
    def list(
        self,
        *,
        workflow: Optional[str] = ...,
        state: Optional[str] = ...,
        tag: Optional[str] = ...,
        correlation_id: Optional[str] = ...,
        before: Optional[str] = ...,
        limit: int = ...,
        created_after_us: Optional[int] = ...,
        created_before_us: Optional[int] = ...,
        parent: Any = ...,
    ) -> List[TaskRow]: ...
    def count(
        self,
        *,
        workflow: Optional[str] = ...,
        state: Optional[str] = ...,
        tag: Optional[str] = ...,
        correlation_id: Optional[str] = ...,
        created_after_us: Optional[int] = ...,
        created_before_us: Optional[int] = ...,
        parent: Any = ...,
    ) -> Dict[str, int]: ...
    def wait(self, task_id: str, wait_ms: int, /) -> Tuple[TaskRow, List[StepRow]]: ...
    def cancel(self, rows: Sequence[Tuple[Any, ...]], /) -> None: ...
    def exchange(
        self,
        worker_id: int,
        outcomes: Sequence[Tuple[Any, ...]],
        claim_max: int,
        wait_ms: int,
        wake_count: Optional[int] = ...,
        /,
    ) -> Exchange: ...
    def update_batch(self, outcomes: Sequence[Tuple[Any, ...]], /) -> List[Applied]: ...
    def heartbeat(self, held: Sequence[Tuple[int, int]], /) -> List[Applied]: ...
    def explain(self, task_id: str, step: Optional[str] = ..., /) -> List[Reason]: ...
    def task_context(self, task_ids: Sequence[str], /) -> List[TaskContext]: ...
    def step_readiness(self, task_id: str, /) -> List[StepReadiness]: ...
    def override(
        self, rows: Sequence[Tuple[Any, ...]], mode: Optional[str] = ..., /
    ) -> List[Overridden]: ...
    def breaker_list(self) -> List[BreakerRow]: ...
    def breaker_override(self, rows: Sequence[Tuple[Any, ...]], /) -> List[BreakerRow]: ...
    def task_prune(
        self,
        finished_before_us: int,
        /,
        *,
        workflow: Optional[str] = ...,
        states: Sequence[str] = ...,
        limit: int = ...,
        dry_run: bool = ...,
        actor: Optional[str] = ...,
        reason: Optional[str] = ...,
    ) -> Pruned: ...
    def task_erase(
        self,
        subject: str,
        actor: Optional[str],
        reason: Optional[str],
        /,
        *,
        dry_run: bool = ...,
        quick: bool = ...,
    ) -> Erased: ...
    def dead_list(
        self,
        *,
        workflow: Optional[str] = ...,
        handler: Optional[str] = ...,
        step: Optional[str] = ...,
        error_class: Optional[str] = ...,
        failed_after_us: Optional[int] = ...,
        failed_before_us: Optional[int] = ...,
        after_us: Optional[int] = ...,
        after_step_id: Optional[int] = ...,
        limit: Optional[int] = ...,
    ) -> List[DeadRow]: ...
    def dead_count(
        self,
        *,
        workflow: Optional[str] = ...,
        handler: Optional[str] = ...,
        step: Optional[str] = ...,
        error_class: Optional[str] = ...,
        failed_after_us: Optional[int] = ...,
        failed_before_us: Optional[int] = ...,
    ) -> List[DeadGroup]: ...
    def dead_override(
        self,
        state: str,
        actor: str,
        reason: str,
        result: Optional[str] = ...,
        *,
        workflow: Optional[str] = ...,
        handler: Optional[str] = ...,
        step: Optional[str] = ...,
        error_class: Optional[str] = ...,
        failed_after_us: Optional[int] = ...,
        failed_before_us: Optional[int] = ...,
        after_us: Optional[int] = ...,
        after_step_id: Optional[int] = ...,
        limit: Optional[int] = ...,
    ) -> Tuple[List[DeadRow], List[Overridden]]: ...
    def forecast_rows(
        self,
        task_id: str,
        /,
        changes: Sequence[Tuple[Any, ...]] = ...,
        *,
        workers: int = ...,
        more_workers: int = ...,
        resources: Sequence[Tuple[int, Sequence[str]]] = ...,
        draws: int = ...,
        history: int = ...,
        calibrate: int = ...,
    ) -> Forecast: ...
    def picture_text(
        self,
        task_id: str,
        format: str,
        marks: int = ...,
        title: Optional[str] = ...,
        direction: int = ...,
        columns: int = ...,
        ascii: int = ...,
        color: int = ...,
        compact: int = ...,
        /,
    ) -> str: ...
    def gantt_text(
        self,
        task_id: str,
        format: str,
        title: Optional[str] = ...,
        columns: int = ...,
        width: int = ...,
        ascii: int = ...,
        color: int = ...,
        /,
    ) -> str: ...
    def duration_rows(
        self, definition: str, history: int = ..., /
    ) -> List[Tuple[str, str, int, int, int]]: ...
    def worker_open(
        self,
        handlers: Sequence[str],
        *,
        name: Optional[str] = ...,
        queues: Optional[Sequence[str]] = ...,
        lease_ms: int = ...,
    ) -> int: ...
    def worker_renew(
        self, worker_id: int, held: Sequence[Tuple[int, int]], /
    ) -> List[Tuple[int, int]]: ...
    def worker_keep(self, worker_id: int, /) -> None: ...
    def worker_close(self, worker_id: int, /) -> None: ...
    def worker_list(self) -> List[WorkerRow]: ...
    def audit_verify(
        self,
        checkpoints: Optional[Sequence[str]] = ...,
        keys: Optional[Sequence[str]] = ...,
        anchors: Optional[Sequence[Tuple[str, str, int, int]]] = ...,
        jobs: Optional[int] = ...,
        /,
    ) -> AuditReport: ...
    def audit_task(self, task_id: str, /) -> List[AuditEntry]: ...
    def audit_list(self, entry_no: int = ..., limit: int = ..., /) -> List[AuditEntry]: ...
    def audit_search(
        self,
        *,
        kind: Optional[str] = ...,
        actor: Optional[str] = ...,
        step: Optional[str] = ...,
        outcome: Optional[str] = ...,
        correlation_id: Optional[str] = ...,
        task_id: Optional[str] = ...,
        after_us: Optional[int] = ...,
        before_us: Optional[int] = ...,
        after_entry_no: Optional[int] = ...,
        limit: Optional[int] = ...,
    ) -> List[AuditEntry]: ...
    def audit_count(
        self,
        *,
        kind: Optional[str] = ...,
        actor: Optional[str] = ...,
        step: Optional[str] = ...,
        outcome: Optional[str] = ...,
        correlation_id: Optional[str] = ...,
        task_id: Optional[str] = ...,
        after_us: Optional[int] = ...,
        before_us: Optional[int] = ...,
        after_entry_no: Optional[int] = ...,
        limit: Optional[int] = ...,
    ) -> Tuple[List[AuditGroup], List[AuditActor]]: ...
    def audit_dump(
        self,
        format: str = ...,
        heads: bool = ...,
        *,
        kind: Optional[str] = ...,
        actor: Optional[str] = ...,
        step: Optional[str] = ...,
        outcome: Optional[str] = ...,
        correlation_id: Optional[str] = ...,
        task_id: Optional[str] = ...,
        after_us: Optional[int] = ...,
        before_us: Optional[int] = ...,
        after_entry_no: Optional[int] = ...,
        limit: Optional[int] = ...,
    ) -> Tuple[str, int, int]: ...
    def event_append(
        self, rows: Sequence[Tuple[Any, ...]], mode: Optional[str] = ..., /
    ) -> List[Appended]: ...
    def event_list(
        self,
        *,
        after: Optional[int] = ...,
        before: Optional[int] = ...,
        after_us: Optional[int] = ...,
        before_us: Optional[int] = ...,
        limit: Optional[int] = ...,
        types: Optional[Sequence[str]] = ...,
        task_id: Optional[str] = ...,
        correlation_id: Optional[str] = ...,
        newest_first: bool = ...,
    ) -> List[EventRow]: ...
    def event_wait(self, after: int, wait_ms: int, /) -> int: ...
    def event_replay(self, task_id: str, until: int = ..., /) -> TaskPast: ...
    def projection_open(self, name: str, version: str, /) -> ProjectionRow: ...
    def projection_save(
        self, name: str, epoch: int, start: int, position: int, state: Optional[str], /
    ) -> None: ...
    def projection_list(self) -> List[ProjectionRow]: ...
    def projection_delete(self, name: str, /) -> None: ...
    def audit_seal(
        self, path: str, sign: Optional[Callable[[bytes], bytes]] = ..., /
    ) -> AuditCheckpoint: ...
    def audit_rotate(
        self,
        path: str,
        next_path: str,
        sign: Optional[Callable[[bytes], bytes]] = ...,
        next_sign: Optional[Callable[[bytes], bytes]] = ...,
        /,
    ) -> Tuple[AuditKey, AuditCheckpoint]: ...
    def audit_anchor_put(
        self, place: str, checkpoint: str, keys: Optional[Sequence[str]], /
    ) -> AuditAnchor: ...
    def audit_prove(self, checkpoint: str, entry_nos: Sequence[int], /) -> List[AuditProof]: ...
    def audit_prove_consistency(self, old: str, checkpoint: str, /) -> AuditProof: ...
    def audit_export(self, folder: str, checkpoint: str, /) -> None: ...
    def task_export(
        self, task_id: str, checkpoint: Optional[str] = ..., path: Optional[str] = ..., /
    ) -> str: ...
    @classmethod
    def audit_keygen(cls, name: str, path: str, /) -> AuditKey: ...
    @classmethod
    def audit_enrol(cls, vkey: str, path: str, /) -> None: ...
    @classmethod
    def audit_anchor_get(cls, place: str, origin: str, /) -> AuditAnchor: ...
    @classmethod
    def audit_prove_export(
        cls, folder: str, checkpoint: Optional[str], entry_nos: Sequence[int], /
    ) -> List[AuditProof]: ...
    @classmethod
    def audit_prove_export_consistency(
        cls, folder: str, old: str, checkpoint: Optional[str], /
    ) -> AuditProof: ...
    @classmethod
    def audit_check(
        cls, proof: str, checkpoints: Optional[Sequence[str]], keys: Optional[Sequence[str]], /
    ) -> AuditShown: ...
    def control_report(
        self,
        format: str,
        standards: Optional[Sequence[str]],
        after_us: Optional[int],
        before_us: Optional[int],
        checkpoints: Optional[Sequence[str]],
        keys: Optional[Sequence[str]],
        /,
    ) -> ControlReport: ...
    @classmethod
    def control_report_export(
        cls,
        folder: str,
        format: str,
        standards: Optional[Sequence[str]],
        after_us: Optional[int],
        before_us: Optional[int],
        checkpoints: Optional[Sequence[str]],
        keys: Optional[Sequence[str]],
        /,
    ) -> ControlReport: ...
    @classmethod
    def control_list(cls) -> List[Control]: ...
    @classmethod
    def control_sign(cls, path: str, text: str, /) -> ControlSignature: ...
    @classmethod
    def control_check(
        cls, text: str, note: str, keys: Optional[Sequence[str]], /
    ) -> ControlSignature: ...
    @classmethod
    def audit_verify_export(
        cls,
        folder: str,
        checkpoints: Optional[Sequence[str]],
        keys: Optional[Sequence[str]],
        anchors: Optional[Sequence[Tuple[str, str, int, int]]] = ...,
        jobs: Optional[int] = ...,
        /,
    ) -> AuditReport: ...
    @classmethod
    def task_file_verify(
        cls,
        text: str,
        source: Optional[str],
        checkpoints: Optional[Sequence[str]],
        keys: Optional[Sequence[str]],
        anchors: Optional[Sequence[Tuple[str, str, int, int]]] = ...,
        /,
    ) -> AuditReport: ...
    @classmethod
    def task_file_open(
        cls, text: str, source: Optional[str] = ..., entry_no: Optional[int] = ..., /
    ) -> Self: ...

class Graph:
    def __new__(cls, edges: Any, nodes: Any = ..., repeats: bool = ...) -> Graph: ...
    @classmethod
    def of(cls, definition: str, /) -> Graph: ...
    @property
    def node_count(self) -> int: ...
    @property
    def edge_count(self) -> int: ...
    @property
    def labels(self) -> Optional[List[Any]]: ...
    @property
    def index(self) -> Optional[Dict[Any, int]]: ...
    @property
    def arrays(self) -> bool: ...
    def view(self) -> Tuple[memoryview, memoryview, memoryview, memoryview, memoryview]: ...
    def order(self, priority: Any = ..., /) -> memoryview: ...
    def analyze(
        self,
        parts: int = ...,
        duration: Any = ...,
        priority: Any = ...,
        roots: Any = ...,
        bottleneck_max: int = ...,
        width_effort: int = ...,
        /,
    ) -> Dict[str, Any]: ...
    def cycles(self) -> List[Tuple[Any, ...]]: ...
    def reach(self, direction: int, nodes: Any, /) -> List[memoryview]: ...
    def common(self, direction: int, nodes: Any, /) -> List[memoryview]: ...
    def reduce(self) -> List[Tuple[int, int, int]]: ...
    def makespan(
        self,
        duration: Any = ...,
        workers: int = ...,
        resources: Sequence[Tuple[str, int, Any]] = ...,
        /,
    ) -> Dict[str, Any]: ...
    def diff(self, other: Graph, /) -> List[Tuple[Any, ...]]: ...
    def picture(
        self,
        format: str,
        marks: int = ...,
        duration: Any = ...,
        title: Optional[str] = ...,
        direction: int = ...,
        columns: int = ...,
        ascii: int = ...,
        color: int = ...,
        compact: int = ...,
        /,
    ) -> str: ...
    def edit(self) -> GraphEdit: ...

class GraphEdit:
    def insert(
        self,
        node_count: int,
        names: Optional[Sequence[str]],
        from_nodes: Any,
        to_nodes: Any,
        /,
    ) -> None: ...
    def order(self) -> memoryview: ...
    def finish(self, labels: Any, /) -> Graph: ...
