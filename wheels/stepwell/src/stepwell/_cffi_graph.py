"""Graph and GraphEdit over cffi: the same as ext_python/graph*.c.

Not here: reading of edges (_cffi_edges.py), the class that users see (graph.py).
"""

from __future__ import annotations

from array import array
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from . import _cffi_library as c
from . import _cffi_pictures as pictures
from . import _cffi_rows as rows_of
from ._cffi_edges import Edges, array_new, array_read, pointer
from ._cffi_library import Keeper, ffi, lib

def _nodes_of(reach: Any) -> memoryview:
    """The numbers of the nodes whose bits are set."""
    nodes = array("i")
    word = 0
    while len(nodes) < reach.count:
        bits = int(reach.bits[word])
        while bits:
            nodes.append(word * 64 + (bits & -bits).bit_length() - 1)
            bits &= bits - 1
        word += 1
    return memoryview(bytes(nodes)).cast("i")


def _knots(rows: Iterable[Any]) -> List[Tuple[Any, ...]]:
    return [
        (
            array_new(row.nodes, row.node_count, "i"),
            row.edge_count,
            array_new(row.cycle, row.cycle_count, "i"),
            [_cut(row.cuts[i]) for i in range(row.cut_count)],
            row.cut_least,
            bool(row.cycle_shortest),
            bool(row.cut_smallest),
        )
        for row in rows
    ]


def _cut(cut: Any) -> Tuple[int, int, int, str]:
    return (getattr(cut, "from"), cut.to, cut.row, c.c_text(lib.sw_cut_reason_name(cut.reason)))


