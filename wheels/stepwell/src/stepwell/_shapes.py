"""Declared types: JSON values become dataclasses, TypedDicts are checked, the rest passes.

Only what a type says plainly is checked: fields that are missing or unknown, and str, int, float,
bool, list, dict, Optional, dataclasses and TypedDicts inside each other. Anything else is handed
over as it came. Not here: JSON Schema, which the engine keeps with the definition.
"""

from __future__ import annotations

from typing import Any, Dict, Union, get_args, get_origin, get_type_hints

from ._values import InputError

_SCALARS = {str: "text", int: "an integer", float: "a number", bool: "true or false"}


def is_shape(kind: Any) -> bool:
    """Whether values of this type are built or checked field by field."""
    return is_dataclass_type(kind) or is_typed_dict(kind)


def is_dataclass_type(kind: Any) -> bool:
    """Whether kind is a dataclass (not an instance of one)."""
    return isinstance(kind, type) and hasattr(kind, "__dataclass_fields__")


def is_typed_dict(kind: Any) -> bool:
    """Whether kind is a TypedDict class."""
    return isinstance(kind, type) and issubclass(kind, dict) and hasattr(kind, "__total__")


def build(kind: Any, value: Any, path: str) -> Any:
    """The value as kind says: a dataclass instance, or the value itself after its check.

    Raises InputError with the path of what does not fit.
    """
    if kind is Any or kind is None or kind is object:
        return value
    if is_dataclass_type(kind):
        return value if isinstance(value, kind) else _build_dataclass(kind, value, path)
    if is_typed_dict(kind):
        return _check_typed_dict(kind, value, path)
    if kind in _SCALARS:
        return _check_scalar(kind, value, path)
    return _build_generic(kind, value, path)


def _build_generic(kind: Any, value: Any, path: str) -> Any:
    origin, args = get_origin(kind), get_args(kind)
    if type(None) in args and (origin is Union or type(kind).__name__ == "UnionType"):
        if value is None:
            return None
        others = [arg for arg in args if arg is not type(None)]
        return build(others[0], value, path) if len(others) == 1 else value
    if origin is list:
        _check_container(list, value, path, "a list")
        return [build(args[0], item, f"{path}[{i}]") for i, item in enumerate(value)]
    if origin is dict:
        _check_container(dict, value, path, "an object")
        return {key: build(args[1], item, f"{path}.{key}") for key, item in value.items()}
    return value


def _check_container(kind: type, value: Any, path: str, expected: str) -> None:
    if not isinstance(value, kind):
        raise InputError(f"{path} is {value!r:.60}, expected {expected}")


def _check_scalar(kind: Any, value: Any, path: str) -> Any:
    accepted = (int, float) if kind is float else kind
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        raise InputError(f"{path} is {value!r:.60}, expected {_SCALARS[kind]}")
    return value


def _check_names(value: Dict[str, Any], known: Any, needed: Any, path: str) -> None:
    missing = [name for name in needed if name not in value]
    if missing:
        raise InputError(f"{path} has no {', '.join(missing)}")
    unknown = [name for name in value if name not in known]
    if unknown:
        raise InputError(
            f"{path} has the unknown field {', '.join(map(str, unknown))}; "
            f"known are {', '.join(known)}"
        )


def _build_dataclass(kind: Any, value: Any, path: str) -> Any:
    import dataclasses

    _check_container(dict, value, path, f"the fields of {kind.__name__}")
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}
    needed = [
        name
        for name, field in fields.items()
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    _check_names(value, fields, needed, path)
    hints = _hints(kind)
    return kind(
        **{
            name: build(hints.get(name, Any), item, f"{path}.{name}")
            for name, item in value.items()
        }
    )


def _check_typed_dict(kind: Any, value: Any, path: str) -> Any:
    _check_container(dict, value, path, f"the fields of {kind.__name__}")
    hints = _hints(kind)
    _check_names(value, hints, sorted(kind.__required_keys__), path)
    for name, item in value.items():
        build(hints[name], item, f"{path}.{name}")
    return value


def _hints(kind: Any) -> Dict[str, Any]:
    """Type hints of a class; one that names types Python cannot find is not checked."""
    try:
        return get_type_hints(kind)
    except (NameError, TypeError):
        return dict.fromkeys(getattr(kind, "__annotations__", {}), Any)
