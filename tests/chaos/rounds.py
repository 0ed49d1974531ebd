"""What happens to the crowd: rounds of kills and freezes, and how long it takes until the step of a
killed worker runs again.

Each round works in a folder of its own and answers with an Outcome. Not here: the comparison
(compare.py), and the disk that fills up (disk.py).
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Callable, Dict, List, Tuple

from compare import LOST, Definition, Story, compare
from crowd import HERE, Crowd, Program, Tools

MIXED = [HERE / "workflows" / f"{name}.json" for name in ("chain", "fan", "retry", "mixed")]
HOLD = [HERE / "workflows" / "hold.json"]

# How many of each work at the same time.
CREW = {"c": 5, "ruby": 3, "python": 3, "command": 1, "client": 2}
# Mean seconds between two kills, and between two freezes.
KILL_EVERY_S = {"c": 0.04, "ruby": 0.35, "python": 0.35, "command": 1.5, "client": 0.8}
FREEZE_EVERY_S = 0.8
# In seconds; beyond the lease, but within the time that writers wait for each other.
FREEZE_S = (1.3, 2.6)
BACKLOG = 80
PADDING_MAX = 3000
SETTLE_S = 90.0
# Until a new worker surely waits for work.
HEIR_READY_S = {"c": 0.1, "ruby": 1.0, "python": 1.0}


@dataclass
class Outcome:
    """How a round went: violations by check, and what there was of everything."""

    title: str
    folder: Path
    checks: Dict[str, List[str]] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)
    frozen: int = 0
    numbers: Counter[str] = field(default_factory=Counter)

    def failed(self) -> List[str]:
        return [name for name, violations in self.checks.items() if violations]


class Clock:
    """Events that come at random distances around a mean."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._events: List[Tuple[float, float, Callable[[], None]]] = []

    def every(self, mean_s: float, act: Callable[[], None]) -> None:
        self._events.append((self._next(time.monotonic(), mean_s), mean_s, act))

    def tick(self, now: float) -> None:
        for index, (due, mean_s, act) in enumerate(self._events):
            if due <= now:
                act()
                self._events[index] = (self._next(now, mean_s), mean_s, act)

    def _next(self, now: float, mean_s: float) -> float:
        return now + mean_s * min(3.0, max(0.2, self._chance.expovariate(1)))


class Mixed:
    """Workers in all languages on one database; all of them are killed, some are frozen."""

    def __init__(self, crowd: Crowd, chance: random.Random) -> None:
        self._crowd = crowd
        self._chance = chance
        self._next = 1

    def run(self, seconds: float, kills: int) -> None:
        """Until the time is over, or so many C workers were killed (0: only the time counts)."""
        clock = Clock(self._chance)
        for kind, mean_s in KILL_EVERY_S.items():
            clock.every(mean_s, partial(self._kill, kind))
        clock.every(FREEZE_EVERY_S, self._freeze)
        end = time.monotonic() + seconds
        while time.monotonic() < end and (kills == 0 or self._crowd.killed["c"] < kills):
            now = time.monotonic()
            self._crowd.thaw(now)
            self._crowd.collect()
            self._fill()
            clock.tick(now)
            time.sleep(0.005)

    def settle(self, sudden: bool) -> None:
        """Let everything end: suddenly all of them die, or those that are left finish the work."""
        crowd = self._crowd
        crowd.thaw(float("inf"))
        if sudden:
            crowd.kill_all()
        crowd.end(crowd.of_kind("client"))
        for kind in CREW:
            if kind != "client" and not crowd.of_kind(kind):
                crowd.work(kind)
        wait_for_end(crowd)
        crowd.end(crowd.programs)

    def _fill(self) -> None:
        """Replace whoever is missing. Frozen ones are not."""
        for kind, count in CREW.items():
            have = sum(program.kind == kind for program in self._crowd.programs)
            for _ in range(count - have):
                if kind == "client":
                    self._client()
                else:
                    self._crowd.work(kind)

    def _client(self) -> None:
        """Both clients submit nearly the same tasks, and a new one repeats the last of the old."""
        told = [number for path in self._crowd.ledgers("client") for number in asked(path)]
        self._next = max([self._next, *told])
        first = max(1, self._next - self._chance.randrange(40))
        self._crowd.submit(first, first + 10_000, BACKLOG, PADDING_MAX)

    def _kill(self, kind: str) -> None:
        victims = self._crowd.of_kind(kind, ripe=kind != "c")
        if victims:
            self._crowd.kill(self._chance.choice(victims))

    def _freeze(self) -> None:
        kind = self._chance.choice(("c", "c", "ruby", "python", "command"))
        victims = self._crowd.of_kind(kind, ripe=True)
        if victims:
            self._crowd.freeze(self._chance.choice(victims), self._chance.uniform(*FREEZE_S))


