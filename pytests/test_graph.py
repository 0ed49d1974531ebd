"""Graphs without an engine: answers against brute force and graphlib, and every error."""

from __future__ import annotations

import graphlib
import itertools
import mmap
import random
from array import array
from collections import OrderedDict
from pathlib import Path
from typing import Any, Dict, Iterator, List, Set, Tuple

import pytest

from stepwell import (
    DefinitionError,
    Engine,
    Graph,
    InvalidArgumentError,
    LimitError,
    NotFoundError,
)

Pairs = List[Tuple[int, int]]


def random_pairs(rng: random.Random, nodes: int, edges: int, cyclic: bool = False) -> Pairs:
    found: Set[Tuple[int, int]] = set()
    for _ in range(edges):
        a, b = rng.sample(range(nodes), 2)
        found.add((a, b) if cyclic or a < b else (b, a))
    pairs = sorted(found)
    rng.shuffle(pairs)
    return pairs


def samples() -> Iterator[Tuple[int, Pairs]]:
    rng = random.Random(5)
    for _ in range(60):
        nodes = rng.randint(2, 12)
        yield nodes, random_pairs(rng, nodes, rng.randint(0, 24))
    yield 300, random_pairs(rng, 300, 900)


SAMPLES = list(samples())


def is_order(order: List[Any], nodes: List[Any], pairs: List[Tuple[Any, Any]]) -> bool:
    place = {node: i for i, node in enumerate(order)}
    return sorted(order) == sorted(nodes) and all(place[a] < place[b] for a, b in pairs)


def reached(nodes: int, pairs: Pairs) -> List[Set[int]]:
    """All dependents of each node, by walking."""
    ahead: Dict[int, List[int]] = {node: [] for node in range(nodes)}
    for a, b in pairs:
        ahead[a].append(b)
    answer = []
    for node in range(nodes):
        seen: Set[int] = set()
        stack = list(ahead[node])
        while stack:
            other = stack.pop()
            if other not in seen:
                seen.add(other)
                stack += ahead[other]
        answer.append(seen)
    return answer


# ---- forms of edges ----


def test_all_forms_make_the_same_graph() -> None:
    pairs = [(0, 1), (0, 2), (1, 3), (2, 3)]
    after = {0: [], 1: [0], 2: (0,), 3: {1, 2}}
    starts, ends = array("i", [0, 0, 1, 2]), array("i", [1, 2, 3, 3])
    wide = array("q", ends)
    for form in (
        pairs,
        tuple(pairs),
        iter(pairs),
        [list(pair) for pair in pairs],
        after,
        OrderedDict(after),
        (starts, ends),
        [memoryview(starts), wide],
        (starts, memoryview(array("i", [9, 1, 9, 2, 9, 3, 9, 3]))[1::2]),
    ):
        graph = Graph(form)
        assert (graph.nodes, sorted(graph.edges)) == ([0, 1, 2, 3], pairs)
        assert list(graph.order()) == [0, 1, 2, 3]


def test_names_come_back() -> None:
    graph = Graph({"ship": ["charge", "pack"], "charge": ["validate"]})
    assert graph.nodes == ["ship", "charge", "pack", "validate"]
    assert is_order(graph.order(), graph.nodes, graph.edges)
    assert "ship" in graph and "x" not in graph and 1 not in graph
    assert graph.dependencies("ship") == ["charge", "pack", "validate"]
    assert graph.impact("validate") == ["ship", "charge"]
    assert repr(graph) == "<Graph of 4 nodes and 3 edges>"


def test_equal_names_are_one_node_whatever_object_they_are() -> None:
    names = ["".join(["st", "ep", str(i)]) for i in range(50)]
    after = {f"step{i}": [f"step{j}" for j in range(i)] for i in range(50)}
    assert Graph(after).nodes == names
    assert Graph(after).order() == names


