"""The round on a disk that fills up: a tmpfs of two megabytes.

It is mounted in a mount namespace of its own, by running the chaos test in it once more, so that
nothing stays mounted however the test ends. Where that is not allowed the round is skipped, aloud.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import List, Optional

from crowd import Crowd, Tools
from rounds import MIXED, Outcome, judge, wait_for_end

SIZE = 2 << 20
BALLAST = 1 << 20
PADDING_MAX = 6000
FULL_S = 60.0
KILLS = 10
CREW = ("c", "c", "ruby", "python")

# Without the workflow whose commands are done by a worker that ends when its disk is full.
WORKFLOWS = MIXED[:3]


def reason_to_skip() -> Optional[str]:
    """Why there can be no small disk here."""
    if not shutil.which("unshare"):
        return "there is no unshare"
    tried = subprocess.run([*namespace(), "true"], stderr=subprocess.PIPE, text=True)
    return tried.stderr.strip() or "no namespaces" if tried.returncode else None


def namespace() -> List[str]:
    """The command that runs another one in a mount namespace."""
    return ["unshare", "--mount", "--map-root-user"]


def run_inside(script: str, arguments: List[str]) -> int:
    """Run the chaos test once more, in the namespace."""
    return subprocess.run([*namespace(), sys.executable, script, *arguments]).returncode


def full_disk_round(tools: Tools, folder: Path) -> Outcome:
    """Work until the disk is full for everybody, kill some, make room, and let it end."""
    small = folder / "small"
    small.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(small)], check=True)
    ballast = small / "ballast"
    ballast.write_bytes(bytes(BALLAST))
    with Crowd(tools, folder / "round", small / "chaos.db", WORKFLOWS) as crowd:
        for language in CREW:
            crowd.work(language)
        client = crowd.submit(1, 1_000_000, 1_000_000, PADDING_MAX)
        untold = fill(crowd)
        kill_some(crowd)
        unread = read_all(crowd)
        crowd.end([client])
        ballast.unlink()
        wait_for_end(crowd)
        crowd.end(list(crowd.programs))
        outcome = judge(crowd, "full disk")
    outcome.checks["everybody_was_told"] = untold
    outcome.checks["a_full_database_can_be_read"] = unread
    return outcome


def fill(crowd: Crowd) -> List[str]:
    """Until each kind of program was told that the disk is full."""
    end = time.monotonic() + FULL_S
    untold = {*CREW, "client"}
    while untold and time.monotonic() < end:
        time.sleep(0.05)
        crowd.collect()
        for kind in list(untold):
            if any("error StorageFullError" in path.read_text() for path in crowd.ledgers(kind)):
                untold.remove(kind)
    return [f"{kind} had no StorageFullError" for kind in sorted(untold)]


def kill_some(crowd: Crowd) -> None:
    """Workers die and others open the database while there is no room."""
    for _ in range(KILLS):
        crowd.kill(crowd.of_kind("c")[0])
        crowd.work("c")
        time.sleep(0.05)


def read_all(crowd: Crowd) -> List[str]:
    """Looking is possible without room."""
    failed = []
    for words in (["list"], ["show"], ["explain"], ["audit", "verify"]):
        command = [str(crowd.tools.command), *words, "--db", str(crowd.store), "--json"]
        said = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if said.returncode != 0:
            failed.append(f"{' '.join(words)}: {said.returncode}: {said.stderr.strip()}")
    return failed