def asked(ledger: Path) -> List[int]:
    """Numbers of the tasks that a client asked for."""
    return [int(line.split()[1]) for line in ledger.read_text().splitlines() if line[:4] == "ask "]


def wait_for_end(crowd: Crowd) -> None:
    """Until every task has ended, or it takes too long, which everything_ended will tell."""
    end = time.monotonic() + SETTLE_S
    while int(crowd.tools.ask("left", str(crowd.store))) > 0 and time.monotonic() < end:
        crowd.thaw(time.monotonic())
        crowd.collect()
        time.sleep(0.2)


def integrity(store: Path, copy: Path) -> List[str]:
    """What SQLite itself says of a copy of the files."""
    for ending in ("", "-wal"):
        if Path(f"{store}{ending}").exists():
            shutil.copy(f"{store}{ending}", f"{copy}{ending}")
    database = sqlite3.connect(copy)
    rows = [row[0] for row in database.execute("PRAGMA integrity_check")]
    database.close()
    return [] if rows == ["ok"] else rows


def judge(crowd: Crowd, title: str) -> Outcome:
    """Compare the database with the ledgers."""
    outcome = Outcome(title, crowd.folder, killed=crowd.killed, frozen=crowd.frozen)
    outcome.checks["integrity_check"] = integrity(crowd.store, crowd.folder / "copy.db")
    story = Story(dict(Definition.load(path) for path in crowd.workflows))
    story.read_dump(crowd.tools.ask("dump", str(crowd.store)))
    story.read_ledgers(crowd.ledgers())
    outcome.checks.update(compare(story))
    outcome.checks["programs_ended_well"] = crowd.wrong
    outcome.numbers.update(
        tasks=len(story.tasks),
        steps=len(story.steps),
        acknowledged=len(story.acks),
        fenced=len(story.fenced),
        lost=sum(entry.reason in LOST for entry in story.entries),
        worn_out=sum(step.worn_out() for step in story.steps.values()),
        repeated=sum(not new for _, _, new in story.got),
        errors=sum(story.errors.values()),
    )
    return outcome


def mixed_round(
    tools: Tools, folder: Path, number: int, seed: int, seconds: float, kills: int
) -> Outcome:
    """Kills and freezes, then peace, then the comparison."""
    chance = random.Random(seed * 1000 + number)
    with Crowd(tools, folder, folder / "chaos.db", MIXED) as crowd:
        mixed = Mixed(crowd, chance)
        mixed.run(seconds, kills)
        mixed.settle(sudden=number % 2 == 1)
        return judge(crowd, f"round {number}")


def read_starts(ledger: Path) -> List[Tuple[int, float]]:
    """Epochs and times of the starts in a ledger."""
    if not ledger.exists():
        return []
    lines = [line.split() for line in ledger.read_text().splitlines()]
    return [(int(line[2]), int(line[4]) / 1e6) for line in lines if line[0] == "start"]


def await_start(program: Program, nth: int) -> Tuple[int, float]:
    """Epoch and time of the n-th attempt that the program began."""
    end = time.monotonic() + SETTLE_S
    while time.monotonic() < end:
        starts = read_starts(program.ledger)
        if len(starts) >= nth:
            return starts[nth - 1]
        time.sleep(0.005)
    raise RuntimeError(f"{program.name} did not begin attempt number {nth}")


def resume_times(
    tools: Tools, folder: Path, language: str, times: int, seed: int
) -> List[float]:
    """Seconds from a kill -9 to the start of the step in another process on this machine, with
    leases of ten minutes."""
    chance = random.Random(seed)
    taken: List[float] = []
    with Crowd(tools, folder, folder / "resume.db", HOLD, lease_ms=600_000, slots=1) as crowd:
        holder = crowd.work(language)
        for number in range(times):
            task = (number + 1) * 5  # numbers that are submitted alone
            crowd.submit(task, task, 1, 0).process.wait()
            await_start(holder, 1 if number == 0 else 2)
            heir = crowd.work(language)
            # At any point between two looks that the heir takes at other workers.
            time.sleep(HEIR_READY_S[language] + chance.uniform(0, 0.5))
            killed_at = time.monotonic()
            crowd.kill(holder)
            epoch, started_at = await_start(heir, 1)
            if epoch != 2:
                raise RuntimeError(f"the step of a killed worker runs under epoch {epoch}")
            taken.append(started_at - killed_at)
            holder = heir
    return taken


def resume_text(taken: List[float]) -> str:
    """Median and range in milliseconds."""
    figures = (min(taken), statistics.median(taken), max(taken))
    least, median, most = (round(seconds * 1000) for seconds in figures)
    return f"median {median} ms of {len(taken)} (from {least} to {most})"
