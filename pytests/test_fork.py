"""Fork: an inherited engine is refused in the child and unharmed in the parent."""

from __future__ import annotations

import gc
import os
import threading
import time
from pathlib import Path
from typing import Any, Callable

import pytest
import stepwell
from helper import chain, run_program, submit
from stepwell import Engine

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


def in_child(work: Callable[[], Any]) -> None:
    """Run work in a forked child; it must end without an exception."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException as error:
            os.write(2, f"child: {type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_every_call_is_refused_in_the_child(engine: Engine) -> None:
    engine.register(chain("w", "a"))
    task_id = submit(engine, "w")
    worker = engine.worker_open(["w.a"])

    def child() -> None:
        for call in (
            engine.info,
            lambda: engine.submit([("w",)]),
            lambda: engine.get(task_id),
            lambda: engine.wait(task_id, 1_000),
            lambda: engine.exchange(worker, [], 1, 1_000),
            lambda: engine.update_batch([]),
            lambda: engine.heartbeat([]),
            lambda: engine.worker_keep(worker),
            lambda: engine.worker_close(worker),
            lambda: engine.audit_verify(),
            lambda: engine.erase("ann", actor="eve", reason="why"),
            lambda: engine.audit_search(),
            lambda: engine.audit_count(),
            lambda: engine.audit_dump(),
            lambda: engine.audit_seal("/no/key"),
            lambda: engine.audit_rotate("/no/key", "/no/next"),
            lambda: engine.audit_anchor_put("file:/no/folder/a", "x", ["y"]),
            lambda: engine.audit_prove("x", [1]),
            lambda: engine.audit_prove_consistency("x", "y"),
            lambda: engine.audit_export("/no/folder", "x"),
            lambda: engine.task_export(task_id),
            lambda: engine.control_report("json", None, None, None, ["x"], ["y"]),
        ):
            with pytest.raises(stepwell.ForkedEngineError, match="fork"):
                call()
        engine.wake()

    in_child(child)
    assert len(engine.exchange(worker, [], 1, 0).claims) == 1


def test_closing_in_the_child_leaves_the_parent_alone(engine: Engine) -> None:
    engine.register(chain("w", "a"))

    def child() -> None:
        engine.close()
        assert engine.closed

    in_child(child)
    submit(engine, "w")
    assert engine.audit_verify().ok


def test_letting_go_in_the_child_leaves_the_parent_alone(tmp_path: Path) -> None:
    """Also when the parent is in the middle of a call in another thread."""
    engines = [Engine(tmp_path / "x.db")]
    engines[0].register(chain("w", "a"))
    worker = engines[0].worker_open(["w.a"])
    found = []
    thread = threading.Thread(
        target=lambda engine: found.extend(engine.exchange(worker, [], 1, 10_000).claims),
        args=engines,
    )
    thread.start()
    time.sleep(0.05)

    def child() -> None:
        engines.clear()
        gc.collect()

    in_child(child)
    submit(engines[0], "w")
    thread.join(10)
    assert len(found) == 1
    engines[0].close()


def test_the_child_may_open_its_own(tmp_path: Path) -> None:
    parent = Engine(tmp_path / "x.db")
    parent.register(chain("w", "a"))

    def child() -> None:
        with Engine(tmp_path / "x.db") as own:
            submit(own, "w", "1")

    for _ in range(3):
        in_child(child)
    assert parent.count()["pending"] == 3
    assert parent.audit_verify().ok
    parent.close()


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_multiprocessing(tmp_path: Path, method: str) -> None:
    """Children of every kind work on one file while the parent has it open."""
    (tmp_path / "job.py").write_text(
        "import stepwell\n"
        "def job(path):\n"
        "    with stepwell.Engine(path) as engine:\n"
        "        engine.submit([('w',)])\n"
        "    return 1\n"
    )
    run_program(
        """
        import multiprocessing, sys
        import stepwell
        sys.path.insert(0, sys.argv[1])
        import job
        path = sys.argv[1] + "/x.db"
        if __name__ == "__main__":
            engine = stepwell.Engine(path)
            engine.register('{"stepwell":1,"name":"w","steps":[{"name":"a"}]}')
            with multiprocessing.get_context(sys.argv[2]).Pool(2) as pool:
                assert sum(pool.map(job.job, [path] * 10)) == 10
            assert engine.count()["pending"] == 10
            assert engine.audit_verify().ok
        """,
        str(tmp_path),
        method,
    )


def test_a_fork_beside_a_worker(tmp_path: Path) -> None:
    """The child has none of the worker's threads and ends; the worker goes on."""
    engine = Engine(tmp_path / "x.db")
    w = engine.workflow("w")
    w.step(name="a")(lambda: time.sleep(0.05))
    with stepwell.Worker(engine, threads=2):
        tasks = [w.start() for _ in range(5)]
        in_child(lambda: None)
        for task in tasks:
            assert task.wait(20).status == "succeeded"
    engine.close()
