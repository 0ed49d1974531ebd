"""Workflow, Step, Context and Task: what users write."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, List, Optional, TypedDict

import pytest
import stepwell
from stepwell import Context, Engine, Retry, Worker


@dataclass
class Address:
    street: str
    number: int = 1


@dataclass
class Order:
    order_id: int
    total: float = 0.0
    to: Optional[Address] = None
    tags: List[str] = field(default_factory=list)


class Parcel(TypedDict):
    weight: int
    to: str


class TestDeadlines:
    def test_in_the_definition(self, engine: Engine) -> None:
        quote = engine.workflow("quote", deadline=7200)
        ask = quote.external("ask", deadline=1.5)
        assert quote.definition()["deadline_ms"] == 7_200_000
        assert ask.definition()["deadline_ms"] == 1500
        quote.register()
        assert engine.definition("quote").deadline_ms == 7_200_000

    def test_as_seconds_and_as_a_time(self, engine: Engine) -> None:
        quote = engine.workflow("quote", deadline=7200)
        quote.external("ask", deadline=1.5)
        plain = quote.start()
        assert plain.row().deadline_us - plain.row().created_us == 7_200_000_000
        assert plain.steps["ask"].fails_us - plain.row().created_us == 1_500_000
        context = plain.context()
        assert context.deadline_us == plain.row().deadline_us
        assert context.next_deadline_us == plain.steps["ask"].fails_us
        for short in (quote.start(deadline=0.25), quote.start(deadline=timedelta(seconds=0.25))):
            assert short.row().deadline_us - short.row().created_us == 250_000
        moment = datetime(2033, 5, 18, 3, 33, 20, tzinfo=timezone.utc)
        assert quote.start(deadline=moment).row().deadline_us == 2_000_000_000_000_000

    @pytest.mark.parametrize("wrong", ["soon", True, 0, -1, float("nan"), timedelta(0)])
    def test_what_is_none(self, engine: Engine, wrong: Any) -> None:
        quote = engine.workflow("quote")
        quote.external("ask")
        with pytest.raises((TypeError, ValueError), match="deadline"):
            quote.start(deadline=wrong)


class TestDefinition:
    def test_all_options(self, engine: Engine) -> None:
        order = engine.workflow(
            "order",
            version="1.0.0",
            description="Sells.",
            max_parallel=3,
            on_failure="skip_dependents",
            metadata={"team": "shop"},
        )

        @order.step(timeout=1.5, queue="fast", priority=5, on_failure="continue", title="Check it")
        def validate(ctx: Context[Any]) -> None:
            """Look at the order."""

        @order.step(
            after=["validate"],
            retry=Retry(5, wait=2, backoff="linear", max_wait=60, jitter=0.15, on=KeyError),
            name="charge-card",
            handler="pay.charge",
        )
        def charge() -> None: ...

        order.external("ship", handler="ruby.ship", after=charge, timeout=3)
        order.kind("save", "create_file", parameters={"path": "x"}, after=[validate, "ship"])
        assert order.definition() == {
            "stepwell": 1,
            "name": "order",
            "version": "1.0.0",
            "description": "Sells.",
            "max_parallel": 3,
            "on_failure": "skip_dependents",
            "metadata": {"team": "shop"},
            "steps": [
                {
                    "name": "validate",
                    "handler": "order.validate",
                    "timeout_ms": 1500,
                    "queue": "fast",
                    "priority": 5,
                    "on_failure": "continue",
                    "title": "Check it",
                },
                {
                    "name": "charge-card",
                    "handler": "pay.charge",
                    "after": ["validate"],
                    "retry": {
                        "max_attempts": 5,
                        "backoff": "linear",
                        "base_ms": 2000,
                        "max_ms": 60000,
                        "jitter": 0.15,
                    },
                },
                {
                    "name": "ship",
                    "handler": "ruby.ship",
                    "after": ["charge-card"],
                    "timeout_ms": 3000,
                },
                {
                    "name": "save",
                    "handler": "create_file",
                    "after": ["validate", "ship"],
                    "parameters": {"path": "x"},
                },
            ],
        }
        assert len(order.register()) == 64
        stored = json.loads(engine.definition("order").json)
        names = [step["name"] for step in stored["steps"]]
        assert names == ["validate", "charge-card", "ship", "save"]
        assert validate.__doc__ == "Look at the order."

    def test_parameters_name_upstream_steps(self, engine: Engine) -> None:
        w = engine.workflow("w")
        @w.step
        def first() -> int:
            return 1

        @w.step
        def second() -> int:
            return 2

        @w.step(after=second)
        def third(ctx: Context[Any], first: int, limit: int = 3) -> int:
            return first + limit

        assert third.after() == ["second", "first"]
        assert third(None, 4) == 7  # type: ignore[arg-type]
        task = w.start()
        Worker(engine).run(until=task)
        assert task.result(third) == 4

    def test_a_parameter_may_name_a_later_step(self, engine: Engine) -> None:
        w = engine.workflow("w")

        @w.step
        def last(early: int) -> int:
            return early + 1

        @w.step
        def early() -> int:
            return 1

        task = w.start()
        Worker(engine).run(until=task)
        assert task.result("last") == 2

    def test_an_unknown_parameter(self, engine: Engine) -> None:
        w = engine.workflow("w")

        @w.step
        def first(nobody: int) -> None: ...

        place = r"test_workflow.py:\d+: .*nobody"
        with pytest.raises(stepwell.DefinitionError, match=place) as caught:
            w.start()
        (finding,) = caught.value.findings
        assert finding["line"] > 1 and "names no step" in finding["message"]

    def test_a_cycle(self, engine: Engine) -> None:
        w = engine.workflow("w")
        w.external("a", after="b")
        w.external("b", after="a")
        with pytest.raises(stepwell.DefinitionError, match="cycle|circle|each other"):
            w.register()

    def test_names_are_used_once(self, engine: Engine) -> None:
        w = engine.workflow("w")
        w.external("a")
        with pytest.raises(stepwell.DefinitionError, match="has a step a already"):
            w.external("a")
        with pytest.raises(stepwell.DefinitionError, match="has a workflow w already"):
            engine.workflow("w")

    @pytest.mark.parametrize(
        "options",
        [{"after": 5}, {"after": [None]}, {"timeout": "10"}, {"no_such": 1}],
        ids=str,
    )
    def test_options_of_the_wrong_type(self, engine: Engine, options: Dict[str, Any]) -> None:
        w = engine.workflow("w")
        with pytest.raises(TypeError):
            w.external("a", **options)
            w.definition()

    def test_retry_is_checked(self) -> None:
        with pytest.raises(TypeError, match="exception classes"):
            Retry(3, on="ConnectionError")  # type: ignore[arg-type]
        with pytest.raises(ValueError):
            Retry(3, wait=-1).definition()
        assert Retry(2, wait=100).max_wait == 100
        assert Retry(2, crashes=0).definition()["max_crashes"] == 0
        assert "max_crashes" not in Retry(2).definition()

    def test_input_must_be_a_shape(self, engine: Engine) -> None:
        with pytest.raises(TypeError, match="dataclass, a TypedDict or a JSON Schema"):
            engine.workflow("w", input=int)

    def test_a_json_schema_is_kept(self, engine: Engine) -> None:
        w = engine.workflow("w", input={"type": "object"})
        w.external("a")
        w.register()
        assert engine.definition("w").input_schema == '{"type":"object"}'

    def test_an_external_step_cannot_be_called(self, engine: Engine) -> None:
        with pytest.raises(TypeError, match="not in this program"):
            engine.workflow("w").external("a")()


class TestInput:
    def start(self, engine: Engine, shape: Any, given: Any) -> Any:
        """What the handler sees as input."""
        w = engine.workflow("w", input=shape)
        seen: List[Any] = []

        @w.step
        def look(ctx: Context[Any]) -> None:
            seen.append(ctx.input)

        task = w.start(given)
        Worker(engine).run(until=task)
        assert task.status == "succeeded", task.steps["look"].error_message
        return seen[0]

    @pytest.mark.parametrize(
        "given",
        [
            Order(1, 2.5, Address("Main", 3), ["a"]),
            {"order_id": 1, "total": 2.5, "to": {"street": "Main", "number": 3}, "tags": ["a"]},
        ],
    )
    def test_a_dataclass(self, engine: Engine, given: Any) -> None:
        assert self.start(engine, Order, given) == Order(1, 2.5, Address("Main", 3), ["a"])

    def test_defaults_are_filled_in(self, engine: Engine) -> None:
        assert self.start(engine, Order, {"order_id": 2}) == Order(2)

    def test_a_typed_dict(self, engine: Engine) -> None:
        assert self.start(engine, Parcel, {"weight": 1, "to": "x"}) == {"weight": 1, "to": "x"}

    def test_no_shape(self, engine: Engine) -> None:
        assert self.start(engine, None, [1, {"a": None}]) == [1, {"a": None}]

    @pytest.mark.parametrize(
        "shape, given, message",
        [
            (Order, None, "input is None, expected the fields of Order"),
            (Order, {}, "input has no order_id"),
            (Order, {"order_id": 1, "colour": 2}, "unknown field colour"),
            (Order, {"order_id": "1"}, r"input\.order_id is '1', expected an integer"),
            (Order, {"order_id": True}, r"input\.order_id is True"),
            (Order, {"order_id": 1, "to": {"number": 2}}, r"input\.to has no street"),
            (Order, {"order_id": 1, "tags": ["a", 1]}, r"input\.tags\[1\] is 1, expected text"),
            (Order, Order("x"), r"input\.order_id is 'x'"),  # type: ignore[arg-type]
            (Parcel, {"weight": 1}, "input has no to"),
            (Parcel, {"weight": 1.5, "to": "x"}, r"input\.weight is 1\.5"),
            (None, {1: 2}, "input has the key 1"),
        ],
    )
    def test_bad_input_starts_no_task(
        self, engine: Engine, shape: Any, given: Any, message: str
    ) -> None:
        w = engine.workflow("w", input=shape)
        w.external("a")
        with pytest.raises(stepwell.InputError, match=message):
            w.start(given)
        assert sum(engine.count().values()) == 0

    def test_input_of_another_program_that_does_not_fit(self, engine: Engine) -> None:
        w = engine.workflow("w", input=Order)

        @w.step(retry=Retry(5, wait=0.01))
        def look(ctx: Context[Order]) -> int:
            return ctx.input.order_id

        w.register()
        task = engine.task(engine.submit([("w", '{"id": 1}')])[0].task_id)
        Worker(engine).run(until=task)
        step = task.steps["look"]
        assert (step.state, step.attempt, step.error_class) == ("failed", 1, "InputError")

    def test_results_become_dataclasses(self, engine: Engine) -> None:
        w = engine.workflow("w")

        @w.step
        def make() -> Address:
            return Address("Main", 7)

        @w.step
        def use(make: Address) -> str:
            return f"{make.street} {make.number}"

        task = w.start()
        Worker(engine).run(until=task)
        assert task.result("use") == "Main 7"


class TestStart:
    def test_key_tags_and_words(self, engine: Engine) -> None:
        w = engine.workflow("w", version="2")
        w.external("a")
        task = w.start(
            [1], key="k", tags=["x"], priority=3, correlation_id="c", initiator="ann", reason="why"
        )
        row = task.row()
        assert (row.version, row.key, row.tags, row.priority) == ("2", "k", ("x",), 3)
        assert (row.correlation_id, row.initiator, row.reason) == ("c", "ann", "why")
        assert task.created and task.input == [1]
        again = w.start([1], key="k")
        assert again == task and hash(again) == hash(task) and not again.created
        with pytest.raises(stepwell.ConflictError):
            w.start([2], key="k")

    def test_the_task_that_starts_it(self, engine: Engine) -> None:
        w = engine.workflow("w")
        w.external("a")
        first = w.start()
        second = w.start(parent=first)
        more = w.start_many([1, 2], parent=first.id)
        assert first.parent_id is None
        assert {task.parent_id for task in [second, *more]} == {first.id}
        assert list(engine.tasks(parent=first)) == [*reversed(more), second]
        assert list(engine.tasks(parent=first, limit=1)) == [more[1]]
        with pytest.raises(stepwell.NotFoundError):
            w.start(parent="01920000-0000-7000-8000-000000000000")

    def test_a_task_keeps_its_definition(self, engine: Engine) -> None:
        w = engine.workflow("w")
        w.external("a")
        old = w.start()
        w.external("b")
        new = w.start()
        assert list(old.steps) == ["a"] and list(new.steps) == ["a", "b"]

    def test_the_version_that_was_asked_for(self, engine: Engine) -> None:
        w = engine.workflow("w", version="1")
        w.external("a")
        w.register()
        engine.register('{"stepwell":1,"name":"w","version":"2","steps":[{"name":"z"}]}')
        assert list(w.start().steps) == ["a"]


class TestTask:
    def test_results(self, engine: Engine) -> None:
        w = engine.workflow("w")

        @w.step
        def good() -> Dict[str, int]:
            return {"n": 1}

        @w.step
        def nothing() -> None: ...

        @w.step
        def bad() -> None:
            raise ValueError("no")

        @w.step
        def after_bad(bad: None) -> None: ...

        task = w.start()
        Worker(engine).run(until=task)
        assert task.status == "failed" and task.done
        assert task.result("good") == {"n": 1} and task.result(nothing) is None
        with pytest.raises(stepwell.IllegalTransitionError, match="failed .ValueError: no."):
            task.result("bad")
        with pytest.raises(stepwell.IllegalTransitionError, match="after_bad is pending"):
            task.result(after_bad)
        with pytest.raises(stepwell.NotFoundError, match="no step nobody"):
            task.result("nobody")

    def test_wait_is_over(self, engine: Engine) -> None:
        w = engine.workflow("w")
        w.external("a")
        task = w.start()
        start = time.monotonic()
        with pytest.raises(stepwell.WaitTimeoutError, match="still pending after 0.1 s"):
            task.wait(0.1)
        with pytest.raises(TimeoutError):
            task.wait(0)
        assert time.monotonic() - start < 2

    def test_a_wake_does_not_end_task_wait(self, engine: Engine) -> None:
        import threading

        w = engine.workflow("w")
        w.external("a")
        task = w.start()
        timer = threading.Timer(0.05, engine.wake)
        timer.start()
        start = time.monotonic()
        with pytest.raises(stepwell.WaitTimeoutError):
            task.wait(0.3)
        assert time.monotonic() - start > 0.25

    def test_cancel_and_history(self, engine: Engine) -> None:
        w = engine.workflow("w")
        w.external("a")
        task = w.start()
        task.cancel(reason="not needed", actor="ann")
        assert task.wait(1).status == "cancelled"
        assert "ann" in [entry.actor for entry in task.history()]
        with pytest.raises(stepwell.IllegalTransitionError):
            task.cancel()

    def test_explain(self, engine: Engine) -> None:
        w = engine.workflow("w")
        w.external("a")
        b = w.external("b", after="a")
        task = w.start()
        assert len(task.explain()) == 2
        assert str(task.explain(b)) == task.explain("b")[0].message

    def test_listing(self, engine: Engine) -> None:
        w, v = engine.workflow("w"), engine.workflow("v")
        w.external("a")
        v.external("a")
        tasks = [w.start(i, tags=[f"t{i % 2}"]) for i in range(5)]
        v.start()
        assert list(engine.tasks(workflow=w)) == tasks[::-1]
        assert list(engine.tasks(workflow="w", limit=2)) == tasks[:2:-1]
        assert list(engine.tasks(tag="t1")) == [tasks[3], tasks[1]]
        assert list(engine.tasks(status="failed")) == []
        assert engine.task(tasks[0].id) == tasks[0]
        with pytest.raises(stepwell.NotFoundError):
            engine.task("01932f00-0000-7000-8000-000000000000")

    def test_listing_reads_pages(self, engine: Engine) -> None:
        w = engine.workflow("w")
        w.external("a")
        w.register()
        engine.submit([("w",)] * 1_234)
        assert len(set(task.id for task in engine.tasks())) == 1_234
        assert len(list(engine.tasks(limit=600))) == 600


class TestContext:
    def test_what_it_tells(self, engine: Engine) -> None:
        w = engine.workflow("w", version="3")
        seen: List[Context[Any]] = []
        keys: List[Any] = []

        @w.step
        def first() -> int:
            return 1

        @w.step(on_failure="continue")
        def broken() -> None:
            raise ValueError

        @w.step(after=[broken], retry=Retry(3, wait=0.01))
        def look(ctx: Context[Any], first: int) -> None:
            seen.append(ctx)
            keys.append((ctx.idempotency_key, ctx.fencing_token))
            if ctx.attempt < 2:
                raise KeyError

        task = w.start({"n": 1}, correlation_id="corr")
        Worker(engine).run(until=task)
        ctx = seen[1]
        assert (ctx.task_id, ctx.workflow, ctx.version, ctx.step) == (task.id, "w", "3", "look")
        assert (ctx.attempt, ctx.max_attempts, ctx.correlation_id) == (2, 3, "corr")
        assert keys[0][0] == keys[1][0] and keys[0][1] < keys[1][1]
        assert (ctx.result(first), ctx.result("broken")) == (1, None)
        assert (ctx.state("first"), ctx.state(broken)) == ("succeeded", "failed")
        assert sorted(ctx.upstream) == ["broken", "first"]
        assert ctx.parameters == {} and not ctx.cancelled
        with pytest.raises(stepwell.NotFoundError, match="add it to after="):
            ctx.result("look")

    def test_states_of_steps_that_go_on(self, engine: Engine) -> None:
        w = engine.workflow("w")
        started = threading.Event()
        seen: List[Any] = []

        @w.step
        def quick() -> int:
            return 1

        @w.step
        def slow() -> int:
            assert started.wait(30)
            return 2

        @w.step(after=[slow], trigger={"quorum": 1})
        def first(ctx: Context[Any], quick: int) -> None:
            seen.append((quick, ctx.result(slow), ctx.state(slow)))
            started.set()

        @w.step(after=[slow, first], trigger="all_done")
        def last(ctx: Context[Any]) -> None:
            seen.append((ctx.state(slow), ctx.state(first)))

        assert [step.get("trigger") for step in w.definition()["steps"]] == [
            None,
            None,
            {"quorum": 1},
            "all_done",
        ]
        task = w.start()
        Worker(engine).run(until=task)
        assert task.status == "succeeded"
        assert seen == [(1, None, "running"), ("succeeded", "succeeded")]

    def test_failures_that_skip(self, engine: Engine) -> None:
        w = engine.workflow("w", on_failure="skip_dependents")

        @w.step
        def broken() -> None:
            raise ValueError

        w.step(after=[broken], name="next")(lambda: None)
        w.step(after="next", name="tidy", trigger="all_done")(lambda: None)
        w.step(name="beside", on_failure="block")(lambda: None)
        task = w.start()
        Worker(engine).run(until=task)
        assert {name: step.state for name, step in task.steps.items()} == {
            "broken": "failed",
            "next": "skipped",
            "tidy": "succeeded",
            "beside": "succeeded",
        }
        assert task.status == "failed"
        assert "next was skipped: its rule all_succeeded" in task.explain("next")[0].message
        assert [entry.reason for entry in task.history() if entry.to_state == "skipped"] == [
            "broken failed"
        ]

    def test_a_quorum_of_too_many(self, engine: Engine) -> None:
        w = engine.workflow("w")
        w.kind("a", "noop")
        w.kind("b", "noop", after="a", trigger={"quorum": 2})
        with pytest.raises(stepwell.DefinitionError, match="a quorum of 2 of 1 steps"):
            w.register()

    def test_parameters_of_the_definition(self, engine: Engine) -> None:
        seen: List[Any] = []
        text = '{"stepwell":1,"name":"w","steps":[{"name":"a","parameters":{"x":[1]}}]}'
        engine.register(text)
        worker = engine.worker_open(["w.a"])
        engine.submit([("w",)])
        seen.append(Context(engine.exchange(worker, [], 1, 0).claims[0]).parameters)
        assert seen == [{"x": [1]}]

    def test_time_left_and_results(self, engine: Engine) -> None:
        w = engine.workflow("w")
        seen: List[Any] = []

        @w.step
        def first(ctx: Context[Any]) -> int:
            seen.append(ctx.time_left)
            return 1

        @w.step(after=first, timeout=30)
        def second(ctx: Context[Any]) -> None:
            seen.extend([ctx.time_left, ctx.results])

        Worker(engine).run(until=w.start())
        assert seen[0] is None and 25 < seen[1] <= 30 and seen[2] == {"first": 1}
