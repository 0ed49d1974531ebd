"""The public headers as others see them: C99, C++11, cffi; their tags; what the library exports.

The compilers come in CC and CXX, the shared library in STEPWELL_LIBRARY; ctest sets all three.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Iterator, List, NamedTuple, Set

ROOT = Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "core/include"
HEADERS = sorted(INCLUDE.rglob("*.h"))
CC = os.environ.get("CC", "cc")
CXX = os.environ.get("CXX", "c++")

TAGS = ["owns", "threads", "blocks", "errors"]
VOCABULARY = {
    "threads": (
        "any thread, concurrently",
        "any thread, one at a time",
        "opening thread only",
        "callback thread",
    ),
    "blocks": ("no", "disk", "waits", "unbounded"),
}

class Function(NamedTuple):
    header: str
    name: str
    comment: str


def run(*command: str, text: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        text=True,
        check=False,
    )


def declared(header: Path) -> List[str]:
    """Names of the functions that a header declares."""
    code = re.sub(r"/\*.*?\*/", "", header.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.findall(r"^SW_API\b[^;(]*?\b(sw_\w+)\s*\(", code, re.MULTILINE)


def documented(header: Path) -> Iterator[Function]:
    """The functions of a header, each with the comment over its group of declarations."""
    text = header.read_text(encoding="utf-8")
    for block in re.finditer(r"/\*((?:[^*]|\*(?!/))*)\*/\n((?:[^\n]+\n)+)", text):
        for name in re.findall(r"^SW_API\b[^;(]*?\b(sw_\w+)\s*\(", block.group(2), re.MULTILINE):
            yield Function(header.name, name, block.group(1))


def tag_values(comment: str) -> List["tuple[str, str]"]:
    return re.findall(r"^ \* (owns|threads|blocks|errors): +(\S[^\n]*)$", comment, re.MULTILINE)


class Compilers(unittest.TestCase):
    def assert_compiles_alone(self, *command: str) -> None:
        self.assertTrue(HEADERS)
        for header in HEADERS:
            name = header.relative_to(INCLUDE).as_posix()
            done = run(*command, f"-I{INCLUDE}", "-fsyntax-only", "-", text=f"#include <{name}>\n")
            self.assertEqual(done.returncode, 0, f"{name}:\n{done.stdout}")

    def test_c99(self) -> None:
        flags = ["-std=c99", "-pedantic-errors", "-Wall", "-Wextra", "-Wstrict-prototypes"]
        self.assert_compiles_alone(CC, "-x", "c", "-Werror", *flags)

    def test_cxx11(self) -> None:
        flags = ["-std=c++11", "-pedantic-errors", "-Wall", "-Wextra"]
        self.assert_compiles_alone(CXX, "-x", "c++", "-Werror", *flags)

    def test_options_of_c_callers(self) -> None:
        inits = re.findall(
            r"^#define (SW_\w+_INIT) .*sizeof\((\w+)\)",
            "".join(header.read_text(encoding="utf-8") for header in HEADERS),
            re.MULTILINE,
        )
        self.assertTrue(inits)
        uses = "".join(
            f"int use_{kind}(void) {{ {kind} v = {init}; return v.size != sizeof v; }}\n"
            for init, kind in inits
        )
        flags = ["-std=c99", "-pedantic-errors", "-Wall", "-Werror", f"-I{INCLUDE}"]
        text = "#include <stepwell.h>\n" + uses
        done = run(CC, *flags, "-x", "c", "-fsyntax-only", "-", text=text)
        self.assertEqual(done.returncode, 0, done.stdout)


def plain_declarations() -> str:
    """All headers preprocessed without the system's, as a cffi user would feed them in."""
    with tempfile.TemporaryDirectory() as system:
        for name in ("stddef.h", "stdint.h"):
            Path(system, name).write_text("", encoding="utf-8")
        flags = ["-nostdinc", f"-I{system}", f"-I{INCLUDE}", "-D__attribute__(x)="]
        done = run(CC, "-E", "-P", *flags, "-x", "c", "-", text="#include <stepwell.h>\n")
    assert done.returncode == 0, done.stdout
    return done.stdout


class Cffi(unittest.TestCase):
    def setUp(self) -> None:
        try:
            import cffi
        except ImportError:
            self.skipTest(f"{sys.executable} has no cffi (package python3-cffi)")
        self.ffi = cffi.FFI()
        self.ffi.cdef(plain_declarations())

    def test_declarations_are_read(self) -> None:
        self.assertEqual(self.ffi.sizeof("sw_uuid"), 16)
        self.assertEqual(self.ffi.typeof("sw_step_state").elements[2], "SW_STEP_RUNNING")
        self.assertEqual(self.ffi.typeof("sw_code").relements["SW_EBUSY"], -5)

    def test_library_answers(self) -> None:
        path = os.environ.get("STEPWELL_LIBRARY")
        if not path:
            self.skipTest("STEPWELL_LIBRARY does not name the shared library")
        library = self.ffi.dlopen(path)
        version = re.search(
            r'#define SW_VERSION "(.+)"', (INCLUDE / "stepwell/abi.h").read_text(encoding="utf-8")
        )
        assert version
        self.assertEqual(self.ffi.string(library.sw_version()).decode(), version.group(1))
        for name in (name for header in HEADERS for name in declared(header)):
            self.assertTrue(getattr(library, name), name)


class Tags(unittest.TestCase):
    def test_every_function_is_documented(self) -> None:
        for header in HEADERS:
            names = [function.name for function in documented(header)]
            self.assertEqual(names, declared(header), header.name)

    def test_every_function_has_the_four_tags(self) -> None:
        for function in (f for header in HEADERS for f in documented(header)):
            where = f"{function.header}: {function.name}"
            values = tag_values(function.comment)
            self.assertEqual([tag for tag, _ in values], TAGS, where)
            for tag, value in values:
                words = "|".join(re.escape(word) for word in VOCABULARY.get(tag, ()))
                if words:
                    self.assertRegex(value, rf"^({words})\b", f"{where}: {tag}")

    def test_every_struct_and_enum_of_the_list_is_prefixed(self) -> None:
        for header in HEADERS:
            text = header.read_text(encoding="utf-8")
            for name in re.findall(r"^typedef (?:struct|enum) (\w+)", text, re.MULTILINE):
                self.assertRegex(name, r"^sw_[a-z0-9_]+$")
                self.assertFalse(name.endswith("_t"), name)


class Exports(unittest.TestCase):
    def declared_everywhere(self) -> Set[str]:
        return {name for header in HEADERS for name in declared(header)}

    def exported(self, path: str) -> Set[str]:
        done = run("nm", "-D", "--defined-only", path)
        self.assertEqual(done.returncode, 0, done.stdout)
        symbols = {line.split()[-1].split("@")[0] for line in done.stdout.splitlines()}
        return {name for name in symbols if not name.startswith("__")}

    def test_library_exports_the_headers_and_nothing_else(self) -> None:
        path = os.environ.get("STEPWELL_LIBRARY")
        if not path:
            self.skipTest("STEPWELL_LIBRARY does not name the shared library")
        self.assertEqual(self.exported(path), self.declared_everywhere())

    def test_embedded_core_is_one_file_that_exports_nothing(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder, "embedded.so"))
            flags = ["-std=c11", "-O0", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror"]
            flags += ["-DSW_EMBEDDED", "-fvisibility=hidden", "-Icore/src", "-Icore/include"]
            done = run(CC, *flags, "core/src/stepwell_all.c", "-o", path)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertEqual(self.exported(path), set())


if __name__ == "__main__":
    unittest.main()
