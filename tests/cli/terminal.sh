# shellcheck shell=bash disable=SC2154,SC2034
# What a person sees on a terminal, through tmux.

cat >good.yml <<'YAML'
name: nightly
version: "1.0"
steps:
  - { id: write, name: Write, step_type: create_file, parameters: { path: out.txt, content: "hello" } }
  - { id: pause, name: Pause, step_type: wait, depends_on: [write], parameters: { seconds: 0.5 } }
YAML

escape=$(printf '\033')
t "FORCE_COLOR colours a pipe" 0 env:FORCE_COLOR=1 "out:${escape}[32m" -- run good.yml
t "NO_COLOR wins over FORCE_COLOR" 0 env:FORCE_COLOR=1 env:NO_COLOR=1 "noout:$escape" -- run good.yml
t "--no-color wins over FORCE_COLOR" 0 env:FORCE_COLOR=1 "noout:$escape" -- run good.yml --no-color

if ! command -v tmux >/dev/null; then
    skip "terminal" "tmux is not installed"
    return 0
fi

# Run a command in a terminal of 80 (or $columns) columns and 24 rows; what is on the screen when it has ended.
# The raw bytes it wrote go to the file raw.
screen() {
    local socket=stepwell-$$
    rm -f ended raw
    tmux -L "$socket" -f /dev/null new-session -d -x "${columns:-80}" -y 24 "TERM=${terminal:-xterm} $*; echo \"exit \$?\" >ended; cat"
    tmux -L "$socket" pipe-pane -o 'cat >>raw' 2>/dev/null
    if [ -n "${keys-}" ]; then
        sleep 0.7
        tmux -L "$socket" send-keys "$keys"
    fi
    eventually test -s ended
    sleep 0.2
    tmux -L "$socket" capture-pane -p >"$home/out"
    tmux -L "$socket" kill-server
    cp ended "$home/err"
}

# seen NAME EXPECTATION...: expectations of the last screen.
seen() {
    local name=$1 why
    shift
    for expectation in "$@"; do
        why=$(holds "$expectation")
        [ -z "$why" ] || { fail "$name" "$why" && return; }
    done
    pass
}

screen "$stepwell run good.yml"
seen "the live table ends as it looks" "err:exit 0" "outre:✓ +write +succeeded +1/1" "outre:✓ +pause +succeeded" "out:2/2 steps" "out:nightly succeeded after"
check "the table is drawn once on the screen" test "$(grep -c '✓  write' "$home/out")" -eq 1
check "a table is drawn by moving the cursor" grep -q "$escape\[[0-9]*A" raw
screen "$stepwell run good.yml --no-color"
check "a table without colours has none" eval "! grep -q '$escape\[3' raw"
terminal=dumb screen "$stepwell run good.yml"
seen "TERM=dumb has lines, no table" "err:exit 0" "outre:^\+0\.[0-9]+s +▸ write +attempt 1 started"
check "TERM=dumb moves no cursor" eval "! grep -q '$escape\[[0-9]*A' raw"
screen "$stepwell --help | head -n 12"
seen "help at 80 columns" "out:stepwell run --resume               go on after Ctrl-C or a crash" "outre:^  run +Run a workflow file and watch it"
screen "$stepwell list"
seen "list at 80 columns" "err:exit 0" "outre:nightly 1\.0 +succeeded +2/2"
screen "$stepwell show"
seen "show at 80 columns" "err:exit 0" "out:Timeline" "outre:pause +succeeded in 0\.5"
cat >slow.yml <<'YAML'
name: slow
version: "1.0"
steps:
  - { id: first, name: First, step_type: noop, parameters: {} }
  - { id: second, name: Second, step_type: wait, depends_on: [first], parameters: { seconds: 60 } }
YAML
columns=42 screen "$stepwell run good.yml"
seen "a narrow terminal" "err:exit 0" "outre:✓ +write +succeeded"
check "a table in a narrow terminal is drawn once, too" test "$(grep -c '^nightly .*2/2' "$home/out")" -eq 1
check "its lines do not wrap" eval "! grep -qE '^(…|[0-9a-f-]{1,13})\$' '$home/out'"
keys=C-c screen "$stepwell run slow.yml"
seen "Ctrl-C on a terminal" "err:exit 130" "outre:✓ +first +succeeded" "outre:○ +second +ready" "out:stopped; continue with: stepwell run --resume"
{
    printf 'name: wide\nversion: "1.0"\nsteps:\n'
    for ((i = 0; i < 60; i++)); do
        printf '  - { id: step_%d, name: S, step_type: noop, parameters: {} }\n' "$i"
    done
    printf '  - { id: last, name: L, step_type: command, parameters: { command: "false" } }\n'
} >wide.yml
screen "$stepwell run wide.yml"
seen "more steps than rows: those that matter are on the screen" "err:exit 1" "outre:✗ +last +failed" "outre:and [0-9]+ more" "out:wide failed after"
