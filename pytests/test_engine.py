"""Engine: the batch calls of the binding on both stores."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, List, Tuple

import pytest
import stepwell
from helper import chain, definition, submit
from stepwell import Engine
from stepwell._binding import core


def claimed(engine: Engine, worker: int, count: int = 10) -> List[stepwell.Claim]:
    return engine.exchange(worker, [], count, 0).claims


@pytest.fixture
def worker(engine: Engine) -> int:
    engine.register(chain("w", "a", "b"))
    return engine.worker_open(["w.a", "w.b"])


class TestOpenAndClose:
    def test_info(self, engine: Engine, store: str) -> None:
        info = engine.info()
        assert info.sqlite == (store != "memory:")
        assert info.durability == ("memory" if store == "memory:" else "relaxed")
        assert info.now_us > 0

    def test_strict_is_the_default(self, tmp_path: Path) -> None:
        with Engine(tmp_path / "x.db") as engine:
            assert engine.info().durability == "strict"

    def test_the_file_may_be_named_as_url(self, tmp_path: Path) -> None:
        with Engine(f"sqlite:///{tmp_path}/x.db") as engine:
            engine.register(chain("w", "a"))
        with Engine(tmp_path / "x.db", must_exist=True) as engine:
            assert engine.definition("w").name == "w"

    def test_after_close_every_call_is_refused(self, engine: Engine) -> None:
        engine.close()
        engine.close()
        assert engine.closed
        engine.wake()
        with pytest.raises(stepwell.ClosedError):
            engine.info()
        with pytest.raises(stepwell.ClosedError):
            engine.update_batch([])

    def test_an_object_that_was_never_opened(self) -> None:
        engine = Engine.__new__(Engine)
        with pytest.raises(stepwell.ClosedError):
            engine.info()

    def test_open_twice(self, engine: Engine) -> None:
        with pytest.raises(stepwell.IllegalTransitionError):
            engine.__init__("memory:")  # type: ignore[misc]
        assert engine.info()

    def test_the_database_must_exist(self, tmp_path: Path) -> None:
        with pytest.raises(stepwell.NotFoundError):
            Engine(tmp_path / "none.db", must_exist=True)
        assert not (tmp_path / "none.db").exists()

    def test_a_file_of_somebody_else(self, tmp_path: Path) -> None:
        (tmp_path / "x.db").write_text("no database at all, but long enough to look at\n" * 99)
        with pytest.raises(stepwell.ForeignDatabaseError):
            Engine(tmp_path / "x.db")

    def test_a_directory(self, tmp_path: Path) -> None:
        with pytest.raises(stepwell.Error):
            Engine(tmp_path)

    def test_unknown_durability(self) -> None:
        with pytest.raises(stepwell.InvalidArgumentError, match="'fast'.*'strict'"):
            Engine("memory:", durability="fast")

    def test_letting_go_closes_the_file(self, tmp_path: Path) -> None:
        def open_files() -> List[str]:
            return [path for path in map(_link, Path("/proc/self/fd").iterdir()) if "x.db" in path]

        engine = Engine(tmp_path / "x.db")
        assert open_files()
        del engine
        gc.collect()
        assert not open_files()

    def test_close_ends_a_wait_in_another_thread(self, store: str) -> None:
        engine = Engine(store)
        engine.register(chain("w", "a"))
        worker = engine.worker_open(["w.a"])
        ended: List[Any] = []

        def wait() -> None:
            try:
                ended.append(engine.exchange(worker, [], 1, -1))
            except stepwell.ClosedError as error:
                ended.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.1)
        engine.close()
        thread.join(5)
        assert len(ended) == 1


def _link(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


class TestWorkflows:
    def test_register(self, engine: Engine) -> None:
        first = engine.register(definition("w", [{"name": "a", "what": 1}], version="1.2"))
        again = engine.register(definition("w", [{"name": "a"}], version="1.2"))
        assert (first.name, first.version) == ("w", "1.2")
        assert len(first.digest) == 64
        assert [finding["severity"] for finding in first.warnings] == ["warning"]
        assert "what" in first.warnings[0]["message"]
        assert again.warnings == []

    def test_definition(self, engine: Engine) -> None:
        digest = engine.register(
            definition("w", [{"name": "a"}], version="1", input_schema={"type": "object"})
        ).digest
        found = engine.definition("w", "1")
        assert (found.digest, found.input_schema) == (digest, '{"type":"object"}')
        assert engine.definition("w") == found
        with pytest.raises(stepwell.NotFoundError):
            engine.definition("w", "2")

    def test_all_findings_at_once(self, engine: Engine) -> None:
        text = definition("w", [{"name": "a", "after": ["x"]}, {"name": "b", "after": ["y"]}])
        with pytest.raises(stepwell.DefinitionError) as caught:
            engine.register(text, source="order.json")
        assert "order.json:1:" in str(caught.value)
        findings = caught.value.findings
        assert [finding["severity"] for finding in findings] == ["error", "error"]
        assert all(finding["line"] == 1 and finding["column"] > 1 for finding in findings)
        assert "x" in findings[0]["message"] and "y" in findings[1]["message"]

    def test_strict_refuses_unknown_keys(self, engine: Engine) -> None:
        with pytest.raises(stepwell.DefinitionError):
            engine.register(definition("w", [{"name": "a", "what": 1}]), strict=True)

    def test_yaml(self, engine: Engine) -> None:
        mission = "name: m\nversion: '1'\nsteps:\n  - {id: a, name: A, step_type: noop}\n"
        assert engine.register(mission).name == "m"


class TestTasks:
    def test_submit_and_get(self, engine: Engine) -> None:
        engine.register(chain("w", "a", "b"), source=None)
        row = ("w", '{"n":1}', "key", None, ["x", "y"], 7, "ann", "because", "corr")
        task_id = engine.submit([row])[0].task_id
        task, steps = engine.get(task_id)
        assert (task.workflow, task.input, task.key) == ("w", '{"n":1}', "key")
        assert task.tags == ("x", "y")
        assert (task.priority, task.initiator, task.reason) == (7, "ann", "because")
        assert (task.correlation_id, task.state) == ("corr", "pending")
        assert task.step_counts["ready"] == 1 and task.step_counts["pending"] == 1
        assert [(step.name, step.state, step.level) for step in steps] == [
            ("a", "ready", 0),
            ("b", "pending", 1),
        ]

    def test_an_absent_value_is_none(self, engine: Engine) -> None:
        engine.register(chain("w", "a"))
        task, steps = engine.get(submit(engine, "w"))
        assert task.input is None and task.key is None and task.tags == ()
        assert steps[0].result is None and steps[0].error_class is None

    def test_the_same_key_answers_the_same_task(self, engine: Engine) -> None:
        engine.register(chain("w", "a"))
        first, again = engine.submit([("w", "1", "k"), ("w", "1", "k")])
        assert first.created and not again.created
        assert first.task_id == again.task_id
        with pytest.raises(stepwell.ConflictError) as caught:
            engine.submit([("w", "3"), ("w", "2", "k")])
        assert caught.value.row == 1
        assert sum(engine.count().values()) == 1

    def test_children_are_found_by_their_parent(self, engine: Engine) -> None:
        engine.register(chain("w", "a"))
        parent = submit(engine, "w")
        rest = (None, None, None, None)
        rows = [
            ("w", None, None, None, ["red"], 0, None, None, None, None, None, parent),
            ("w", None, None, None, *rest, None, None, None, stepwell.Task(engine, parent)),
        ]
        first, second = (row.task_id for row in engine.submit(rows))
        found = engine.list(parent=parent)
        assert [row.task_id for row in found] == [second, first]
        assert {row.parent_id for row in found} == {parent}
        assert [row.tags for row in found] == [(f"parent:{parent}",), ("red", f"parent:{parent}")]
        whole = stepwell.Task(engine, parent)
        assert [row.task_id for row in engine.list(parent=whole, tag="red")] == [first]
        (last,) = engine.list(parent=parent, before=second, limit=5)
        assert last.task_id == first
        assert engine.count(parent=whole)["pending"] == 2
        assert sum(engine.count(parent=first).values()) == 0
        assert [task.id for task in engine.tasks(parent=whole)] == [second, first]
        assert stepwell.Task(engine, first).parent_id == parent and whole.parent_id is None
        assert len(engine.list(parent=None)) == 3

    def test_a_parent_that_is_none_names_the_row(self, engine: Engine) -> None:
        engine.register(chain("w", "a"))
        parent, other = submit(engine, "w"), submit(engine, "w")

        def row(tags: Any, parent: Any) -> Tuple[Any, ...]:
            return ("w", None, None, None, tags, 0, None, None, None, None, None, parent)

        with pytest.raises(stepwell.NotFoundError, match="to be the parent") as caught:
            engine.submit([("w",), row(None, "01920000-0000-7000-8000-000000000000")])
        assert caught.value.row == 1
        with pytest.raises(stepwell.InvalidArgumentError, match="must name a task"):
            engine.submit([row(["parent:order-7"], None)])
        with pytest.raises(stepwell.InvalidArgumentError, match="two parents"):
            engine.submit([row([f"parent:{parent}"], other)])
        with pytest.raises(stepwell.InvalidArgumentError, match="parent is 'x'") as caught:
            engine.submit([("w",), row(None, "x")])
        assert caught.value.row == 1
        with pytest.raises(TypeError):
            engine.submit([row(None, 7)])
        with pytest.raises(stepwell.InvalidArgumentError, match="parent is 'x'"):
            engine.list(parent="x")
        assert sum(engine.count().values()) == 2

    def test_an_unknown_workflow_names_the_row(self, engine: Engine) -> None:
        engine.register(chain("w", "a"))
        with pytest.raises(stepwell.NotFoundError) as caught:
            engine.submit([("w",), ("w",), ("nobody",)])
        assert caught.value.row == 2

    def test_list_pages_newest_first(self, engine: Engine) -> None:
        engine.register(chain("w", "a"))
        engine.register(chain("v", "a"))
        ids = [submit(engine, "w", None, None, None, [f"t{i % 2}"]) for i in range(5)]
        submit(engine, "v")
        rows = engine.list(workflow="w", limit=2)
        rows += engine.list(workflow="w", before=rows[-1].task_id)
        assert [row.task_id for row in rows] == ids[::-1]
        assert [row.task_id for row in engine.list(tag="t1")] == [ids[3], ids[1]]
        assert engine.list(state="failed") == []
        created = [engine.get(task_id)[0].created_us for task_id in ids]
        assert len(engine.list(workflow="w", created_after_us=created[0])) == len(ids)
        assert engine.list(workflow="w", created_after_us=created[-1] + 1) == []
        assert sum(engine.count(created_before_us=created[0]).values()) == 0
        then = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=created[0])
        assert len(list(engine.tasks(workflow="w", created_after=then))) == len(ids)
        assert list(engine.tasks(created_before=then)) == []
        with pytest.raises(stepwell.InvalidArgumentError, match="has no time zone"):
            next(engine.tasks(created_before=datetime(2026, 1, 1)))
        assert engine.count(workflow="w")["pending"] == 5
        assert engine.count()["pending"] == 6

    def test_cancel_all_or_none(self, engine: Engine) -> None:
        engine.register(chain("w", "a"))
        first, second = submit(engine, "w"), submit(engine, "w")
        engine.cancel([(first, "ann", "not needed")])
        with pytest.raises(stepwell.IllegalTransitionError) as caught:
            engine.cancel([(second,), (first,)])
        assert caught.value.row == 1
        assert engine.get(first)[0].state == "cancelled"
        assert engine.get(second)[0].state == "pending"
        entry = [e for e in engine.audit_task(first) if e.kind == "task_changed"][-1]
        assert (entry.to_state, entry.actor, entry.reason) == ("cancelled", "ann", "not needed")

    def test_get_of_no_task(self, engine: Engine) -> None:
        with pytest.raises(stepwell.NotFoundError):
            engine.get("01932f00-0000-7000-8000-000000000000")
        with pytest.raises(stepwell.InvalidArgumentError, match="expected a UUID"):
            engine.get("no-task")

    def test_wait_until_the_time_is_over(self, engine: Engine) -> None:
        engine.register(chain("w", "a"))
        task_id = submit(engine, "w")
        start = time.monotonic()
        assert engine.wait(task_id, 120)[0].state == "pending"
        assert 0.1 < time.monotonic() - start < 2
        assert engine.wait(task_id, 0)[0].state == "pending"

    def test_wait_until_the_end(self, engine: Engine, worker: int) -> None:
        engine.register(chain("one", "a"))
        other = engine.worker_open(["one.a"])
        task_id = submit(engine, "one")
        claim = claimed(engine, other)[0]

        def finish() -> None:
            time.sleep(0.1)
            engine.update_batch([(claim.step_id, claim.epoch, "succeeded", "1")])

        thread = threading.Thread(target=finish)
        thread.start()
        assert engine.wait(task_id, 10_000)[0].state == "succeeded"
        thread.join()


class TestExchange:
    def test_claims_carry_what_a_handler_needs(self, engine: Engine, worker: int) -> None:
        task_id = submit(engine, "w", '{"n":1}', None, None, None, 0, None, None, "corr")
        (a,) = claimed(engine, worker)
        assert (a.task_id, a.workflow, a.name, a.handler) == (task_id, "w", "a", "w.a")
        assert (a.input, a.correlation_id, a.attempt, a.inputs) == ('{"n":1}', "corr", 1, [])
        assert (a.queue, a.max_attempts, a.timeout_ms, a.parameters) == ("default", 1, 0, None)
        answer = engine.exchange(worker, [(a.step_id, a.epoch, "succeeded", '{"x":[1.0]}')], 1, 0)
        assert [row.status for row in answer.applied] == ["applied"]
        (b,) = answer.claims
        assert b.inputs == [("a", '{"x":[1.0]}', "succeeded")]
        answer = engine.exchange(worker, [(b.step_id, b.epoch, "succeeded")], 1, 0)
        assert answer.finished == [(task_id, "succeeded")]
        assert engine.get(task_id)[1][0].result == '{"x":[1.0]}'

    def test_a_failure_keeps_its_words(self, engine: Engine, worker: int) -> None:
        task_id = submit(engine, "w")
        (a,) = claimed(engine, worker)
        row = (a.step_id, a.epoch, "failed", None, "KeyError", "no such key", "line 1\nline 2", 0)
        answer = engine.exchange(worker, [row], 0, 0)
        assert (answer.applied[0].state, answer.finished) == ("failed", [(task_id, "failed")])
        step = engine.get(task_id)[1][0]
        assert (step.error_class, step.error_message) == ("KeyError", "no such key")
        assert step.error_detail == "line 1\nline 2"

    def test_retry_after(self, engine: Engine) -> None:
        engine.register(definition("r", [{"name": "a", "retry": {"max_attempts": 2}}]))
        worker = engine.worker_open(["r.a"])
        submit(engine, "r")
        (a,) = claimed(engine, worker)
        row = (a.step_id, a.epoch, "failed", None, "E", None, None, 3_600_000)
        applied = engine.exchange(worker, [row], 0, 0).applied[0]
        assert applied.state == "ready"
        assert applied.not_before_us - engine.info().now_us > 3_500_000_000

    def test_a_stale_report_is_fenced(self, engine: Engine, worker: int) -> None:
        submit(engine, "w")
        (a,) = claimed(engine, worker)
        row = (a.step_id, a.epoch, "released")
        assert engine.update_batch([row])[0].status == "applied"
        (again,) = claimed(engine, worker)
        assert again.epoch > a.epoch
        stale = engine.update_batch([(a.step_id, a.epoch, "succeeded")])[0]
        assert (stale.status, stale.state, stale.epoch) == ("fenced", "running", again.epoch)

    def test_a_bad_row_is_named_and_nothing_written(self, engine: Engine, worker: int) -> None:
        submit(engine, "w")
        submit(engine, "w")
        first, second = claimed(engine, worker)
        rows = [
            (first.step_id, first.epoch, "succeeded", "1"),
            (second.step_id, second.epoch, "succeeded", "{not json"),
        ]
        with pytest.raises(stepwell.InvalidArgumentError) as caught:
            engine.update_batch(rows)
        assert caught.value.row == 1
        with pytest.raises(stepwell.InvalidArgumentError, match="outcome is 'done'") as caught:
            engine.update_batch([rows[0], (second.step_id, second.epoch, "done")])
        assert caught.value.row == 1
        assert engine.update_batch(rows[:1])[0].status == "applied"

    def test_an_outcome_may_be_any_equal_string(self, engine: Engine, worker: int) -> None:
        submit(engine, "w")
        (a,) = claimed(engine, worker)
        outcome = "".join(["succ", "eeded"])
        assert engine.update_batch([(a.step_id, a.epoch, outcome)])[0].state == "succeeded"

    def test_a_wait_sees_new_work(self, engine: Engine, worker: int) -> None:
        answers: List[stepwell.Exchange] = []
        thread = threading.Thread(
            target=lambda: answers.append(engine.exchange(worker, [], 1, 20_000))
        )
        thread.start()
        time.sleep(0.05)
        submit(engine, "w")
        thread.join(10)
        assert len(answers[0].claims) == 1

    def test_a_wait_ends_with_its_time(self, engine: Engine, worker: int) -> None:
        start = time.monotonic()
        assert engine.exchange(worker, [], 1, 300) == ([], [], [])
        assert 0.25 < time.monotonic() - start < 2

    def test_wake_ends_a_wait(self, engine: Engine, worker: int) -> None:
        timer = threading.Timer(0.1, engine.wake)
        timer.start()
        start = time.monotonic()
        assert engine.exchange(worker, [], 1, 20_000) == ([], [], [])
        assert time.monotonic() - start < 5
        timer.join()

    def test_a_wake_before_the_wait_is_not_lost(self, engine: Engine, worker: int) -> None:
        wakes = engine.wake_count()
        engine.wake()
        start = time.monotonic()
        assert engine.exchange(worker, [], 1, 20_000, wakes) == ([], [], [])
        assert time.monotonic() - start < 5

    def test_other_threads_run_while_one_waits(self, engine: Engine, worker: int) -> None:
        thread = threading.Thread(target=lambda: engine.exchange(worker, [], 1, 500))
        thread.start()
        count = 0
        while thread.is_alive():
            count += 1
        assert count > 1_000

    @pytest.mark.skipif(
        not str(core.__file__).endswith(".so"), reason="cffi releases the GIL in every call"
    )
    def test_small_calls_keep_the_gil_on_memory(
        self, engine: Engine, store: str, worker: int
    ) -> None:
        """Taking it back beside a busy thread costs more than the call; a disk is worth it."""
        turns, stop = [0], threading.Event()

        def spin() -> None:
            while not stop.is_set():
                turns[0] += 1
                time.sleep(0)

        task_id = submit(engine, "w")
        previous = sys.getswitchinterval()
        thread = threading.Thread(target=spin)
        thread.start()
        sys.setswitchinterval(100)
        time.sleep(0.05)  # requests of the old interval are served
        try:
            before = turns[0]
            for _ in range(20 if store == "memory:" else 20_000):
                engine.get(task_id)
                engine.count()
                engine.exchange(worker, [], 0, 0)
                engine.update_batch([])
                if turns[0] > before:
                    break
            ran = turns[0] - before
        finally:
            sys.setswitchinterval(previous)
            stop.set()
            thread.join()
        assert ran == 0 if store == "memory:" else ran > 0

    @pytest.mark.parametrize("wait", ["exchange", "wait"])
    def test_an_interrupt_ends_a_wait(self, engine: Engine, worker: int, wait: str) -> None:
        def interrupt(number: int, frame: Any) -> None:
            raise KeyboardInterrupt

        engine.register(chain("other", "a"))
        task_id = submit(engine, "other")
        previous = signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        start = time.monotonic()
        try:
            with pytest.raises(KeyboardInterrupt):
                if wait == "exchange":
                    engine.exchange(worker, [], 1, -1)
                else:
                    engine.wait(task_id, -1)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)
        assert time.monotonic() - start < 2
        submit(engine, "w")
        assert len(claimed(engine, worker)) == 1

    def test_threads_share_an_engine(self, engine: Engine) -> None:
        engine.register(chain("w", "a"))
        engine.submit([("w", str(i)) for i in range(300)])
        seen: List[Any] = []

        def work() -> None:
            worker = engine.worker_open(["w.a"])
            outcomes: List[Any] = []
            while True:
                answer = engine.exchange(worker, outcomes, 7, 0)
                if not answer.claims:
                    return
                seen.extend(claim.input for claim in answer.claims)
                outcomes = [(c.step_id, c.epoch, "succeeded", c.input) for c in answer.claims]

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(map(int, seen)) == list(range(300))
        assert engine.count()["succeeded"] == 300

    def test_a_large_batch(self, engine: Engine) -> None:
        engine.register(chain("w", "a"))
        worker = engine.worker_open(["w.a"])
        engine.submit([("w", str(i)) for i in range(2_000)])
        claims = claimed(engine, worker, 2_000)
        assert [claim.input for claim in claims] == [str(i) for i in range(2_000)]
        applied = engine.update_batch(
            [(claim.step_id, claim.epoch, "succeeded", claim.input) for claim in claims]
        )
        assert [row.step_id for row in applied] == [claim.step_id for claim in claims]
        assert {row.status for row in applied} == {"applied"}


class TestWorkers:
    def test_list_and_close(self, engine: Engine) -> None:
        engine.register(chain("w", "a"))
        worker = engine.worker_open(["w.a"], name="mine", queues=["default"], lease_ms=60_000)
        submit(engine, "w")
        assert len(claimed(engine, worker)) == 1
        (row,) = engine.worker_list()
        assert (row.worker_id, row.name, row.pid, row.held) == (worker, "mine", os.getpid(), 1)
        assert row.alive and row.handlers == ("w.a",)
        engine.worker_close(worker)
        assert engine.worker_list() == []
        with pytest.raises(stepwell.NotFoundError):
            engine.worker_close(worker)
        other = engine.worker_open(["w.a"])
        assert claimed(engine, other)[0].attempt == 1

    def test_a_kept_lease_needs_nobody(self, engine: Engine) -> None:
        kept, _silent = (engine.worker_open(["w.a"], lease_ms=200) for _ in range(2))
        engine.worker_keep(kept)
        time.sleep(0.5)
        assert [row.worker_id for row in engine.worker_list() if row.alive] == [kept]
        engine.worker_close(kept)
        with pytest.raises(stepwell.NotFoundError):
            engine.worker_keep(kept)

    def test_queues_keep_steps_apart(self, engine: Engine) -> None:
        engine.register(definition("w", [{"name": "a", "queue": "slow"}, {"name": "b"}]))
        worker = engine.worker_open(["w.a", "w.b"], queues=["slow"])
        submit(engine, "w")
        assert [claim.name for claim in claimed(engine, worker)] == ["a"]

    def test_renew_names_what_is_lost(self, engine: Engine, worker: int) -> None:
        first, second = submit(engine, "w"), submit(engine, "w")
        claims = claimed(engine, worker)
        held = [(claim.step_id, claim.epoch) for claim in claims]
        assert engine.worker_renew(worker, held) == []
        engine.cancel([(second,)])
        assert engine.worker_renew(worker, held) == [held[1]]
        assert engine.get(first)[1][0].state == "running"


class TestExplainAndAudit:
    def test_explain(self, engine: Engine) -> None:
        engine.register(chain("w", "a", "b"))
        task_id = submit(engine, "w")
        assert [(r.step, r.reason) for r in engine.explain(task_id)] == [
            ("a", "missing_handler"),
            ("b", "open_dependency"),
        ]
        (reason,) = engine.explain(task_id, "b")
        assert (reason.subject, reason.state) == ("a", "pending")
        assert "a" in reason.message

    def test_history(self, engine: Engine, worker: int) -> None:
        task_id = submit(engine, "w")
        (a,) = claimed(engine, worker)
        engine.exchange(worker, [(a.step_id, a.epoch, "succeeded", "1")], 0, 0)
        entries = engine.audit_task(task_id)
        assert {entry.task_id for entry in entries} == {task_id}
        changes = [(e.step, e.from_state, e.to_state) for e in entries if e.kind == "step_changed"]
        assert changes == [
            ("a", "ready", "running"),
            ("a", "running", "succeeded"),
            ("b", "pending", "ready"),
        ]
        done = [e for e in entries if e.to_state == "succeeded"][0]
        assert (done.epoch, done.worker_id, len(done.digest)) == (a.epoch, worker, 32)

    def test_list_and_verify(self, engine: Engine, worker: int) -> None:
        submit(engine, "w")
        claimed(engine, worker)
        report = engine.audit_verify()
        entries = engine.audit_list()
        assert report.ok and report.entry_count == len(entries)
        assert [entry.entry_no for entry in entries] == list(range(1, len(entries) + 1))
        assert {"workflow_registered", "worker_opened", "task_submitted"} <= {
            entry.kind for entry in entries
        }
        assert engine.audit_list(2, 1) == entries[1:2]
        about_nobody = [e for e in entries if e.kind == "workflow_registered"][0]
        assert about_nobody.task_id is None and about_nobody.from_state is None

    def test_tampering_is_reported(self, tmp_path: Path) -> None:
        import sqlite3

        path = tmp_path / "x.db"
        with Engine(path) as engine:
            engine.register(chain("w", "a"))
            submit(engine, "w")
        with sqlite3.connect(path) as database:
            tables = [row[0] for row in database.execute("select name from sqlite_master")]
            segment = next(name for name in tables if "segment" in name)
            database.execute(f"update {segment} set body = zeroblob(length(body))")
        database.close()
        with Engine(path) as engine:
            with pytest.raises(stepwell.AuditError) as caught:
                engine.audit_verify()
            report = caught.value.report
            assert not report.ok and report.first_bad_entry >= 1 and report.message