def test_ints_need_not_be_consecutive() -> None:
    graph = Graph({30: [-7, 2**40], 5: []})
    assert graph.nodes == [-7, 5, 30, 2**40]
    assert graph.dependencies(30) == [-7, 2**40]
    assert Graph([(1, 2)]).nodes == [1, 2]
    assert Graph([(1, 2)], 4).nodes == [0, 1, 2, 3]
    assert Graph([(1, 2)], [9, 2]).nodes == [1, 2, 9]


def test_nodes_without_edges() -> None:
    assert Graph([], ["b", "a"]).order() == ["b", "a"]
    assert Graph([("a", "b")], ["b", "c"]).nodes == ["b", "c", "a"]
    assert Graph([]).order() == [] and Graph({}).analyze().critical_path == []
    assert list(Graph((array("i"), array("i"))).order()) == []
    assert len(Graph((array("i"), array("i")), 3)) == 3


def test_buffers_answer_with_buffers() -> None:
    graph = Graph((array("i", [1, 0]), array("i", [2, 1])))
    order: Any = graph.order()
    assert isinstance(order, memoryview) and order.format == "i"
    analysis = graph.analyze(duration=array("q", [5, 6, 7]), priority=array("i", [0, 0, 0]))
    assert list(analysis.critical_path) == [0, 1, 2] and analysis.span == 18


def test_the_buffers_may_change_after() -> None:
    starts, ends = array("i", [0, 1]), array("i", [1, 2])
    graph = Graph((starts, ends))
    starts[0] = 2
    starts.append(7)
    assert graph.edges == [(0, 1), (1, 2)]


def test_edges_keep_their_order_and_repeats() -> None:
    pairs = [(2, 3), (0, 1), (1, 3), (0, 1)]
    with pytest.raises(InvalidArgumentError, match="given twice") as caught:
        Graph(pairs)
    assert caught.value.row == 3
    assert Graph(pairs, repeats=True).edges == pairs[:3]


# ---- answers against an oracle ----


@pytest.mark.parametrize("nodes, pairs", SAMPLES)
def test_against_brute_force(nodes: int, pairs: Pairs) -> None:
    graph = Graph(pairs, nodes)
    ahead = reached(nodes, pairs)
    rng = random.Random(nodes)
    took = [rng.randint(0, 9) for _ in range(nodes)]
    answer = graph.analyze(duration=took)
    order = list(graphlib.TopologicalSorter(_after(nodes, pairs)).static_order())
    begin = [0] * nodes
    level = [0] * nodes
    for node in order:
        before = [a for a, b in pairs if b == node]
        begin[node] = max((begin[a] + took[a] for a in before), default=0)
        level[node] = max((level[a] + 1 for a in before), default=0)
    span = max(begin[node] + took[node] for node in range(nodes))
    tail = [0] * nodes
    for node in reversed(order):
        tail[node] = took[node] + max((tail[b] for a, b in pairs if a == node), default=0)
    assert is_order(graph.order(), list(range(nodes)), pairs)
    assert is_order(answer.order, list(range(nodes)), pairs)
    assert list(answer.level.values()) == level
    assert (answer.span, answer.work) == (span, sum(took))
    assert list(answer.earliest.values()) == begin
    assert list(answer.slack.values()) == [span - tail[n] - begin[n] for n in range(nodes)]
    assert sum(took[node] for node in answer.critical_path) == span
    assert [set(found) for found in answer.impact.values()] == ahead
    redundant = {(a, b) for a, b in pairs if any(b in ahead[c] for c in ahead[a])}
    assert set(answer.redundant) == redundant
    assert set(graph.reduce().edges) == set(pairs) - redundant
    free = answer.antichain
    assert len(free) == answer.width
    assert not any(b in ahead[a] for a, b in itertools.permutations(free, 2))
    if nodes <= 12:
        assert answer.width_exact and answer.width == _width(nodes, ahead)


def _after(nodes: int, pairs: Pairs) -> Dict[int, List[int]]:
    return {node: [a for a, b in pairs if b == node] for node in range(nodes)}


