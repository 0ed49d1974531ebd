"""Chooses the binding: the C extension where it loads, the cffi binding elsewhere (PyPy).

The environment variable STEPWELL_BINDING ("c" or "cffi") forces one, which the tests use.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import _core as core
else:
    wanted = os.environ.get("STEPWELL_BINDING", "")
    if wanted == "cffi":
        from . import _core_cffi as core
    else:
        try:
            from . import _core as core
        except ImportError as error:
            if wanted == "c":
                raise
            try:
                from . import _core_cffi as core
            except ImportError as second:
                raise ImportError(
                    f"stepwell has no engine to load: {error}; {second}"
                ) from error

__all__ = ["core"]
