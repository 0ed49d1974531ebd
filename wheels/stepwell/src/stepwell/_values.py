"""Values that travel through the engine: Python to JSON text and back.

JSON keeps exactly what both languages can hold: text, numbers (integers of any size), booleans,
None, lists and dicts with text keys. Everything else is refused with the place where it was
found, instead of being changed on the way: no NaN, no bytes, no keys that become text.
Not here: checks against a declared type (_shapes).
"""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, Optional, Set, Type

from ._binding import core


class ResultError(core.InvalidArgumentError):
    """A handler returned something that JSON cannot hold."""


class InputError(core.InvalidArgumentError):
    """The input of a task is not what its workflow takes."""


_Refusal = Type[core.InvalidArgumentError]


def encode(value: Any, what: str, refusal: _Refusal) -> Optional[str]:
    """JSON text of a value, None for None.

    what names the value in messages. Raises refusal for anything JSON cannot hold, a value that
    contains itself and an integer that Python will not print.
    """
    if value is None:
        return None
    try:
        plain = _plain(value, what, set(), refusal)
        return json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except RecursionError:
        raise refusal(f"{what} is nested too deeply") from None
    except refusal:
        raise
    except ValueError as error:
        raise refusal(f"{what} cannot become JSON: {error}") from None


def decode(text: Optional[str]) -> Any:
    """The value of JSON text, None for None."""
    return None if text is None else json.loads(text)


def _plain(value: Any, path: str, above: Set[int], refusal: _Refusal) -> Any:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return _plain_text(value, path, refusal)
    if isinstance(value, float):
        if not isfinite(value):
            raise refusal(f"{path} is {value}, which JSON has no number for")
        return value
    if isinstance(value, dict):
        return _plain_within(value, path, above, refusal, _plain_dict)
    if isinstance(value, (list, tuple)):
        return _plain_within(value, path, above, refusal, _plain_list)
    if hasattr(type(value), "__dataclass_fields__"):
        return _plain_within(value, path, above, refusal, _plain_dataclass)
    raise refusal(
        f"{path} is of type {type(value).__name__}; JSON holds dict, list, str, int, float, "
        "bool and None"
    )


def _plain_text(value: str, path: str, refusal: _Refusal) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise refusal(
            f"{path} holds a lone surrogate at position {error.start}, which is no valid text"
        ) from None
    return value


def _plain_within(
    value: Any, path: str, above: Set[int], refusal: _Refusal, convert: Any
) -> Any:
    """Convert a container, knowing the containers it lies in."""
    if id(value) in above:
        raise refusal(f"{path} contains itself")
    above.add(id(value))
    try:
        return convert(value, path, above, refusal)
    finally:
        above.discard(id(value))


def _plain_dict(value: Any, path: str, above: Set[int], refusal: _Refusal) -> Any:
    result = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise refusal(f"{path} has the key {key!r}, expected text")
        result[_plain_text(key, f"a key of {path}", refusal)] = _plain(
            item, f"{path}.{key}", above, refusal
        )
    return result


def _plain_list(value: Any, path: str, above: Set[int], refusal: _Refusal) -> Any:
    return [_plain(item, f"{path}[{i}]", above, refusal) for i, item in enumerate(value)]


def _plain_dataclass(value: Any, path: str, above: Set[int], refusal: _Refusal) -> Any:
    return {
        name: _plain(getattr(value, name), f"{path}.{name}", above, refusal)
        for name in type(value).__dataclass_fields__
        if hasattr(value, name)
    }
