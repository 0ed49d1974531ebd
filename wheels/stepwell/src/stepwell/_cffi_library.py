"""The shared library of the engine, opened through cffi, and conversions to and from its types.

The declarations are the public header itself, preprocessed when the package was built. Checks
and messages are those of the C extension (convert.c), so both bindings refuse the same values.
Not here: the class Engine (_core_cffi).
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any, Callable, List, Optional, Sequence, Tuple, Type

import cffi

_SLICE_MAIN_MS = 100
_SLICE_OTHER_MS = 250
_HERE = os.path.dirname(os.path.abspath(__file__))

ffi = cffi.FFI()


def _open_library() -> Any:
    """The library named by STEPWELL_LIBRARY, the one beside this file, or the system's."""
    beside = os.path.join(_HERE, "libstepwell.so")
    place = os.environ.get("STEPWELL_LIBRARY")
    if not place:
        place = beside if os.path.exists(beside) else "libstepwell.so.0"
    try:
        return ffi.dlopen(place)
    except OSError as error:
        raise ImportError(
            f"{place} could not be opened ({error}); install the library or name it in "
            "STEPWELL_LIBRARY"
        ) from None


def _read_declarations() -> str:
    try:
        with open(os.path.join(_HERE, "_cdef.h"), encoding="utf-8") as header:
            return header.read()
    except FileNotFoundError:
        raise ImportError("stepwell/_cdef.h is missing; the package was not built") from None


ffi.cdef(_read_declarations())
lib = _open_library()

# cffi looks a function up when it is first named, under a lock that a thread cannot take twice. An
# engine may be collected while the lock is held, and what closes it must not need it then.
_CLOSING = (lib.sw_engine_close, lib.sw_engine_wake, lib.SW_ESTATE)


class Error(Exception):
    """Base class of the errors of stepwell."""

    code: Optional[int] = None
    name: Optional[str] = None
    row: Optional[int] = None


def c_text(pointer: Any) -> str:
    """The str of a C string."""
    return str(ffi.string(pointer).decode("utf-8", "replace"))


# Codes whose class is also one of Python's own, so that ordinary except clauses catch it.
_BUILTINS = {
    lib.SW_EINVAL: ValueError,
    lib.SW_ENOTFOUND: LookupError,
    lib.SW_EACCESS: PermissionError,
    lib.SW_ETIMEOUT: TimeoutError,
}


def _error_classes() -> List[Type[Exception]]:
    """One class per code of the engine, by the negated code; 0 is Error itself."""
    classes: List[Type[Exception]] = [Error]
    while True:
        code = -len(classes)
        name = lib.sw_code_class(code)
        if name == ffi.NULL:
            return classes
        if code == lib.SW_ENOMEM:
            classes.append(MemoryError)
            continue
        bases: Tuple[type, ...] = (Error, _BUILTINS[code]) if code in _BUILTINS else (Error,)
        attributes = {
            "__module__": "stepwell",
            "__doc__": c_text(lib.sw_code_text(code)),
            "code": code,
            "name": c_text(lib.sw_code_name(code)),
        }
        if code == lib.SW_EDEFINITION:
            attributes.update(findings=(), cycle=None)
        if code == lib.SW_EOUTDATED:
            attributes.update(version=None, expected_version=None)
        classes.append(type(c_text(name), bases, attributes))


Error.__module__ = "stepwell"
error_classes = _error_classes()


def make_error(code: int, message: str, row: int = -1) -> Exception:
    """The exception of a code."""
    known = code < 0 and -code < len(error_classes)
    error = error_classes[-code](message) if known else Error(message)
    if row >= 0 and isinstance(error, Error):
        error.row = row
    return error


def error_of(error: Any) -> Exception:
    """The exception of a filled sw_error."""
    text = c_text(error.message) or c_text(lib.sw_code_text(error.code))
    return make_error(error.code, text, error.row)


def result_of(function: Callable[..., int], *arguments: Any) -> Any:
    """The sw_result of a function that needs no engine; freed when Python lets go of it."""
    out = ffi.new("sw_result **")
    error = ffi.new("sw_error *")
    if function(*arguments, out, error) < 0:
        raise error_of(error)
    return ffi.gc(out[0], lib.sw_result_free)


def refusal(message: str) -> Exception:
    """An InvalidArgumentError."""
    return make_error(lib.SW_EINVAL, message)


def read_int(value: Any, what: str, bits: int = 64) -> int:
    """An int that fits into so many bits."""
    if not isinstance(value, int):
        raise TypeError(f"{what} must be int, not {type(value).__name__}")
    if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
        raise refusal(f"{what} does not fit into {bits} bits")
    return int(value)


def read_size(value: Any, what: str) -> int:
    """An int of 0 or more."""
    size = read_int(value, what)
    if size < 0:
        raise refusal(f"{what} is {size}, expected 0 or more")
    return size


