"""Graphs: everything one can ask of dependencies, without an engine.

    graph = Graph({"charge": ["validate"], "ship": ["charge", "pack"]})
    graph.order()                                 # ['validate', 'pack', 'charge', 'ship']
    graph.analyze(duration={"charge": 2.5}).critical_path

Nodes are names or ints, and answers give them back as they came. The work is done by the engine in
linear time where theory allows. Not here: what an analysis holds (_analysis.py).
"""

from __future__ import annotations

import json
import math
from array import array
from typing import (
    TYPE_CHECKING,
    Any,
    Dict,
    Iterable,
    List,
    Mapping,
    NoReturn,
    Optional,
    Sequence,
    Tuple,
    Union,
    overload,
)

from ._analysis import (
    PARTS,
    Analysis,
    Bottleneck,
    Change,
    Common,
    Cut,
    Knot,
    Makespan,
    N,
    Number,
    Slot,
)
from ._binding import core
from ._graph_edit import GraphEdit, kind_check, kind_of, refused
from ._pictures import GraphPictures, Layout, Place

if TYPE_CHECKING:
    from .workflow import Workflow

    Buffer = Union[array[int], memoryview]

Edges = Union[Iterable[Tuple[N, N]], Mapping[N, Iterable[N]]]
Values = Union[Mapping[N, float], Sequence[float]]

# Floats are counted in millionths, so that seconds become microseconds.
_SCALE = 1_000_000
_INT64_MAX = 2**63 - 1
_CYCLE_SHOWN = 12

__all__ = [
    "Analysis",
    "Bottleneck",
    "Change",
    "Common",
    "Cut",
    "Graph",
    "GraphEdit",
    "Knot",
    "Layout",
    "Makespan",
    "Place",
    "Slot",
]