class Graph:
    """A graph from pairs, a dict from node to dependencies, or two buffers. Methods take and give
    numbers of nodes; labels says what they are called."""

    def __init__(self, edges: Any, nodes: Any = None, repeats: bool = False) -> None:
        given = Edges(edges, nodes)
        options = ffi.new("sw_graph_options *", {"size": ffi.sizeof("sw_graph_options")})
        options.repeats = 1 if repeats else 0
        out = ffi.new("sw_graph **")
        error = ffi.new("sw_error *")
        ends = (pointer(given.starts, "int32_t"), pointer(given.ends, "int32_t"))
        code = lib.sw_graph_new(
            options, given.node_count, *ends, len(given.starts), out, error
        )
        if code == lib.SW_EINVAL and given.labels is not None:
            names = [str(label) for label in given.labels]
            pairs = zip(given.starts, given.ends)
            _named_new(options, names, [(names[a], names[b]) for a, b in pairs])
        if code < 0:
            raise c.error_of(error)
        self._set(out[0], given.labels, given.index, given.arrays)

    _labels: Optional[List[Any]]
    _index: Optional[Dict[Any, int]]
    _arrays: bool

    def _set(
        self, graph: Any, labels: Any, index: Any, arrays: bool, workflow: Any = None
    ) -> None:
        self._graph = ffi.gc(graph, lib.sw_graph_free)
        self._workflow = workflow
        self._labels, self._index, self._arrays = labels, index, arrays
        self._view = ffi.new("sw_graph_view *", {"size": ffi.sizeof("sw_graph_view")})
        lib.sw_graph_view_get(self._graph, self._view, ffi.NULL)

    @classmethod
    def _wrap(cls, graph: Any, labels: Any, index: Any, workflow: Any = None) -> Graph:
        made = cls.__new__(cls)
        made._set(graph, labels, index, False, workflow)
        return made

    @classmethod
    def of(cls, definition: str, /) -> Graph:
        """The graph of a definition in JSON or YAML."""
        options = ffi.new("sw_graph_options *", {"size": ffi.sizeof("sw_graph_options")})
        workflow, _ = rows_of.load_workflow(definition, None, False)
        out = ffi.new("sw_graph **")
        error = ffi.new("sw_error *")
        if lib.sw_graph_new_workflow(options, workflow, out, error) < 0:
            raise c.error_of(error)
        count = ffi.new("size_t *")
        steps = lib.sw_workflow_steps(workflow, count)
        labels = [c.known(steps[i].name) for i in range(count[0])]
        index = {label: number for number, label in enumerate(labels)}
        return cls._wrap(out[0], labels, index, workflow)

    @property
    def node_count(self) -> int:
        """How many nodes there are."""
        return int(self._view.node_count)

    @property
    def edge_count(self) -> int:
        """How many edges there are."""
        return int(self._view.edge_count)

    @property
    def labels(self) -> Optional[List[Any]]:
        """What the nodes are called, None: by their numbers."""
        return self._labels

    @property
    def index(self) -> Optional[Dict[Any, int]]:
        """The numbers of the labels, None without labels."""
        return self._index

    @property
    def arrays(self) -> bool:
        """Whether the edges came as buffers."""
        return self._arrays

    def view(self) -> Tuple[memoryview, ...]:
        """The arrays out_start, out_node, out_row, in_start and in_node as memoryviews."""
        view, nodes, edges = self._view, self.node_count, self.edge_count
        counts = (nodes + 1, edges, edges, nodes + 1, edges)
        arrays = (view.out_start, view.out_node, view.out_row, view.in_start, view.in_node)
        return tuple(array_new(*pair, "i") for pair in zip(arrays, counts))

    def _node_array(self, value: Any, what: str, code: str) -> Optional[memoryview]:
        read = array_read(value, what, code)
        if read is not None and len(read) != self.node_count:
            raise c.refusal(f"{what} has {len(read)} items for {self.node_count} nodes")
        return read

    def _result(self, function: Callable[..., int], *arguments: Any) -> Any:
        return _result(function, self._graph, *arguments)

    def order(self, priority: Any = None, /) -> memoryview:
        """A topological order, as a memoryview."""
        priorities = self._node_array(priority, "priority", "i")
        order = ffi.new("int32_t[]", self.node_count + 1)
        error = ffi.new("sw_error *")
        if lib.sw_graph_order(self._graph, pointer(priorities, "int32_t"), order, error) < 0:
            raise c.error_of(error)
        return array_new(order, self.node_count, "i")

    def analyze(
        self,
        parts: int = 0,
        duration: Any = None,
        priority: Any = None,
        roots: Any = None,
        bottleneck_max: int = 0,
        width_effort: int = 0,
        /,
    ) -> Dict[str, Any]:
        """The answers to all questions whose bits are in parts (0: all), as a dict."""
        options = ffi.new("sw_analysis_options *", {"size": ffi.sizeof("sw_analysis_options")})
        durations = self._node_array(duration, "duration", "q")
        priorities = self._node_array(priority, "priority", "i")
        starts = array_read(roots, "roots", "i")
        options.parts = c.read_int(parts, "parts", 32)
        options.duration_us = pointer(durations, "int64_t")
        options.priority = pointer(priorities, "int32_t")
        options.roots = pointer(starts, "int32_t")
        options.root_count = 0 if starts is None else len(starts)
        options.bottleneck_max = c.read_int(bottleneck_max, "bottleneck_max")
        options.width_effort = c.read_int(width_effort, "width_effort")
        result = self._result(lib.sw_graph_analyze, options)
        return _answer(lib.sw_analyses(result, ffi.NULL))

    def cycles(self) -> List[Tuple[Any, ...]]:
        """The knots with their cuts."""
        return _knots(rows_of.each(lib.sw_knots, self._result(lib.sw_graph_cycles)))

    def _reach(self, function: Any, direction: int, nodes: Any) -> List[memoryview]:
        given = array_read(nodes, "nodes", "i")
        count = 0 if given is None else len(given)
        way = c.read_int(direction, "direction", 32)
        result = self._result(function, way, pointer(given, "int32_t"), count)
        return [_nodes_of(row) for row in rows_of.each(lib.sw_reaches, result)]

    def reach(self, direction: int, nodes: Any, /) -> List[memoryview]:
        """The nodes that each of nodes reaches: 0 dependents, 1 dependencies."""
        return self._reach(lib.sw_graph_reach, direction, nodes)

    def common(self, direction: int, nodes: Any, /) -> List[memoryview]:
        """The nodes that all of nodes reach, and the nearest of them."""
        return self._reach(lib.sw_graph_common, direction, nodes)

    def reduce(self) -> List[Tuple[int, int, int]]:
        """The redundant edges."""
        rows = rows_of.each(lib.sw_graph_edges, self._result(lib.sw_graph_reduce))
        return [(getattr(row, "from"), row.to, row.row) for row in rows]

    def makespan(
        self,
        duration: Any = None,
        workers: int = 0,
        resources: Sequence[Tuple[str, int, Any]] = (),
        /,
    ) -> Dict[str, Any]:
        """How long a run takes, and its schedule; resources are (name, capacity, demand)."""
        keeper = Keeper()
        options = ffi.new("sw_makespan_options *", {"size": ffi.sizeof("sw_makespan_options")})
        durations = self._node_array(duration, "duration", "q")
        options.duration_us = pointer(durations, "int64_t")
        options.workers = c.read_int(workers, "workers", 32)
        given = c.read_rows(resources, "resources")
        array_of = ffi.new("sw_graph_resource[]", len(given) + 1)
        demands: List[Any] = []

        def fill(resource: Any, row: Any) -> None:
            name, capacity, demand = c.read_row(row, "a resource", 3, 3)
            demands.append(self._node_array(demand, "demand", "q"))
            resource.name = keeper.text(name, "a name")
            resource.capacity = c.read_int(capacity, "capacity")
            resource.demand = pointer(demands[-1], "int64_t")

        c.fill_rows(array_of, given, fill)
        options.resources, options.resource_count = array_of, len(given)
        result = self._result(lib.sw_graph_makespan, options)
        found = lib.sw_makespans(result, ffi.NULL)
        fields = (
            *("makespan_us", "bound_us", "bound_span_us", "bound_workers_us"),
            *("bound_resource_us", "work_us", "resource", "workers", "used"),
        )
        answer: Dict[str, Any] = {field: getattr(found, field) for field in fields}
        slots = rows_of.each(lib.sw_graph_slots, result)
        answer["slots"] = [(s.node, s.worker, s.start_us, s.end_us) for s in slots]
        return answer

    def _named(self) -> Any:
        """The graph with its labels as names."""
        if self._labels is None or self._workflow is not None:
            return self._graph
        options = ffi.new("sw_graph_options *", {"size": ffi.sizeof("sw_graph_options")})
        starts, ends, rows, _, _ = self.view()
        names = [str(label) for label in self._labels]
        edges = sorted(
            (rows[i], node, ends[i])
            for node in range(self.node_count)
            for i in range(starts[node], starts[node + 1])
        )
        return _named_new(options, names, [(names[a], names[b]) for _, a, b in edges])

    def picture(self, format: str, marks: int = 0, duration: Any = None, *rest: Any) -> str:
        """The graph as text of a format."""
        keeper = Keeper()
        options = pictures.picture_options(keeper, format, marks, *rest)
        durations = self._node_array(duration, "duration", "q")
        named = self._named()
        result = _result(lib.sw_graph_picture, named, options, pointer(durations, "int64_t"))
        return c.known(lib.sw_pictures(result, ffi.NULL).text)

    def diff(self, other: Graph, /) -> List[Tuple[Any, ...]]:
        """The edits that turn this graph into the other."""
        if not isinstance(other, Graph):
            raise TypeError(f"other must be Graph, not {type(other).__name__}")
        if self._workflow is not None and other._workflow is not None:
            result = _result(lib.sw_workflow_diff, self._workflow, other._workflow)
        else:
            before, after = self._named(), other._named()
            result = _result(lib.sw_graph_diff, before, after)
        return [_change(row) for row in rows_of.each(lib.sw_changes, result)]

    def edit(self) -> GraphEdit:
        """Begin to change the graph: a GraphEdit."""
        return GraphEdit._new(self._named())


