"""Worker: what handlers may do, and how a worker starts and stops.

A handler that misbehaves harms its own step only, so most tests run a good step beside a bad one.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from typing import Any, List

import pytest
import stepwell
from helper import read_line, run_program, start_program, until
from stepwell import Context, Engine, GiveUp, Retry, RetryAfter, Worker


def fail_with(engine: Engine, handler: Any, **options: Any) -> stepwell.StepRow:
    """Run a workflow of a bad step and a good one; the good one succeeds. Answers the bad one."""
    w = engine.workflow("w")
    w.step(name="bad", **options)(handler)

    @w.step
    def good() -> str:
        return "good"

    task = w.start()
    Worker(engine, threads=2).run(until=task)
    assert task.result("good") == "good"
    assert task.status == "failed"
    return task.steps["bad"]


class TestHandlers:
    def test_an_exception(self, engine: Engine) -> None:
        def handler() -> None:
            raise ValueError("the reason")

        step = fail_with(engine, handler)
        assert (step.state, step.attempt, step.error_class) == ("failed", 1, "ValueError")
        assert step.error_message == "the reason"
        assert step.error_detail is not None
        assert 'raise ValueError("the reason")' in step.error_detail
        assert "_attempt.py" not in step.error_detail

    def test_retries_are_counted(self, engine: Engine) -> None:
        step = fail_with(engine, lambda: 1 / 0, retry=Retry(3, wait=0.01))
        assert (step.attempt, step.error_class) == (3, "ZeroDivisionError")

    def test_success_after_retries(self, engine: Engine) -> None:
        w = engine.workflow("w")
        calls: List[int] = []

        @w.step(retry=Retry(5, wait=0.01, on=ConnectionError))
        def flaky(ctx: Context[Any]) -> int:
            calls.append(ctx.attempt)
            if len(calls) < 3:
                raise ConnectionResetError("again")
            return ctx.attempt

        task = w.start()
        Worker(engine).run(until=task)
        assert calls == [1, 2, 3] and task.result(flaky) == 3

    @pytest.mark.parametrize(
        "retry, error",
        [
            (Retry(5, wait=0.01, on=ConnectionError), KeyError("x")),
            (Retry(5, wait=0.01, give_up_on=KeyError), KeyError("x")),
            (Retry(5, wait=0.01), GiveUp("enough")),
        ],
        ids=["not in on", "in give_up_on", "GiveUp"],
    )
    def test_errors_that_are_not_tried_again(
        self, engine: Engine, retry: Retry, error: Exception
    ) -> None:
        def handler() -> None:
            raise error

        step = fail_with(engine, handler, retry=retry)
        assert (step.state, step.attempt) == ("failed", 1)

    def test_retry_after(self, engine: Engine) -> None:
        w = engine.workflow("w")

        @w.step(retry=Retry(2, wait=0.01, on=ConnectionError))
        def busy(ctx: Context[Any]) -> int:
            if ctx.attempt == 1:
                raise RetryAfter(0.4)
            return 1

        task = w.start()
        start = time.monotonic()
        Worker(engine).run(until=task)
        assert time.monotonic() - start >= 0.38
        assert task.status == "succeeded"

    @pytest.mark.parametrize(
        "value",
        [float("nan"), b"x", {1}, {1: 2}, object(), "\ud800"],
        ids=lambda value: type(value).__name__,
    )
    def test_a_result_that_is_not_json(self, engine: Engine, value: Any) -> None:
        step = fail_with(engine, lambda: value, retry=Retry(5, wait=0.01))
        assert (step.state, step.attempt, step.error_class) == ("failed", 1, "ResultError")
        assert "the result of bad" in (step.error_message or "")

    def test_a_result_that_is_too_large(self, tmp_path: Any) -> None:
        with Engine(tmp_path / "x.db", payload_max=1_000) as engine:
            step = fail_with(engine, lambda: "x" * 2_000, retry=Retry(5, wait=0.01))
            assert (step.attempt, step.error_class) == (1, "ResultError")
            assert "1000" in (step.error_message or "")

    def test_sys_exit(self, engine: Engine) -> None:
        step = fail_with(engine, lambda: sys.exit(3))
        assert (step.error_class, step.error_message) == (
            "SystemExit",
            "the handler called sys.exit(3)",
        )

    @pytest.mark.parametrize("kind", [KeyboardInterrupt, GeneratorExit, MemoryError])
    def test_other_exceptions_that_end_programs(self, engine: Engine, kind: Any) -> None:
        def handler() -> None:
            raise kind

        assert fail_with(engine, handler).error_class == kind.__name__

    def test_an_exception_without_words(self, engine: Engine) -> None:
        class Mute(Exception):
            def __str__(self) -> str:
                raise RuntimeError

        def handler() -> None:
            raise Mute

        step = fail_with(engine, handler)
        assert step.error_class == "Mute" and "__str__ raised" in (step.error_message or "")

    def test_an_exception_with_bad_words(self, engine: Engine) -> None:
        def handler() -> None:
            raise ValueError("\ud800\0" + "x" * 200_000)

        step = fail_with(engine, handler)
        assert step.error_class == "ValueError" and len(step.error_message or "") < 5_000

    def test_endless_recursion(self, engine: Engine) -> None:
        def handler() -> None:
            handler()

        assert fail_with(engine, handler).error_class == "RecursionError"

    def test_a_wrong_signature(self, engine: Engine) -> None:
        w = engine.workflow("w")

        @w.step
        def needs(ctx: Context[Any], *, limit: int = 3) -> int:
            return limit

        task = w.start()
        Worker(engine).run(until=task)
        assert task.result("needs") == 3

    def test_a_handler_that_never_returns(self, engine: Engine) -> None:
        """One thread, and the endless step takes it: the next steps get another."""
        w = engine.workflow("w")
        release = threading.Event()
        seen: List[Context[Any]] = []

        @w.step(timeout=0.2)
        def endless(ctx: Context[Any]) -> None:
            seen.append(ctx)
            release.wait(30)

        tasks = [w.start() for _ in range(3)]
        v = engine.workflow("v")

        @v.step
        def good() -> int:
            return 1

        with Worker(engine, threads=1):
            for task in tasks:
                assert task.wait(20).status == "failed"
            assert v.start().wait(20).status == "succeeded"
            assert all(ctx.cancelled for ctx in seen)
            release.set()
        assert {task.steps["endless"].error_class for task in tasks} == {"Timeout"}

    def test_a_late_result_is_not_kept(self, engine: Engine) -> None:
        w = engine.workflow("w")
        ended = threading.Event()

        @w.step(timeout=0.1, retry=Retry(2, wait=0.01))
        def slow(ctx: Context[Any]) -> int:
            if ctx.attempt == 1:
                until(lambda: ctx.cancelled, "cancelling")
                ended.set()
            return ctx.attempt

        task = w.start()
        Worker(engine).run(until=task)
        assert ended.wait(5)
        assert (task.result(slow), task.steps["slow"].attempt) == (2, 2)

    def test_cancelling_a_task_tells_its_handlers(self, engine: Engine) -> None:
        w = engine.workflow("w")
        started, told = threading.Event(), threading.Event()

        @w.step
        def long(ctx: Context[Any]) -> None:
            started.set()
            until(lambda: ctx.cancelled, "cancelling")
            told.set()

        task = w.start()
        with Worker(engine, lease=0.6):
            assert started.wait(10)
            task.cancel()
            assert told.wait(10)
        assert task.status == "cancelled"

    @pytest.mark.skipif(
        "libasan" in os.environ.get("LD_PRELOAD", ""),
        reason="AddressSanitizer leaves its allocator locked in a forked child",
    )
    def test_a_handler_that_forks(self, file_engine: Engine) -> None:
        """The child uses the engine, is refused, and ends; the parent's step goes on."""
        w = file_engine.workflow("w")

        @w.step
        def forks(ctx: Context[Any]) -> int:
            pid = os.fork()
            if pid == 0:
                try:
                    file_engine.info()
                except stepwell.ForkedEngineError:
                    os._exit(7)
                os._exit(1)
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

        task = w.start()
        Worker(file_engine).run(until=task)
        assert task.result(forks) == 7


