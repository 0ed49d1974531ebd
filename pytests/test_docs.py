"""The Python blocks of the guide and the example programs do what they say."""

from __future__ import annotations

import ast
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, List, Tuple

import pytest
from helper import ROOT, environment

GUIDE = ROOT / "docs" / "guide" / "python.md"
EXAMPLES = ROOT / "docs" / "examples" / "python"

if not GUIDE.exists():
    pytest.skip("the documentation is not here", allow_module_level=True)


def run(*arguments: str, cwd: Path, **extra: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=cwd,
        env=environment(**extra),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr, done.stderr
    return done.stdout


def checked(line: str) -> Tuple[str, int]:
    """The line with its "# => value" as an assertion, and whether it had one."""
    found = re.match(r"^(\s*)(\S.*?)\s+# => (.+)$", line)
    if found is None:
        return line, 0
    indent, expression, value = found.groups()
    ast.parse(expression, mode="eval")
    return f"{indent}expect(({expression}), ({value}), {value!r})", 1


def program(page: Path = GUIDE) -> Tuple[str, int, List[str]]:
    """The blocks as one program, how many values it checks, and what it prints at least."""
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    lines = [checked(line) for block in blocks for line in block.splitlines()]
    printed = re.findall(r"print\(error\)\s+# (.+)$", "\n".join(blocks), re.MULTILINE)
    head = textwrap.dedent(
        """
        def expect(found, expected, text):
            assert found == expected, f"{found!r} instead of {text}"
        """
    )
    return head + "\n".join(line for line, _ in lines), sum(n for _, n in lines), printed


def test_the_guide(tmp_path: Path) -> None:
    text, checks, printed = program()
    assert checks > 15 and len(printed) == 2
    said = run("-c", text, cwd=tmp_path)
    for line in printed:
        assert line in said


def test_the_guide_to_forecasts(tmp_path: Path) -> None:
    text, checks, _ = program(ROOT / "docs" / "guide" / "forecast.md")
    assert checks == 5
    run("-c", text, cwd=tmp_path)


def test_the_guide_to_events(tmp_path: Path) -> None:
    text, checks, _ = program(ROOT / "docs" / "guide" / "events.md")
    assert checks == 7
    run("-c", text, cwd=tmp_path)


@pytest.mark.parametrize(
    "name, expected",
    [
        ("hello.py", r"Hello Ada\n$"),
        (
            "order.py",
            r"succeeded: 2 items, paid 1011 after 3 attempts\n"
            r"failed: CardDeclined, 9999 is over the limit\n"
            r"ship .*charge.*\nthe same task: True\n"
            r"refused: input\.order_id is '44', expected an integer\nintegrity \(L1\)\n$",
        ),
        ("coroutines.py", r"\['0', '1', '10'\]\n$"),
        ("low_level.py", r"100 tasks in 4 exchanges\nfile-99: succeeded, 3 steps\n$"),
    ],
)
def test_an_example(name: str, expected: str, tmp_path: Path) -> None:
    said = run(str(EXAMPLES / name), cwd=tmp_path)
    assert re.match(expected, said), said


def test_the_order_in_a_file(tmp_path: Path) -> None:
    for _ in range(2):
        assert run(str(EXAMPLES / "order.py"), "orders.db", cwd=tmp_path).startswith("succeeded")


@pytest.mark.parametrize(
    "command", [["worker.py", "work"], ["-m", "stepwell", "worker", "worker:engine"]]
)
def test_the_worker_process(command: List[str], tmp_path: Path) -> None:
    database = str(tmp_path / "squares.db")
    worker: Any = subprocess.Popen(
        [sys.executable, *command],
        cwd=EXAMPLES,
        env=environment(STEPWELL_DB=database, PYTHONDONTWRITEBYTECODE="1"),
        stderr=subprocess.DEVNULL,
    )
    try:
        said = run(
            str(EXAMPLES / "worker.py"), "start", "3", "4", cwd=tmp_path, STEPWELL_DB=database
        )
        assert said == (
            f"3 squared is 9, says process {worker.pid}\n"
            f"4 squared is 16, says process {worker.pid}\n"
        )
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0


def test_every_example_is_run() -> None:
    text = Path(__file__).read_text()
    assert all(path.name in text for path in EXAMPLES.glob("*.py"))
