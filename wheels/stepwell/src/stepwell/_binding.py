"""Chooses the binding: the C extension where it loads, the cffi binding elsewhere (PyPy).

The environment variable STEPWELL_BINDING ("c" or "cffi") forces one, which the tests use.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import _core as core
else:
    wanted = os.environ.get("STEPWELL_BINDING")
    try:
        core = import_module("stepwell._core_cffi" if wanted == "cffi" else "stepwell._core")
    except ImportError as error:
        if wanted:
            raise
        try:
            core = import_module("stepwell._core_cffi")
        except ImportError as second:
            raise ImportError(f"stepwell has no engine to load: {error}; {second}") from error

__all__ = ["core"]
