"""Wrong values everywhere: every argument of every method gets every bad value.

Nothing may crash, hang or be half done; each call raises an ordinary exception, and the engine
works on.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest
import stepwell
from helper import chain, submit
from stepwell import Engine

CYCLE: List[Any] = []
CYCLE.append(CYCLE)


class Hostile:
    """Raises whatever it is asked for."""

    def _raise(self, *_: Any) -> Any:
        raise RuntimeError("hostile")

    __index__ = __int__ = __float__ = __str__ = __iter__ = __len__ = __getitem__ = _raise
    __bool__ = __eq__ = __fspath__ = _raise  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


class Text(str):
    """A str that lies about itself."""

    def __str__(self) -> str:
        raise RuntimeError("asked")

    def encode(self, *_: Any) -> bytes:
        return b"other"


BAD: List[Any] = [
    None,
    True,
    -1,
    2**70,
    -(2**70),
    float("nan"),
    "",
    "a\0b",
    "\ud800",
    "x" * 100_000,
    b"bytes",
    CYCLE,
    [],
    (),
    {},
    {"a": 1},
    object(),
    Hostile(),
    Hostile,
    [Hostile()],
    [None],
    [()],
    [("a",) * 50],
    Text("text"),
]

Call = Tuple[str, Tuple[Any, ...], Dict[str, Any]]


ONE_STEP = '{"stepwell":1,"name":"w","steps":[{"name":"a"}]}'


def calls(task_id: str, worker: int) -> Iterator[Call]:
    """Each method with arguments it takes; one of them is replaced at a time."""
    outcome = (1 << 20, 1, "succeeded", "1", "E", "message", "detail", 5)
    yield "register", (chain("v", "a"),), {"source": "x", "strict": False}
    yield "definition", ("w", "1"), {}
    yield "submit", ([("w", "1", "k", "", ["t"], 1, "i", "r", "c", 1, None, task_id)],), {}
    yield "get", (task_id,), {}
    yield "list", (), {
        "workflow": "w",
        "state": "failed",
        "tag": "t",
        "correlation_id": "c",
        "before": task_id,
        "limit": 1,
        "created_after_us": 1,
        "created_before_us": 2,
        "parent": task_id,
    }
    yield "count", (), {
        "workflow": "w",
        "state": "failed",
        "tag": "t",
        "correlation_id": "c",
        "created_after_us": 1,
        "created_before_us": 2,
        "parent": task_id,
    }
    yield "wait", (task_id, 0), {}
    yield "cancel", ([(task_id, "actor", "reason")],), {}
    yield "exchange", (worker, [outcome], 1, 0, 0), {}
    yield "update_batch", ([outcome],), {}
    yield "heartbeat", ([(1 << 20, 1)],), {}
    yield "explain", (task_id, "a"), {}
    yield "task_context", ([task_id],), {}
    yield "step_readiness", (task_id,), {}
    yield "task_prune", (1,), {
        "workflow": "w",
        "states": ["succeeded"],
        "limit": 1,
        "actor": "ann",
        "reason": "why",
    }
    yield "override", ([(1 << 20, "skipped", "ann", "why")], "partial"), {}
    yield "breaker_override", ([("pay", "open", "ann", "why", 5)],), {}
    yield "open_breaker", ("pay",), {"actor": "ann", "reason": "why", "seconds": 2}
    yield "close_breaker", ("pay",), {"actor": "ann", "reason": "why"}
    yield "dead_list", (), {**DEAD, "after_us": 3, "after_step_id": 1, "limit": 2}
    yield "dead_count", (), DEAD
    yield "dead_override", ("ready", "ann", "why", None), {**DEAD, "limit": 2}
    yield "forecast_rows", (task_id, [("a", "slower", 2.0)]), {
        "workers": 1,
        "more_workers": 1,
        "resources": [(1, ["a"])],
        "draws": 3,
        "history": 2,
        "calibrate": -1,
    }
    yield "picture_text", (task_id, "text", 1, "t", 1, 40, 1, 1, 1), {}
    yield "gantt_text", (task_id, "text", "t", 60, 400, 1, 1), {}
    yield "duration_rows", (ONE_STEP, 5), {}
    yield "worker_open", (["w.a"],), {"name": "n", "queues": ["q"], "lease_ms": 1_000}
    yield "worker_renew", (worker, [(1 << 20, 1)]), {}
    yield "worker_keep", (worker,), {}
    yield "worker_close", (worker,), {}
    yield "audit_task", (task_id,), {}
    yield "audit_list", (1, 1), {}
    yield "audit_verify", (["a"], ["b"], [("p", "n", 1, 2)]), {}
    event = (task_id, "note", "1", 2, "k", "c", "a", "ann", "why")
    yield "event_append", ([event], "partial"), {}
    yield "event_list", (), {
        "after": 1,
        "before": 9,
        "after_us": 1,
        "before_us": 2,
        "limit": 3,
        "types": ["note"],
        "task_id": task_id,
        "correlation_id": "c",
        "newest_first": True,
    }
    yield "event_wait", (0, 0), {}
    yield "event_replay", (task_id, 1), {}
    yield "append_event", (task_id, "note", 1), {
        "expected_version": 2,
        "key": "k",
        "correlation_id": "c",
        "step": "a",
        "actor": "ann",
        "reason": "why",
    }
    yield "projection_open", ("p", "1"), {}
    yield "projection_save", ("p", 1, 0, 1, "{}"), {}
    yield "projection_delete", ("p",), {}
    yield "task_erase", ("ann", "eve", "why"), {"dry_run": True, "quick": True}
    yield "audit_search", (), ENTRIES
    yield "audit_count", (), ENTRIES
    yield "audit_dump", ("csv", True), ENTRIES
    yield "audit_seal", ("/no/key", None), {}
    yield "audit_rotate", ("/no/key", "/no/next", None, None), {}
    yield "audit_anchor_put", ("file:/no/folder/a", "b", ["c"]), {}
    yield "audit_anchor_get", ("file:/no/folder/a", "b"), {}
    yield "audit_enrol", ("a", "/no/folder/key"), {}
    yield "audit_prove_export", ("/no/folder", None, [1]), {}
    yield "audit_prove_export_consistency", ("/no/folder", "a", None), {}
    yield "audit_prove", ("a", [1]), {}
    yield "audit_prove_consistency", ("a", "b"), {}
    yield "audit_export", ("/no/folder", "a"), {}
    yield "control_report", ("json", ["soc2"], 1, 2, ["a"], ["b"]), {}
    yield "control_report_export", ("/no/folder", "json", ["soc2"], 1, 2, ["a"], ["b"]), {}
    yield "control_list", (), {}
    yield "control_sign", ("/no/key", "a"), {}
    yield "control_check", ("a", "b", ["c"]), {}
    yield "audit_keygen", ("example.com/x", "/no/folder/key"), {}
    yield "audit_check", ("a", ["b"], ["c"]), {}
    yield "audit_verify_export", ("/no/folder", ["b"], ["c"], [("p", "n", 1, 2)], 2), {}
    yield "task_export", (task_id, "a", "/no/folder/x"), {}
    yield "task_file_verify", ("{}", "x", ["b"], ["c"], [("p", "n", 1, 2)]), {}
    yield "task_file_open", ("{}", "x", 1), {}


DEAD = {
    "workflow": "w",
    "handler": "w.a",
    "step": "a",
    "error_class": "E",
    "failed_after_us": 1,
    "failed_before_us": 2,
}

ENTRIES = {
    "kind": "step_changed",
    "actor": "ann",
    "step": "a",
    "outcome": "failed",
    "correlation_id": "c",
    "task_id": "01a1fa53-a1dc-76ad-9ffc-eb15f6879603",
    "after_us": 1,
    "before_us": 2,
    "after_entry_no": 1,
    "limit": 2,
}


def replaced(values: Tuple[Any, ...], bad: Any) -> Iterator[Tuple[Any, ...]]:
    """The values with one of them, or one item of a row within them, replaced."""
    for i, value in enumerate(values):
        yield (*values[:i], bad, *values[i + 1 :])
        if isinstance(value, list) and value and isinstance(value[0], tuple):
            for row in replaced(value[0], bad):
                yield (*values[:i], [row], *values[i + 1 :])


METHODS = [name for name, _, _ in calls("", 0)]


def attempt(call: Callable[..., Any], args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> None:
    """The call may succeed or raise; SystemError would be a bug of the binding."""
    try:
        call(*args, **kwargs)
    except (stepwell.Error, TypeError, RuntimeError, RecursionError):
        pass


@pytest.mark.parametrize("method", METHODS)
def test_no_value_breaks_a_method(
    store: str, method: str, tmp_path: Any, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)  # a text that can be a path becomes a file
    engine = Engine(store, durability=None if store == "memory:" else "relaxed")
    engine.register(chain("w", "a", "b"))
    worker = engine.worker_open(["w.a"])
    task_id = submit(engine, "w")
    name, args, kwargs = next(c for c in calls(task_id, worker) if c[0] == method)
    call = getattr(engine, name)
    for bad in BAD:
        if name in ("wait", "exchange") and type(bad) is int and bad == -1:
            continue  # it asks for a wait without end, and gets it
        for changed in replaced(args, bad):
            attempt(call, changed, kwargs)
        for key in kwargs:
            attempt(call, args, {**kwargs, key: bad})
        attempt(call, (*args, bad), kwargs)
        attempt(call, args[:-1], kwargs)
        attempt(call, args, {**kwargs, "no_such": bad})
    assert engine.get(task_id)[0].workflow == "w"
    assert engine.audit_verify().ok
    engine.close()


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: type(bad).__name__)
def test_no_value_breaks_open(bad: Any, tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    for kwargs in ({}, {"durability": bad}, {"payload_max": bad}, {"must_exist": bad}):
        args = (bad,) if not kwargs else ("memory:",)
        try:
            Engine(*args, **kwargs).close()
        except (stepwell.Error, TypeError, RuntimeError):
            pass


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda e: e.get(1), "task_id must be str, not int"),
        (lambda e: e.submit("w"), "rows must be a list or tuple, not str"),
        (lambda e: e.submit(5), "rows must be a list or tuple, not int"),
        (lambda e: e.submit(["w"]), "a row must be a tuple, not str"),
        (lambda e: e.submit([()]), "a row must be a tuple of 1 to 12 items, not 0"),
        (lambda e: e.submit([("w", {})]), "input must be str or None, not dict"),
        (lambda e: e.submit([("w", None, b"k")]), "key must be str or None, not bytes"),
        (lambda e: e.update_batch([(1.0, 1, "failed")]), "step_id must be int, not float"),
        (lambda e: e.update_batch([(1, None, "failed")]), "epoch must be int, not NoneType"),
        (lambda e: e.update_batch([(1, 1, 0)]), "outcome must be str, not int"),
        (lambda e: e.worker_open("w.a"), "handlers must be a list or tuple, not str"),
        (lambda e: e.worker_open([1]), "handlers must be str, not int"),
    ],
)
def test_a_type_error_names_the_argument(engine: Engine, call: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        call(engine)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda e: e.update_batch([(2**70, 1, "failed")]), "step_id does not fit into 64 bits"),
        (lambda e: e.submit([("w", None, None, None, None, 2**40)]), "does not fit into 32 bits"),
        (lambda e: e.exchange(1, [], -1, 0), "claim_max is -1, expected 0 or more"),
        (lambda e: e.submit([("w", '"\ud800"')]), "input holds a lone surrogate"),
        (lambda e: e.list(state="gone"), "state is 'gone', which is no state of a task"),
    ],
)
def test_a_value_out_of_range_is_an_argument_error(engine: Engine, call: Any, message: str) -> None:
    with pytest.raises(stepwell.InvalidArgumentError, match=message):
        call(engine)


def test_the_row_of_a_type_error(engine: Engine) -> None:
    with pytest.raises(TypeError) as caught:
        engine.update_batch([(1, 1, "failed"), (1, 1, "failed"), (1, 1, None)])
    assert caught.value.row == 2  # type: ignore[attr-defined]


def test_rows_may_change_while_they_are_read(engine: Engine) -> None:
    """A sequence whose iteration empties the list it comes from."""
    engine.register(chain("w", "a"))
    rows: List[Any] = [("w", str(i)) for i in range(100)]

    class Emptying(list):  # type: ignore[type-arg]
        def __iter__(self) -> Iterator[Any]:
            for row in list(rows):
                rows.clear()
                yield row

    assert len(engine.submit(Emptying(rows))) == 100


def test_a_conversion_that_closes_the_engine(engine: Engine) -> None:
    """Arguments are converted before the handle is looked at."""

    class Closing(list):  # type: ignore[type-arg]
        def __iter__(self) -> Iterator[Any]:
            engine.close()
            return iter(())

    with pytest.raises(stepwell.ClosedError):
        engine.submit(Closing())