def _width(nodes: int, ahead: List[Set[int]]) -> int:
    most = 0
    for bits in range(1 << nodes):
        chosen = [node for node in range(nodes) if bits >> node & 1]
        if len(chosen) > most and not any(ahead[node] & set(chosen) for node in chosen):
            most = len(chosen)
    return most


@pytest.mark.parametrize("seed", range(40))
def test_cycles_and_their_cuts(seed: int) -> None:
    rng = random.Random(seed)
    pairs = random_pairs(rng, 8, 14, cyclic=True)
    graph = Graph([(f"n{a}", f"n{b}") for a, b in pairs])
    ahead = reached(8, pairs)
    on_cycle = {f"n{node}" for node in range(8) if node in ahead[node]}
    knots = graph.cycles()
    assert {node for knot in knots for node in knot.nodes} == on_cycle
    removed = {cut.edge for knot in knots for cut in knot.cuts}
    for knot in knots:
        way = list(zip(knot.cycle, [*knot.cycle[1:], knot.cycle[0]]))
        assert set(way) <= set(graph.edges)
        assert all(graph.edges[cut.row] == cut.edge for cut in knot.cuts)
    assert Graph([edge for edge in graph.edges if edge not in removed]).cycles() == []
    analysis = graph.analyze()
    assert analysis.acyclic == (not knots) and analysis.cycles == knots
    if knots:
        with pytest.raises(DefinitionError) as caught:
            graph.order()
        assert caught.value.cycle == knots[0].cycle
        assert str(caught.value).endswith(" -> ".join([*knots[0].cycle, knots[0].cycle[0]]))
        for call in (graph.reduce, graph.redundant, graph.makespan, graph.edit):
            with pytest.raises(DefinitionError, match="the graph has a cycle: n"):
                call()


def test_a_graph_with_a_cycle_says_what_it_cannot_have() -> None:
    answer = Graph([("a", "b"), ("b", "c"), ("c", "b")]).analyze()
    assert answer.roots == ["a"] and answer.components == [["a", "b", "c"]]
    assert answer.parts == {"ends", "components", "cycles"}
    with pytest.raises(NotFoundError, match="no part 'levels': the graph has a cycle"):
        answer.levels
    (knot,) = answer.cycles
    assert (knot.cut_least, knot.smallest, knot.cuts[0].reason) == (1, True, "every_cycle")


def test_priorities_decide_where_the_order_is_open() -> None:
    graph = Graph({"d": ["a", "b", "c"]})
    assert graph.order({"c": 2, "b": 1})[:3] == ["c", "b", "a"]
    assert graph.order([0, 3, 1, 2])[:3] == ["a", "c", "b"]
    assert graph.analyze(priority={"b": 1}).order[0] == "b"


def test_an_analysis_of_names() -> None:
    graph = Graph({"b": ["a"], "c": ["b", "a"], "d": []}, ["a", "b", "c", "d"])
    answer = graph.analyze(duration={"a": 1.5, "b": 2, "c": 0.25}, roots=["a"])
    assert answer.levels == [["a", "d"], ["b"], ["c"]]
    assert (answer.depth, answer.widest_level, answer.width, answer.width_most) == (3, 0, 2, 2)
    assert answer.shortest == {"a": 0, "b": 1, "c": 1, "d": 0}
    assert (answer.leaves, answer.orphans, answer.unreachable) == (["c", "d"], ["d"], ["d"])
    assert answer.components == [["a", "b", "c"], ["d"]]
    assert (answer.span, answer.work) == (3.75, 4.75)
    assert answer.parallelism == pytest.approx(4.75 / 3.75)
    assert answer.duration == {"a": 1.5, "b": 2, "c": 0.25, "d": 1}
    assert answer.critical_path == ["a", "b", "c"]
    assert answer.latest["d"] == 2.75 and answer.free_float["d"] == 2.75
    first = answer.bottlenecks[0]
    assert (first.node, first.dependents, first.duration, first.slack) == ("a", 2, 1.5, 0)
    assert first.score == pytest.approx(first.share * 3)
    assert len(graph.analyze(bottlenecks=1).bottlenecks) == 1