class TestManySteps:
    def test_wide_and_deep(self, engine: Engine) -> None:
        w = engine.workflow("w")

        @w.step
        def root() -> int:
            return 1

        leaves = []
        for i in range(50):

            @w.step(name=f"leaf{i}")
            def leaf(root: int, i: int = i) -> int:
                return root + i

            leaves.append(leaf)

        @w.step(after=leaves)
        def total(ctx: Context[Any]) -> int:
            return sum(ctx.result(leaf) for leaf in leaves)

        tasks = [w.start() for _ in range(5)]
        with Worker(engine, threads=4):
            for task in tasks:
                task.wait(60)
        assert [task.result("total") for task in tasks] == [50 + sum(range(50))] * 5

    def test_capacity_is_kept(self, engine: Engine) -> None:
        w = engine.workflow("w")
        lock = threading.Lock()
        now, most = [0], [0]

        @w.step
        def busy() -> None:
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep(0.02)
            with lock:
                now[0] -= 1

        tasks = [w.start() for _ in range(12)]
        with Worker(engine, threads=3):
            for task in tasks:
                task.wait(30)
        assert most[0] == 3

    def test_a_batch_waits_in_line(self, engine: Engine) -> None:
        """Steps are taken ahead, yet no more of them run at once than there are threads; what is
        still in line when the worker stops was never begun."""
        w = engine.workflow("w")
        go = threading.Event()
        lock = threading.Lock()
        now, most = [0], [0]

        @w.step
        def busy() -> None:
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            go.wait(30)
            with lock:
                now[0] -= 1

        tasks = [w.start() for _ in range(20)]

        def states() -> List[str]:
            return sorted(task.steps["busy"].state for task in tasks)

        worker = Worker(engine, threads=2, batch=5).start()
        until(lambda: states() == ["ready"] * 10 + ["running"] * 10, "taking ten steps")
        worker.stop(grace=0)
        assert states() == ["ready"] * 20
        assert {task.steps["busy"].attempt for task in tasks} == {0}
        go.set()
        with Worker(engine, threads=2, batch=5):
            for task in tasks:
                assert task.wait(30).status == "succeeded"
        assert most[0] <= 4  # those of the first worker may not have ended yet

    def test_a_batch_behind_an_endless_handler(self, engine: Engine) -> None:
        """What stands in line behind a handler that never returns gets another thread."""
        w = engine.workflow("w")
        release = threading.Event()

        @w.step(timeout=0.2, priority=10)
        def endless() -> None:
            release.wait(30)

        @w.step
        def good() -> int:
            return 1

        tasks = [w.start() for _ in range(3)]
        with Worker(engine, threads=1, batch=6):
            for task in tasks:
                assert task.wait(20).status == "failed"
            release.set()
        assert [task.result("good") for task in tasks] == [1, 1, 1]
        assert {task.steps["endless"].error_class for task in tasks} == {"Timeout"}

    def test_numbers_that_are_too_small(self, engine: Engine) -> None:
        for option in ("threads", "coroutines", "batch"):
            with pytest.raises(ValueError, match="1 or more"):
                Worker(engine, **{option: 0})  # type: ignore[arg-type]

    def test_outcomes_do_not_wait_for_new_work(self, engine: Engine) -> None:
        """A chain runs in far less than one wait of the exchange per step."""
        w = engine.workflow("w")
        previous: Any = ()
        for i in range(20):
            previous = w.step(name=f"s{i}", after=previous)(lambda: None)
        task = w.start()
        start = time.monotonic()
        with Worker(engine, threads=4):
            task.wait(30)
        assert time.monotonic() - start < 5

    def test_two_workers_share_the_work(self, engine: Engine) -> None:
        w = engine.workflow("w")
        seen: List[int] = []

        @w.step
        def work(ctx: Context[Any]) -> None:
            seen.append(ctx.input)
            time.sleep(0.002)

        tasks = [w.start(i) for i in range(60)]
        with Worker(engine, threads=2), Worker(engine, threads=2):
            for task in tasks:
                task.wait(30)
        assert sorted(seen) == list(range(60))

    def test_only_registered_handlers_are_claimed(self, engine: Engine) -> None:
        w = engine.workflow("w")
        w.external("elsewhere")

        @w.step
        def here() -> int:
            return 1

        task = w.start()
        with Worker(engine):
            until(lambda: task.steps["here"].state == "succeeded", "the step here")
            assert task.steps["elsewhere"].state == "ready"
            (reason,) = task.explain("elsewhere")
            assert reason.reason == "missing_handler"

    def test_a_worker_for_some_workflows_and_queues(self, engine: Engine) -> None:
        a, b = engine.workflow("a"), engine.workflow("b")
        a.step(name="x")(lambda: 1)
        a.step(name="y", queue="slow")(lambda: 1)
        b.step(name="x")(lambda: 1)
        task_a, task_b = a.start(), b.start()
        with Worker(engine, a, queues=["default"], name="mine"):
            until(lambda: task_a.steps["x"].state == "succeeded", "a.x")
            (row,) = engine.worker_list()
            assert (row.name, row.handlers) == ("mine", ("a.x", "a.y"))
        assert task_a.steps["y"].state == "ready" and task_b.steps["x"].state == "ready"


