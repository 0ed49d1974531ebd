"""Edges and arrays over cffi: the same as ext_python/graph_edges.c and graph_array.c.

Edges are read by Python code here, so it is slower than the C extension in that.
"""

from __future__ import annotations

from array import array
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

from . import _cffi_library as c
from ._cffi_library import Keeper, ffi, lib

_SIGNED = {"i": 4, "l": array("l").itemsize, "q": 8}


def array_new(pointer: Any, count: int, code: str) -> memoryview:
    """A copy of C integers; code is "i" for 32 bits, "q" for 64."""
    data = bytes(ffi.buffer(pointer, count * _SIGNED[code])) if count else b""
    return memoryview(data).cast(code)


def array_read(value: Any, what: str, code: str) -> Optional[memoryview]:
    """A buffer of integers with so many bits, in place where it has them; None for None."""
    if value is None:
        return None
    view = memoryview(value)
    form = view.format.lstrip("@=<")
    if view.ndim != 1 or _SIGNED.get(form) != view.itemsize:
        raise TypeError(
            f"{what} must be a buffer of one dimension with signed integers of 32 or 64 bits, "
            f"not of format '{view.format}' with {view.ndim} dimensions"
        )
    if view.itemsize == _SIGNED[code] and view.c_contiguous:
        return view.cast("B").cast(code)
    converted = array(code)
    for row, item in enumerate(view.tolist()):
        try:
            converted.append(item)
        except OverflowError:
            text = f"row {row}: {what} holds {item}, which does not fit into 32 bits"
            raise c.make_error(lib.SW_EINVAL, text, row) from None
    return memoryview(converted)


def pointer(view: Optional[memoryview], kind: str) -> Any:
    return ffi.NULL if view is None else ffi.cast(f"{kind} *", ffi.from_buffer(view))


def _kind_check(node: Any, kind: Optional[type]) -> type:
    found = str if isinstance(node, str) else int
    if isinstance(node, bool) or not isinstance(node, (str, int)) or kind not in (None, found):
        expected = f"{kind.__name__} like the first one" if kind else "str or int"
        raise TypeError(f"a node must be {expected}, not {type(node).__name__}")
    if found is str:
        Keeper().text(node, "a node")
    else:
        c.read_int(node, "a node")
    return found


def _container_check(value: Any, what: str, expected: str) -> None:
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        raise TypeError(f"{what} must be {expected}, not {type(value).__name__}")


class Edges:
    """Edges as numbers of nodes, from whatever form they came in."""

    def __init__(self, edges: Any, nodes: Any) -> None:
        self.labels: Optional[List[Any]] = None
        self.index: Optional[Dict[Any, int]] = None
        self.arrays = False
        self.node_count = 0
        if isinstance(edges, (tuple, list)) and len(edges) == 2 and all(map(_is_array, edges)):
            self._take_arrays(edges, nodes)
            return
        self._kind: Optional[type] = None
        self._nodes: Dict[Any, None] = {}
        counted = isinstance(nodes, int)
        if counted:
            self.node_count = c.read_int(nodes, "nodes", 32)
            self._count_check()
        elif nodes is not None:
            _container_check(nodes, "nodes", "a list of names or ints, or their number")
            self._each(nodes, self._list)
        pairs = self._pairs(edges)
        if counted:
            self._number_counted(pairs)
        else:
            self._number(pairs)

    def _count_check(self) -> None:
        if self.node_count < 0:
            raise c.refusal(f"nodes is {self.node_count}, expected 0 or more")

    def _each(self, items: Iterable[Any], take: Callable[[Any], None]) -> None:
        for row, item in enumerate(items):
            try:
                take(item)
            except Exception as error:
                error.row = row  # type: ignore[attr-defined]
                raise

    def _mention(self, node: Any) -> None:
        self._kind = _kind_check(node, self._kind)
        self._nodes.setdefault(node)

    def _list(self, node: Any) -> None:
        if isinstance(node, str) and node in self._nodes:
            raise c.refusal("a name is given twice in nodes")
        self._mention(node)

    def _pairs(self, edges: Any) -> List[Tuple[Any, Any]]:
        pairs: List[Tuple[Any, Any]] = []
        if isinstance(edges, dict):
            for node in edges:
                self._mention(node)
            for node, dependencies in list(edges.items()):
                _container_check(
                    dependencies, "the dependencies of a node", "a list, tuple or set"
                )
                for start in dependencies:
                    self._mention(start)
                    pairs.append((start, node))
            return pairs

        def take(pair: Any) -> None:
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise TypeError("an edge must be a pair (from, to)")
            self._mention(pair[0])
            self._mention(pair[1])
            pairs.append((pair[0], pair[1]))

        _container_check(edges, "edges", "a list of pairs, a dict or a pair of buffers")
        self._each(edges, take)
        return pairs

    def _number_counted(self, pairs: List[Tuple[Any, Any]]) -> None:
        if self._kind is str:
            raise TypeError("nodes must be a list of names, not their number")
        for row, pair in enumerate(pairs):
            for node in pair:
                if not -(2**31) <= node < 2**31:
                    text = f"row {row}: node {node} does not fit into 32 bits"
                    raise c.make_error(lib.SW_EINVAL, text, row)
        self._set(pairs)

    def _number(self, pairs: List[Tuple[Any, Any]]) -> None:
        labels = list(self._nodes) if self._kind is str else sorted(self._nodes)
        self.node_count = len(labels)
        if self._kind is not str and labels == list(range(len(labels))):
            self._set(pairs)
            return
        self.labels = labels
        self.index = index = {label: number for number, label in enumerate(labels)}
        self._set([(index[start], index[end]) for start, end in pairs])

    def _set(self, pairs: List[Tuple[int, int]]) -> None:
        self.starts = memoryview(array("i", [start for start, _ in pairs]))
        self.ends = memoryview(array("i", [end for _, end in pairs]))

    def _take_arrays(self, edges: Sequence[Any], nodes: Any) -> None:
        starts, ends = array_read(edges[0], "from", "i"), array_read(edges[1], "to", "i")
        assert starts is not None and ends is not None
        if len(starts) != len(ends):
            raise c.refusal(f"from has {len(starts)} items and to has {len(ends)}")
        if len(starts) >= 2**31 - 1:  # the core says so too, but only the count is cheap to read
            message = f"{len(starts)} edges are more than a graph can hold"
            raise c.make_error(lib.SW_ELIMIT, message)
        self.arrays = True
        self.starts, self.ends = starts, ends
        if nodes is not None:
            self.node_count = c.read_int(nodes, "nodes", 32)
            self._count_check()
        else:
            top = max(max(starts, default=-1), max(ends, default=-1))
            self.node_count = min(top + 1, 2**31 - 1)


def _is_array(value: Any) -> bool:
    try:
        memoryview(value)
    except TypeError:
        return False
    return True
