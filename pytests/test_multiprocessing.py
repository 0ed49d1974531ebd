"""Programs of several processes, with an engine open in the first: forks under load, servers that
load first and fork then, and what the standard library makes processes with.

The programs run beside the tests, so that one that hangs is noticed. What a single call answers in
a child is in test_fork.py.
"""

from __future__ import annotations

import os
import sqlite3
import textwrap
from pathlib import Path

import pytest
from helper import run_program
from stepwell import Engine

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

# A module of its own, because spawned children import what they are to do.
JOB = """
    import os, signal, sys, time
    import stepwell

    PATH = sys.argv[1] + "/x.db"

    def declare(engine):
        w = engine.workflow("pair")

        @w.step
        def first():
            return os.getpid()

        @w.step
        def second(first):
            return [first, os.getpid()]

        return w

    def work(ready=None):
        # Work until SIGTERM, in a process of its own.
        with stepwell.Engine(PATH) as engine:
            declare(engine)
            if ready is not None:
                ready.put(os.getpid())
            stepwell.Worker(engine, threads=2, lease=2).run()

    def staffed(engine, count):
        # A worker that the engine knows hears SIGTERM; the process of one that starts dies of it.
        while sum(worker.alive for worker in engine.worker_list()) < count:
            time.sleep(0.01)

    def submit(number):
        with stepwell.Engine(PATH) as engine:
            return engine.submit([("pair", None, f"job-{number}")])[0].task_id
"""

START = """
    import sys, warnings
    warnings.simplefilter("ignore", DeprecationWarning)
    sys.path.insert(0, sys.argv[1])
    from job import *
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the programs work; the database is x.db."""
    (tmp_path / "job.py").write_text(textwrap.dedent(JOB))
    return tmp_path


def finish(folder: Path, program: str, *arguments: str) -> None:
    """The program ends in order, and leaves a sound database with a sound history."""
    text = textwrap.dedent(START) + textwrap.dedent(program)
    run_program(text, str(folder), *arguments, timeout=100)
    with Engine(folder / "x.db") as engine:
        assert engine.audit_verify().ok
        assert not [worker for worker in engine.worker_list() if worker.alive]
    database = sqlite3.connect(folder / "x.db")
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()


def test_forks_under_load(folder: Path) -> None:
    """A worker with four threads, and children of many kinds meanwhile, several at a time, each
    with twenty seconds to live."""
    finish(
        folder,
        """
        import gc, subprocess, threading

        FORKS, AT_ONCE, WATCHDOG_S = 200, 5, 20
        engine = stepwell.Engine(PATH)
        pair = declare(engine)
        worker = stepwell.Worker(engine, threads=4).start()
        tasks, stop = [], threading.Event()

        def client():
            while not stop.wait(0.002):
                tasks.append(pair.start())

        def refused():
            try:
                engine.info()
            except stepwell.ForkedEngineError:
                return 0
            return 1

        def give_up():
            engine.close()
            gc.collect()
            return 0

        def own():
            submit(os.getpid())
            return 0

        def cut_short():
            own_engine = stepwell.Engine(PATH)
            own_engine.worker_open(["pair.first"], lease_ms=500)
            os.kill(os.getpid(), signal.SIGKILL)

        def parent():
            pid = os.fork()
            if pid == 0:
                os._exit(refused() or own())
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

        def another():
            os.execlp("true", "true")

        def command():
            return subprocess.run(["true"]).returncode

        def leave():
            sys.exit(0)

        lives = [leave, refused, give_up, own, cut_short, parent, another, command]

        def child(life):
            pid = os.fork()
            if pid == 0:
                signal.alarm(WATCHDOG_S)
                status = 1
                try:
                    status = life()
                except SystemExit as error:
                    status = error.code
                finally:
                    os._exit(status)
            return pid, life

        def reap(pid, life):
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            assert status == (-9 if life is cut_short else 0), (life.__name__, status)

        thread = threading.Thread(target=client)
        thread.start()
        children = []
        for number in range(FORKS):
            children.append(child(lives[number % len(lives)]))
            if len(children) > AT_ONCE:
                reap(*children.pop(0))
            subprocess.run(["true"], check=True)
        for pid, life in children:
            reap(pid, life)
        stop.set()
        thread.join()
        assert len(tasks) > 50, len(tasks)
        rest = [task for task in engine.tasks() if task.id not in {task.id for task in tasks}]
        assert len(rest) == 2 * FORKS // len(lives), len(rest)
        for task in tasks + rest:
            assert task.wait(60).status == "succeeded"
            assert task.result("second") == [os.getpid(), os.getpid()]
        worker.stop()
        engine.close()
        """,
    )