def test_answers_cannot_be_changed() -> None:
    answer = Graph([("a", "b")]).analyze()
    with pytest.raises(AttributeError):
        answer.width = 3  # type: ignore[misc]
    with pytest.raises(AttributeError):
        answer.bottlenecks[0].score = 3.0
    with pytest.raises(AttributeError):
        del answer.graph
    assert answer.bottlenecks[0] == Graph([("a", "b")]).analyze().bottlenecks[0]


def test_parts() -> None:
    answer = Graph([("a", "b")]).analyze(parts=["levels", "span"])
    assert answer.parts == {"levels", "span"} and answer.depth == 2
    with pytest.raises(NotFoundError, match="no part 'width': it was not asked for"):
        answer.width
    with pytest.raises(InvalidArgumentError, match="no part 'depth'; there are order, levels"):
        Graph([("a", "b")]).analyze(parts=["depth"])
    with pytest.raises(TypeError):
        Graph([("a", "b")]).analyze(parts="width")
    with pytest.raises(InvalidArgumentError):
        Graph([("a", "b")]).analyze(parts=[])


def test_common_ancestors() -> None:
    graph = Graph({"b": ["a"], "c": ["b"], "d": ["b"]})
    common = graph.common(["c", "d"])
    assert (sorted(common.nodes), common.nearest) == (["a", "b"], ["b"])
    assert graph.common(["a", "b"], dependents=True).nearest == ["c", "d"]
    assert graph.common([]).nodes == []
    assert graph.reach([]) == []


def test_makespan() -> None:
    graph = Graph([], ["a", "b", "c", "d"])
    took = {"a": 2, "b": 2, "c": 2, "d": 2}
    two = graph.makespan(workers=2, duration=took)
    assert (two.duration, two.bound, two.workers, two.used) == (4, 4, 2, 1.0)
    assert [slot.start for slot in two.schedule] == [0, 0, 2, 2]
    tight = graph.makespan(duration=took, resources={"memory": (3, {"a": 2, "b": 2, "c": 1})})
    assert (tight.duration, tight.resource) == (4, "memory")
    assert graph.makespan(duration=[0.5] * 4).duration == 0.5
    with pytest.raises(InvalidArgumentError):
        graph.makespan(resources={"memory": (1, {"a": 2})})
    with pytest.raises(InvalidArgumentError):
        graph.makespan(workers=-1)


def test_diff() -> None:
    changes = Graph([("a", "b")]).diff(Graph([("b", "a"), ("b", "c")]))
    assert [(c.kind, c.node, c.edge) for c in changes] == [
        ("node_added", "c", None),
        ("edge_removed", None, ("a", "b")),
        ("edge_added", None, ("b", "a")),
        ("edge_added", None, ("b", "c")),
    ]
    assert Graph([(0, 1)]).diff(Graph([(0, 1)])) == []
    assert Graph([(0, 1)]).diff(Graph([(0, 1), (1, 9)]))[0].node == 9
    one, two = (
        {"stepwell": 1, "name": "w", "steps": [{"name": "a", "timeout_ms": t}]} for t in (1, 2)
    )
    (change,) = Graph.of(one).diff(Graph.of(two))
    assert (change.kind, change.node, change.fields) == ("node_changed", "a", ("timeout",))
    with pytest.raises(TypeError):
        Graph([(0, 1)]).diff("x")  # type: ignore[arg-type]


# ---- change ----


def test_an_edit_keeps_an_order() -> None:
    rng = random.Random(3)
    pairs = random_pairs(rng, 40, 200)
    edit = Graph([], [f"n{i}" for i in range(20)]).edit()
    for a, b in pairs:
        edit.insert([(f"n{a}", f"n{b}")])
    graph = edit.finish()
    edges = [(f"n{a}", f"n{b}") for a, b in pairs]
    assert graph.edges == edges and is_order(edit.order(), graph.nodes, edges)


