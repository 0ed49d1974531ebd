"""No call leaks: neither references of Python, nor memory of the engine."""

from __future__ import annotations

import os
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest
from helper import ROOT, run_program
from stepwell._binding import core

CALLS = """
    import gc, sys, tempfile
    from array import array
    import stepwell

    TEXT = '{"stepwell":1,"name":"w","steps":[{"name":"a"},{"name":"b","after":["a"]}]}'
    BAD = TEXT.replace('"a"]', '"z"]')
    memory = sys.argv[1] == "memory:"
    engine = stepwell.Engine(sys.argv[1], durability=None if memory else "relaxed")
    engine.register(TEXT)
    worker = engine.worker_open(["w.a", "w.b"])
    first = engine.submit([("w",)] * 5)[0].task_id
    held = engine.exchange(worker, [], 1, 0).claims[0]
    secret = tempfile.mkdtemp() + "/key"
    key = engine.audit_keygen("example.com/w", secret)
    early = engine.audit_seal(secret).note
    engine.submit([("w",)])
    sealed = engine.audit_seal(secret).note
    proof = engine.audit_prove_consistency(early, sealed).text
    whole = engine.task_export(first)
    EXPORT, ANCHORS, enrolled = (secret + end for end in (".export", ".anchors", ".enrolled"))
    engine.audit_export(EXPORT, sealed)
    engine.audit_anchor_put("file:" + ANCHORS, sealed, [key.vkey])
    engine.audit_enrol(key.vkey, enrolled)
    row = ("w", '{"a":1}', "k", "", ["t1", "t2"], 1, "i", "r", "c")
    GRAPH = stepwell.Graph.of(TEXT)
    EDIT = GRAPH.edit()
    ARRAYS = stepwell.Graph((array("i", [0, 1]), array("q", [1, 2])))
    CPU = {"cpu": (2, [1, 2, 1])}
    READ = {
        "register": lambda: engine.register(TEXT, source="x"),
        "definition": lambda: engine.definition("w"),
        "bad definition": lambda: engine.register(BAD),
        "submit": lambda: engine.submit([row]),
        "get": lambda: engine.get(first),
        "list": lambda: engine.list(workflow="w", limit=3),
        "count": lambda: engine.count(),
        "wait": lambda: engine.wait(first, 0),
        "explain": lambda: engine.explain(first),
        "step_readiness": lambda: engine.step_readiness(first),
        "override": lambda: engine.override([(1, "ready", "ann", "why")], "partial"),
        "breaker_list": lambda: engine.breakers(),
        "breaker refused": lambda: engine.breaker_override([("pay", "open", "ann", "why", 5)]),
        "prune": lambda: engine.prune(older_than=3600, states=["failed"], actor="ann"),
        "dead_list": lambda: list(engine.dead_letters(workflow="w")),
        "dead_count": lambda: engine.count_dead_letters(error_class="Boom"),
        "dead_override": lambda: engine.retry_dead_letters(
            actor="ann", reason="why", handler="nothing"
        ),
        "dead refused": lambda: engine.dead_override("skipped", "ann", "why"),
        "task_context": lambda: engine.task_context([first]),
        "forecast": lambda: engine.forecast_rows(
            first, [("b", "slower", 2.5)], resources=[(1, ["a", "b"])], draws=3
        ),
        "no change": lambda: engine.forecast_rows(first, [("b", "fail"), ("b", 1)]),
        "no resource": lambda: engine.forecast_rows(first, resources=[(1, ["a"]), (1, [2])]),
        "exchange": lambda: engine.exchange(worker, [], 0, 0),
        "renew": lambda: engine.worker_renew(worker, [(held.step_id, held.epoch), (1, 1)]),
        "heartbeat": lambda: engine.heartbeat([(held.step_id, held.epoch), (held.step_id, 9)]),
        "no heartbeat": lambda: engine.heartbeat([(held.step_id, held.epoch), (1, None)]),
        "workers": lambda: engine.worker_list(),
        "history": lambda: engine.audit_task(first),
        "entries": lambda: engine.audit_list(1, 5),
        "verify": lambda: engine.audit_verify(),
        "verify signed": lambda: engine.audit_verify(["x"], ["y"]),
        "erase": lambda: engine.erase("ann", actor="eve", reason="why", dry_run=True),
        "no erase": lambda: engine.task_erase("", None, None),
        "append": lambda: engine.event_append(
            [(first, "note", "[1]", None, "k", "c", "a", "ann", "why")], "partial"
        ),
        "append refused": lambda: engine.append_event(first, "note", expected_version=1),
        "no append": lambda: engine.event_append([(first, "note"), (first, "note", "{")]),
        "events": lambda: list(engine.events(task=first, types=["note", "task.submitted"], limit=3)),
        "no events": lambda: engine.event_list(types=["a b"]),
        "no event": lambda: engine.event_wait(10**9, 0),
        "replay": lambda: engine.event_replay(first, 5),
        "projection": lambda: engine.projection_open("p", "1"),
        "projections": lambda: engine.projections(),
        "no save": lambda: engine.projection_save("p", 1, 0, 1, "{}"),
        "search": lambda: engine.audit_search(kind="step_changed", task_id=first),
        "no search": lambda: engine.audit_search(outcome="gone"),
        "stats": lambda: engine.audit_count(limit=5),
        "dump": lambda: engine.audit_dump("csv", limit=5),
        "prove": lambda: engine.audit_prove(sealed, [1, 2]),
        "prove refused": lambda: engine.audit_prove("x", [1, None]),
        "consistency": lambda: engine.audit_prove_consistency(early, sealed),
        "check": lambda: engine.audit_check(proof, [early], [key.vkey]),
        "task file": lambda: engine.task(first).export().verify().ok,
        "task file opened": lambda: stepwell.TaskFile(whole).task(at_entry=2).row(),
        "no task file": lambda: engine.task_file_open("{}", "x", 1),
        "report": lambda: engine.control_report("html", ["pci"], 1, 2, [sealed], [key.vkey]),
        "no report": lambda: engine.control_report("json", ["iso"], 1, 2, [sealed], [key.vkey]),
        "controls": lambda: engine.control_list(),
        "no signature": lambda: engine.control_check("x", "y", [key.vkey]),
        "no export": lambda: engine.audit_verify_export("/no/folder", [early], [key.vkey]),
        "verify anchored": lambda: engine.audit_verify(["x"], ["y"], [("p", "n", 1, 2)]),
        "no anchor row": lambda: engine.audit_verify(["x"], ["y"], [("p", "n", 1, None)]),
        "anchor": lambda: engine.audit_anchor_get("file:" + ANCHORS, "example.com/w"),
        "no anchor": lambda: engine.audit_anchor_put("file:" + ANCHORS, "x", [key.vkey]),
        "prove export": lambda: engine.audit_prove_export(EXPORT, None, [1, 2]),
        "export refused": lambda: engine.audit_prove_export(EXPORT, sealed, [1, None]),
        "export continues": lambda: engine.audit_prove_export_consistency(EXPORT, early, None),
        "signs badly": lambda: engine.audit_seal(enrolled, lambda text: bytes(64)),
        "does not sign": lambda: engine.audit_seal(enrolled, lambda text: 1 // 0),
        "no enrol": lambda: engine.audit_enrol("x", enrolled),
        "no rotation": lambda: engine.audit_rotate(secret, enrolled, None, lambda text: b"x"),
        "no key": lambda: engine.audit_seal("/no/key"),
        "info": lambda: (engine.info(), engine.closed, engine.wake(), engine.wake_count()),
        "open": lambda: stepwell.Engine("memory:").close(),
        "let go": lambda: stepwell.Engine("memory:"),
        "no workflow": lambda: engine.submit([("nobody",)]),
        "no task": lambda: engine.cancel([("01932f00-0000-7000-8000-000000000000",)]),
        "no JSON": lambda: engine.update_batch([(held.step_id, held.epoch, "succeeded", "{")]),
        "no outcome": lambda: engine.update_batch([(1, 2, "x")]),
        "no int": lambda: engine.update_batch([(1, 2, "failed"), (None, 2, "x")]),
        "no tag": lambda: engine.submit([("w", None, None, None, ["x", 1])]),
        "no handler": lambda: engine.worker_open(["x", 1]),
        "no text": lambda: engine.submit([("w", '"\\ud800"')]),
        "graph": lambda: stepwell.Graph({"b": ["a"], "c": ("b",), "d": {"a"}}, ["a"]).order(),
        "graph of ints": lambda: stepwell.Graph([(10, 20), (20, 5)]).analyze().slack,
        "graph of buffers": lambda: ARRAYS.makespan(duration=[1, 2, 3], resources=CPU).schedule,
        "graph of text": lambda: GRAPH.diff(stepwell.Graph.of(TEXT)),
        "graph asked": lambda: (GRAPH.common(["b"]), GRAPH.impact("a"), GRAPH.edges),
        "graph edited": lambda: EDIT.finish().order(),
        "graph drawn": lambda: (GRAPH.to_svg(slack=True), GRAPH.to_dot(title="t"), GRAPH.layout()),
        "graph not drawn": lambda: (GRAPH.draw("gif")),
        "task drawn": lambda: engine.picture(first, critical=True) + engine.gantt(first, "text"),
        "task not drawn": lambda: engine.gantt(first, "dot"),
        "durations": lambda: engine.durations("w"),
        "no durations": lambda: engine.duration_rows(TEXT, 2000),
        "graph cycles": lambda: stepwell.Graph([("a", "b"), ("b", "a")]).order(),
        "no edge": lambda: stepwell.Graph([("a", "b"), ("a", "b")]),
        "no node": lambda: stepwell.Graph([("a", "b"), ("a", 1)]),
        "no cycle": lambda: EDIT.insert([("b", "a")]),
        "no duration": lambda: GRAPH.analyze(duration=[1]),
        "no buffer": lambda: stepwell.Graph((b"12", b"34")),
        "no option": lambda: stepwell.Engine("memory:", durability="x"),
    }

    def claim_and_report():
        engine.submit([("w", "[1]")])
        claims = engine.exchange(worker, [], 10, 0).claims
        rows = [(c.step_id, c.epoch, "succeeded", '{"r":1}') for c in claims]
        claims = engine.exchange(worker, rows, 10, 0).claims
        rows = [(c.step_id, c.epoch, "failed", None, "E", "m", "d", 0) for c in claims]
        engine.update_batch(rows)
        engine.update_batch(rows)

    def call(function, times):
        for _ in range(times):
            try:
                function()
            except (stepwell.Error, TypeError, ZeroDivisionError):
                pass
        gc.collect()
"""

