#!/usr/bin/env python3
"""The comparison of the chaos test finds what it is for: each lie that is planted into a small true
story is told by the check named beside it, and the true story passes."""

from __future__ import annotations

import sys
import tempfile
import unittest
from pathlib import Path
from typing import Dict, List

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))

from compare import CHECKS, Definition, Story, compare  # noqa: E402

DEFINITIONS = {"w": Definition({"a": [], "b": ["a"]}, [])}

# Step a is lost once with its worker and succeeds under epoch 2; the late report is refused.
DUMP = """
task|T|w|succeeded|k1
step|T|10|a|succeeded|2|2|-|{"epoch":2,"inputs":0}
step|T|11|b|succeeded|1|1|-|{"epoch":1,"inputs":1}
entry|1|task_submitted|-|-|0|0|0|0|T|-
entry|2|step_changed|ready|running|1|1|10|1|T|-
entry|3|step_changed|running|ready|1|1|10|1|T|worker died
entry|4|step_changed|ready|running|2|2|10|2|T|-
entry|5|step_changed|running|succeeded|2|2|10|2|T|-
entry|6|step_changed|pending|ready|0|0|11|0|T|-
entry|7|step_fenced|-|-|0|1|10|1|T|-
entry|8|step_changed|ready|running|1|1|11|2|T|-
entry|9|step_changed|running|succeeded|1|1|11|2|T|-
entry|10|task_changed|running|succeeded|0|0|0|0|T|-
verified|1|10|1|1|all is well
"""

LEDGER = """
ask 1 1
got k1 T new
got k1 T known
start T/a 1 1 1000
start T/a 2 2 2000
ack 10 2 succeeded
fenced 10 1 succeeded
start T/b 1 1 3000
ack 11 1 succeeded
error BusyError
"""