def test_an_edit_refuses_a_cycle_and_changes_nothing() -> None:
    edit = Graph([("a", "b"), ("b", "c")]).edit()
    with pytest.raises(DefinitionError) as caught:
        edit.insert([("c", "d"), ("d", "a")])
    assert str(caught.value) == "edge 1 closes a cycle: a -> b -> c -> d -> a"
    assert (caught.value.row, caught.value.cycle) == (1, ["a", "b", "c", "d"])
    assert edit.order() == ["a", "b", "c"]
    for edge, text in (("a", "a"), "itself"), (("a", "b"), "there already"):
        with pytest.raises(InvalidArgumentError, match=text):
            edit.insert([edge])
    with pytest.raises(TypeError):
        edit.insert([("a", 1)])  # type: ignore[list-item]
    edit.insert(nodes=["z"])
    assert "z" in edit.finish()


def test_an_edit_of_ints() -> None:
    edit = Graph([(0, 1)]).edit()
    edit.insert([(1, 3), (3, 2)])
    assert edit.order() == [0, 1, 3, 2] and edit.finish().edges == [(0, 1), (1, 3), (3, 2)]
    with pytest.raises(InvalidArgumentError, match="go on from 4 without a gap"):
        edit.insert([(1, 9)])
    with pytest.raises(DefinitionError, match="0 -> 1 -> 3 -> 2 -> 0"):
        edit.insert([(2, 0)])
    sparse = Graph([(10, 20)]).edit()
    sparse.insert([(20, 7)])
    assert sparse.finish().nodes == [10, 20, 7]


# ---- errors ----


@pytest.mark.parametrize(
    "edges, error, row",
    [
        ([("a", "a")], InvalidArgumentError, 0),
        ([("a", "b"), ("a", "b")], InvalidArgumentError, 1),
        ([("a", 1)], TypeError, 0),
        ([("a", "b"), (1, 2)], TypeError, 1),
        ([("a",)], TypeError, 0),
        ([(0, 1, 2)], TypeError, 0),
        (["ab"], TypeError, 0),
        ([(True, 1)], TypeError, 0),
        ([(0.5, 1)], TypeError, 0),
        ([(None, 1)], TypeError, 0),
        ([(2**70, 1)], InvalidArgumentError, 0),
        ([("a", "\ud800")], InvalidArgumentError, 0),
        ("ab", TypeError, None),
        (5, TypeError, None),
        (None, TypeError, None),
        ({"a": "bc"}, TypeError, None),
        ({"a": 5}, TypeError, None),
        ({"a": ["b", 1]}, TypeError, None),
        ({"a": ["a"]}, InvalidArgumentError, 0),
        ((array("i", [0, 1]), array("i", [1])), InvalidArgumentError, None),
        ((array("d", [0]), array("d", [1])), TypeError, None),
        ((array("I", [0]), array("I", [1])), TypeError, None),
        ((b"abcd", b"efgh"), TypeError, None),
        ((array("i", [0]), array("i", [-1])), InvalidArgumentError, 0),
        ((array("i", [0, 3]), array("q", [1, 2**40])), InvalidArgumentError, 1),
        ((array("i", [0, 1]), array("i", [1, 1])), InvalidArgumentError, 1),
    ],
)
def test_edges_that_are_none(edges: Any, error: Any, row: Any) -> None:
    with pytest.raises(error) as caught:
        Graph(edges)
    assert getattr(caught.value, "row", None) == row


def test_messages_name_the_nodes() -> None:
    with pytest.raises(InvalidArgumentError, match='edge 1 from "a" to "b" is given twice'):
        Graph([("a", "b"), ("a", "b")])
    with pytest.raises(InvalidArgumentError, match="5"):
        Graph([(0, 5)], 3)
    with pytest.raises(InvalidArgumentError):
        Graph([], -1)
    with pytest.raises(InvalidArgumentError, match="twice"):
        Graph([], ["a", "a"])
    with pytest.raises(TypeError):
        Graph([("a", "b")], 3)
    with pytest.raises(TypeError):
        Graph([], "ab")


