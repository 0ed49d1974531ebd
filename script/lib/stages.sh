# shellcheck shell=bash
# The stages of script/test. Each is a function that says with `count PASSED FAILED` how many cases
# it ran; its output is shown only when it fails. They run in the root of the checkout. Sourced,
# never run; common.sh comes first.

# count_lines LOG PATTERN: the sum of what the pattern's first group finds, once per line. The
# pattern has to match from the start of the line.
count_lines() {
    sed -nE "s/^$2.*\$/\\1/p" "$1" | awk '{ sum += $1 } END { print sum + 0 }'
}

# logged COMMAND...: run with a copy of what it says in $SAID; keeps its exit status.
logged() {
    local status=0
    SAID=$LOGS/$STAGE.said
    "$@" 2>&1 | tee "$SAID" || status=$?
    return "$status"
}

# Programs of cmocka, Python's unittest and tests/cli, each with its own way to say how many. A
# program that dies says nothing: then the number of failed programs counts.
run_ctest() {
    local status=0 passed failed programs
    logged ctest --test-dir "$1" --parallel "$JOBS" --timeout 300 --verbose "${@:2}" || status=$?
    passed=$(($(count_lines "$SAID" '.*\[  PASSED  \] ([0-9]+) test') +
        $(count_lines "$SAID" '[0-9]+: ([0-9]+) passed, [0-9]+ failed') +
        $(count_lines "$SAID" '[0-9]+: Ran ([0-9]+) tests? in')))
    failed=$(($(count_lines "$SAID" '.* ([0-9]+) FAILED TEST') +
        $(count_lines "$SAID" '[0-9]+: [0-9]+ passed, ([0-9]+) failed')))
    programs=$(count_lines "$SAID" '[0-9]+% tests passed, ([0-9]+) tests? failed')
    count "$passed" "$((failed > programs ? failed : programs))"
    return "$status"
}

# RSpec counts failed examples among its examples.
run_rspec() {
    local status=0 examples failures
    logged "$RUBY" -S rspec --no-color "$@" || status=$?
    examples=$(count_lines "$SAID" '([0-9]+) examples?, ')
    failures=$(count_lines "$SAID" '[0-9]+ examples?, ([0-9]+) failures?')
    count "$((examples - failures))" "$failures"
    return "$status"
}

# "2 failed, 529 passed in 28.01s" or "531 passed in 27.95s".
run_pytest() {
    local status=0
    logged "$PYTHON" -m pytest -q --color=no -p no:cacheprovider "$@" || status=$?
    count "$(count_lines "$SAID" '([0-9]+) passed.* in ')" \
        "$(count_lines "$SAID" '([0-9]+) failed.* in ')"
    count "$(count_lines "$SAID" '[0-9]+ failed, ([0-9]+) passed.* in ')" 0
    return "$status"
}

# "12 blocks passed, 0 failed".
run_blocks() {
    local status=0
    logged "$PYTHON" script/lib/run_blocks "$@" || status=$?
    count "$(count_lines "$SAID" '([0-9]+) blocks passed')" \
        "$(count_lines "$SAID" '[0-9]+ blocks passed, ([0-9]+) failed')"
    return "$status"
}

# The checkout as users run it: the command in PATH, both libraries importable.
use_checkout() {
    export PATH=$ROOT/build/release:$PATH RUBYLIB=$ROOT/gems/stepwell/lib
    export PYTHONPATH=$ROOT/wheels/stepwell/src PYTHONDONTWRITEBYTECODE=1
}

# Installs what is missing; a second time it has nothing to say. On a system without apt it fails
# and names the packages.
stage_bootstrap() {
    script/bootstrap
    local said bare tool
    said=$(script/bootstrap 2>&1)
    [[ -z $said ]] || { echo "the second run is not silent: $said"; return 1; }
    bare=$(mktemp -d)
    for tool in awk bash cat dirname getconf paste sed; do
        ln -s "$(command -v "$tool")" "$bare/$tool"
    done
    ! said=$(PATH=$bare script/bootstrap 2>&1)
    rm -rf "$bare"
    [[ $said == *"dnf install gcc "* && $said == *"brew install cmake "* ]] ||
        { echo "no names for other systems: $said"; return 1; }
    count 3 0
}

