"""Values keep exactly what they are, or are refused with the place and the reason."""

from __future__ import annotations

import enum
import json
import math
import re
from collections import OrderedDict, namedtuple
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional

import pytest
import stepwell
from helper import chain, submit
from stepwell import Engine, Worker
from stepwell._values import InputError, ResultError, decode, encode

try:
    from hypothesis import given, settings
    from hypothesis import strategies as some
except ImportError:
    given = None  # type: ignore[assignment]

EXACT: List[Any] = [
    None,
    True,
    False,
    0,
    -1,
    2**31,
    -(2**31) - 1,
    2**53 + 1,
    2**63 - 1,
    -(2**63),
    2**64,
    10**300,
    0.1,
    -0.0,
    1e-323,
    1.7976931348623157e308,
    1.0,
    "",
    "text",
    'quote " back \\ slash / tab \t newline \n',
    "\u0001\u001f\u007f\u0085\u2028\u2029\ufeff",
    "a\0b",
    "Grüße 日本語 العربية \U0001f600",
    [],
    {},
    [[[]]],
    {"": {"": []}},
    {"a": None, "b": [1, 2.5, "x", {"c": True}]},
    list(range(1000)),
]


def same(left: Any, right: Any) -> bool:
    """Equal, of the same types, with signs of zero."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return left == right and math.copysign(1, left) == math.copysign(1, right)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    return bool(left == right)


def through_engine(engine: Engine, value: Any) -> List[Any]:
    """The value as input of a task, as seen by its handler and by the next step."""
    engine.register(chain("f", "a", "b"))
    worker = engine.worker_open(["f.a", "f.b"])
    task_id = submit(engine, "f", encode(value, "input", InputError))
    (a,) = engine.exchange(worker, [], 1, 0).claims
    row = (a.step_id, a.epoch, "succeeded", encode(decode(a.input), "result", ResultError))
    (b,) = engine.exchange(worker, [row], 1, 0).claims
    engine.exchange(worker, [(b.step_id, b.epoch, "succeeded", b.inputs[0].result)], 0, 0)
    task, steps = engine.get(task_id)
    engine.worker_close(worker)
    return [decode(text) for text in (a.input, b.inputs[0].result, steps[1].result, task.input)]


@pytest.mark.parametrize("value", EXACT, ids=lambda value: repr(value)[:30])
def test_a_value_comes_back_exactly(engine: Engine, value: Any) -> None:
    for seen in through_engine(engine, value):
        assert same(seen, value)


if given is not None:
    values = some.recursive(
        some.none()
        | some.booleans()
        | some.integers()
        | some.floats(allow_nan=False, allow_infinity=False)
        | some.text(some.characters(blacklist_categories=["Cs"])),
        lambda inner: some.lists(inner) | some.dictionaries(
            some.text(some.characters(blacklist_categories=["Cs"])), inner
        ),
        max_leaves=20,
    )

    @given(values)
    @settings(max_examples=200, deadline=None, database=None)
    def test_any_json_value_comes_back_exactly(value: Any) -> None:
        with Engine("memory:") as engine:
            for seen in through_engine(engine, value):
                assert same(seen, value)

    @given(some.text())
    @settings(max_examples=200, deadline=None, database=None)
    def test_any_text_comes_back_or_is_refused(text: str) -> None:
        """Text with lone surrogates is the only text that is refused."""
        lone = any("\ud800" <= character <= "\udfff" for character in text)
        try:
            encoded = encode([text], "input", InputError)
        except InputError:
            assert lone
        else:
            assert not lone and decode(encoded) == [text]
else:

    @pytest.mark.skip(reason="hypothesis is not installed (python3-hypothesis)")
    def test_any_json_value_comes_back_exactly() -> None:
        """Needs hypothesis."""


CYCLE: List[Any] = []
CYCLE.append({"again": CYCLE})


@dataclass
class Inner:
    x: int


@dataclass
class Outer:
    inner: Inner
    many: List[Inner] = field(default_factory=list)
    maybe: Optional[Inner] = None


class Colour(enum.IntEnum):
    RED = 1


class Plain(enum.Enum):
    RED = "red"


REFUSED: List[Any] = [
    (math.nan, "value is nan, which JSON has no number for"),
    ([1, math.inf], r"value\[1\] is inf"),
    ({"a": [{"b": -math.inf}]}, r"value\.a\[0\]\.b is -inf"),
    (b"x", "value is of type bytes"),
    (bytearray(b"x"), "value is of type bytearray"),
    ({"a": {1, 2}}, r"value\.a is of type set"),
    (object(), "value is of type object"),
    (1j, "value is of type complex"),
    (Plain.RED, "value is of type Plain"),
    ("\ud800", "value holds a lone surrogate at position 0"),
    ({"\udfff": 1}, "a key of value holds a lone surrogate"),
    (CYCLE, r"value\[0\]\.again contains itself"),
    ({1: "x"}, "value has the key 1, expected text"),
    ({None: "x"}, "value has the key None, expected text"),
    ({(1, 2): "x"}, r"value has the key \(1, 2\)"),
    (Inner, "value is of type type"),
]


@pytest.mark.parametrize("value, message", REFUSED, ids=lambda item: re.sub(" at 0x.*", ">", repr(item))[:30])
@pytest.mark.parametrize("refusal", [InputError, ResultError])
def test_a_value_json_cannot_hold_is_refused(value: Any, message: str, refusal: Any) -> None:
    with pytest.raises(refusal, match=message) as caught:
        encode(value, "value", refusal)
    assert isinstance(caught.value, stepwell.InvalidArgumentError)
    assert isinstance(caught.value, ValueError)


def test_a_value_nested_too_deeply() -> None:
    value: Any = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ResultError, match="nested too deeply"):
        encode(value, "value", ResultError)


def test_the_engine_limits_depth_and_size() -> None:
    with Engine("memory:", payload_max=100) as engine:
        engine.register(chain("w", "a"))
        with pytest.raises(stepwell.LimitError, match="100"):
            engine.submit([("w", '"' + "x" * 100 + '"')])
        with pytest.raises(stepwell.Error):
            engine.submit([("w", "[" * 90)])


@pytest.mark.parametrize(
    "text",
    ["{", "nul", "[1,]", "'a'", "NaN", "Infinity", "01", "1.", '"\t"', '"\\ud800"', "[1] x", ""],
)
def test_the_engine_takes_no_other_text(engine: Engine, text: str) -> None:
    engine.register(chain("w", "a"))
    with pytest.raises(stepwell.InvalidArgumentError) as caught:
        engine.submit([("w", text)])
    assert caught.value.row == 0


@pytest.mark.parametrize("text", ['{"b":1,"a":2}', "[1.0,1e2,1E+2,-0]", ' [ 1 , "\\u00e9" ] '])
def test_text_is_passed_on_untouched(engine: Engine, text: str) -> None:
    engine.register(chain("w", "a"))
    assert engine.get(submit(engine, "w", text))[0].input == text


@pytest.mark.parametrize(
    "value, plain",
    [
        (Outer(Inner(1), [Inner(2)]), {"inner": {"x": 1}, "many": [{"x": 2}], "maybe": None}),
        ((1, (2,)), [1, [2]]),
        (namedtuple("Pair", "a b")(1, 2), [1, 2]),
        (OrderedDict(a=1), {"a": 1}),
        (Colour.RED, 1),
    ],
    ids=lambda item: type(item).__name__,
)
def test_values_that_become_json(value: Any, plain: Any) -> None:
    assert json.loads(encode(value, "value", ResultError) or "null") == plain


def test_results_of_handlers(engine: Engine) -> None:
    workflow = engine.workflow("w")
    results: Dict[str, Any] = {}

    @workflow.step
    def give() -> Any:
        return Outer(Inner(2**70), [], Inner(-1))

    @workflow.step
    def take(give: Outer) -> Any:
        results["take"] = give
        return {"deep": give, "text": "ü"}

    task = workflow.start()
    Worker(engine).run(until=task)
    assert results["take"] == Outer(Inner(2**70), [], Inner(-1))
    assert task.result("take")["deep"]["inner"] == {"x": 2**70}