@pytest.mark.parametrize("bad", [-1, -0.5, float("nan"), float("inf")])
def test_durations_that_are_none(bad: float) -> None:
    graph = Graph([("a", "b")])
    with pytest.raises(InvalidArgumentError, match="duration of node 'b'") as caught:
        graph.analyze(duration={"b": bad})
    assert caught.value.row == 1


@pytest.mark.parametrize("bad", [-1, float("nan"), 2**63])
def test_rows_of_bad_numbers(bad: float) -> None:
    graph = Graph([("a", "b")])
    calls = [
        lambda: graph.makespan(duration={"b": bad}),
        lambda: graph.makespan(resources={"memory": (1, {"b": bad})}),  # type: ignore[dict-item]
        lambda: graph.to_svg(duration={"b": bad}),
    ]
    for call in calls:
        with pytest.raises(InvalidArgumentError, match="of node 'b'") as caught:
            call()
        assert caught.value.row == 1


def test_sums_and_products_that_do_not_fit() -> None:
    graph = Graph([("a", "b")])
    with pytest.raises(LimitError) as caught:
        graph.makespan(duration=[2**62, 2**62])
    assert caught.value.row == 1
    with pytest.raises(InvalidArgumentError, match="too long") as refused:
        graph.to_svg(duration={"b": 2**62})  # seconds, drawn in microseconds
    assert refused.value.row == 1
    with pytest.raises(TypeError, match="must hold ints"):
        graph.makespan(resources={"memory": (1, {"b": 0.5})})  # type: ignore[dict-item]


def test_more_edges_than_a_graph_can_hold(tmp_path: Path) -> None:
    """Two buffers of 2^31 nodes: a file without blocks, of which nothing is read."""
    count = 2**31
    path = tmp_path / "nodes"
    with open(path, "w+b") as file:
        file.truncate(count * 4)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as pages:
            with memoryview(pages) as bytes_of, bytes_of.cast("i") as nodes:
                with pytest.raises(LimitError, match=str(count)):
                    Graph((nodes, nodes))
    for nodes_given in (2**31, 2**63, 2**70):
        with pytest.raises(InvalidArgumentError, match="fit into"):
            Graph([], nodes_given)
    with pytest.raises(LimitError):
        Graph([], 2**31 - 1)


def test_a_graph_of_nothing() -> None:
    empty: Graph[Any] = Graph([])
    answer = empty.analyze()
    assert not any((empty.nodes, empty.edges, empty.order(), empty.cycles(), empty.diff(empty)))
    assert not any((answer.critical_path, answer.bottlenecks, answer.components))
    assert empty.makespan().duration == 0 and empty.reduce().edges == []
    changes = [(change.kind, change.node) for change in empty.diff(Graph([("a", "b")]))]
    assert changes == [("node_added", "a"), ("node_added", "b"), ("edge_added", None)]
    assert [change.node for change in Graph([(0, 1)]).diff(empty)][:2] == [0, 1]
    with pytest.raises(TypeError, match="int and of str"):
        Graph([(0, 1)]).diff(Graph([("a", "b")]))  # type: ignore[list-item]
    assert empty.to_text() == "" and empty.to_svg().startswith("<svg")
    assert empty.edit().finish().nodes == []


def test_a_circle_of_a_million_nodes() -> None:
    count = 1_000_000
    ring = Graph((array("i", range(count)), array("i", [*range(1, count), 0])))
    (knot,) = ring.cycles()
    assert len(knot.cycle) == count and [cut.edge for cut in knot.cuts] == [(count - 1, 0)]
    with pytest.raises(DefinitionError, match=r"0 -> 1 -> 2 .*\(999988 more\) -> 0"):
        ring.order()
    with pytest.raises(LimitError, match="100000"):
        ring.to_svg()


