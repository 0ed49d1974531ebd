# shellcheck shell=bash disable=SC2154,SC2034
# Interruption: kill -9 and resume, Ctrl-C, SIGTERM, closed pipes, workers.

# A duration that no other process sleeps for.
nap=30.$$
cat >slow.yml <<YAML
name: slow
version: "1.0"
steps:
  - { id: first, name: First, step_type: command, parameters: { command: sh, args: ["-c", "echo first >>log"] } }
  - { id: second, name: Second, step_type: command, depends_on: [first], parameters: { command: sh, args: ["-c", "echo second >>log; [ -e go ] || exec sleep $nap"] } }
  - { id: third, name: Third, step_type: command, depends_on: [second], parameters: { command: sh, args: ["-c", "echo third >>log"] } }
YAML

# Start a command in the background with default signals; $pid is its process.
start() {
    env --default-signal=INT,TERM "$stepwell" "$@" >"$home/background" 2>"$home/background.err" &
    pid=$!
}

# Wait for the background command; its exit status against the expected one.
finish() {
    wait "$pid"
    local got=$?
    cp "$home/background" "$home/out"
    cp "$home/background.err" "$home/err"
    if [ "$got" -eq "$2" ]; then pass; else fail "$1" "exit status $got, expected $2"; fi
}

children_sleeping() {
    pgrep -f "^sleep $nap\$"
}

start run slow.yml --lease-seconds 1
eventually grep -q second log
disown "$pid" # bash would report its death
kill -9 "$pid"
t "after kill -9 the task is unfinished" 0 'json:d["state"] == "running"' -- show --json
touch go
t "run --resume finishes it" 0 "out:slow succeeded" "noout:✓ first" -- run --resume --lease-seconds 1
check "what was done was not done again" test "$(grep -c first log)" -eq 1
check "the broken attempt was done again" test "$(grep -c second log)" -ge 2
t "the timeline shows the dead worker" 0 "out:its worker has died" -- show
t "the audit log verifies" 0 "out:OK" -- audit verify

rm -f go log
start run slow.yml
eventually grep -q second log
kill -INT "$pid"
finish "Ctrl-C stops with exit status 130" 130
check "Ctrl-C says how to go on" grep -q "stopped; continue with: stepwell run --resume [0-9a-f-]*" "$home/background.err"
check "the running command is killed" eventually eval '! children_sleeping'
t "the step was given back without counting an attempt" 0 'json:[(s["state"], s["attempt"]) for s in d["steps"]] == [("succeeded", 1), ("ready", 0), ("pending", 0)]' -- show --json
touch go
t "run --resume after Ctrl-C" 0 "out:slow succeeded" -- run --resume

cat >stubborn.yml <<YAML
name: stubborn
version: "1.0"
steps:
  - { id: stay, name: Stay, step_type: command, parameters: { command: sh, args: ["-c", "trap '' TERM; echo up >up; sleep $nap; sleep $nap"] } }
YAML
start run stubborn.yml
eventually test -s up
kill -INT "$pid"
check "a command that will not end is waited for" eventually grep -q "Ctrl-C again ends at once" "$home/background.err"
kill -INT "$pid"
finish "the second Ctrl-C ends at once" 130
cleanly_ended() { grep -q "stopped; continue" "$home/background.err"; }
check "without the words of the clean end" eval '! cleanly_ended'
check "its command does not outlive it" eventually eval '! children_sleeping'
"$stepwell" cancel "$(newest)" >/dev/null

rm -f go log
start run slow.yml --json
eventually grep -q second log
kill -TERM "$pid"
finish "SIGTERM is like Ctrl-C" 130
check "the last object says so" json_true "$home/background" 'd["event"] == "result" and d["exit_code"] == 130 and d["state"] == "running"'
"$stepwell" cancel "$(newest)" >/dev/null

rm -f go log
start run slow.yml
eventually grep -q second log
id=$(newest)
t "cancel from another process" 0 "out:cancelled" -- cancel "$id" --reason enough
finish "the watching run ends with exit status 5" 5
check "it says why" grep -q "cancelled" "$home/background"
check "its command is killed" eventually eval '! children_sleeping'

"$stepwell" run slow.yml 2>"$home/err" | head -n 1 >"$home/out"
check "a closed pipe stops cleanly" eventually eval '! children_sleeping'
"$stepwell" cancel "$(newest)" >/dev/null

touch go
start worker --name ruby --threads 2
id=$("$stepwell" run slow.yml --detach)
succeeded() { "$stepwell" show "$id" --json | grep -q '"state":"succeeded"'; }
check "a worker does a detached task" eventually succeeded
t "the timeline names the worker" 0 'out:"ruby"' -- show "$id"
kill -TERM "$pid"
finish "a worker stops with exit status 0" 0
check "a worker greets and says goodbye" grep -q "given back" "$home/background.err"

rm -f go log
start worker --json
id=$("$stepwell" run slow.yml --detach)
eventually grep -q second log
kill -INT "$pid"
finish "a working worker stops with exit status 0, too" 0
check "a worker's events" json_true "$home/background" '[e["event"] for e in all] == ["worker_started", "worker_stopped"]'
t "a stopped worker has given its step back" 0 'json:[(s["state"], s["attempt"]) for s in d["steps"]][1] == ("ready", 0)' -- show --json "$id"
