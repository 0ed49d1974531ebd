"""What graphs answer: the analysis, and the rows in it.

Nodes are given as they were named when the graph was made, durations in the unit of the question.
An Analysis keeps the arrays of the engine and makes each answer when it is first asked for.
Not here: the questions (graph.py).
"""

from __future__ import annotations

from functools import cached_property
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    FrozenSet,
    Generic,
    List,
    Mapping,
    Sequence,
    Tuple,
    TypeVar,
    Union,
)

from ._binding import core

if TYPE_CHECKING:
    from .graph import Graph

N = TypeVar("N", bound=Union[str, int])

Number = float  # int where all durations of the question were ints

# The parts of an analysis by the bits that the engine knows them by.
PARTS = {
    name: 1 << bit
    for bit, name in enumerate(
        "order levels ends components cycles span time bottlenecks width redundant".split()
    )
}


class Frozen:
    """Attributes are set once, by the constructor."""

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed")


class Row(Frozen):
    """A few named values that compare and print like a tuple."""

    _fields: Tuple[str, ...] = ()

    def __init__(self, *values: Any) -> None:
        self.__dict__.update(zip(self._fields, values))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields)
        return f"{type(self).__name__}({values})"


class Bottleneck(Row, Generic[N]):
    """A step whose delay or loss hurts: score = share x (1 - slack / span) x (1 + dependents).

    dependents counts the direct ones; share is duration / span, 0..1.
    """

    node: N
    dependents: int
    duration: Number
    slack: Number
    share: float
    score: float
    _fields = ("node", "dependents", "duration", "slack", "share", "score")


class Cut(Row, Generic[N]):
    """An edge to remove. reason is "every_cycle" (all cycles pass through it), "smallest" (of a set
    than which none is smaller), "two_way" (its opposite is there too) or "backward" (against an
    order in which most edges point forward); row is its place in the edges that were given."""

    edge: Tuple[N, N]
    reason: str
    row: int
    _fields = ("edge", "reason", "row")


class Knot(Row, Generic[N]):
    """Nodes that all depend on each other.

    cycle is one way around, each node depending on the one before it; without the edges in cuts
    no cycle is left. shortest and smallest say whether that is proven of cycle and cuts; no set of
    fewer than cut_least edges can do.
    """

    nodes: List[N]
    edge_count: int
    cycle: List[N]
    cuts: List[Cut[N]]
    cut_least: int
    shortest: bool
    smallest: bool
    _fields = ("nodes", "edge_count", "cycle", "cuts", "cut_least", "shortest", "smallest")


class Slot(Row, Generic[N]):
    """When a step runs in a schedule, and on which worker, from 0."""

    node: N
    worker: int
    start: Number
    end: Number
    _fields = ("node", "worker", "start", "end")


class Makespan(Row, Generic[N]):
    """How long a run takes by list scheduling, the ready step with the longest way first.

    No run is shorter than bound, the greatest of bound_span (the critical path), bound_workers
    (work / workers) and bound_resource (of the tightest resource). workers is how many were busy
    at once at most, used the share of their time that was work, schedule the slots in the order of
    their starts.
    """

    duration: Number
    bound: Number
    bound_span: Number
    bound_workers: Number
    bound_resource: Number
    work: Number
    resource: str  # the tightest one, "" for none
    workers: int
    used: float
    schedule: List[Slot[N]]
    _fields = (
        *("duration", "bound", "bound_span", "bound_workers", "bound_resource", "work"),
        *("resource", "workers", "used", "schedule"),
    )


class Change(Row, Generic[N]):
    """One edit between two graphs: kind is "node_added", "node_removed", "node_changed" (fields
    says in what), "edge_added" or "edge_removed"; edge is None for nodes, node None for edges."""

    kind: str
    node: Any
    edge: Any
    fields: Tuple[str, ...]
    _fields = ("kind", "node", "edge", "fields")


class Common(Row, Generic[N]):
    """The nodes that several nodes have in common, and of these the nearest ones."""

    nodes: List[N]
    nearest: List[N]
    _fields = ("nodes", "nearest")