class Wait:
    """A wait in slices, so that signals are seen in time and no wake is lost."""

    def __init__(self, wait_ms: int, first_ms: int = _SLICE_MAIN_MS) -> None:
        self.slice_ms = 0
        self._wait_ms = wait_ms
        self._most_ms = first_ms
        self._start = self._begin = time.monotonic()

    def next(self) -> int:
        """Begin a slice and answer what is left of the whole wait, 0 for nothing."""
        self._begin = time.monotonic()
        left_ms = self._wait_ms
        if left_ms > 0:
            left_ms = max(0, left_ms - int((self._begin - self._start) * 1000))
        self.slice_ms = self._most_ms if left_ms < 0 else min(left_ms, self._most_ms)
        main = threading.current_thread() is threading.main_thread()
        self._most_ms = _SLICE_MAIN_MS if main else _SLICE_OTHER_MS
        return left_ms

    def woken(self) -> bool:
        """Whether the slice came back clearly before its time."""
        return (time.monotonic() - self._begin) * 1000 + 5 < self.slice_ms


class Calls:
    """What Engine gives to the groups of its calls that stand in files of their own."""

    def _call(self, function: Callable[..., int], *arguments: Any, passes: int = 0) -> int:
        raise NotImplementedError

    def _result(
        self, function: Callable[..., int], *arguments: Any, passes: int = 0
    ) -> Tuple[int, Any]:
        raise NotImplementedError

    def _place(self, engine: Any) -> None:
        raise NotImplementedError


class Keeper:
    """Makes C strings and owns their memory until it is given up."""

    def __init__(self) -> None:
        self._kept: List[Any] = []

    def keep(self, memory: Any) -> Any:
        """The same memory, owned from now on."""
        self._kept.append(memory)
        return memory

    def text(self, value: Any, what: str, optional: bool = False) -> Any:
        """A sw_str of a str, absent for None where that is allowed."""
        if value is None and optional:
            return (ffi.NULL, 0)
        if not isinstance(value, str):
            expected = "str or None" if optional else "str"
            raise TypeError(f"{what} must be {expected}, not {type(value).__name__}")
        try:
            data = value.encode("utf-8")
        except UnicodeEncodeError:
            raise refusal(
                f"{what} holds a lone surrogate, which is not valid Unicode text"
            ) from None
        memory = ffi.new("char[]", data)
        self._kept.append(memory)
        return (memory, len(data))

    def texts(self, value: Any, what: str) -> Tuple[Any, int]:
        """An array of sw_str and its length; None gives none."""
        if value is None:
            return (ffi.NULL, 0)
        items = [self.text(item, what) for item in read_rows(value, what)]
        array = ffi.new("sw_str[]", items)
        self._kept.append(array)
        return (array, len(items))

    def uuid(self, value: Any, what: str) -> Any:
        """A sw_uuid of its 36 characters."""
        uuid = ffi.new("sw_uuid *")
        text = ffi.new("sw_str *", self.text(value, what))
        if lib.sw_uuid_parse(text[0], uuid) != 0:
            raise refusal(f"{what} is '{value[:64]}', expected a UUID of 36 characters")
        return uuid


def read_rows(value: Any, what: str) -> Tuple[Any, ...]:
    """A tuple with the items of a sequence that is no string."""
    sequence = hasattr(type(value), "__getitem__") and not isinstance(value, dict)
    if isinstance(value, (str, bytes)) or not sequence:
        raise TypeError(f"{what} must be a list or tuple, not {type(value).__name__}")
    return tuple(value)


def read_row(row: Any, what: str, least: int, most: int) -> Tuple[Any, ...]:
    """The row with None for the items it leaves out."""
    if not isinstance(row, tuple):
        raise TypeError(f"{what} must be a tuple, not {type(row).__name__}")
    if not least <= len(row) <= most:
        raise TypeError(f"{what} must be a tuple of {least} to {most} items, not {len(row)}")
    return (*row, *(None,) * (most - len(row)))


def fill_rows(array: Any, rows: Sequence[Any], fill: Callable[[Any, Any], None]) -> None:
    """Fill a C array from rows; an exception says at which one."""
    for index, row in enumerate(rows):
        try:
            fill(array[index], row)
        except Exception as error:
            error.row = index  # type: ignore[attr-defined]
            raise


def text_of(text: Any) -> Optional[str]:
    """The str of a sw_str, None when absent."""
    if text.ptr == ffi.NULL:
        return None
    return str(ffi.unpack(text.ptr, text.len).decode("utf-8", "replace"))


def known(text: Any) -> str:
    """The str of a sw_str that is never absent."""
    return text_of(text) or ""


def texts_of(items: Any, count: int) -> Tuple[str, ...]:
    """The strs of an array of sw_str."""
    return tuple(known(items[i]) for i in range(count))


def uuid_of(uuid: Any) -> str:
    """The 36 characters of a sw_uuid."""
    text = ffi.new("char[37]")
    lib.sw_uuid_format(ffi.addressof(uuid), text)
    return c_text(text)


def names_of(name: Callable[[int], Any], count: int) -> Tuple[str, ...]:
    """The names of an enumeration."""
    return tuple(c_text(name(i)) for i in range(count))
