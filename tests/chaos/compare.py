"""The comparison of a database with the ledgers that were kept outside of it.

A Story holds both: what `chaos dump` tells of the database, and what workers and clients wrote
down. Each function of CHECKS answers with the violations it found; none of them asks the engine
for its opinion except audit_verifies. Not here: making a story happen (rounds.py).
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple

# Attempts that a lost worker may cost a step before it fails (SW__CRASHES_MAX).
CRASHES_MAX = 5

ENDED = {"succeeded", "failed", "skipped", "cancelled", "resolved"}
GIVEN_BACK = {"released", "worker closed"}
LOST = {"lease expired", "worker died"}

# Where a reported outcome may lead.
LEADS_TO = {
    "succeeded": {"succeeded"},
    "failed": {"ready", "waiting", "failed"},
    "released": {"ready"},
}

Attempt = Tuple[int, int]  # number of the step, epoch


@dataclass
class Definition:
    """Dependencies of each step of a workflow, and the steps that are meant to fail."""

    after: Dict[str, List[str]]
    failing: List[str]

    @staticmethod
    def load(path: Path) -> Tuple[str, Definition]:
        text = json.loads(path.read_text())
        steps = text["steps"]
        after = {step["name"]: step.get("after", []) for step in steps}
        failing = [
            step["name"]
            for step in steps
            if step.get("parameters", {}).get("fails", 0)
            >= step.get("retry", {}).get("max_attempts", 1)
        ]
        return text["name"], Definition(after, failing)


@dataclass
class Entry:
    """An entry of the audit log."""

    number: int
    kind: str
    before: str
    after: str
    attempt: int
    epoch: int
    step_id: int
    reason: Optional[str]


@dataclass
class Step:
    step_id: int
    task: str
    name: str
    state: str
    attempt: int
    epoch: int
    result: Any
    entries: List[Entry] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.task}/{self.name}"

    def claims(self) -> List[Entry]:
        return [entry for entry in self.entries if entry.after == "running"]

    def ends(self, epoch: int) -> List[Entry]:
        """How the attempt with this epoch ended."""
        return [e for e in self.entries if e.before == "running" and e.epoch == epoch]

    def end(self) -> Optional[Entry]:
        """The entry that ended the step."""
        return next((entry for entry in self.entries if entry.after in ENDED), None)

    def worn_out(self) -> bool:
        """It was lost with its workers so often that it failed."""
        return sum(entry.reason in LOST for entry in self.entries) > CRASHES_MAX


@dataclass
class Task:
    task_id: str
    workflow: str
    state: str
    key: Optional[str]
    steps: Dict[str, Step] = field(default_factory=dict)


class Story:
    """What the database tells, and what the ledgers tell."""

    def __init__(self, definitions: Dict[str, Definition]) -> None:
        self.definitions = definitions
        self.tasks: Dict[str, Task] = {}
        self.steps: Dict[int, Step] = {}
        self.entries: List[Entry] = []
        self.verified: List[str] = []
        self.starts: List[Tuple[str, int, int]] = []  # task/step, epoch, attempt
        self.acks: List[Tuple[Attempt, str]] = []
        self.fenced: List[Attempt] = []
        self.got: List[Tuple[Optional[str], str, bool]] = []  # key, task, whether it was new
        self.errors: Counter[str] = Counter()

    def read_dump(self, text: str) -> None:
        for line in text.splitlines():
            kind, *words = line.split("\t")
            getattr(self, f"_read_{kind}")(*words)

    def read_ledgers(self, paths: Iterable[Path]) -> None:
        for path in paths:
            for line in path.read_text().splitlines():
                kind, *words = line.split(" ")
                getattr(self, f"_note_{kind}")(*words)

    def step(self, name: str) -> Optional[Step]:
        """The step that a ledger calls task/step."""
        task, _, step = name.partition("/")
        return self.tasks[task].steps.get(step) if task in self.tasks else None

    def _read_task(self, task_id: str, workflow: str, state: str, key: str) -> None:
        self.tasks[task_id] = Task(task_id, workflow, state, None if key == "-" else key)

    def _read_step(
        self, task: str, number: str, name: str, state: str, attempt: str, epoch: str, *rest: str
    ) -> None:
        result = None if rest[1] == "-" else json.loads(rest[1])
        step = Step(int(number), task, name, state, int(attempt), int(epoch), result)
        self.steps[step.step_id] = self.tasks[task].steps[name] = step

    def _read_entry(
        self, number: str, kind: str, before: str, after: str, attempt: str, epoch: str, *rest: str
    ) -> None:
        step_id, _worker, _task, reason = rest
        given = None if reason == "-" else reason
        entry = Entry(
            int(number), kind, before, after, int(attempt), int(epoch), int(step_id), given
        )
        self.entries.append(entry)
        if kind == "step_changed" and entry.step_id in self.steps:
            self.steps[entry.step_id].entries.append(entry)

    def _read_verified(self, *words: str) -> None:
        self.verified = list(words)

    def _note_start(self, name: str, epoch: str, attempt: str, _time_us: str = "") -> None:
        self.starts.append((name, int(epoch), int(attempt)))

    def _note_ack(self, step_id: str, epoch: str, outcome: str) -> None:
        self.acks.append(((int(step_id), int(epoch)), outcome))

    def _note_fenced(self, step_id: str, epoch: str, _outcome: str) -> None:
        self.fenced.append((int(step_id), int(epoch)))

    def _note_error(self, name: str) -> None:
        self.errors[name] += 1

    def _note_ask(self, _first: str, _count: str) -> None:
        """Asked for; whether it came to be is told by a later line, or by nobody."""

    def _note_got(self, key: str, task: str, how: str) -> None:
        self.got.append((None if key == "-" else key, task, how == "new"))


Violations = Iterator[str]


def acknowledged_is_committed(story: Story) -> Violations:
    """What a worker was told to be applied is in the database, as it was reported, once."""
    for (step_id, epoch), outcome in story.acks:
        step = story.steps.get(step_id)
        ends = step.ends(epoch) if step else []
        if len(ends) != 1 or ends[0].after not in LEADS_TO[outcome] or ends[0].reason in LOST:
            told = [f"{end.after} ({end.reason})" for end in ends]
            yield f"step {step_id} epoch {epoch}: {outcome} was acknowledged, the log has {told}"
    for (attempt, _), times in Counter(story.acks).items():
        if times > 1:
            yield f"step {attempt[0]} epoch {attempt[1]} was acknowledged {times} times"


def refused_is_not_committed(story: Story) -> Violations:
    """What a worker was told to be too late has changed nothing."""
    acknowledged = {attempt for attempt, _ in story.acks}
    for step_id, epoch in story.fenced:
        step = story.steps.get(step_id)
        ends = step.ends(epoch) if step else []
        reasons = [end.reason for end in ends]
        if (step_id, epoch) in acknowledged or not set(reasons) <= LOST | GIVEN_BACK:
            yield f"step {step_id} epoch {epoch} was refused, but ended: {reasons}"


def started_is_claimed(story: Story) -> Violations:
    """Handlers began under claims that are in the log, one handler under each."""
    for name, epoch, attempt in story.starts:
        step = story.step(name)
        claims = [c for c in step.claims() if c.epoch == epoch] if step else []
        if [claim.attempt for claim in claims] != [attempt]:
            yield f"{name} started with epoch {epoch}, attempt {attempt}: no such claim"
    for (name, epoch, _), times in Counter(story.starts).items():
        if times > 1:
            yield f"{name} started {times} times with epoch {epoch}"


def nothing_follows_the_end(story: Story) -> Violations:
    """A step that has ended is left alone: no transition, no handler."""
    for step in story.steps.values():
        end = step.end()
        if end and step.entries[-1] is not end:
            yield f"{step} went on after entry {end.number}"
    for name, epoch, _ in story.starts:
        started = story.step(name)
        end = started.end() if started else None
        if end and epoch > end.epoch:
            yield f"{name} ended under epoch {end.epoch} and started again under {epoch}"


def one_result(story: Story) -> Violations:
    """A step that succeeded did so once, and has the result of that attempt."""
    for step in story.steps.values():
        commits = [entry.epoch for entry in step.entries if entry.after == "succeeded"]
        if commits != ([step.epoch] if step.state == "succeeded" else []):
            yield f"{step} is {step.state} under epoch {step.epoch}, the log has {commits}"
        found = step.result.get("epoch", step.epoch) if step.result else step.epoch
        if step.state == "succeeded" and found != step.epoch:
            yield f"{step} has the result of epoch {found}, not of {step.epoch}"


def attempts_are_starts(story: Story) -> Violations:
    """The number of attempts is that of the claims in the log less those given back."""
    for step in story.steps.values():
        back = sum(entry.reason in GIVEN_BACK for entry in step.entries)
        if step.attempt != len(step.claims()) - back:
            yield f"{step}: {step.attempt} attempts, {len(step.claims())} claims, {back} back"


def epochs_grow(story: Story) -> Violations:
    """Each claim of a step has the next epoch, and the newest is the step's."""
    for step in story.steps.values():
        epochs = [claim.epoch for claim in step.claims()]
        if epochs != list(range(1, len(epochs) + 1)) or step.epoch != len(epochs):
            yield f"{step}: epoch {step.epoch}, claimed under {epochs}"


