"""The simulator's command: what it finds it shrinks, writes down and plays again."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

SIM = os.environ["SIM"]


class SimTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def sim(self, *arguments):
        done = subprocess.run(
            [SIM, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=120
        )
        return done.returncode, done.stdout, done.stderr

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as out:
            out.write(text)
        return path

    def test_a_violation_is_shrunk_and_replayed(self):
        status, said, _ = self.sim("--plant", "FAIL_TASK_IGNORED", "--count", "20", "--seconds", "5")
        self.assertEqual(1, status)
        rule = re.search(r"^seed \d+: (\w+):", said, re.M).group(1)
        before, after = re.search(r"shrunk from (\d+) events to (\d+)", said).groups()
        self.assertLess(int(after), int(before))
        self.assertIn("VIOLATION " + rule, said)
        path = re.search(r"again: sim --replay (\S+) --trace", said).group(1)
        status, said, _ = self.sim("--replay", path, "--trace")
        self.assertEqual(1, status)
        self.assertIn(f"{path}: {rule}:", said)

    def test_a_schedule_names_the_bug_it_needs(self):
        status, _, said = self.sim(
            "--replay", self.write("a", "stepwell-schedule 1\nseed 1\nplant NO_SUCH\nrule O1\n")
        )
        self.assertEqual(2, status)
        self.assertIn("there is no bug NO_SUCH to plant", said)

    def test_an_empty_schedule_breaks_nothing(self):
        status, said, _ = self.sim(
            "--replay", self.write("a", "stepwell-schedule 1\nseed 1\nplant -\nrule O1\n")
        )
        self.assertEqual(0, status)
        self.assertIn("no rule is broken", said)

    def test_what_is_no_schedule_is_refused(self):
        for text in ("", "seed 1\n", "stepwell-schedule 1\nevent 1 2\n",
                     "stepwell-schedule 1\nevent 99 1 1\n", "stepwell-schedule 1\nwind 1 1 1\n"):
            status, _, said = self.sim("--replay", self.write("a", text))
            self.assertEqual(2, status, text)
            self.assertIn("this is not a schedule of the simulator", said)

    def test_what_is_not_there_is_refused(self):
        self.assertEqual(2, self.sim("--replay", "nowhere")[0])
        self.assertEqual(1, self.sim("--seeds", "nowhere")[0])

    def test_a_schedule_that_cannot_be_kept_is_told(self):
        status, _, said = self.sim(
            "--plant", "AUDIT_FROM", "--seed", "1", "--shrink", "--keep", "nowhere"
        )
        self.assertEqual(1, status)
        self.assertIn("nowhere/seed-1-AUDIT_FROM.schedule", said)

    def test_seeds_are_run_again(self):
        path = self.write("seeds", "# remark\n1 abc1234 O1 AUDIT_FROM something was lost\n")
        status, said, _ = self.sim("--seeds", path)
        self.assertEqual(0, status)
        self.assertIn("1 seeds of", said)
        status, said, _ = self.sim("--plant", "AUDIT_FROM", "--seeds", path, "--seconds", "1")
        self.assertEqual(1, status)
        self.assertIn("before abc1234 it broke O1: something was lost", said)
        for line in ("1 abc1234\n", "1 abc1234 O1 NO_SUCH_BUG something was lost\n"):
            self.assertEqual(1, self.sim("--seeds", self.write("seeds", line))[0], line)

    def test_a_campaign_hears_the_canary_with_any_bug(self):
        status, said, _ = self.sim("--plant", "AUDIT_FROM", "--count", "1", "--seconds", "1")
        self.assertEqual(1, status)
        self.assertNotIn("CANARY", said)


if __name__ == "__main__":
    sys.exit(unittest.main())
