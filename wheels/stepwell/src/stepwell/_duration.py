"""How long a step takes, as Engine.durations says it. Apart from _records, which programs with the C
extension do not load: its fifty tuples took a fifth of the time of the import.
"""

from __future__ import annotations

from typing import NamedTuple


class StepDuration(NamedTuple):
    """What a step takes, from ended tasks; source is "step", "handler", "timeout" or "default", and
    sample_count the durations it is based on, 0 for the last two."""

    name: str
    source: str
    sample_count: int
    p50_us: int
    p95_us: int