class TestStartAndStop:
    def test_no_handlers(self, engine: Engine) -> None:
        engine.workflow("w").external("a")
        with pytest.raises(ValueError, match="no handler"):
            Worker(engine).start()

    def test_twice(self, engine: Engine) -> None:
        engine.workflow("w").step(name="a")(lambda: 1)
        worker = Worker(engine).start()
        for again in (worker.start, worker.run):
            with pytest.raises(RuntimeError):
                again()
        assert engine.worker_list()
        worker.stop()
        worker.stop()
        assert engine.worker_list() == []

    def test_threads_end(self, engine: Engine) -> None:
        w = engine.workflow("w")
        w.step(name="a")(lambda: 1)

        async def coroutine() -> int:
            return 1

        w.step(name="b")(coroutine)
        before = set(threading.enumerate())
        task = w.start()
        with Worker(engine):
            task.wait(10)
        until(lambda: set(threading.enumerate()) <= before, "the end of the threads")

    def test_stop_waits_for_handlers(self, engine: Engine) -> None:
        w = engine.workflow("w")
        started = threading.Event()

        @w.step
        def slow() -> int:
            started.set()
            time.sleep(0.3)
            return 1

        task = w.start()
        worker = Worker(engine).start()
        assert started.wait(10)
        worker.stop()
        assert task.status == "succeeded"

    def test_stop_gives_back_what_does_not_end(self, engine: Engine) -> None:
        w = engine.workflow("w")
        started, release = threading.Event(), threading.Event()

        @w.step
        def slow(ctx: Context[Any]) -> int:
            started.set()
            release.wait(10)
            return ctx.attempt

        task = w.start()
        worker = Worker(engine, grace=0.1).start()
        assert started.wait(10)
        worker.stop()
        step = task.steps["slow"]
        assert (step.state, step.attempt) == ("ready", 0)
        release.set()
        Worker(engine).run(until=task)
        assert task.result(slow) == 1

    def test_stop_on_a_store_that_fails(self, engine: Engine) -> None:
        """It tries again now and then, until the store takes the outcome."""

        class Failing:
            tries = 0
            over_at = 0.0

            def exchange(self, worker_id: int, rows: Any, *rest: Any) -> Any:
                if rows and time.monotonic() < self.over_at:
                    self.tries += 1
                    raise stepwell.BusyError("busy")
                return engine.exchange(worker_id, rows, *rest)

            def __getattr__(self, name: str) -> Any:
                return getattr(engine, name)

        w = engine.workflow("w")
        failing: Any = Failing()
        failing.over_at = time.monotonic() + 1.0

        @w.step
        def only() -> str:
            return "done"

        task = w.start()
        worker = Worker(failing, w, threads=1).start()
        until(lambda: failing.tries > 0, "the first failure")
        worker.stop()
        assert task.result("only") == "done"
        assert failing.tries < 30

    def test_leases_are_renewed(self, engine: Engine) -> None:
        w = engine.workflow("w")

        @w.step
        def slow(ctx: Context[Any]) -> int:
            time.sleep(1.2)
            return ctx.fencing_token

        task = w.start()
        with Worker(engine, lease=0.3), Worker(engine, lease=0.3):
            task.wait(20)
        assert task.result(slow) == 1

    def test_a_handler_that_holds_the_interpreter_keeps_its_lease(self, engine: Engine) -> None:
        usleep = ctypes.PyDLL(None).usleep  # PyDLL: the lock is not released
        w = engine.workflow("w")

        @w.step
        def greedy() -> List[bool]:
            usleep(900_000)
            return [row.alive for row in engine.worker_list()]

        task = w.start()
        with Worker(engine, lease=0.3):
            task.wait(20)
        assert task.result(greedy) == [True]

    def test_closing_the_engine_ends_the_worker(self, store: str) -> None:
        engine = Engine(store)
        engine.workflow("w").step(name="a")(lambda: 1)
        worker = Worker(engine)
        failures: List[BaseException] = []

        def run() -> None:
            try:
                worker.run()
            except stepwell.ClosedError as error:
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        until(lambda: engine.worker_list(), "the start")
        engine.close()
        thread.join(20)
        assert len(failures) == 1

    def test_an_engine_that_is_closed_while_the_worker_starts(
        self, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine.workflow("w").step(name="a")(lambda: 1)
        monkeypatch.setattr(Engine, "worker_keep", lambda self, _: self.close() or self.info())
        with pytest.raises(stepwell.ClosedError):
            Worker(engine).run()

    def test_stop_from_another_thread_ends_run(self, engine: Engine) -> None:
        engine.workflow("w").step(name="a")(lambda: 1)
        worker = Worker(engine)
        threading.Timer(0.2, worker.stop).start()
        worker.run()
        assert engine.worker_list() == []

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_ends_run(self, engine: Engine, number: int) -> None:
        engine.workflow("w").step(name="a")(lambda: 1)
        before = signal.getsignal(number)
        threading.Timer(0.2, os.kill, (os.getpid(), number)).start()
        Worker(engine).run()
        assert signal.getsignal(number) == before
        assert engine.worker_list() == []


PROGRAM = """
import sys, time
from stepwell import Engine, Worker
engine = Engine(sys.argv[1])
w = engine.workflow("w")

@w.step
def slow():
    print("started", flush=True)
    time.sleep(float(sys.argv[2]))
    return 1
"""


class TestCommand:
    def test_python_m_stepwell(self, tmp_path: Any) -> None:
        (tmp_path / "shop.py").write_text(PROGRAM.replace("sys.argv[1]", "'x.db'").replace(
            "float(sys.argv[2])", "0"
        ))
        program = start_program(
            f"""
            import os, runpy, sys
            os.chdir({str(tmp_path)!r})
            sys.argv = ["stepwell", "worker", "shop:engine", "--threads", "2", "--name", "cli"]
            runpy.run_module("stepwell", run_name="__main__", alter_sys=True)
            """
        )
        path = tmp_path / "x.db"
        until(lambda: path.exists(), "the store")
        assert "working on" in read_line(program)
        with Engine(path) as engine:
            until(lambda: engine.worker_list(), "the worker")
            assert engine.worker_list()[0].name == "cli"
            task_id = engine.submit([("w",)])[0].task_id
            assert engine.wait(task_id, 20_000)[0].state == "succeeded"
            program.terminate()
            assert program.wait(20) == 0
            assert engine.worker_list() == []

    @pytest.mark.parametrize(
        "place, message",
        [
            ("nothing", "expected MODULE:NAME"),
            ("no_such_module:engine", "there is no module no_such_module"),
            ("json:dumps", "expected a stepwell.Engine"),
        ],
    )
    def test_a_wrong_place(self, place: str, message: str) -> None:
        done = run_program(
            f"""
            import sys
            from stepwell.__main__ import main
            sys.exit(main(["worker", {place!r}]))
            """,
            check=False,
        )
        assert done.returncode == 2 and message in done.stderr


class TestHandlersOfTheirOwn:
    TEXT = (
        '{"stepwell":1,"name":"o","steps":[{"name":"a","handler":"x.a"},'
        '{"name":"b","handler":"x.b","after":["a"],"retry":{"max_attempts":3}}]}'
    )

    def test_steps_declared_elsewhere(self, engine: Engine) -> None:
        engine.register(self.TEXT)

        @engine.handler("x.a")
        async def a(ctx: Context[Any]) -> int:
            return int(ctx.input)

        @engine.handler("x.b", retry=Retry(1, give_up_on=KeyError))
        def b(a: int, absent: int = 5) -> int:
            raise KeyError(a + absent)

        task = engine.task(engine.submit([("o", "7")])[0].task_id)
        Worker(engine).run(until=task)
        assert task.result("a") == 7
        step = task.steps["b"]
        assert (step.error_message, step.attempt) == ("12", 1)
        assert b.handler == "x.b" and isinstance(b, stepwell.Handler)

    def test_a_worker_for_one_of_them(self, engine: Engine) -> None:
        engine.register(self.TEXT)
        a = engine.handler("x.a")(lambda: 1)
        engine.handler("x.b")(lambda missing: missing)
        task = engine.task(engine.submit([("o",)])[0].task_id)
        with Worker(engine, a):
            until(lambda: task.steps["a"].state == "succeeded", "a")
            assert task.steps["b"].state == "ready"
        Worker(engine).run(until=task)
        assert task.steps["b"].error_class == "NotFoundError"
        assert "add it to after=" in (task.steps["b"].error_message or "")

    def test_a_name_is_bound_once(self, engine: Engine) -> None:
        engine.handler("x.a")(lambda: 1)
        with pytest.raises(stepwell.DefinitionError, match="x.a already"):
            engine.handler("x.a")(lambda: 2)