stage_scripts() {
    local -a files
    mapfile -t files < <(git ls-files -co --exclude-standard script tests .ci |
        xargs grep -lE '^(#!.*\b(ba)?sh$|# shellcheck shell=bash)')
    shellcheck --external-sources --source-path=SCRIPTDIR "${files[@]}"
    count "${#files[@]}" 0
}

# C files look as .clang-format says; headers are aligned by hand. Other versions disagree with 14.
stage_format() {
    if ! command -v clang-format-14 >/dev/null; then
        echo "skipped: clang-format-14 is not installed (clang-format-14)"
        return 0
    fi
    local -a files
    mapfile -t files < <(git ls-files 'core/*.c' 'ext_*/*.c' 'tests/*.c')
    clang-format-14 --dry-run -Werror "${files[@]}"
    count "${#files[@]}" 0
}

# Optimised, as users have it; asan runs the same tests with debugging checks. What the simulator
# plays here otherwise, it plays more of in a stage of its own.
stage_c() {
    build_preset release
    run_ctest build/release --exclude-regex '^(sim|sim_plants)$'
}

# Address and undefined-behaviour sanitizers, leaks included.
stage_asan() {
    build_preset asan
    run_ctest build/asan
}

stage_tsan() {
    local -a programs=(test_threads test_bell test_wake test_engine_group test_worker_keep
        test_worker_runner test_worker_stop test_audit_ring test_audit_relay test_audit_ahead
        test_audit_tiled)
    build_preset tsan "${programs[@]}"
    run_ctest build/tsan --tests-regex "^($(IFS='|' && echo "${programs[*]}"))\$"
}

# Another compiler sees other mistakes; it only compiles.
stage_clang() {
    local clang
    clang=$(compgen -c clang | grep -xE 'clang(-[0-9]+)?' | sort -V | tail -n 1 || true)
    if [[ -z $clang ]]; then
        echo "skipped: clang is not installed (clang)"
        return 0
    fi
    cmake -S . -B build/clang -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER="$clang" \
        -DSW_BUILD_TESTS=OFF "${CACHE[@]}"
    cmake --build build/clang --parallel "$JOBS"
    count 1 0
}

# Some examples of each language work together with the other one.
stage_ruby() {
    build_ruby
    build_python
    run_rspec --exclude-pattern '**/{gem,golden}_spec.rb'
}

stage_python() {
    build_ruby
    build_python
    run_pytest pytests --ignore-glob='*/test_package*.py' --ignore-glob='*/test_golden*.py'
}

# The same scenarios, played in three languages on two stores each.
stage_golden() {
    build_preset release test_golden
    build_ruby
    build_python
    run_ctest build/release --tests-regex '^test_golden'
    run_rspec spec/golden_spec.rb
    run_pytest pytests/test_golden.py
}

# side_by_side NAME COMMAND...: run it on every core, with the core's number as its last argument;
# what each says goes to $LOGS/NAME.CORE. FAILURES becomes the number that failed.
side_by_side() {
    local name=$1 core
    local -a running=()
    FAILURES=0
    for ((core = 0; core < JOBS; core++)); do
        "${@:2}" "$core" >"$LOGS/$name.$core" 2>&1 &
        running+=($!)
    done
    for core in "${!running[@]}"; do
        wait "${running[$core]}" || FAILURES=$((FAILURES + 1))
        cat "$LOGS/$name.$core"
    done
}

SCHEDULES=20000

sim_campaign() {
    local each=$((SCHEDULES / JOBS))
    build/release/tests/sim/sim --from "$(($1 * each + 1))" --count "$each" --keep "$LOGS"
}

sim_plants() {
    build/release/tests/sim/sim --plants --share "$(($1 + 1))/$JOBS" --shrink --every 11 --seconds 10
}

