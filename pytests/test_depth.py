"""Nesting as deep as the limit and far beyond it, in a thread with a stack of 128 KiB.

Running over such a stack is a crash; what is too deep must be refused before it gets that far.
"""

from __future__ import annotations

import threading
from typing import Any, Callable, Iterator, List

import pytest
import stepwell
from helper import submit
from stepwell import Engine
from stepwell._values import InputError, encode

STACK = 128 * 1024
LIMIT = 64
BEYOND = [LIMIT + 1, 2 * LIMIT, 2048, 100_000]
PARAMETERS_AT = 4  # levels around the parameter of a step


@pytest.fixture
def small_stack() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Runs a function in a thread with a small stack and raises what it raised."""
    before = threading.stack_size(STACK)

    def run(body: Callable[[], None]) -> None:
        raised: List[BaseException] = []

        def guarded() -> None:
            try:
                body()
            except BaseException as error:  # noqa: B902 - raised again in the test's own thread
                raised.append(error)

        thread = threading.Thread(target=guarded)
        thread.start()
        thread.join()
        if raised:
            raise raised[0]

    yield run
    threading.stack_size(before)


def lists(depth: int) -> str:
    return "[" * depth + "1" + "]" * depth


def maps(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


def definition(nested: Callable[[int], str], depth: int) -> str:
    """A definition that is so many levels deep."""
    value = nested(depth - PARAMETERS_AT)
    return '{"stepwell":1,"name":"w","steps":[{"name":"a","parameters":{"p":%s}}]}' % value


@pytest.mark.parametrize("nested", [lists, maps])
def test_definitions(
    small_stack: Callable[..., None], engine: Engine, nested: Callable[[int], str]
) -> None:
    def body() -> None:
        engine.register(definition(nested, LIMIT))
        for depth in BEYOND:
            with pytest.raises(stepwell.LimitError, match=str(LIMIT)):
                engine.register(definition(nested, depth))

    small_stack(body)
    assert nested(LIMIT - PARAMETERS_AT) in engine.definition("w").json


@pytest.mark.parametrize("opening", ["- ", "[", "{a: [", "- a: [", "? "])
def test_yaml_that_never_ends(small_stack: Callable[..., None], opening: str) -> None:
    def body() -> None:
        with Engine("memory:") as engine:
            with pytest.raises((stepwell.LimitError, stepwell.DefinitionError)):
                engine.register("stepwell: 1\nsteps: " + opening * 100_000)

    small_stack(body)


@pytest.mark.parametrize("nested", [lists, maps])
def test_inputs_and_results(
    small_stack: Callable[..., None], engine: Engine, nested: Callable[[int], str]
) -> None:
    def body() -> None:
        engine.register(definition(nested, LIMIT))
        for depth in BEYOND:
            with pytest.raises(stepwell.InvalidArgumentError, match=str(LIMIT)):
                submit(engine, "w", nested(depth))
        task_id = submit(engine, "w", nested(LIMIT))
        worker = engine.worker_open(["w.a"])
        (claim,) = engine.exchange(worker, [], 1, 0).claims
        for depth in BEYOND:
            with pytest.raises(stepwell.InvalidArgumentError, match=str(LIMIT)):
                engine.update_batch([(claim.step_id, claim.epoch, "succeeded", nested(depth))])
        engine.update_batch([(claim.step_id, claim.epoch, "succeeded", nested(LIMIT))])
        _, steps = engine.get(task_id)
        assert steps[0].result == nested(LIMIT)
        assert engine.audit_verify().ok

    small_stack(body)


def test_python_values(small_stack: Callable[..., None]) -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [{"a": deep}]
    circle: Any = {"a": []}
    circle["a"].append(circle)

    def body() -> None:
        for value in (deep, circle):
            with pytest.raises(InputError):
                encode(value, "input", InputError)

    small_stack(body)
