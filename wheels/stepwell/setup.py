"""Build of the extension and the list of what is packed; metadata stands in pyproject.toml.

CPython gets stepwell._core: the binding in ext_python and the whole engine as one unity file,
against the limited API from 3.10 on, so that one wheel serves all later versions. Other
interpreters get the engine as a plain shared library, which stepwell._core_cffi opens.
A C compiler and pkg-config are enough; CMake is for development only.
"""

from __future__ import annotations

import glob
import os
import platform
import re
import shlex
import subprocess
import sys
import sysconfig
import tempfile

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

HERE = os.path.dirname(os.path.abspath(__file__))
os.chdir(HERE)  # Sources and symlinks below are relative to this folder.

UNITY = "core/src/stepwell_all.c"
INCLUDE = "core/include"
LIBRARIES = ("sqlite3", "yaml-0.1", "jansson", "libcrypto")
PACKAGES = {
    "apt": "apt-get install pkg-config libsqlite3-dev libyaml-dev libjansson-dev libssl-dev",
    "dnf": "dnf install pkgconf-pkg-config sqlite-devel libyaml-devel jansson-devel openssl-devel",
    "brew": "brew install pkg-config sqlite libyaml jansson openssl@3",
}

CPYTHON = platform.python_implementation() == "CPython"
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
LIMITED_API = CPYTHON and not FREE_THREADED and sys.version_info >= (3, 10)


def version() -> str:
    """The version of the engine, which is the version of the package."""
    with open(os.path.join(INCLUDE, "stepwell/abi.h"), encoding="utf-8") as header:
        found = re.search(r'#define SW_VERSION "([^"]+)"', header.read())
    if found is None:
        raise SystemExit("stepwell: core/include/stepwell/abi.h names no version")
    return found.group(1)


def pkg_config(option: str) -> list[str]:
    """Flags for the libraries, or one message that names the packages to install."""
    command = [os.environ.get("PKG_CONFIG", "pkg-config"), option, *LIBRARIES]
    try:
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        reason = f"{command[0]} was not found"
    except subprocess.CalledProcessError as error:
        reason = error.stderr.strip()
    else:
        return shlex.split(answer.stdout)
    advice = "\n".join(f"  {line}" for line in PACKAGES.values())
    raise SystemExit(
        f"stepwell: the libraries {', '.join(LIBRARIES)} are needed to compile it.\n{reason}\n"
        f"Install them with the line for your system and try again:\n{advice}"
    )


def sources_checked() -> list[str]:
    """The C files to compile; a checkout without symlinks would build an empty shell."""
    binding = sorted(glob.glob("ext_python/*.c")) if CPYTHON else []
    if not os.path.isfile(UNITY) or (CPYTHON and not binding):
        raise SystemExit(
            f"stepwell: {UNITY} or ext_python is missing. In a git checkout the folder "
            "wheels/stepwell holds symbolic links to them; check out with core.symlinks=true."
        )
    return [*binding, UNITY]


def extension() -> Extension:
    """stepwell._core for CPython, stepwell/libstepwell.so for the others."""
    macros: list[tuple[str, str | None]] = [("_GNU_SOURCE", None)]
    if CPYTHON:
        macros.append(("SW_EMBEDDED", None))
    if LIMITED_API:
        macros.append(("Py_LIMITED_API", "0x030A0000"))
    return Extension(
        "stepwell._core" if CPYTHON else "stepwell.libstepwell",
        sources=sources_checked(),
        depends=[
            *glob.glob("ext_python/*.h"),
            *glob.glob("core/include/**/*.h", recursive=True),
            *glob.glob("core/src/**/*.[ch]", recursive=True),
        ],
        include_dirs=[INCLUDE, "core/src"],
        define_macros=macros,
        extra_compile_args=["-std=c11", "-fvisibility=hidden"],
        extra_link_args=["-lpthread", "-lm"],
        py_limited_api=LIMITED_API,
    )


class BuildExt(build_ext):
    """build_ext that can also make a shared library that is no Python module."""

    def get_ext_filename(self, fullname: str) -> str:
        if fullname.endswith("libstepwell"):
            return os.path.join(*fullname.split(".")) + ".so"
        return super().get_ext_filename(fullname)

    def get_export_symbols(self, ext: Extension) -> list[str]:
        if ext.name.endswith("libstepwell"):
            return []
        return super().get_export_symbols(ext)

    def run(self) -> None:
        for ext in self.extensions:
            ext.extra_compile_args += pkg_config("--cflags")
            ext.extra_link_args += pkg_config("--libs")
        super().run()
        if self.inplace:
            write_declarations("src/stepwell/_cdef.h")


class BuildPy(build_py):
    """build_py that adds the declarations that cffi reads."""

    def run(self) -> None:
        super().run()
        write_declarations(os.path.join(self.build_lib, "stepwell", "_cdef.h"))


def write_declarations(path: str) -> None:
    """The public header as cffi reads it: preprocessed, with no system header and no attribute."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("stddef.h", "stdint.h"):
            with open(os.path.join(folder, name), "w", encoding="utf-8"):
                pass  # cffi knows the types that these declare
        command = [*compiler, "-E", "-P", "-nostdinc", "-I", folder, "-I", INCLUDE, "-x", "c"]
        command.append(os.path.join(INCLUDE, "stepwell.h"))
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write(re.sub(r'__attribute__\(\(visibility\("\w+"\)\)\)', "", answer.stdout))


EXTENSION = extension()

setup(
    version=version(),
    package_dir={"": "src"},
    packages=["stepwell"],
    package_data={"stepwell": ["py.typed", "*.pyi"]},
    include_package_data=False,
    ext_modules=[EXTENSION],
    cmdclass={"build_ext": BuildExt, "build_py": BuildPy},
    options={"bdist_wheel": {"py_limited_api": "cp310"}} if LIMITED_API else {},
)
