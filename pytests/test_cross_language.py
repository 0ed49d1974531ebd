"""Ruby and Python work on one task in one file; values travel exactly in both directions.

Needs the Ruby extension built in place (gems/stepwell/lib/stepwell/stepwell.so).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from helper import ROOT, until
from stepwell import Context, Engine, Worker
from test_fidelity import EXACT, same

LIBRARY = ROOT / "gems" / "stepwell" / "lib"
RUBY = shutil.which("ruby")

pytestmark = [
    pytest.mark.skipif(RUBY is None, reason="there is no Ruby"),
    pytest.mark.skipif(
        not (LIBRARY / "stepwell" / "stepwell.so").exists(),
        reason="the Ruby extension is not built (ext_ruby/build)",
    ),
]

# Values as Ruby writes them, in the order of BORN.
WORKER = """
require "stepwell"
born = [
  nil, true, false, 0, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**64, 10**300,
  0.1, -0.0, 1e-323, 1.7976931348623157e308, 1.0,
  "", "quote \\" back \\\\ tab \\t",
  "Gr\\u00fc\\u00dfe \\u65e5\\u672c \\u{1f600}", "a\\u0000b\\u2028",
  [], {}, [[[]]], { "a" => nil, "b" => [1, 2.5, { "c" => true }] }, { symbol: :value }
]
handlers = {
  "ruby.echo" => ->(ctx) { ctx.result(:made) },
  "ruby.born" => ->(_ctx) { born },
  "ruby.input" => ->(ctx) { ctx.input },
  "ruby.fail" => lambda do |ctx|
    raise ArgumentError, "Gr\\u00fc\\u00dfe" if ctx.attempt < 3

    ctx.attempt
  end
}
engine = Stepwell::Engine.open(ARGV.fetch(0))
Stepwell::Worker.new(engine: engine, handlers: handlers, name: "ruby").run
"""

BORN = [
    *(None, True, False, 0, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**64, 10**300),
    *(0.1, -0.0, 1e-323, 1.7976931348623157e308, 1.0),
    *("", 'quote " back \\ tab \t', "Gr\u00fc\u00dfe \u65e5\u672c \U0001f600", "a\0b\u2028"),
    *([], {}, [[[]]], {"a": None, "b": [1, 2.5, {"c": True}]}, {"symbol": "value"}),
]


@pytest.fixture
def ruby(file_engine: Engine, tmp_path: Path) -> Any:
    """A Ruby worker on the file of the engine."""
    log = tmp_path / "ruby.log"
    with log.open("w") as out:
        program = subprocess.Popen(
            [str(RUBY), "-W0", "-I", str(LIBRARY), "-e", WORKER, str(file_engine.store)],
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, "LANG": "C.UTF-8"},
        )
    try:
        until(lambda: file_engine.worker_list() or program.poll() is not None, "the Ruby worker")
        assert program.poll() is None, log.read_text()
        yield program
    finally:
        program.terminate()
        assert program.wait(30) == 0, log.read_text()


def test_values_travel_exactly(file_engine: Engine, ruby: Any) -> None:
    w = file_engine.workflow("mixed")
    seen = {}

    @w.step
    def made() -> Any:
        return EXACT

    echo = w.external("echo", handler="ruby.echo", after=made)
    born = w.external("born", handler="ruby.born", after=made)
    given = w.external("given", handler="ruby.input")

    @w.step(after=[echo, born, given])
    def check(ctx: Context[Any]) -> str:
        seen.update(ctx.results)
        return ctx.task_id

    task = w.start(EXACT)
    Worker(file_engine, name="python").run(until=task)
    assert task.status == "succeeded", task.steps
    for name, expected in (("echo", EXACT), ("born", BORN), ("given", EXACT)):
        for found, value in zip(seen[name], expected):
            assert same(found, value), (name, found, value)
        assert same(seen[name], expected)
        assert same(task.result(name), expected)
    assert task.result(check) == task.id


def test_each_language_claims_its_own_handlers(file_engine: Engine, ruby: Any) -> None:
    w = file_engine.workflow("mixed")
    w.external("fail", handler="ruby.fail", retry=_retry(), queue="other")

    @w.step
    def here(fail: int) -> int:
        return fail + 1

    tasks = [w.start(i) for i in range(20)]
    with Worker(file_engine, name="python", threads=2):
        for task in tasks:
            assert task.wait(60).result("here") == 4
    workers = {}
    for entry in tasks[0].history():
        if entry.kind == "step_changed" and entry.to_state == "running":
            workers.setdefault(entry.step, set()).add(entry.worker_id)
    assert not workers["fail"] & workers["here"]
    assert tasks[0].steps["fail"].attempt == 3


def test_errors_of_ruby_are_seen_in_python(file_engine: Engine, ruby: Any) -> None:
    w = file_engine.workflow("mixed")
    w.external("fail", handler="ruby.fail")
    step = w.start().wait(30).steps["fail"]
    assert (step.error_class, step.error_message) == ("ArgumentError", "Gr\u00fc\u00dfe")


def _retry() -> Any:
    from stepwell import Retry

    return Retry(3, wait=0.01)
