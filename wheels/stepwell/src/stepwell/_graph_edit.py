"""Changes of a graph, and the checks of nodes that it shares with graph.py."""

from __future__ import annotations

from array import array
from typing import (
    TYPE_CHECKING,
    Any,
    Dict,
    Generic,
    Iterable,
    List,
    NoReturn,
    Optional,
    Sequence,
    Tuple,
)

from ._analysis import N
from ._binding import core

if TYPE_CHECKING:
    from .graph import Graph


class GraphEdit(Generic[N]):
    """Nodes and edges added to a graph, which itself does not change. Made by Graph.edit.

    The order is kept up to date: a new edge costs time in the nodes between its ends, not in all.
    One thread at a time may use it.
    """

    def __init__(self, graph: Graph[N]) -> None:
        self._made: Any = type(graph)
        try:
            self._core = graph._core.edit()
        except core.DefinitionError:
            graph._refuse_cycle()
        labels = graph._core.labels
        self._labels: Optional[List[N]] = list(labels) if labels else None
        self._index: Optional[Dict[Any, int]] = dict(graph._core.index or {}) if labels else None
        self._count = len(graph)

    def insert(self, edges: Iterable[Tuple[N, N]] = (), *, nodes: Iterable[N] = ()) -> None:
        """Add nodes, and edges between old and new ones; all or none.

        Nodes that the edges name are added without being listed. Raises DefinitionError for an
        edge that closes a cycle (row says which, cycle is the way around), InvalidArgumentError
        for one that is there already or leads from a node to itself.
        """
        given = [(start, end) for start, end in edges]
        fresh = self._fresh([*nodes, *(node for edge in given for node in edge)])
        known: Any = self._index if self._index is not None else range(self._count)
        ends = [fresh[n] if n in fresh else known[n] for edge in given for n in edge]
        names = None if self._labels is None else [str(node) for node in fresh]
        starts, stops = array("i", ends[::2]), array("i", ends[1::2])
        try:
            self._core.insert(len(fresh), names, starts, stops)
        except core.DefinitionError as error:
            self._refuse(given, error.row)
        self._count += len(fresh)
        if self._labels is not None and self._index is not None:
            self._labels.extend(fresh)
            self._index.update(fresh)

    def _fresh(self, mentioned: Sequence[N]) -> Dict[N, int]:
        """The nodes that are new, with the numbers that they get."""
        fresh: Dict[Any, int] = {}
        for node in mentioned:
            kind_check(node, self._labels)
            if not self._has(node):
                fresh.setdefault(node, self._count + len(fresh))
        if self._labels is None and fresh:
            numbers = range(self._count, self._count + len(fresh))
            if sorted(fresh) != list(numbers):
                raise refused(f"new nodes must go on from {self._count} without a gap")
            fresh = {number: number for number in numbers}
        return fresh

    def _has(self, node: Any) -> bool:
        return node in (range(self._count) if self._index is None else self._index)

    def _refuse(self, edges: List[Tuple[N, N]], row: Optional[int]) -> NoReturn:
        """Say which cycle an edge would close."""
        count = len(edges) if row is None else row + 1
        made: Graph[N] = self._made([*self.finish().edges, *edges[:count]])
        made._refuse_cycle(row)

    def order(self) -> List[N]:
        """The order that is kept; nodes that no new edge touches stay where they were."""
        numbers = self._core.order()
        if self._labels is None:
            return numbers.tolist()  # type: ignore[return-value]
        return [self._labels[number] for number in numbers]

    def finish(self) -> Graph[N]:
        """The graph as it is by now. The edit goes on."""
        labels = None if self._labels is None else list(self._labels)
        made: Graph[N] = self._made._wrap(self._core.finish(labels))
        return made


def kind_of(labels: Optional[List[Any]]) -> type:
    return int if labels is None else str if not labels or isinstance(labels[0], str) else int


def kind_check(node: Any, labels: Optional[List[Any]]) -> None:
    expected = kind_of(labels)
    if not isinstance(node, expected) or isinstance(node, bool):
        raise TypeError(f"a node must be {expected.__name__}, not {type(node).__name__}")


def refused(message: str, row: Optional[int] = None) -> core.InvalidArgumentError:
    error = core.InvalidArgumentError(message)
    error.row = row
    return error
