"""From edges as a Python program has them to a topological order, on 100,000 nodes of average
degree 4: a dict beside graphlib, and two buffers beside the same calls from C, which are made
through ctypes. Then the same edges beside python-igraph and networkx where they are installed, each
with its own graph. Prints the rows of script/bench; a ratio below 1 is faster than what stands beside
it."""

from __future__ import annotations

import ctypes
import json
import random
import statistics
import sys
import time
from array import array
from graphlib import TopologicalSorter
from typing import Any, Callable, Dict, List

from stepwell import Graph

DEGREE = 4
USAGE = "usage: graph_order.py LIBSTEPWELL [--quick] [--json]"


class Options(ctypes.Structure):
    """sw_graph_options."""

    _fields_ = [
        ("size", ctypes.c_uint32),
        ("repeats", ctypes.c_int32),
        ("env", ctypes.c_void_p),
    ]


def dependencies(nodes: int) -> List[List[int]]:
    """For each node earlier ones, as many as the degree where there are enough."""
    rng = random.Random(1)
    return [
        sorted({rng.randrange(node) for _ in range(DEGREE)}) if node else []
        for node in range(nodes)
    ]


def c_call(library: Any, nodes: int, starts: Any, ends: Any) -> Callable[[], None]:
    """The calls from C on the memory of two arrays."""
    options = Options(ctypes.sizeof(Options), 0, None)
    starts_at, ends_at = (
        (ctypes.c_int32 * len(items)).from_buffer(items) for items in (starts, ends)
    )
    order = (ctypes.c_int32 * nodes)()
    graph = ctypes.c_void_p()

    def call() -> None:
        if library.sw_graph_new(
            ctypes.byref(options), nodes, starts_at, ends_at, ctypes.c_size_t(len(starts)),
            ctypes.byref(graph), None,
        ) or library.sw_graph_order(graph, None, order, None):
            raise SystemExit("the calls from C failed")
        library.sw_graph_free(graph)

    return call


def took(call: Callable[[], Any]) -> float:
    """Microseconds of one call."""
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1e6


def compare(
    name: str, ours: Callable[[], Any], other: Callable[[], Any], rounds: int
) -> Dict[str, Any]:
    """Both in turn, because the machine changes."""
    ours()
    pairs = [(took(ours), took(other)) for _ in range(rounds)]
    mine = [pair[0] for pair in pairs]
    return {
        "name": f"graph_order/{name}",
        "unit": "us",
        "median": round(statistics.median(mine), 1),
        "min": round(min(mine), 1),
        "max": round(max(mine), 1),
        "floor": round(statistics.median(pair[1] for pair in pairs), 1),
        "ratio": round(statistics.median(a / b for a, b in pairs), 4),
    }


def beside_igraph(nodes: int, pairs: List[Any], ours: Any, rounds: int) -> None:
    """Build and order, what a node reaches, and the longest way."""
    try:
        import igraph
    except ImportError:
        print("skipped: python-igraph is not installed (python3-igraph)", file=sys.stderr)
        return
    theirs = igraph.Graph(n=nodes, edges=pairs, directed=True)
    graph = Graph(ours, nodes)

    def order() -> Any:
        return igraph.Graph(n=nodes, edges=pairs, directed=True).topological_sorting()

    show(compare("order_of_pairs_igraph", lambda: Graph(pairs, nodes).order(), order, rounds), "igraph")
    show(compare("order_of_buffers_igraph", lambda: Graph(ours, nodes).order(), order, rounds), "igraph")
    show(
        compare(
            "descendants_igraph",
            lambda: graph.dependents(0),
            lambda: theirs.subcomponent(0, mode="out"),
            rounds,
        ),
        "igraph",
    )


def beside_networkx(nodes: int, pairs: List[Any], ours: Any, rounds: int) -> None:
    """The same, and levels."""
    try:
        import networkx
    except ImportError:
        print("skipped: networkx is not installed (python3-networkx)", file=sys.stderr)
        return
    theirs = networkx.DiGraph(pairs)
    graph = Graph(ours, nodes)
    questions: Dict[str, Any] = {
        "order_of_pairs": (
            lambda: Graph(pairs, nodes).order(),
            lambda: list(networkx.topological_sort(networkx.DiGraph(pairs))),
        ),
        "descendants": (
            lambda: graph.dependents(0),
            lambda: networkx.descendants(theirs, 0),
        ),
        "levels": (
            lambda: graph.analyze(parts=["levels"]).levels,
            lambda: list(networkx.topological_generations(theirs)),
        ),
        "critical_path": (
            lambda: graph.analyze(parts=["span"]).critical_path,
            lambda: networkx.dag_longest_path(theirs),
        ),
    }
    for name, (mine, other) in questions.items():
        show(compare(f"{name}_networkx", mine, other, rounds), "networkx")


def main() -> None:
    if len(sys.argv) < 2:
        raise SystemExit(USAGE)
    quick = "--quick" in sys.argv
    nodes, rounds = (10_000, 3) if quick else (100_000, 7)
    before = dependencies(nodes)
    ints = dict(enumerate(before))
    names = [f"step{node}" for node in range(nodes)]
    named = {names[node]: [names[other] for other in before[node]] for node in ints}
    starts = array("i", [other for after in before for other in after])
    ends = array("i", [node for node in ints for _ in before[node]])
    library: Any = ctypes.CDLL(sys.argv[1])
    library.sw_graph_order.argtypes = [ctypes.c_void_p] * 4
    library.sw_graph_free.argtypes = [ctypes.c_void_p]
    for given, what in ((ints, "ints"), (named, "names")):
        def ours(given: Any = given) -> Any:
            return Graph(given).order()

        def theirs(given: Any = given) -> Any:
            return list(TopologicalSorter(given).static_order())

        show(compare(f"python_dict_of_{what}", ours, theirs, rounds), "graphlib")
    buffers = compare(
        "python_buffers",
        lambda: Graph((starts, ends), nodes).order(),
        c_call(library, nodes, starts, ends),
        rounds * 3,
    )
    show(buffers, "the calls from C")
    pairs = list(zip(starts, ends))
    beside_igraph(nodes, pairs, (starts, ends), rounds)
    beside_networkx(nodes, pairs, (starts, ends), 3)


def show(row: Dict[str, Any], beside: str) -> None:
    if "--json" in sys.argv:
        print(json.dumps(row, separators=(",", ":")))
    else:
        print(
            f"{row['name']:<28} {row['median']:9.1f} {row['min']:9.1f} {row['max']:9.1f} {'':8} "
            f"{row['floor']:9.1f} {row['ratio']:6.2f}  us; floor is {beside}"
        )


main()