class Analysis(Frozen, Generic[N]):
    """The answer to Graph.analyze.

    A part that was not asked for, or that a graph with a cycle cannot have, raises NotFoundError
    when it is read; parts names those that are there. `acyclic` is always there.
    """

    def __init__(
        self,
        graph: Graph[N],
        answer: Dict[str, Any],
        scale: int,
        duration: Callable[[], Dict[N, Number]],
    ) -> None:
        self.__dict__.update(graph=graph, _answer=answer, _scale=scale, _duration=duration)

    graph: Graph[N]
    _answer: Dict[str, Any]
    _scale: int
    _duration: Callable[[], Dict[N, Number]]

    def __repr__(self) -> str:
        if not self.acyclic:
            return f"<Analysis of {self.graph!r}: it has a cycle>"
        return f"<Analysis of {self.graph!r}: {', '.join(sorted(self.parts))}>"

    def _get(self, field: str, part: str) -> Any:
        try:
            return self._answer[field]
        except KeyError:
            reason = "it was not asked for" if self.acyclic else "the graph has a cycle"
            raise core.NotFoundError(f"the analysis has no part '{part}': {reason}") from None

    def _nodes(self, field: str, part: str) -> List[N]:
        return self.graph._labels_of(self._get(field, part))

    def _each(self, field: str, part: str) -> Dict[N, int]:
        return dict(zip(self.graph.nodes, self._get(field, part)))

    def _time(self, value: int) -> Number:
        return value if self._scale == 1 else value / self._scale

    def _times(self, field: str) -> Dict[N, Number]:
        values: Sequence[Number] = self._get(field, "time")
        if self._scale != 1:
            values = [value / self._scale for value in values]
        return dict(zip(self.graph.nodes, values))

    @property
    def parts(self) -> FrozenSet[str]:
        """Names of the parts that are there."""
        bits = self._answer["parts"]
        return frozenset(name for name, bit in PARTS.items() if bits & bit)

    @property
    def acyclic(self) -> bool:
        """Whether the graph has no cycle."""
        return bool(self._answer["acyclic"])

    @cached_property
    def duration(self) -> Mapping[N, Number]:
        """The duration that each node was taken to have."""
        return self._duration()

    @cached_property
    def order(self) -> List[N]:
        """Dependencies first; ties by priority, then by the order of the nodes."""
        return self._nodes("order", "order")

    @cached_property
    def level(self) -> Mapping[N, int]:
        """The longest distance of each node from a root."""
        return self._each("level", "levels")

    @cached_property
    def shortest(self) -> Mapping[N, int]:
        """The shortest distance of each node from a root."""
        return self._each("shortest", "levels")

    @cached_property
    def levels(self) -> List[List[N]]:
        """The nodes of each level."""
        levels: List[List[N]] = [[] for _ in range(self.depth)]
        for node, level in zip(self.graph.nodes, self._get("level", "levels")):
            levels[level].append(node)
        return levels

    @property
    def depth(self) -> int:
        """How many levels there are: the nodes on a longest path."""
        return int(self._get("level_count", "levels"))

    @property
    def widest_level(self) -> int:
        """The number of the level with the most nodes, the first of equals."""
        return int(self._get("level_widest", "levels"))

    @cached_property
    def roots(self) -> List[N]:
        """Nodes without dependencies."""
        return self._nodes("roots", "ends")

    @cached_property
    def leaves(self) -> List[N]:
        """Nodes without dependents."""
        return self._nodes("leaves", "ends")

    @cached_property
    def orphans(self) -> List[N]:
        """Nodes without either."""
        return self._nodes("orphans", "ends")

    @cached_property
    def unreachable(self) -> List[N]:
        """Nodes that none of the roots that were given leads to; empty when none were given."""
        return self._nodes("unreachable", "ends")

    @cached_property
    def components(self) -> List[List[N]]:
        """The parts that no edge connects, ordered by their first nodes."""
        parts: List[List[N]] = [[] for _ in range(self._get("component_count", "components"))]
        for node, part in zip(self.graph.nodes, self._get("component", "components")):
            parts[part].append(node)
        return parts

    @cached_property
    def cycles(self) -> List[Knot[N]]:
        """The knots, with guidance how to break them; none on an acyclic graph."""
        return self.graph._knots(self._get("cycles", "cycles"))

    @cached_property
    def critical_path(self) -> List[N]:
        """The longest path by duration, which no run can beat."""
        return self._nodes("critical_path", "span")

    @property
    def work(self) -> Number:
        """The sum of all durations."""
        return self._time(self._get("work_us", "span"))

    @property
    def span(self) -> Number:
        """The sum of the durations along the critical path."""
        return self._time(self._get("span_us", "span"))

    @property
    def parallelism(self) -> float:
        """work / span: how many workers can be kept busy; 0 for no work."""
        return float(self._get("parallelism", "span"))

    @cached_property
    def earliest(self) -> Mapping[N, Number]:
        """When each node begins at the earliest."""
        return self._times("earliest_us")

    @cached_property
    def latest(self) -> Mapping[N, Number]:
        """When each node begins at the latest without delaying the end."""
        return self._times("latest_us")

    @cached_property
    def slack(self) -> Mapping[N, Number]:
        """latest - earliest."""
        return self._times("slack_us")

    @cached_property
    def free_float(self) -> Mapping[N, Number]:
        """How much later than at the earliest each node may end without delaying a dependent."""
        return self._times("float_us")

    @cached_property
    def bottlenecks(self) -> List[Bottleneck[N]]:
        """The steps whose delay or loss hurts most, highest score first."""
        label = self.graph._label
        return [
            Bottleneck(label(node), count, self._time(took), self._time(slack), share, score)
            for node, count, took, slack, share, score in self._get("bottlenecks", "bottlenecks")
        ]

    @property
    def width(self) -> int:
        """The size of antichain: the true width when width_exact, else the true one is at least
        that and at most width_most."""
        return int(self._get("width_least", "width"))

    @property
    def width_most(self) -> int:
        """No set of nodes that may run at once is larger."""
        return int(self._get("width_most", "width"))

    @property
    def width_exact(self) -> bool:
        """Whether the search for the width came to its end."""
        return bool(self._get("width_exact", "width"))

    @cached_property
    def antichain(self) -> List[N]:
        """A largest set of nodes none of which depends on another."""
        return self._nodes("antichain", "width")

    @cached_property
    def redundant(self) -> List[Tuple[N, N]]:
        """Edges that follow from others."""
        return self.graph._pairs(self._get("redundant", "redundant"))

    @cached_property
    def impact(self) -> Mapping[N, List[N]]:
        """Who is blocked if a node fails: all its dependents, for every node."""
        nodes = self.graph.nodes
        return dict(zip(nodes, self.graph.reach(nodes)))