class GraphEdit:
    """Nodes and edges added to a graph. Made by Graph.edit."""

    def __init__(self) -> None:
        raise TypeError("an edit is made by Graph.edit")

    @classmethod
    def _new(cls, graph: Any) -> GraphEdit:
        out = ffi.new("sw_graph_edit **")
        error = ffi.new("sw_error *")
        if lib.sw_graph_edit_new(graph, out, error) < 0:
            raise c.error_of(error)
        view = ffi.new("sw_graph_view *", {"size": ffi.sizeof("sw_graph_view")})
        lib.sw_graph_view_get(graph, view, ffi.NULL)
        edit = cls.__new__(cls)
        edit._edit = ffi.gc(out[0], lib.sw_graph_edit_free)
        edit._node_count = view.node_count
        return edit

    _edit: Any
    _node_count: int

    def insert(
        self,
        node_count: int,
        names: Optional[Sequence[str]],
        from_nodes: Any,
        to_nodes: Any,
        /,
    ) -> None:
        """Add nodes, then edges; all or none."""
        keeper = Keeper()
        texts, text_count = keeper.texts(names, "names")
        starts = array_read(from_nodes, "from_nodes", "i")
        ends = array_read(to_nodes, "to_nodes", "i")
        count = 0 if starts is None else len(starts)
        if count != (0 if ends is None else len(ends)) or (
            names is not None and text_count != node_count
        ):
            raise c.refusal("the lengths of the arguments differ")
        error = ffi.new("sw_error *")
        pointers = (pointer(starts, "int32_t"), pointer(ends, "int32_t"))
        code = lib.sw_graph_edit_insert(self._edit, node_count, texts, *pointers, count, error)
        if code < 0:
            raise c.error_of(error)
        self._node_count += node_count

    def order(self) -> memoryview:
        """The order that the edit keeps, as a memoryview."""
        order = ffi.new("int32_t[]", self._node_count + 1)
        error = ffi.new("sw_error *")
        if lib.sw_graph_edit_order(self._edit, order, error) < 0:
            raise c.error_of(error)
        return array_new(order, self._node_count, "i")

    def finish(self, labels: Any, /) -> Graph:
        """The graph as it is by now; labels are its own."""
        index = labels and {label: number for number, label in enumerate(labels)}
        out = ffi.new("sw_graph **")
        error = ffi.new("sw_error *")
        if lib.sw_graph_edit_finish(self._edit, out, error) < 0:
            raise c.error_of(error)
        return Graph._wrap(out[0], labels, index)