# Crash schedules on a simulated machine: first the seeds that once found something, then a campaign
# in which none may break a rule and every rare branch has to be reached; then every planted bug
# must be found, and what finds some of them must shrink. Schedules count a thousand a case.
stage_sim() {
    local bad missed
    build_preset release sim
    logged build/release/tests/sim/sim --seeds tests/sim/seeds.txt --keep "$LOGS"
    count "$(count_lines "$SAID" '([0-9]+) seeds of')" 0
    side_by_side campaign sim_campaign
    bad=$FAILURES
    cat "$LOGS"/campaign.* >"$LOGS/sim.campaign"
    missed=$(grep '^not reached' "$LOGS/sim.campaign" | sort | uniq -c |
        awk -v all="$JOBS" '$1 == all' || true)
    [[ -z $missed ]] || { echo "FAIL: no process reached $missed"; bad=$((bad + 1)); }
    count "$(($(count_lines "$LOGS/sim.campaign" '([0-9]+) schedules,') / 1000))" "$bad"
    side_by_side plants sim_plants
    cat "$LOGS"/plants.* >"$LOGS/sim.plants"
    count "$(count_lines "$LOGS/sim.plants" '([0-9]+) of [0-9]+ bugs planted')" "$FAILURES"
    ((bad + FAILURES == 0))
}

# Every attack on the audit log that its page counts, more than 200,000; other builds make a share.
stage_attacks() {
    local status=0
    build_preset release test_audit_levels
    logged build/release/tests/test_audit_levels --all || status=$?
    count "$(count_lines "$SAID" '\[  PASSED  \] ([0-9]+) test')" \
        "$(count_lines "$SAID" ' ([0-9]+) FAILED TEST')"
    return "$status"
}

# Both bindings with address and undefined-behaviour sanitizers compiled in.
stage_sanitize() {
    local status=0
    logged tests/sanitize/run || status=$?
    count "$(count_lines "$SAID" '([0-9]+) passed, [0-9]+ failed')" \
        "$(count_lines "$SAID" '[0-9]+ passed, ([0-9]+) failed')"
    return "$status"
}

# Hostile input for 45 s a target, going on from the stored corpora; a target that executes too
# little fails.
stage_fuzz() {
    local status=0
    logged tests/fuzz/run || status=$?
    count "$(count_lines "$SAID" '([0-9]+) passed, [0-9]+ failed')" \
        "$(count_lines "$SAID" '[0-9]+ passed, ([0-9]+) failed')"
    return "$status"
}

# Workers in three languages are killed with kill -9 and frozen at any moment, and their ledgers
# compared with the database.
stage_chaos() {
    local status=0
    build_preset release
    build_ruby
    build_python
    logged tests/chaos/run --seconds 20 --build build/release || status=$?
    count "$(count_lines "$SAID" '([0-9]+) passed, [0-9]+ failed')" \
        "$(count_lines "$SAID" '[0-9]+ passed, ([0-9]+) failed')"
    return "$status"
}

# What users of other systems complain about, and what was measured in them.
stage_rivals() {
    build_preset release stepwell_cli
    build_python
    run_pytest tests/rivals
}

# What users install: built, looked into, installed into an empty place, used from there.
stage_packages() {
    build_ruby
    build_python
    run_rspec spec/gem_spec.rb
    run_pytest pytests/test_package.py
}

run_references() {
    local status=0
    logged "$PYTHON" script/lib/check_docs || status=$?
    count "$(count_lines "$SAID" '([0-9]+) references hold')" \
        "$(count_lines "$SAID" '[0-9]+ references hold, ([0-9]+) do not')"
    return "$status"
}

# Programs and commands of the pages that are read first, and where links lead; the guides have
# tests of their own.
stage_docs() {
    local status=0
    build_preset release stepwell_cli
    build_ruby
    build_python
    use_checkout
    run_blocks README.md CONTRIBUTING.md gems/stepwell/README.md wheels/stepwell/README.md \
        docs/guide/{concepts,promises,retries,operations,analysis,audit,events}.md ||
        status=$?
    run_references || status=$?
    return "$status"
}

# Every number it tells is checked by the demonstration itself.
stage_demo() {
    script/demo
    count 1 0
}

# That it runs, and says something; how fast is for people to judge.
stage_bench() {
    script/bench --quick --json | "$PYTHON" -c '
import json, sys
rows = [json.loads(line) for line in sys.stdin]
sys.exit(0 if rows else "the benchmark says nothing")'
    count 1 0
}
