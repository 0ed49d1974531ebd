"""What several test files share: definitions, a claim-and-answer loop, child programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import stepwell

ROOT = Path(__file__).resolve().parents[1]
SOURCE = Path(stepwell.__file__).resolve().parents[1]


def definition(name: str, steps: List[Dict[str, Any]], **fields: Any) -> str:
    """A definition in Stepwell's own form."""
    return json.dumps({"stepwell": 1, "name": name, "steps": steps, **fields})


def chain(name: str, *steps: str) -> str:
    """A definition whose steps come one after the other."""
    return definition(
        name,
        [
            {"name": step, "after": [steps[i - 1]] if i else []}
            for i, step in enumerate(steps)
        ],
    )


def submit(engine: stepwell.Engine, workflow: str, *row: Any) -> str:
    """Start one task and answer its identifier."""
    return engine.submit([(workflow, *row)])[0].task_id


def environment(**extra: str) -> Dict[str, str]:
    """Environment of a child program that imports the same stepwell."""
    path = [str(SOURCE), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path)), **extra}


def run_program(
    text: str, *arguments: str, timeout: float = 60, check: bool = True, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run a Python program given as text and answer how it ended."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text), *arguments],
        env=environment(**env),
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return done


def start_program(text: str, *arguments: str, **env: str) -> subprocess.Popen[str]:
    """Start a Python program given as text, with its output on a pipe."""
    return subprocess.Popen(
        [sys.executable, "-u", "-c", textwrap.dedent(text), *arguments],
        env=environment(**env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until(condition: Callable[[], Any], what: str, timeout: float = 30.0) -> Any:
    """Wait until condition() is true and answer it."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.01)
    raise AssertionError(f"{what} did not happen within {timeout:g} s")


def read_line(program: subprocess.Popen[str], expected: Optional[str] = None) -> str:
    """The next line a program prints."""
    assert program.stdout is not None
    line = program.stdout.readline().rstrip("\n")
    if expected is not None:
        assert line == expected, line + (program.stdout.read() if program.poll() else "")
    return line
