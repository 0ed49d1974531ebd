"""How long programs wait for the library before their first line: milliseconds of `import stepwell`
and `require "stepwell"` in new processes, beside parts of the standard libraries that many programs
load. Prints the rows of script/bench. That nothing heavy is loaded is what test_import.py asks.

load.py RUBY [--quick] [--json]
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List

ROOT = Path(__file__).resolve().parents[2]
USAGE = "usage: load.py RUBY [--quick] [--json]"
ROUNDS = 5 if "--quick" in sys.argv else 21
PYTHON_FLOOR = "json, ssl, typing"
RUBY_FLOOR = "json openssl set"


def seconds(command: List[str], environment: Dict[str, str]) -> float:
    """What the program says that its loading took."""
    said = subprocess.run(
        command, env={**os.environ, **environment}, check=True, capture_output=True, text=True
    )
    return float(said.stdout)


def python_loads(names: str, cache: str) -> float:
    program = f"import time; t = time.perf_counter()\nimport {names}\nprint(time.perf_counter() - t)"
    # An installed package has its bytecode; here it is kept apart from the tree.
    environment = {"PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
    environment["PYTHONPATH"] = str(ROOT / "wheels/stepwell/src")
    return seconds([sys.executable, "-c", program], environment)


def ruby_loads(ruby: str, names: str) -> float:
    clock = "Process.clock_gettime(Process::CLOCK_MONOTONIC)"
    program = f"t = {clock}; %w[{names}].each {{ |name| require name }}; puts {clock} - t"
    library = str(ROOT / "gems/stepwell/lib")
    return seconds([ruby, "-I", library, "-e", program], {})


def tell(name: str, took: List[float], floors: List[float]) -> None:
    took, floors = [t * 1e3 for t in took], [f * 1e3 for f in floors]
    row = {
        "name": f"load/{name}",
        "unit": "ms",
        "median": round(statistics.median(took), 2),
        "min": round(min(took), 2),
        "max": round(max(took), 2),
        "floor": round(statistics.median(floors), 2),
        "ratio": round(statistics.median(t / f for t, f in zip(took, floors)), 3),
    }
    if "--json" in sys.argv:
        print(json.dumps(row, separators=(",", ":")))
        return
    floor = PYTHON_FLOOR if name == "python" else RUBY_FLOOR
    print(
        f"{row['name']:<28} {row['median']:>9} {row['min']:>9} {row['max']:>9} {'':>8} "
        f"{row['floor']:>9} {row['ratio']:>6.2f}  ms; floor is to load {floor}"
    )


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        raise SystemExit(USAGE)
    ruby = sys.argv[1]
    with tempfile.TemporaryDirectory() as cache:
        python_loads(f"stepwell, {PYTHON_FLOOR}", cache)  # only compiles
        pairs = [
            (python_loads("stepwell", cache), python_loads(PYTHON_FLOOR, cache))
            for _ in range(ROUNDS)
        ]
    tell("python", [took for took, _ in pairs], [floor for _, floor in pairs])
    pairs = [(ruby_loads(ruby, "stepwell"), ruby_loads(ruby, RUBY_FLOOR)) for _ in range(ROUNDS)]
    tell("ruby", [took for took, _ in pairs], [floor for _, floor in pairs])


if __name__ == "__main__":
    main()