def test_servers_that_load_first(folder: Path) -> None:
    """The parent opens an engine, uses it and never works; its children work on their own."""
    finish(
        folder,
        """
        engine = stepwell.Engine(PATH)
        pair = declare(engine)
        before = pair.start()
        children = []
        for _ in range(3):
            pid = os.fork()
            if pid == 0:
                try:
                    before.status
                except stepwell.ForkedEngineError:
                    work()
                    os._exit(5)
                os._exit(1)
            children.append(pid)
        tasks = [before] + [pair.start() for _ in range(40)]
        for task in tasks:
            assert task.wait(60).status == "succeeded"
            assert set(task.result("second")) <= set(children)
        staffed(engine, 3)
        for pid in children:
            os.kill(pid, signal.SIGTERM)
        for pid in children:
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5
        engine.close()
        """,
    )


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_workers_as_processes(folder: Path, method: str) -> None:
    """Workers made by multiprocessing while the parent has its engine open and in use; one of
    them is killed, the others do its work."""
    finish(
        folder,
        """
        import multiprocessing, threading

        if __name__ == "__main__":
            context = multiprocessing.get_context(sys.argv[2])
            engine = stepwell.Engine(PATH)
            pair = declare(engine)
            stop = threading.Event()

            def look():
                while not stop.is_set():
                    engine.count()

            thread = threading.Thread(target=look)
            thread.start()
            ready = context.Queue()
            workers = [context.Process(target=work, args=(ready,)) for _ in range(3)]
            for worker in workers:
                worker.start()
            pids = {ready.get(timeout=60) for _ in workers}
            tasks = [pair.start() for _ in range(30)]
            workers[0].kill()
            workers[0].join(20)
            tasks += [pair.start() for _ in range(30)]
            for task in tasks:
                assert task.wait(60).status == "succeeded"
                assert set(task.result("second")) <= pids
            stop.set()
            thread.join()
            staffed(engine, 2)
            for worker in workers[1:]:
                worker.terminate()
                worker.join(30)
                assert worker.exitcode == 0, worker.exitcode
            engine.close()
        """,
        method,
    )


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_process_pool_executor(folder: Path, method: str) -> None:
    """Jobs that open the database for themselves, each key submitted by two of them."""
    finish(
        folder,
        """
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor

        if __name__ == "__main__":
            engine = stepwell.Engine(PATH)
            pair = declare(engine)
            context = multiprocessing.get_context(sys.argv[2])
            pair.start()
            with ProcessPoolExecutor(3, mp_context=context) as pool:
                ids = list(pool.map(submit, list(range(10)) * 2))
            assert ids[:10] == ids[10:]
            assert engine.count()["pending"] == 11
            with stepwell.Worker(engine):
                for task in engine.tasks():
                    assert task.wait(60).status == "succeeded"
            engine.close()
        """,
        method,
    )


def test_handlers_that_start_processes(folder: Path) -> None:
    """Every way there is, while other threads are inside the engine."""
    finish(
        folder,
        """
        import multiprocessing, subprocess

        def three():
            sys.exit(3)

        def by_process(method):
            process = multiprocessing.get_context(method).Process(target=three)
            process.start()
            process.join(60)
            return process.exitcode

        def by_fork():
            pid = os.fork()
            if pid == 0:
                os._exit(3)
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

        ways = {
            "run": lambda: subprocess.run(["sh", "-c", "exit 3"]).returncode,
            "system": lambda: os.waitstatus_to_exitcode(os.system("exit 3")),
            "popen": lambda: int(os.popen("echo 3").read()),
            "posix_spawn": lambda: os.waitstatus_to_exitcode(
                os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", "exit 3"], os.environ), 0)[1]
            ),
            "fork": by_fork,
            "process": lambda: by_process("fork"),
        }
        engine = stepwell.Engine(PATH)
        w = engine.workflow("w")
        for name, way in ways.items():
            w.step(name=name)(way)
        with stepwell.Worker(engine, threads=4):
            tasks = [w.start() for _ in range(10)]
            for task in tasks:
                assert task.wait(60).status == "succeeded"
                assert {step.attempt for step in task.steps.values()} == {1}
                assert {task.result(name) for name in ways} == {3}
        engine.close()
        """,
    )
