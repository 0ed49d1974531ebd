"""Processes of the chaos test: started, killed, frozen, woken and ended; and the tools they are.

Not here: when any of this happens (rounds.py).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterable, List, Optional

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LANGUAGES = ("c", "ruby", "python", "command")

# Something is wrong with a process that needs longer to end.
END_S = 30.0
COMMAND_RIPENS_S = 1.0


class Unusable(Exception):
    """Something that has to be built is not there."""


@dataclass
class Tools:
    """What was built: the chaos program, the command, and the environment of both bindings."""

    chaos: Path
    command: Path
    environment: Dict[str, str]
    ruby: str
    python: str

    @staticmethod
    def find(build: Path) -> Tools:
        tools = Tools(
            chaos=build / "tests" / "chaos" / "chaos",
            command=build / "stepwell",
            environment={
                **os.environ,
                "RUBYLIB": str(ROOT / "gems" / "stepwell" / "lib"),
                "PYTHONPATH": str(ROOT / "wheels" / "stepwell" / "src"),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            ruby=os.environ.get("STEPWELL_RUBY", "ruby"),
            python=os.environ.get("STEPWELL_PYTHON", sys.executable),
        )
        for path in (tools.chaos, tools.command):
            if not path.exists():
                raise Unusable(f"{path} is missing; build the folder, or name another: --build")
        for name, words in (
            ("Ruby extension", [tools.ruby, "-e", "require 'stepwell'"]),
            ("Python extension", [tools.python, "-c", "import stepwell"]),
        ):
            if subprocess.run(words, env=tools.environment, stderr=subprocess.DEVNULL).returncode:
                raise Unusable(f"the {name} is not built in place")
        return tools

    def ask(self, *words: str) -> str:
        """What the chaos program answers."""
        found = subprocess.run(
            [str(self.chaos), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        if found.returncode != 0:
            raise RuntimeError(f"chaos {words[0]}: {found.stderr.strip()}")
        return found.stdout


@dataclass
class Program:
    """A running worker or client."""

    kind: str
    name: str
    ledger: Path
    process: subprocess.Popen[bytes]
    since: float = field(default_factory=time.monotonic)
    thaw_at: Optional[float] = None

    def ripe(self) -> bool:
        """Whether it has begun to do something."""
        if self.kind == "command":  # these share a ledger
            return time.monotonic() > self.since + COMMAND_RIPENS_S
        return self.ledger.exists() and self.ledger.stat().st_size > 0


@dataclass
class Crowd:
    """All processes on one database, which lies in the folder, beside their ledgers."""

    tools: Tools
    folder: Path
    store: Path
    workflows: List[Path]
    lease_ms: int = 1000
    slots: int = 4
    programs: List[Program] = field(default_factory=list)
    killed: Counter[str] = field(default_factory=Counter)
    frozen: int = 0
    wrong: List[str] = field(default_factory=list)
    serial: int = 0

    def __post_init__(self) -> None:
        for name in ("ledgers", "errors"):
            (self.folder / name).mkdir(parents=True)

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *error: object) -> None:
        for program in self.programs:
            program.process.kill()
            program.process.wait()

    def ledgers(self, kind: str = "") -> List[Path]:
        return sorted((self.folder / "ledgers").glob(f"{kind}*"))

    def work(self, language: str) -> Program:
        """Start a worker."""
        ledger = self._ledger(language)
        arguments = [
            str(self.store), str(ledger), str(self.lease_ms), str(self.slots),
            *map(str, self.workflows),
        ]  # fmt: skip
        if language == "c":
            words = [str(self.tools.chaos), "work", *arguments]
        elif language == "ruby":
            words = [self.tools.ruby, str(HERE / "worker.rb"), *arguments]
        elif language == "python":
            words = [self.tools.python, str(HERE / "worker.py"), *arguments]
        else:
            words = [str(self.tools.command), "worker", "--db", str(self.store), "--quiet"]
            words += ["--lease-seconds", str(max(1, self.lease_ms // 1000))]
            words += ["--root", str(ledger.parent)]
            ledger = ledger.parent / "commands"
        return self._start(language, ledger, words)

    def submit(self, first: int, last: int, backlog: int, padding_max: int) -> Program:
        """Start a client that submits tasks by their numbers."""
        ledger = self._ledger("client")
        numbers = [str(number) for number in (first, last, backlog, padding_max)]
        words = [str(self.tools.chaos), "submit", str(self.store), str(ledger), *numbers]
        return self._start("client", ledger, [*words, *map(str, self.workflows)])

    def of_kind(self, kind: str, ripe: bool = False) -> List[Program]:
        """Those that are neither frozen nor, when ripe is wanted, still starting."""
        return [
            program
            for program in self.programs
            if program.kind == kind and program.thaw_at is None and (not ripe or program.ripe())
        ]

    def kill(self, program: Program) -> None:
        """Kill one without warning."""
        program.process.kill()
        program.process.wait()
        self.programs.remove(program)
        self.killed[program.kind] += 1

    def kill_all(self) -> None:
        for program in self.programs:
            program.process.kill()
        for program in list(self.programs):
            self.kill(program)

    def freeze(self, program: Program, seconds: float) -> None:
        program.process.send_signal(signal.SIGSTOP)
        program.thaw_at = time.monotonic() + seconds
        self.frozen += 1

    def thaw(self, now: float) -> None:
        """Wake those whose time has come."""
        for program in self.programs:
            if program.thaw_at is not None and program.thaw_at <= now:
                program.process.send_signal(signal.SIGCONT)
                program.thaw_at = None

    def collect(self) -> None:
        """Note processes that ended on their own."""
        for program in list(self.programs):
            status = program.process.poll()
            if status is not None:
                self.programs.remove(program)
                if program.kind != "client" or status != 0:
                    self._complain(program, f"ended with {status}")

    def end(self, programs: Iterable[Program]) -> None:
        """Ask for an orderly end, and insist on it."""
        ending = list(programs)
        for program in ending:
            program.process.send_signal(signal.SIGTERM)
        for program in ending:
            self.programs.remove(program)
            try:
                status = program.process.wait(END_S)
            except subprocess.TimeoutExpired:
                program.process.kill()
                program.process.wait()
                self._complain(program, f"did not end within {END_S:.0f} s of SIGTERM")
                continue
            # Before it has a handler for the signal, the signal ends it.
            if status != 0 and not (status == -signal.SIGTERM and not program.ripe()):
                self._complain(program, f"ended with {status} on SIGTERM")

    def _ledger(self, kind: str) -> Path:
        self.serial += 1
        return self.folder / "ledgers" / f"{kind}-{self.serial}"

    def _start(self, kind: str, ledger: Path, words: List[str]) -> Program:
        name = f"{kind}-{self.serial}"
        with open(self.folder / "errors" / name, "wb") as errors:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=self.tools.environment,
            )
        program = Program(kind, name, ledger, process)
        self.programs.append(program)
        return program

    def _complain(self, program: Program, what: str) -> None:
        said = (self.folder / "errors" / program.name).read_text(errors="replace")
        self.wrong.append(f"{program.name} {what}: {said[-2000:].strip()}")