def dependencies_come_first(story: Story) -> Violations:
    """No step is claimed before its dependencies are done, and it is given their results."""
    for task in story.tasks.values():
        for step in task.steps.values():
            after = story.definitions[task.workflow].after.get(step.name, [])
            first = min((claim.number for claim in step.claims()), default=None)
            for dependency in after:
                before = task.steps.get(dependency)
                end = before.end() if before else None
                if first is not None and (end is None or end.number > first):
                    yield f"{step} was claimed before {dependency} was done"
            given = step.result.get("inputs", len(after)) if step.result else len(after)
            if given != len(after):
                yield f"{step} was given {given} of {len(after)} results"


def keys_are_tasks(story: Story) -> Violations:
    """A key is one task, whoever submitted it how often."""
    known: Dict[str, str] = {}
    for task in story.tasks.values():
        if task.key and known.setdefault(task.key, task.task_id) != task.task_id:
            yield f"key {task.key} is two tasks"
    for key, task_id, _ in story.got:
        if key and known.get(key) != task_id:
            yield f"key {key} was answered with {task_id}, the database has {known.get(key)}"
    for task_id, times in Counter(task_id for _, task_id, new in story.got if new).items():
        if times > 1:
            yield f"{task_id} was told to be new {times} times"


def submitted_is_there(story: Story) -> Violations:
    """Every task that a client was told of is there, with all of its steps."""
    for _, task_id, _ in story.got:
        if task_id not in story.tasks:
            yield f"task {task_id} is missing"
    for task in story.tasks.values():
        if set(task.steps) != set(story.definitions[task.workflow].after):
            yield f"{task.task_id} has the steps {sorted(task.steps)}"