# What is replaced, by what, and who notices.
LIES = {
    "an acknowledged result is lost": (
        "entry|9|step_changed|running|succeeded|1|1|11|2|T|-",
        "entry|9|step_changed|running|ready|1|1|11|2|T|lease expired",
        "acknowledged_is_committed",
    ),
    "an acknowledged success became a failure": (
        "running|succeeded|1|1|11|2|T|-",
        "running|failed|1|1|11|2|T|failed for good",
        "acknowledged_is_committed",
    ),
    "an attempt of nobody is acknowledged": (
        "ack 11 1",
        "ack 12 1",
        "acknowledged_is_committed",
    ),
    "an outcome is acknowledged twice": (
        "ack 11 1 succeeded",
        "ack 11 1 succeeded\nack 11 1 succeeded",
        "acknowledged_is_committed",
    ),
    "a refused report is committed": (
        "fenced 10 1",
        "fenced 10 2",
        "refused_is_not_committed",
    ),
    "a report is refused and committed": (
        "fenced 10 1",
        "fenced 11 1",
        "refused_is_not_committed",
    ),
    "a handler starts without a claim": (
        "start T/b 1 1",
        "start T/b 2 2",
        "started_is_claimed",
    ),
    "a handler is told another attempt": (
        "start T/b 1 1",
        "start T/b 1 2",
        "started_is_claimed",
    ),
    "two handlers start under one claim": (
        "start T/b 1 1 3000",
        "start T/b 1 1 3000\nstart T/b 1 1 3001",
        "started_is_claimed",
    ),
    "a step of no task starts": ("start T/b", "start T/c", "started_is_claimed"),
    "a step is claimed after its end": (
        "entry|6|step_changed|pending|ready|0|0|11|0|T|-",
        "entry|6|step_changed|ready|running|3|3|10|2|T|-",
        "nothing_follows_the_end",
    ),
    "a step starts after its end": (
        "start T/a 2 2 2000",
        "start T/a 2 2 2000\nstart T/a 3 3 4000",
        "nothing_follows_the_end",
    ),
    "a step succeeds twice": (
        "running|ready|1|1|10|1|T|worker died",
        "running|succeeded|1|1|10|1|T|-",
        "one_result",
    ),
    "a success is not in the log": (
        "running|succeeded|2|2|10|2",
        "running|ready|2|2|10|2",
        "one_result",
    ),
    "the result is that of a superseded attempt": ('"epoch":2', '"epoch":1', "one_result"),
    "an attempt is forgotten": (
        "step|T|10|a|succeeded|2|",
        "step|T|10|a|succeeded|1|",
        "attempts_are_starts",
    ),
    "an attempt given back is counted": ("worker died", "released", "attempts_are_starts"),
    "an epoch is used twice": (
        "ready|running|2|2|10",
        "ready|running|2|1|10",
        "epochs_grow",
    ),
    "the step has another epoch": (
        "step|T|11|b|succeeded|1|1",
        "step|T|11|b|succeeded|1|2",
        "epochs_grow",
    ),
    "a step is claimed too early": (
        "entry|8|step_changed|ready|running|1|1|11",
        "entry|4|step_changed|ready|running|1|1|11",
        "dependencies_come_first",
    ),
    "a dependency never ended": (
        "running|succeeded|2|2|10|2",
        "running|running|2|2|10|2",
        "dependencies_come_first",
    ),
    "a result is not handed on": ('"inputs":1', '"inputs":0', "dependencies_come_first"),
    "a key is two tasks": (
        "task|T|w|succeeded|k1",
        "task|U|w|succeeded|k1\ntask|T|w|succeeded|k1",
        "keys_are_tasks",
    ),
    "a key is answered with another task": (
        "got k1 T known",
        "got k1 U known",
        "keys_are_tasks",
    ),
    "a task is new twice": ("got k1 T known", "got k1 T new", "keys_are_tasks"),
    "a task is missing": ("got k1 T known", "got - U new", "submitted_is_there"),
    "a step is missing": (
        "entry|1|",
        "task|U|w|succeeded|k2\nstep|U|20|a|succeeded|0|0|-|-\nentry|1|",
        "submitted_is_there",
    ),
    "a task goes on for ever": ("task|T|w|succeeded", "task|T|w|running", "everything_ended"),
    "a step failed without need": (
        "step|T|11|b|succeeded",
        "step|T|11|b|failed",
        "everything_ended",
    ),
    "the log does not verify": ("verified|1", "verified|0", "audit_verifies"),
    "the log tells of more than there is": ("verified|1|10", "verified|1|11", "audit_verifies"),
    "an entry is missing": ("entry|7|", "entry|11|", "audit_verifies"),
    "a refusal is not in the log": (
        "fenced 10 1 succeeded",
        "fenced 10 1 succeeded\nfenced 10 1 succeeded",
        "audit_verifies",
    ),
}


def judged(dump: str, ledger: str) -> Dict[str, List[str]]:
    story = Story(DEFINITIONS)
    story.read_dump(dump.strip().replace("|", "\t"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "c-1"
        path.write_text(ledger.strip() + "\n")
        story.read_ledgers([path])
    return compare(story)


class Comparison(unittest.TestCase):
    def test_the_truth_passes(self) -> None:
        found = judged(DUMP, LEDGER)
        self.assertEqual({name: [] for name in found}, found)

    def test_lies_are_found(self) -> None:
        for lie, (truth, instead, check) in LIES.items():
            with self.subTest(lie):
                self.assertEqual(1, int(truth in DUMP) + int(truth in LEDGER), truth)
                # A missing step or task must not hide behind an error of the comparison.
                found = judged(
                    DUMP.replace(truth, instead, 1), LEDGER.replace(truth, instead, 1)
                )
                self.assertTrue(found[check], f"{check} does not notice")

    def test_every_check_has_a_lie(self) -> None:
        told = {check for _, _, check in LIES.values()}
        self.assertEqual({check.__name__ for check in CHECKS}, told)


if __name__ == "__main__":
    unittest.main()