def _result(function: Callable[..., int], *arguments: Any) -> Any:
    """Call the core for a result, which is freed when Python lets go of it."""
    out = ffi.new("sw_result **")
    error = ffi.new("sw_error *")
    if function(*arguments, out, error) < 0:
        raise c.error_of(error)
    return ffi.gc(out[0], lib.sw_result_free)


def _named_new(options: Any, names: List[str], edges: List[Tuple[str, str]]) -> Any:
    """A graph whose nodes have names; raises what is wrong with the edges."""
    keeper = Keeper()
    texts, count = keeper.texts(names, "nodes")
    starts, _ = keeper.texts([start for start, _ in edges], "edges")
    ends, _ = keeper.texts([end for _, end in edges], "edges")
    out = ffi.new("sw_graph **")
    error = ffi.new("sw_error *")
    code = lib.sw_graph_new_named(options, texts, count, starts, ends, len(edges), out, error)
    if code < 0:
        raise c.error_of(error)
    return ffi.gc(out[0], lib.sw_graph_free)


def _change(row: Any) -> Tuple[Any, ...]:
    fields = tuple(
        c.c_text(lib.sw_change_field_name(1 << bit)) for bit in range(31) if row.fields >> bit & 1
    )
    kind = c.c_text(lib.sw_change_kind_name(row.kind))
    return (kind, fields, row.before, row.after, c.text_of(row.name), c.text_of(row.name_from))


# Fields of sw_analysis as ext_python/graph_analyze.c gives them: name, what counts it, its part.
_INTS: Mapping[str, str] = {
    "order": "node_count",
    "level": "node_count",
    "shortest": "node_count",
    "level_width": "level_count",
    "component": "node_count",
}
_SETS: Mapping[str, Tuple[str, str]] = {
    "roots": ("root_count", "ENDS"),
    "leaves": ("leaf_count", "ENDS"),
    "orphans": ("orphan_count", "ENDS"),
    "unreachable": ("unreachable_count", "ENDS"),
    "critical_path": ("critical_count", "SPAN"),
    "antichain": ("width_least", "WIDTH"),
}
_TIMES = ("earliest_us", "latest_us", "slack_us", "float_us")
_NUMBERS: Mapping[str, str] = {
    "level_count": "LEVELS",
    "level_widest": "LEVELS",
    "component_count": "COMPONENTS",
    "work_us": "SPAN",
    "span_us": "SPAN",
    "parallelism": "SPAN",
    "width_least": "WIDTH",
    "width_most": "WIDTH",
    "width_exact": "WIDTH",
}


def _answer(found: Any) -> Dict[str, Any]:
    def has(part: str) -> bool:
        return bool(found.parts & getattr(lib, f"SW_ANALYSIS_{part}"))

    answer: Dict[str, Any] = {"parts": found.parts, "acyclic": bool(found.acyclic)}
    for field, part in _NUMBERS.items():
        if has(part):
            answer[field] = getattr(found, field)
    for field, count in _INTS.items():
        if getattr(found, field) != ffi.NULL:
            answer[field] = array_new(getattr(found, field), getattr(found, count), "i")
    for field, (count, part) in _SETS.items():
        if has(part):
            answer[field] = array_new(getattr(found, field), getattr(found, count), "i")
    if has("TIME"):
        for field in _TIMES:
            answer[field] = array_new(getattr(found, field), found.node_count, "q")
    if has("BOTTLENECKS"):
        rows = [found.bottlenecks[i] for i in range(found.bottleneck_count)]
        answer["bottlenecks"] = [
            (r.node, r.dependents, r.duration_us, r.slack_us, r.share, r.score) for r in rows
        ]
    if has("CYCLES"):
        answer["cycles"] = _knots(found.knots[i] for i in range(found.knot_count))
    if has("REDUNDANT"):
        edges = [found.redundant[i] for i in range(found.redundant_count)]
        answer["redundant"] = [(getattr(e, "from"), e.to, e.row) for e in edges]
    return answer
