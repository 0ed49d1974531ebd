"""Rows that the engine gives back, as plain named tuples.

The C extension has types of its own with the same names and fields; this module serves the cffi
binding and type checkers. Times are microseconds UTC on the store's clock, 0 where they have not
come yet; JSON is text. The reference is the public header of the engine.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Tuple


class EngineInfo(NamedTuple):
    """What is open."""

    durability: str
    schema_version: int
    sqlite: bool
    now_us: int


class Registered(NamedTuple):
    """A stored definition; warnings are dicts like the findings of a DefinitionError."""

    name: str
    version: str
    digest: str
    warnings: List[Dict[str, Any]]


class Definition(NamedTuple):
    """A definition read back; json is its canonical form, which digest is taken from."""

    name: str
    version: str
    digest: str
    json: str
    input_schema: Optional[str]
    max_parallel: int
    deadline_ms: int


class Submitted(NamedTuple):
    """The answer to one submitted row; created is False when the key named an existing task."""

    task_id: str
    created: bool
    state: str


class TaskRow(NamedTuple):
    """A task as stored."""

    task_id: str
    workflow: str
    version: str
    digest: str
    state: str
    input: Optional[str]
    key: Optional[str]
    tags: Tuple[str, ...]
    priority: int
    initiator: Optional[str]
    reason: Optional[str]
    correlation_id: Optional[str]
    created_us: int
    started_us: int
    finished_us: int
    step_count: int
    step_counts: Dict[str, int]
    deadline_us: int
    parent_id: Optional[str]


class StepRow(NamedTuple):
    """A step of a task as stored."""

    step_id: int
    name: str
    title: Optional[str]
    handler: str
    queue: str
    state: str
    attempt: int
    max_attempts: int
    open_deps: int
    level: int
    epoch: int
    changed_us: int
    not_before_us: int
    deadline_us: int
    worker_id: int
    result: Optional[str]
    error_class: Optional[str]
    error_message: Optional[str]
    error_detail: Optional[str]
    fails_us: int


class Applied(NamedTuple):
    """What became of one reported outcome; status is "applied" or "fenced"."""

    step_id: int
    epoch: int
    status: str
    state: str
    not_before_us: int


class StepInput(NamedTuple):
    """The result of a direct dependency."""

    name: str
    result: Optional[str]
    state: str


class Claim(NamedTuple):
    """A step that the worker now holds."""

    step_id: int
    epoch: int
    task_id: str
    workflow: str
    version: str
    name: str
    handler: str
    queue: str
    parameters: Optional[str]
    input: Optional[str]
    idempotency_key: str
    correlation_id: Optional[str]
    inputs: List[StepInput]
    attempt: int
    max_attempts: int
    timeout_ms: int
    heartbeat_ms: int


class Finished(NamedTuple):
    """A task that ended in an exchange."""

    task_id: str
    state: str


class Exchange(NamedTuple):
    """The answer of an exchange."""

    applied: List[Applied]
    claims: List[Claim]
    finished: List[Finished]


class Reason(NamedTuple):
    """Why a step does not run; message is one sentence for people."""

    step: str
    state: str
    reason: str
    subject: Optional[str]
    message: str
    until_us: int


class TaskContext(NamedTuple):
    """Where a task stands.

    completion_percentage has two digits and is 100 only when every step is done. next_steps are
    ready and may start now, in the order in which workers get them; blocking_steps have failed for
    good or were cancelled; blocked_steps are pending and depend on those, at whatever distance.
    deadline_us is by when the task has to end, next_deadline_us the first deadline to pass of
    those of the task and of its steps; 0 where there is none.
    """

    task_id: str
    workflow: str
    version: str
    state: str
    execution_status: str
    recommended_action: str
    health_status: str
    completion_percentage: float
    step_count: int
    step_counts: Dict[str, int]
    ready_count: int
    next_retry_us: int
    next_steps: Tuple[str, ...]
    blocking_steps: Tuple[str, ...]
    blocked_steps: Tuple[str, ...]
    deadline_us: int
    next_deadline_us: int


class StepReadiness(NamedTuple):
    """Whether a step may start.

    attempts are those that count: not those ended by a lost lease. Parents are direct
    dependencies; completed ones are done for this step.
    """

    step_id: int
    step: str
    state: str
    ready: bool
    reason: str
    dependencies_satisfied: bool
    retry_eligible: bool
    attempts: int
    max_attempts: int
    total_parents: int
    completed_parents: int
    next_retry_us: int


class Appended(NamedTuple):
    """What became of an event that was to be appended; status is "appended", "duplicate" or
    "refused".

    position is that of the event, of the first one for a duplicate; version that of the stream after
    this row, 0 where there is no such task. code and message say why it was refused.
    """

    position: int
    version: int
    status: str
    code: int
    message: Optional[str]


class EventRow(NamedTuple):
    """An event as the core tells it; data is JSON text."""

    position: int
    time_us: int
    type: str
    task_id: Optional[str]
    step: Optional[str]
    data: Optional[str]
    key: Optional[str]
    correlation_id: Optional[str]
    entry: AuditEntry


class StepPast(NamedTuple):
    """A step as an event left it; position is that of the event that brought it there, 0 the
    submission of the task."""

    step_id: int
    name: str
    state: str
    attempt: int
    epoch: int
    position: int
    changed_us: int


class TaskPast(NamedTuple):
    """A task as an event left it; position is that of the event, the version of its stream then."""

    task_id: str
    workflow: str
    version: str
    state: str
    position: int
    time_us: int
    step_counts: Dict[str, int]
    steps: List[StepPast]


class ProjectionRow(NamedTuple):
    """A projection as it is kept; version is that of the code, state is JSON text."""

    name: str
    version: str
    epoch: int
    position: int
    changed_us: int
    state: Optional[str]


class Overridden(NamedTuple):
    """What became of a step that was to be changed by hand; status is "applied" or "refused".

    state is the one after the call; code and message say why it was refused, 0 and None otherwise.
    """

    step_id: int
    status: str
    from_state: Optional[str]
    state: Optional[str]
    code: int
    message: Optional[str]


class Pruned(NamedTuple):
    """What was pruned, or would be; freed_bytes is by how much the file becomes smaller."""

    task_count: int
    step_count: int
    freed_bytes: int


class Erased(NamedTuple):
    """What was erased, or would be; erased_count had been before, clean says that no copy is left
    in the database file."""

    task_count: int
    erased_count: int
    clean: bool


class DeadRow(NamedTuple):
    """A step that has failed for good.

    The error is that of the last attempt. attempt counts the attempts that were started, crashes
    those that were lost with their worker.
    """

    step_id: int
    task_id: str
    workflow: str
    version: str
    step: str
    handler: str
    queue: str
    error_class: Optional[str]
    error_message: Optional[str]
    error_detail: Optional[str]
    failed_us: int
    attempt: int
    max_attempts: int
    crashes: int
    task_state: str


class DeadGroup(NamedTuple):
    """Dead letters of one error class and handler; the times are those of their failures."""

    error_class: Optional[str]
    handler: str
    count: int  # type: ignore[assignment]
    oldest_us: int
    newest_us: int


class TaskerReadiness(NamedTuple):
    """What Tasker's row of a step would say; ready is its ready_for_execution, next_retry_us the
    end of the waits, also when it is over, None when there is none."""

    ready: bool
    dependencies_satisfied: bool
    retry_eligible: bool
    total_parents: int
    completed_parents: int
    next_retry_us: Optional[int]


class BreakerRow(NamedTuple):
    """A circuit breaker.

    state is "closed", "open" or "half_open". failures are those in a row; successes and probing are
    for half-open ones: so far, and steps that run. until_us is when an open one becomes half-open,
    0 when an operator has to close it; forced says that one has opened it. The last five are its
    settings.
    """

    name: str
    state: str
    failures: int
    successes: int
    probing: int
    openings: int
    forced: bool
    until_us: int
    changed_us: int
    error_class: Optional[str]
    failure_threshold: int
    success_threshold: int
    probes: int
    open_ms: int
    max_open_ms: int


class WorkerRow(NamedTuple):
    """A worker as stored; held counts the steps it holds."""

    worker_id: int
    name: str
    host: str
    pid: int
    lease_until_us: int
    held: int
    alive: bool
    handlers: Tuple[str, ...]


class AuditEntry(NamedTuple):
    """One entry of the audit log."""

    entry_no: int
    time_us: int
    kind: str
    task_id: Optional[str]
    step_id: int
    step: Optional[str]
    from_state: Optional[str]
    to_state: Optional[str]
    attempt: int
    epoch: int
    worker_id: int
    actor: Optional[str]
    reason: Optional[str]
    subject: Optional[str]
    digest: bytes


class AuditReport(NamedTuple):
    """What a verification of the audit log found."""

    ok: bool
    entry_count: int
    segment_count: int
    step_count: int
    commit_count: int
    fenced_count: int
    reclaim_count: int
    first_bad_entry: int
    last_bad_entry: int
    head: str
    message: str
    level: str
    signed_count: int
    root: Optional[str]
    pruned_count: int
    erased_count: int
    anchored_count: int
    anchored_us: int


class AuditGroup(NamedTuple):
    """Entries of one kind that led to one state; outcome is None where there is none."""

    kind: str
    outcome: Optional[str]
    count: int  # type: ignore[assignment]
    oldest_us: int
    newest_us: int


class AuditActor(NamedTuple):
    """Entries of one actor, None for the engine itself."""

    actor: Optional[str]
    count: int  # type: ignore[assignment]
    oldest_us: int
    newest_us: int


class AuditKey(NamedTuple):
    """A key that signs checkpoints: the name of the log, and the public verifier key."""

    name: str
    vkey: str


class AuditCheckpoint(NamedTuple):
    """A signed checkpoint; note is its text, root that of the tree of all its entries in hex."""

    origin: str
    entry_count: int
    entries_new: int
    root: str
    note: str


class AuditAnchor(NamedTuple):
    """A checkpoint that lies outside; note is its text, with what witnesses signed, time_us when it
    was set, as the place says, 0 where it does not."""

    place: str
    note: str
    entry_count: int
    time_us: int


class AuditProof(NamedTuple):
    """A proof as text, and the entry that it is about; None for a proof of consistency."""

    entry: Optional[AuditEntry]
    text: str


class AuditShown(NamedTuple):
    """What a proof has shown: entry is in the log of origin as it was with entry_count entries, or
    the first old_count of these are those of the older checkpoint."""

    origin: str
    entry_count: int
    old_count: int
    entry: Optional[AuditEntry]


class Control(NamedTuple):
    """A control of a standard ("pci", ...): cites is the standard's title and edition, control how
    it numbers it; title and question are in our words, and evidence are the kinds that answer it.
    Without evidence, question says who can."""

    standard: str
    cites: str
    control: str
    title: str
    question: str
    evidence: List[str]


class ControlAnswer(NamedTuple):
    """What its evidence says of a control: answer is "found", "not_found" or "not_applicable",
    entry_nos a sample of the entries."""

    standard: str
    control: str
    title: str
    question: str
    answer: str
    entry_nos: List[int]


class Evidence(NamedTuple):
    """What there is of a kind of evidence: how many entries are evidence, how many speak against
    it, and a sample of each."""

    evidence: str
    question: str
    answer: str
    entry_count: int
    entry_nos: List[int]
    against_count: int
    against_nos: List[int]


class ControlReport(NamedTuple):
    """What the audit log of origin holds as evidence: of the entry_count entries that the
    checkpoint covers, window_count are of the time asked for; as_of_us is when the newest was
    written. found, not_found and not_applicable count controls; text is the document."""

    origin: str
    entry_count: int
    window_count: int
    as_of_us: int
    level: str
    found: int
    not_found: int
    not_applicable: int
    controls: List[ControlAnswer]
    evidence: List[Evidence]
    text: str


class ControlSignature(NamedTuple):
    """Who signed a report: the name of the key, SHA-256 of the report in hex, the signed text."""

    name: str
    digest: str
    note: str


class ForecastCase(NamedTuple):
    """One case of a forecast; left_us are the 10th, 50th and 90th percentile of the time to the
    end, p50_between_us is how exact the plays make the 50th (it lies there with 95 %), path are the
    steps that decide the end."""

    state: str
    workers: int
    left_us: Tuple[int, int, int]
    p50_between_us: Tuple[int, int]
    work_us: int
    never_count: int
    path: Tuple[str, ...]
    progress: float


class ForecastStep(NamedTuple):
    """A step of a forecast; source says where its durations come from."""

    name: str
    state: str
    source: str
    sample_count: int
    p50_us: int
    p95_us: int
    elapsed_us: int
    runs: bool
    runs_what_if: bool
    overdue: bool
    decides: float
    decides_what_if: float


class Calibration(NamedTuple):
    """Past tasks forecast in hindsight: how many, how many of them ended between the 10th and the
    90th percentile, and the median relative error of the 50th."""

    task_count: int
    within_count: int
    error: float
    trusted: bool


class Forecast(NamedTuple):
    """When a task ends, as it is and with the changes asked for."""

    task_id: str
    state: str
    changed: bool
    now_us: int
    elapsed_us: int
    step_count: int
    ended_count: int
    history_count: int
    draws: int
    workers_learnt: bool
    base: ForecastCase
    what_if: ForecastCase
    difference_us: Tuple[int, int, int]
    calibration: Calibration
    steps: List[ForecastStep]
