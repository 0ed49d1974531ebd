"""script/lib/run_blocks on small pages: what it runs, compares and refuses.

Not here: the pages of the documentation themselves, which `script/test docs` runs.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "script/lib/run_blocks"


def said(page: str) -> str:
    """What the tool says of a page."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.md"
        path.write_text(page, encoding="utf-8")
        command = [sys.executable, str(TOOL), str(path)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def block(fence: str, text: str) -> str:
    return f"```{fence}\n{text}\n```\n"


class RunBlocksTest(unittest.TestCase):
    """Each promise of its docstring."""

    def assert_passes(self, page: str, count: int) -> None:
        self.assertEqual(said(page), f"{count} blocks passed, 0 failed\n")

    def assert_fails(self, page: str, why: str) -> None:
        answer = said(page)
        self.assertIn(why, answer)
        self.assertIn("1 failed", answer)

    def test_a_command_says_what_is_shown(self) -> None:
        page = block("console", "$ echo one\none\n$ echo two  # why\ntwo")
        self.assert_passes(page, 1)
        self.assert_fails(page.replace("\ntwo\n", "\nthree\n"), "echo two: expected")

    def test_numbers_and_spaces_may_differ(self) -> None:
        self.assert_passes(block("console", "$ echo 'took  12.5 s at 2026-01-02 03:04:05'\n"
                                 "took 9 s at 2025-12-31\n  23:59:59"), 1)
        self.assert_fails(block("console", "$ echo took 1 s\ntook some s"), "expected")

    def test_dots_stand_for_anything(self) -> None:
        self.assert_passes(block("console", "$ printf 'a\\nb\\nc\\n'\na\n..."), 1)
        self.assert_fails(block("console", "$ printf 'a\\nb\\nc\\n'\nb\n..."), "expected")

    def test_errors_are_compared_too(self) -> None:
        self.assert_passes(block("console", "$ echo loud >&2\nloud"), 1)
        self.assert_fails(block("console", "$ echo loud >&2\nquiet"), "expected")

    def test_nothing_shown_is_nothing_compared(self) -> None:
        self.assert_passes(block("console", "$ echo one\n$ echo two"), 1)
        self.assert_passes(block("console roughly", "$ echo one\ntwo"), 1)

    def test_variables_are_kept_in_a_block(self) -> None:
        self.assert_passes(block("console", "$ name=ann\n$ echo $name\nann"), 1)

    def test_a_command_that_fails_is_found(self) -> None:
        self.assert_fails(block("console", "$ ! true"), "at: false")
        self.assert_passes(block("console", "$ ! false"), 1)
        self.assert_fails(block("console roughly", "$ false"), "exit status 1")

    def test_a_program_prints_what_its_comments_say(self) -> None:
        self.assert_passes(block("python", "print(1 + 1)  # 2"), 1)
        self.assert_fails(block("python", "print(1 + 1)  # 3"), "expected '3'")

    def test_blocks_share_a_folder(self) -> None:
        self.assert_passes(block("yaml", "# w.yml\na: 1") + block("console", "$ tail -n 1 w.yml\na: 1"), 2)

    def test_no_block_is_passed_over(self) -> None:
        self.assert_passes(block("text", "1") + block("python fragment", "1 +"), 0)
        self.assert_fails(block("", "$ echo one"), "nothing runs it")
        self.assert_fails(block("json", "{}"), "nothing runs json")


if __name__ == "__main__":
    unittest.main()