REFERENCES = """
    leaks = {}
    for name, function in [*READ.items(), ("report", claim_and_report)]:
        call(function, 20)
        before = sys.gettotalrefcount()
        call(function, 200)
        leaked = (sys.gettotalrefcount() - before) / 200
        if abs(leaked) >= 0.5:
            leaks[name] = leaked
    if leaks:
        raise SystemExit(f"references per call: {leaks}")
"""

MEMORY = """
    def resident():
        return int(open("/proc/self/statm").read().split()[1]) * 4096

    grown = {}
    for name, function in READ.items():
        times = 150 if name in ("open", "let go", "verify") else 4000
        call(function, times // 3)
        before = resident()
        call(function, times)
        if resident() - before > 3_000_000:
            grown[name] = resident() - before
    if grown:
        raise SystemExit(f"bytes: {grown}")
"""

DEBUG = shutil.which("python3-dbg")


def program(part: str) -> str:
    return textwrap.dedent(CALLS) + textwrap.dedent(part)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="there is no /proc")
@pytest.mark.skipif(
    "libasan" in os.environ.get("LD_PRELOAD", ""), reason="AddressSanitizer keeps freed memory"
)
def test_memory_does_not_grow(tmp_path: Path) -> None:
    run_program(program(MEMORY), str(tmp_path / "x.db"), timeout=300)


@pytest.mark.skipif(not str(core.__file__).endswith(".so"), reason="for the C extension only")
@pytest.mark.skipif(DEBUG is None, reason="there is no debug build of Python (python3-dbg)")
@pytest.mark.skipif(not (ROOT / "core").exists(), reason="the checkout is not here")
def test_references_are_balanced(tmp_path: Path) -> None:
    """A debug build of Python counts all references; the extension is built for it."""
    assert DEBUG is not None
    package = ROOT / "wheels" / "stepwell"
    target = tmp_path / "lib"
    subprocess.run(
        [
            *(DEBUG, "setup.py", "--quiet", "build_ext", "--build-lib", str(target)),
            *("--build-temp", str(tmp_path / "temp")),
        ],
        cwd=package,
        env={**os.environ, "CFLAGS": "-O0"},
        check=True,
        capture_output=True,
    )
    shutil.copytree(
        package / "src" / "stepwell",
        target / "stepwell",
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("*.so", "_cdef.h", "__pycache__"),
    )
    done = subprocess.run(
        [DEBUG, "-c", program(REFERENCES), "memory:"],
        env={**os.environ, "PYTHONPATH": str(target), "STEPWELL_BINDING": "c"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