class Graph(GraphPictures[N]):
    """Nodes and the edges between them; (a, b) means that b depends on a. It never changes.

    edges is an iterable of pairs, a mapping from each node to its dependencies (as
    graphlib.TopologicalSorter takes it), or a pair of buffers of signed ints, which are read
    without copying when they have 32 bits. Nodes are all str or all int. nodes names nodes that
    have no edge and says their order; beside ints it may be their number. An edge that is given
    twice is an error unless repeats is true. A graph with cycles can be made and analysed.

    From buffers, order() and the like answer with memoryviews of 32-bit ints; else with lists.

    Raises InvalidArgumentError: an edge from a node to itself or given twice, a buffer with a
    negative number or one that does not fit; row says which edge. TypeError: a node that is
    neither str nor int, or names beside ints.
    """

    @overload
    def __init__(
        self: Graph[int],
        edges: Tuple[Buffer, Buffer],
        nodes: Optional[int] = None,
        *,
        repeats: bool = False,
    ) -> None: ...

    @overload
    def __init__(
        self,
        edges: Edges[N],
        nodes: Union[Iterable[N], int, None] = None,
        *,
        repeats: bool = False,
    ) -> None: ...

    def __init__(self, edges: Any, nodes: Any = None, *, repeats: bool = False) -> None:
        if isinstance(edges, Mapping) and not isinstance(edges, dict):
            edges = dict(edges)
        self._core = core.Graph(edges, nodes, repeats)
        self._nodes: Optional[List[N]] = self._core.labels

    @classmethod
    def _wrap(cls, made: core.Graph) -> Graph[Any]:
        graph: Graph[Any] = cls.__new__(cls)
        graph._core = made
        graph._nodes = made.labels
        return graph

    @classmethod
    def of(cls, definition: Union[str, Mapping[str, Any], Workflow[Any], Any]) -> Graph[str]:
        """The graph of a workflow: a Workflow, a Definition, or a definition as a dict or as JSON
        or YAML text. Raises DefinitionError with all findings."""
        if not isinstance(definition, (str, Mapping)):
            content = getattr(definition, "definition", None) or getattr(definition, "json", None)
            definition = content() if callable(content) else content
        if isinstance(definition, Mapping):
            definition = json.dumps(dict(definition), ensure_ascii=False)
        if not isinstance(definition, str):
            raise TypeError("definition must be a Workflow, a Definition, a dict or a str")
        return cls._wrap(core.Graph.of(definition))

    # ---- what it is made of ----

    def __repr__(self) -> str:
        return f"<Graph of {len(self)} nodes and {self.edge_count} edges>"

    def __len__(self) -> int:
        return self._core.node_count

    def __contains__(self, node: object) -> bool:
        try:
            return self._number(node) >= 0
        except (LookupError, TypeError):
            return False

    @property
    def nodes(self) -> List[N]:
        """All nodes; ints ascend."""
        if self._nodes is None:
            self._nodes = list(range(len(self)))  # type: ignore[arg-type]
        return list(self._nodes)

    @property
    def edge_count(self) -> int:
        """How many edges there are."""
        return self._core.edge_count

    @property
    def edges(self) -> List[Tuple[N, N]]:
        """All edges as pairs, in the order in which they were given."""
        starts, ends, rows, _, _ = self._core.view()
        found = [
            (rows[i], node, ends[i])
            for node in range(len(self))
            for i in range(starts[node], starts[node + 1])
        ]
        return self._pairs((start, end, row) for row, start, end in sorted(found))

    def _label(self, number: int) -> N:
        labels: Any = self._core.labels
        label: N = number if labels is None else labels[number]
        return label

    def _labels_of(self, numbers: memoryview) -> List[N]:
        labels = self._core.labels
        if labels is not None:
            return list(map(labels.__getitem__, numbers))
        return numbers if self._core.arrays else numbers.tolist()  # type: ignore[return-value]

    def _pairs(self, rows: Iterable[Tuple[int, int, int]]) -> List[Tuple[N, N]]:
        label = self._label
        return [(label(start), label(end)) for start, end, _ in rows]

    def _number(self, node: Any) -> int:
        index = self._core.index
        kind_check(node, self._core.labels)
        if index is not None and node in index:
            return index[node]
        if index is None and 0 <= node < len(self):
            return int(node)
        raise core.NotFoundError(f"there is no node {node!r}")

    def _numbers(self, nodes: Iterable[N]) -> array[int]:
        if isinstance(nodes, str) or not isinstance(nodes, Iterable):
            raise TypeError(f"nodes must be a list of nodes, not {type(nodes).__name__}")
        return array("i", [self._number(node) for node in nodes])

    # ---- numbers of each node ----

    def _values(self, given: Any, what: str, otherwise: Optional[float] = None) -> List[Any]:
        """One value per node, from a sequence or from a mapping."""
        if isinstance(given, Mapping):
            values: List[Any] = [otherwise] * len(self)
            for node, value in given.items():
                values[self._number(node)] = value
            for number, value in enumerate(values):
                if value is None:
                    raise refused(f"{what} says nothing of node {self._label(number)!r}", number)
        elif isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
            raise TypeError(f"{what} must be a mapping or a sequence, not {type(given).__name__}")
        else:
            values = list(given)
        if len(values) != len(self):
            raise refused(f"{what} has {len(values)} items for {len(self)} nodes")
        for number, value in enumerate(values):
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise TypeError(f"{what} must hold numbers, not {type(value).__name__}")
            if not math.isfinite(value) or value < 0:
                raise refused(f"{what} of node {self._label(number)!r} is {value}", number)
        return values

    def _durations(self, given: Any, otherwise: float = 1) -> Tuple[Any, int]:
        """The durations as 64-bit ints, and how many of these make one unit."""
        if given is None or (isinstance(given, memoryview) and given.format in ("q", "l")):
            return given, 1
        if isinstance(given, array) and given.typecode in "ql":
            return given, 1
        values = self._values(given, "duration", otherwise)
        scale = _SCALE if any(isinstance(value, float) for value in values) else 1
        scaled = [round(value * scale) for value in values]
        return self._int64s(scaled, "duration of node {} is too long"), scale

    def _int64s(self, values: Sequence[int], message: str) -> array[int]:
        """The values of the nodes as 64-bit ints; the message is for one that is none."""
        for number, value in enumerate(values):
            if value > _INT64_MAX:
                raise refused(message.format(repr(self._label(number))), number)
        return array("q", values)

    def _demands(self, name: str, given: Any) -> array[int]:
        values = self._values(given, f"resource {name}", 0)
        for value in values:
            if not isinstance(value, int):
                raise TypeError(f"resource {name} must hold ints, not {type(value).__name__}")
        return self._int64s(values, f"resource {name} of node {{}} does not fit into 64 bits")

    def _priorities(self, given: Any) -> Any:
        if given is None or isinstance(given, (array, memoryview)):
            return given
        if not isinstance(given, Mapping):
            return array("i", given)
        values = array("i", bytes(4 * len(self)))
        for node, value in given.items():
            values[self._number(node)] = value
        return values

    # ---- questions ----

    def order(self, priority: Optional[Values[N]] = None) -> List[N]:
        """A topological order: dependencies first.

        priority (of each node, higher first; 0 where a mapping is silent) decides where the order
        is open, then the order of the nodes. Without it the order is the same every time, and is
        found faster. Raises DefinitionError for a cycle; its cycle is one way around.
        """
        try:
            return self._labels_of(self._core.order(self._priorities(priority)))
        except core.DefinitionError:
            self._refuse_cycle()

    def analyze(
        self,
        *,
        duration: Optional[Values[N]] = None,
        priority: Optional[Values[N]] = None,
        parts: Optional[Iterable[str]] = None,
        roots: Optional[Iterable[N]] = None,
        bottlenecks: int = 10,
        width_effort: int = 0,
    ) -> Analysis[N]:
        """All answers at once, or those that parts names.

        duration is of each node, 0 or more, in any unit; 1 each without it and where a mapping is
        silent. Answers are in the same unit, exact for ints, to a millionth with floats. roots
        are where work may begin, for unreachable. width_effort is how many edges the search for
        the exact width may look at: 0 means 100 million, -1 all.

        A cycle is no error: the analysis then has cycles, components and ends. Raises
        InvalidArgumentError (row is the node of a negative or NaN duration) and LimitError (the
        sum of the durations is too long).
        """
        durations, scale = self._durations(duration)
        answer = self._core.analyze(
            _bits(parts),
            durations,
            self._priorities(priority),
            None if roots is None else self._numbers(roots),
            bottlenecks,
            width_effort,
        )

        def used() -> Dict[N, Number]:
            values: Any = [1] * len(self) if durations is None else durations
            if scale != 1:
                values = [value / scale for value in values]
            return dict(zip(self.nodes, values))

        return Analysis(self, answer, scale, used)

    def _knots(self, rows: Iterable[Tuple[Any, ...]]) -> List[Knot[N]]:
        label = self._label
        return [
            Knot(
                [label(node) for node in nodes],
                edge_count,
                [label(node) for node in cycle],
                [Cut((label(a), label(b)), reason, row) for a, b, row, reason in cuts],
                *rest,
            )
            for nodes, edge_count, cycle, cuts, *rest in rows
        ]

    def cycles(self) -> List[Knot[N]]:
        """The knots: nodes that all depend on each other, one cycle of each, and the edges whose
        removal breaks them. Empty when there is no cycle."""
        return self._knots(self._core.cycles())

    def _refuse_cycle(self, row: Optional[int] = None) -> NoReturn:
        cycle = self.cycles()[0].cycle
        names = [str(node) for node in cycle[:_CYCLE_SHOWN]]
        if len(cycle) > _CYCLE_SHOWN:
            names.append(f"({len(cycle) - _CYCLE_SHOWN} more)")
        begin = "the graph has" if row is None else f"edge {row} closes"
        error = core.DefinitionError(f"{begin} a cycle: {' -> '.join([*names, names[0]])}")
        error.row = row
        error.cycle = cycle
        raise error from None

    def reach(self, nodes: Iterable[N], *, dependencies: bool = False) -> List[List[N]]:
        """For each of some nodes all its dependents, or all its dependencies."""
        rows = self._core.reach(1 if dependencies else 0, self._numbers(nodes))
        return [self._labels_of(row) for row in rows]

    def dependents(self, node: N) -> List[N]:
        """All nodes that depend on a node, directly or not: who is blocked if it fails."""
        return self.reach([node])[0]

    def dependencies(self, node: N) -> List[N]:
        """All nodes that a node depends on, directly or not: who must finish before it."""
        return self.reach([node], dependencies=True)[0]

    impact = dependents

    def common(self, nodes: Iterable[N], *, dependents: bool = False) -> Common[N]:
        """The dependencies that all of some nodes have in common, or the dependents."""
        rows = self._core.common(0 if dependents else 1, self._numbers(nodes))
        return Common(*(self._labels_of(row) for row in rows))

    def redundant(self) -> List[Tuple[N, N]]:
        """The edges that follow from others. Raises DefinitionError for a cycle."""
        try:
            return self._pairs(self._core.reduce())
        except core.DefinitionError:
            self._refuse_cycle()

    def reduce(self) -> Graph[N]:
        """The transitive reduction: the graph without the redundant edges."""
        redundant = set(self.redundant())
        return Graph([edge for edge in self.edges if edge not in redundant], self.nodes)

    def makespan(
        self,
        *,
        workers: int = 0,
        duration: Optional[Values[N]] = None,
        resources: Optional[Mapping[str, Tuple[int, Values[N]]]] = None,
    ) -> Makespan[N]:
        """How long a run takes with so many workers (0: any number) and limited resources.

        resources maps a name to how much there is of it and to what each node takes up while it
        runs (0 where a mapping is silent). duration is as for analyze. Raises DefinitionError for
        a cycle, InvalidArgumentError for a demand above what there is.
        """
        durations, scale = self._durations(duration)
        rows = [
            (name, capacity, self._demands(name, demand))
            for name, (capacity, demand) in (resources or {}).items()
        ]
        try:
            answer = self._core.makespan(durations, workers, rows)
        except core.DefinitionError:
            self._refuse_cycle()

        def time(value: int) -> Number:
            return value if scale == 1 else value / scale

        fields = ("makespan", "bound", "bound_span", "bound_workers", "bound_resource", "work")
        return Makespan(
            *(time(answer[f"{field}_us"]) for field in fields),
            rows[answer["resource"]][0] if answer["resource"] >= 0 else "",
            answer["workers"],
            answer["used"],
            [
                Slot(self._label(node), worker, time(start), time(end))
                for node, worker, start, end in answer["slots"]
            ],
        )

    def diff(self, other: Graph[N]) -> List[Change[N]]:
        """The edits that turn this graph into the other, by the names of the nodes. Graphs of
        definitions are compared step by step, too."""
        second: Any = other
        if not isinstance(second, Graph):
            raise TypeError(f"other must be a Graph, not {type(second).__name__}")
        graphs: List[Graph[Any]] = [self, second]
        kinds = [kind_of(graph._core.labels) for graph in graphs if len(graph)] or [str]
        if kinds[0] is not kinds[-1]:
            names = " and of ".join(kind.__name__ for kind in kinds)
            raise TypeError(f"graphs with nodes of {names} cannot be compared")
        if self._core.labels is None or second._core.labels is None:
            return _named(self)._diff(_named(second), kinds[0])
        return self._diff(second, kinds[0])

    def _diff(self, other: Graph[Any], kind: Any) -> List[Change[Any]]:
        changes: List[Change[Any]] = []
        for what, fields, _, _, name, start in self._core.diff(other._core):
            edge = None if start is None else (kind(start), kind(name))
            changes.append(Change(what, kind(name) if edge is None else None, edge, fields))
        return changes

    def edit(self) -> GraphEdit[N]:
        """Begin to add nodes and edges. Raises DefinitionError for a cycle."""
        return GraphEdit(self)


def _named(graph: Graph[Any]) -> Graph[str]:
    """The same graph with the ints as names."""
    return Graph([(str(a), str(b)) for a, b in graph.edges], [str(node) for node in graph.nodes])


def _bits(parts: Optional[Iterable[str]]) -> int:
    if parts is None:
        return 0
    if isinstance(parts, str):
        raise TypeError("parts must be a list of names, not str")
    bits = 0
    for part in parts:
        if part not in PARTS:
            raise refused(f"there is no part {part!r}; there are {', '.join(PARTS)}")
        bits |= PARTS[part]
    if bits == 0:
        raise refused("parts names nothing")
    return bits
