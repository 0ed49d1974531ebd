# shellcheck shell=bash
# What the scripts share: where things are, and how they speak. Sourced, never run.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# The system's Python carries the test packages that script/bootstrap installs; another one that
# happens to stand first in PATH does not. On a bare system it is not there before bootstrap.
PYTHON=${STEPWELL_PYTHON:-python3}
if [[ -z ${STEPWELL_PYTHON:-} && -x /usr/bin/python3 ]]; then
    PYTHON=/usr/bin/python3
fi
RUBY=${STEPWELL_RUBY:-ruby}
JOBS=${STEPWELL_JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)}

# shellcheck disable=SC2034 # the scripts that source this use them
if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
    BOLD=$'\e[1m' DIM=$'\e[2m' GREEN=$'\e[32m' RED=$'\e[31m' RESET=$'\e[0m'
else
    BOLD='' DIM='' GREEN='' RED='' RESET=''
fi

# die MESSAGE: end the script with a reason.
die() {
    printf '%s%s: %s%s\n' "$RED" "${0##*/}" "$1" "$RESET" >&2
    exit 1
}

# The compiler is asked once for each file when ccache is there.
CACHE=()
if command -v ccache >/dev/null; then
    CACHE=(-DCMAKE_C_COMPILER_LAUNCHER=ccache)
fi

# alone NAME COMMAND...: run it while no other script runs one under this name. Only where flock(1)
# is; without it script/test runs nothing beside something else.
alone() {
    mkdir -p "$ROOT/build"
    (
        ! command -v flock >/dev/null || flock 9
        "${@:2}"
    ) 9>"$ROOT/build/$1.lock"
}

# build_preset PRESET [TARGET...]: configure when needed, then build. Quiet unless it fails.
build_preset() {
    local preset=$1 log
    local -a targets=("${@:2}")
    mkdir -p "$ROOT/build"
    log=$ROOT/build/$preset.log
    alone "$preset" preset_with_cmake >"$log" 2>&1 || {
        tail -n 60 "$log" >&2
        return 1
    }
}

# Of build_preset, with its names.
preset_with_cmake() {
    (cd "$ROOT" && cmake --preset "$preset" -DSW_UNITY=ON "${CACHE[@]}") &&
        cmake --build "$ROOT/build/$preset" --parallel "$JOBS" \
            ${targets[0]:+--target "${targets[@]}"}
}

# build_ruby: the Ruby extension, in place (gems/stepwell/lib/stepwell).
build_ruby() {
    mkdir -p "$ROOT/build"
    RUBY=$RUBY alone ruby "$ROOT/ext_ruby/build" >"$ROOT/build/ruby.log" 2>&1 || {
        tail -n 60 "$ROOT/build/ruby.log" >&2
        return 1
    }
}

# build_python: the Python extension, in place (wheels/stepwell/src/stepwell).
build_python() {
    local log=$ROOT/build/python.log
    mkdir -p "$ROOT/build"
    PYTHON=$PYTHON alone python "$ROOT/wheels/stepwell/build_inplace" >"$log" 2>&1 || {
        tail -n 60 "$log" >&2
        return 1
    }
}
