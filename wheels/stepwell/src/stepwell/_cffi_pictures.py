"""Pictures and learnt durations over cffi: the same as ext_python/picture.c."""

from __future__ import annotations

from typing import Any, Tuple

from . import _cffi_library as c
from ._cffi_library import Keeper, ffi, lib


def _format(keeper: Keeper, name: Any) -> int:
    found = int(lib.sw_picture_format_find(keeper.text(name, "format")))
    if found < 0:
        raise c.refusal(f"format is '{name[:64]}', expected svg, mermaid, dot, json or text")
    return found


def picture_options(
    keeper: Keeper,
    format: Any,
    marks: Any = 0,
    title: Any = None,
    direction: Any = 0,
    columns: Any = 0,
    ascii: Any = 0,
    color: Any = 0,
    compact: Any = 0,
) -> Any:
    """sw_picture_options, whose strings the keeper holds."""
    options = ffi.new("sw_picture_options *", {"size": ffi.sizeof("sw_picture_options")})
    options.format = _format(keeper, format)
    options.marks = c.read_int(marks, "marks", 32)
    options.title = keeper.text(title, "title", optional=True)
    options.direction = c.read_int(direction, "direction", 32)
    options.columns = c.read_int(columns, "columns", 32)
    options.ascii = c.read_int(ascii, "ascii", 32)
    options.color = c.read_int(color, "color", 32)
    options.compact = c.read_int(compact, "compact", 32)
    return options


def gantt_options(
    keeper: Keeper,
    format: Any,
    title: Any = None,
    columns: Any = 0,
    width: Any = 0,
    ascii: Any = 0,
    color: Any = 0,
) -> Any:
    """sw_gantt_options, likewise."""
    options = ffi.new("sw_gantt_options *", {"size": ffi.sizeof("sw_gantt_options")})
    options.format = _format(keeper, format)
    options.title = keeper.text(title, "title", optional=True)
    options.columns = c.read_int(columns, "columns", 32)
    options.width = c.read_int(width, "width", 32)
    options.ascii = c.read_int(ascii, "ascii", 32)
    options.color = c.read_int(color, "color", 32)
    return options


def duration_row(row: Any) -> Tuple[str, str, int, int, int]:
    """What a step takes: name, source, sample_count, p50_us, p95_us."""
    source = c.c_text(lib.sw_duration_source_name(row.source))
    return (c.known(row.name), source, row.sample_count, row.p50_us, row.p95_us)