def test_durations_of_the_wrong_kind_or_number() -> None:
    graph = Graph([("a", "b")])
    for wrong in ({"a": "1"}, {"a": None}, ["x", "y"], "ab", 5, {"a": True}):
        with pytest.raises((TypeError, InvalidArgumentError)):
            graph.analyze(duration=wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError):
        graph.analyze(duration=[1])
    with pytest.raises(InvalidArgumentError):
        graph.analyze(duration=array("q", [1]))  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError):
        graph.analyze(duration=array("q", [1, -1]))  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="too long"):
        graph.analyze(duration={"a": 2**63})
    with pytest.raises(LimitError):
        graph.analyze(duration=[2**63 - 1, 1])
    with pytest.raises(NotFoundError):
        graph.analyze(duration={"x": 1})
    with pytest.raises(NotFoundError):
        graph.analyze(roots=["x"])
    with pytest.raises(TypeError):
        graph.analyze(roots="a")
    with pytest.raises(InvalidArgumentError):
        graph.analyze(bottlenecks=-1)


def test_nodes_that_are_not_there() -> None:
    graph = Graph([("a", "b")])
    for call in (graph.dependents, graph.dependencies, graph.impact):
        with pytest.raises(NotFoundError, match="no node 'x'"):
            call("x")
        with pytest.raises(TypeError):
            call(1)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        graph.reach("a")
    with pytest.raises(NotFoundError):
        Graph([(0, 1)]).dependents(2)


def test_iterators_that_change_what_is_read() -> None:
    """Python code runs while edges are read; it must not break the reader."""
    after: Dict[Any, Any] = {}

    class Nasty:
        def __iter__(self) -> Iterator[str]:
            after.clear()
            return iter(["x", "y"])

    after.update({"a": Nasty(), "b": ["a"], "c": ["b"]})
    Graph(after)
    pairs: List[Any] = [["a", "b"] for _ in range(3)]

    class Name(str):
        def __eq__(self, other: object) -> bool:
            pairs.clear()
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    pairs.insert(0, [Name("a"), Name("c")])
    Graph(pairs, repeats=True)

    def broken() -> Iterator[Tuple[str, str]]:
        yield "a", "b"
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        Graph(broken())


# ---- definitions ----


def test_graphs_of_definitions() -> None:
    text = '{"stepwell":1,"name":"w","steps":[{"name":"a"},{"name":"b","after":["a"]}]}'
    engine = Engine("memory:")
    workflow = engine.workflow("w")

    @workflow.step
    def a() -> int:
        return 1

    @workflow.step
    def b(a: int) -> int:
        return a

    workflow.register()
    for form in (text, workflow, engine.definition("w"), workflow.definition()):
        graph = Graph.of(form)
        assert (graph.nodes, graph.edges) == (["a", "b"], [("a", "b")])
    with pytest.raises(DefinitionError) as caught:
        Graph.of('{"name":"w","steps":[{"name":"a","after":["z"]}]}')
    assert caught.value.findings
    with pytest.raises(TypeError):
        Graph.of(5)


# ---- stored workflows ----


def test_the_analysis_of_a_stored_workflow() -> None:
    engine = Engine("memory:")
    workflow = engine.workflow("order")
    workflow.external("validate", timeout=2)
    workflow.external("pack", after="validate")
    workflow.external("charge", after="validate", timeout=20)
    workflow.external("ship", after=["pack", "charge", "validate"])
    task = workflow.start()
    for subject in ("order", workflow, task.id):
        answer = engine.analyze_dependencies(subject)
        assert answer.critical_path == ["validate", "charge", "ship"] and answer.span == 23
        assert answer.cycles == [] and answer.redundant == [("validate", "ship")]
        assert answer.impact["pack"] == ["ship"] and answer.slack["pack"] == 19
    longer = engine.analyze("order", duration={"pack": 60})
    assert longer.critical_path == ["validate", "pack", "ship"] and longer.span == 63
    assert engine.analyze("order", parts=["levels"]).parts == {"levels"}
    for unknown in ("nothing", "01932f00-0000-7000-8000-000000000000"):
        with pytest.raises(NotFoundError):
            engine.analyze_dependencies(unknown)
    with pytest.raises(NotFoundError, match="no node 'x'"):
        engine.analyze("order", duration={"x": 1})
