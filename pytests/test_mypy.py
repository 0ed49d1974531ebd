"""The package and the programs of the documentation are typed: mypy --strict finds nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import List

import pytest
from helper import ROOT

PACKAGE = ROOT / "wheels" / "stepwell"
EXAMPLES = sorted((ROOT / "docs" / "examples" / "python").glob("*.py"))

pytest.importorskip("mypy", reason="mypy is not installed (python3-mypy)")


def check(*arguments: str) -> List[str]:
    """Lines that mypy --strict has to say."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--cache-dir", os.devnull),
            *("--config-file", str(PACKAGE / "pyproject.toml"), *arguments),
        ],
        env={**os.environ, "MYPYPATH": str(PACKAGE / "src")},
        capture_output=True,
        text=True,
    )
    return (done.stdout + done.stderr).splitlines()


def passes(lines: List[str]) -> bool:
    assert any(line.startswith("Success") for line in lines), lines
    return True


def test_the_package() -> None:
    assert passes(check(str(PACKAGE / "src" / "stepwell")))


def test_the_examples() -> None:
    assert EXAMPLES
    assert passes(check(*map(str, EXAMPLES)))


def test_handlers_and_tasks_have_their_types(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """What an editor shows: the input's type in Context, the function's type behind @step."""
    sample = tmp_path / "sample.py"
    sample.write_text(
        """
from dataclasses import dataclass
from typing import TypedDict
from stepwell import Context, Engine, Retry

@dataclass
class Order:
    order_id: int

class Parcel(TypedDict):
    weight: int

engine = Engine("memory:")
order = engine.workflow("order", input=Order)
parcel = engine.workflow("parcel", input=Parcel)

@order.step
def validate(ctx: Context[Order]) -> int:
    return ctx.input.order_id

@order.step(after=validate, retry=Retry(5, on=ConnectionError))
async def charge(ctx: Context[Order], validate: int) -> str:
    return str(validate)

@engine.handler("x.y")
def free(ctx: Context[Order]) -> int:
    return validate(ctx)

reveal_type(validate(Context[Order].__new__(Context)))
reveal_type(order.start(Order(1)).status)
reveal_type(engine.list()[0].step_counts)
order.start("text")
parcel.start({"weight": "x"})
validate(5)
"""
    )
    said = "\n".join(check(str(sample)))
    for expected in (
        'sample.py:29: note: Revealed type is "builtins.int"',
        'sample.py:30: note: Revealed type is "builtins.str"',
        'sample.py:31: note: Revealed type is "builtins.dict[builtins.str, builtins.int]"',
        'sample.py:32: error: Argument 1 to "start" of "Workflow" has incompatible type "str"',
        'sample.py:34: error: Argument 1 to "__call__" of "Handler" has incompatible type "int"',
    ):
        assert expected in said, said


def test_graphs_have_the_type_of_their_nodes(tmp_path) -> None:  # type: ignore[no-untyped-def]
    sample = tmp_path / "sample.py"
    sample.write_text(
        """
from array import array
from stepwell import Engine, Graph

names = Graph({"b": ["a"]})
ints = Graph([(1, 2)])
arrays = Graph((array("i", [0]), array("i", [1])))
reveal_type(names.order())
reveal_type(ints.analyze().critical_path)
reveal_type(arrays.cycles()[0].cuts[0].edge)
reveal_type(names.makespan(workers=2).schedule[0].node)
reveal_type(Engine("memory:").analyze_dependencies("w").slack)
names.dependents(1)
"""
    )
    said = "\n".join(check(str(sample)))
    for expected in (
        'sample.py:8: note: Revealed type is "builtins.list[builtins.str]"',
        'sample.py:9: note: Revealed type is "builtins.list[builtins.int]"',
        'sample.py:10: note: Revealed type is "Tuple[builtins.int, builtins.int]"',
        'sample.py:11: note: Revealed type is "builtins.str"',
        'sample.py:12: note: Revealed type is "typing.Mapping[builtins.str, builtins.float]"',
        'sample.py:13: error: Argument 1 to "dependents" of "Graph" has incompatible type "int"',
    ):
        assert expected in said, said
