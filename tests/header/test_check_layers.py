"""Every rule of core/tools/check_layers, broken once in a small tree."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Dict

TOOL = Path(__file__).resolve().parents[2] / "core/tools/check_layers"

CLEAN = {
    "core/include/stepwell.h": "",
    "core/include/stepwell/types.h": "",
    "core/src/base/a.h": "/* sqlite3.h may be named in comments; so may malloc( ). */\n",
    "core/src/base/a.c": '#include "base/a.h"\n#include "stepwell/types.h"\n'
    "static int a_one(int x)\n{\n    return x;\n}\n",
    "core/src/base/env.c": "void *p(void)\n{\n    return malloc(1);\n}\n",
    "core/src/model/m.h": "",
    "core/src/model/m.c": '#include "base/a.h"\n#include "model/m.h"\n'
    'static const char *m_text(void)\n{\n    return "free(x) // not a call";\n}\n'
    "static int m_call(struct env *env)\n{\n    return env->random(1) + env->b.time(2);\n}\n",
    "core/src/store/s.c": "#include <sqlite3.h>\n",
    "core/src/audit/l.h": "",
    "core/src/engine/e.h": "",
    "core/src/engine/e.c": '#include "audit/l.h"\n',
    "core/cli/main.c": '#include <stepwell.h>\n#include "out.h"\n#include <stdlib.h>\n'
    "int main(void)\n{\n    free(0);\n    return 0;\n}\n",
    "ext_ruby/x.c": "#include <ruby.h>\n#include <stepwell.h>\n",
    "ext_python/x.c": "#include <Python.h>\n#include <stepwell.h>\n",
}


class CheckLayers(unittest.TestCase):
    def run_tool(
        self, changes: Dict[str, str], write: bool = True
    ) -> "subprocess.CompletedProcess[str]":
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {**CLEAN, **changes}.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            command = [sys.executable, str(TOOL), "--root", folder]
            if write:
                command.append("--write-all")
            return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)

    def assert_problem(self, changes: Dict[str, str], expected: str) -> None:
        done = self.run_tool(changes)
        self.assertIn(expected, done.stdout)
        self.assertEqual(len(done.stdout.splitlines()), 1, done.stdout)
        self.assertEqual(done.returncode, 1)

    def test_clean_tree(self) -> None:
        done = self.run_tool({})
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_include_of_a_higher_floor(self) -> None:
        self.assert_problem(
            {"core/src/base/b.c": '/* one\n   two */\n#include "model/m.h"\n'},
            'core/src/base/b.c:3: base may not include "model/m.h", which lies above it',
        )
        self.assert_problem(
            {"core/src/audit/l.c": '#include "engine/e.h"\n'},
            "core/src/audit/l.c:1: audit may not include",
        )

    def test_include_without_its_floor(self) -> None:
        self.assert_problem({"core/src/base/b.c": '#include "a.h"\n'}, "does not name a floor")
        self.assert_problem({"core/src/base/b.c": '#include "up/a.h"\n'}, "does not name a floor")

    def test_include_of_nothing(self) -> None:
        self.assert_problem({"core/src/base/b.c": '#include "base/no.h"\n'}, "there is no")
        self.assert_problem({"core/src/base/b.c": '#include "stepwell/no.h"\n'}, "there is no")

    def test_file_outside_the_floors(self) -> None:
        self.assert_problem({"core/src/other/b.h": '#include "base/a.h"\n'}, "is no floor")

    def test_header_away_from_home(self) -> None:
        for name, home in [("sqlite3.h", "store"), ("jansson.h", "base"), ("yaml.h", "base")]:
            self.assert_problem({"core/src/model/b.c": f"#include <{name}>\n"}, home)
        self.assert_problem({"core/src/base/b.c": "#include <Python.h>\n"}, "ext_python")
        self.assert_problem({"core/include/stepwell/b.h": "#include <ruby.h>\n"}, "ext_ruby")
        self.assert_problem({"ext_ruby/y.c": "#  include <sqlite3.h>\n"}, "core/src/store")

    def test_host_that_looks_inside(self) -> None:
        for folder in ("core/cli", "ext_ruby", "ext_python"):
            for name in ('"base/a.h"', "<stepwell/types.h>", '"stepwell.h"', '"../core/src/x.h"'):
                text = f"#include {name}\n"
                self.assert_problem({f"{folder}/y.c": text}, "nothing else of the core")

    def test_call_past_the_door(self) -> None:
        for call in ("malloc(1)", "free(p)", "time (0)", "abort()", "getpid()", "assert(x)"):
            self.assert_problem(
                {"core/src/model/b.c": f"int b(void)\n{{\n    return !{call};\n}}\n"},
                "core/src/model/b.c:3: " + call.split("(")[0].strip(),
            )

    def test_static_function_twice(self) -> None:
        self.assert_problem(
            {"core/src/store/t.c": "\nstatic void *a_one(const char *text,\n    int x)\n{\n}\n"},
            "core/src/store/t.c:2: the static function a_one exists already at core/src/base/a.c:3",
        )

    def test_list_of_all_files(self) -> None:
        missing = self.run_tool({}, write=False)
        self.assertIn("core/src/stepwell_all.c: does not list", missing.stdout)
        self.assertEqual(missing.returncode, 1)
        stale = self.run_tool({"core/src/stepwell_all.c": '#include "base/a.c"\n'}, write=False)
        self.assertIn("core/src/stepwell_all.c: does not list", stale.stdout)


if __name__ == "__main__":
    unittest.main()