def everything_ended(story: Story) -> Violations:
    """Every task ended, and well, unless its workers died on it too often."""
    for task in story.tasks.values():
        failing = story.definitions[task.workflow].failing
        failed = [s for s in task.steps.values() if s.state == "failed" and s.name not in failing]
        expected = "failed" if failed else "succeeded"
        if task.state != expected:
            yield f"task {task.task_id} ({task.workflow}) is {task.state}"
        for step in failed:
            if not step.worn_out():
                yield f"{step} failed after {step.attempt} attempts, without need"


def audit_verifies(story: Story) -> Violations:
    """The engine's own verdict, and the numbers in it."""
    if len(story.verified) != 5 or story.verified[0] != "1":
        yield f"audit verify: {story.verified}"
        return
    fenced = sum(entry.kind == "step_fenced" for entry in story.entries)
    if int(story.verified[1]) != len(story.entries) or int(story.verified[2]) != fenced:
        yield f"audit verify tells of {story.verified[1:3]}, not {len(story.entries)}, {fenced}"
    if [entry.number for entry in story.entries] != list(range(1, len(story.entries) + 1)):
        yield "the numbers of the entries have gaps"
    if fenced < len(story.fenced):
        yield f"{len(story.fenced)} reports were refused, the log has {fenced}"


CHECKS: List[Callable[[Story], Violations]] = [
    acknowledged_is_committed,
    refused_is_not_committed,
    started_is_claimed,
    nothing_follows_the_end,
    one_result,
    attempts_are_starts,
    epochs_grow,
    dependencies_come_first,
    keys_are_tasks,
    submitted_is_there,
    everything_ended,
    audit_verifies,
]


def compare(story: Story) -> Dict[str, List[str]]:
    """Violations by the name of the check that found them; every check has an entry."""
    found: Dict[str, List[str]] = defaultdict(list)
    for check in CHECKS:
        found[check.__name__] = list(check(story))
    return found
