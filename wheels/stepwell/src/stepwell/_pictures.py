"""Pictures: what graphs and tasks are asked to draw, and coordinates without a drawing.

Formats are "svg" (one self-contained file for light and dark pages), "mermaid" and "dot" (source text
for those programs), "json" (with coordinates, for others that draw) and "text" (for a terminal). The
same question has the same picture. Not here: the drawing (the core does it).
"""

from __future__ import annotations

import json
from array import array
from typing import Any, Dict, Generic, List, NamedTuple, NoReturn, Optional, Sequence, Tuple

from ._analysis import N
from ._binding import core

_CRITICAL, _REDUNDANT, _SLACK, _DURATIONS = 1, 2, 4, 8
_DIRECTIONS = {None: 0, "down": 1, "right": 2}
_SECOND_US = 1_000_000

Options = Tuple[int, Tuple[Optional[str], int, int, int, int, int]]


class Place(NamedTuple):
    """Where a node stands: the middle of it, its size, and its level."""

    x: int
    y: int
    width: int
    height: int
    level: int


class Layout(Generic[N]):
    """Coordinates of a graph: width, height, direction ("down" or "right"), crossings (of lines),
    places (a Place for each node) and lines (the points of each edge (from, to))."""

    def __init__(
        self,
        found: Dict[str, Any],
        places: Dict[N, Place],
        lines: Dict[Tuple[N, N], List[Tuple[int, int]]],
    ) -> None:
        self.width: int = found["width"]
        self.height: int = found["height"]
        self.direction: str = found["direction"]
        self.crossings: int = found["crossings"]
        self.places = places
        self.lines = lines

    def __repr__(self) -> str:
        return f"<Layout of {len(self.places)} nodes, {self.width} x {self.height}>"


def _flag(given: Dict[str, Any], name: str, bit: int) -> int:
    value = given.pop(name, False)
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be bool, not {type(value).__name__}")
    return bit if value else 0


def read_options(
    *, title: Optional[str] = None, direction: Optional[str] = None, columns: int = 0, **given: Any
) -> Options:
    """What the core takes: the marks, and the arguments behind them."""
    marks = _flag(given, "critical", _CRITICAL) | _flag(given, "redundant", _REDUNDANT)
    marks |= _flag(given, "slack", _SLACK) | _flag(given, "durations", _DURATIONS)
    flags = [_flag(given, name, 1) for name in ("ascii", "color", "compact")]
    if given:
        raise TypeError(f"unexpected keyword arguments: {', '.join(given)}")
    if direction not in _DIRECTIONS:
        error = core.InvalidArgumentError(f"direction is {direction!r}, expected 'down' or 'right'")
        error.row = None
        raise error
    return marks, (title, _DIRECTIONS[direction], columns, flags[0], flags[1], flags[2])


class GraphPictures(Generic[N]):
    """What a Graph can draw of itself."""

    _core: core.Graph

    def draw(self, format: str, *, duration: Any = None, **options: Any) -> str:
        """The graph as a picture: "svg", "mermaid", "dot", "json" or "text".

        critical marks the path that takes longest, slack shows how much later nodes may end,
        redundant marks edges that follow from others; duration is how many seconds each node takes
        for these (1 each without it and where a mapping is silent; durations=False hides them).
        direction is "down" or "right", title a headline; for text, columns is how many there are
        (80), ascii and color say what the terminal can show. compact starts nodes as late as their
        dependents allow.

        Raises DefinitionError for a cycle, LimitError for what is too large or too wide.
        """
        if duration is not None:
            options.setdefault("durations", True)
        marks, rest = read_options(**options)
        if duration is None and marks & _SLACK:
            duration = {}
        try:
            return self._core.picture(format, marks, self._microseconds(duration), *rest)
        except core.DefinitionError:
            self._refuse_cycle()

    def _microseconds(self, duration: Any) -> Any:
        durations, scale = self._durations(duration)
        if durations is None or scale == _SECOND_US:
            return durations
        scaled = [value * _SECOND_US for value in durations]
        return self._int64s(scaled, "duration of node {} is too long")

    def _int64s(self, values: Sequence[int], message: str) -> array[int]:
        raise NotImplementedError

    def _durations(self, given: Any, otherwise: float = 1) -> Tuple[Any, int]:
        raise NotImplementedError

    def _refuse_cycle(self, row: Optional[int] = None) -> NoReturn:
        raise NotImplementedError

    def _label(self, number: int) -> N:
        raise NotImplementedError

    def to_svg(self, **options: Any) -> str:
        """The graph as an SVG file; options as for draw."""
        return self.draw("svg", **options)

    def to_mermaid(self, **options: Any) -> str:
        """The graph as source text for Mermaid; options as for draw."""
        return self.draw("mermaid", **options)

    def to_dot(self, **options: Any) -> str:
        """The graph as source text for Graphviz; options as for draw."""
        return self.draw("dot", **options)

    def to_json(self, **options: Any) -> str:
        """The graph as JSON with coordinates; options as for draw."""
        return self.draw("json", **options)

    def to_text(self, **options: Any) -> str:
        """The graph for a terminal; options as for draw."""
        return self.draw("text", **options)

    def layout(self, *, direction: Optional[str] = None, compact: bool = False) -> Layout[N]:
        """Where nodes and lines lie, for programs that draw themselves. Raises DefinitionError for
        a cycle."""
        found = json.loads(self.draw("json", direction=direction, compact=compact))
        label = self._label
        places = {
            label(number): Place(row["x"], row["y"], row["width"], row["height"], row["level"])
            for number, row in enumerate(found["nodes"])
        }
        lines = {
            (label(row["from"]), label(row["to"])): [(x, y) for x, y in row["points"]]
            for row in found["edges"]
        }
        return Layout(found, places, lines)
