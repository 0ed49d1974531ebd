# shellcheck shell=bash disable=SC2154,SC2034
# run: results, failures, inputs, keys, time limits, output forms.

cat >good.yml <<'YAML'
name: nightly
version: "1.0"
steps:
  - { id: write, name: Write, step_type: create_file, parameters: { path: out.txt, content: "hello" } }
  - { id: read, name: Read, step_type: read_file, depends_on: [write], parameters: { path: out.txt } }
  - { id: echo, name: Echo, step_type: command, depends_on: [read], parameters: { command: echo, args: ["information"] } }
YAML
cat >bad.yml <<'YAML'
name: bad
version: "1.0"
config: { fail_fast: false }
steps:
  - { id: broken, name: Broken, step_type: command, parameters: { command: "false" }, retry: { attempts: 2, backoff: none, wait_seconds: 0.1 } }
  - { id: after, name: After, step_type: noop, depends_on: [broken], parameters: {} }
  - { id: aside, name: Aside, step_type: noop, parameters: {} }
YAML
cat >allowed.yml <<'YAML'
name: allowed
version: "1.0"
steps:
  - { id: broken, name: Broken, step_type: command, continue_on_error: true, parameters: { command: "false" } }
  - { id: after, name: After, step_type: noop, depends_on: [broken], parameters: {} }
YAML
cat >shop.json <<'JSON'
{"stepwell": 1, "name": "shop", "version": "2.1", "steps": [{"name": "charge"}]}
JSON
cat >slow.yml <<'YAML'
name: slow
version: "1.0"
steps:
  - { id: first, name: First, step_type: noop, parameters: {} }
  - { id: sleep, name: Sleep, step_type: wait, depends_on: [first], parameters: { seconds: 60 } }
YAML
printf 'name: extra\nversion: "1"\ncolour: blue\nsteps:\n  - { id: a, name: A, step_type: noop, parameters: {} }\n' >extra.yml
printf 'name: two\nversion: "1"\nsteps:\n  - { id: a, name: A, step_type: nope, parameters: {} }\n' >kind.yml

t "run a good file" 0 err= "out:write" "out:succeeded in" "out:nightly succeeded after" "out:3 succeeded" "outre:next: stepwell show [0-9a-f-]{36}" -- run good.yml
check "the work was done" grep -qx hello out.txt
t "one line per transition without a terminal" 0 "outre:^\+0\.[0-9]+s +▸ write +attempt 1 started" "outre:^\+0\.[0-9]+s +✓ echo +succeeded in 0\." -- run good.yml
t "no escape sequences in a pipe" 0 "noout:$(printf '\033')" -- run good.yml
t "ASCII marks outside of UTF-8" 0 env:LC_ALL=C "outre: \+ write +succeeded" "noout:✓" -- run good.yml
t "--quiet prints nothing of a success" 0 out= err= -- run -q good.yml
t "events as JSON" 0 err= 'json:[e["event"] for e in all][0] == "task_submitted" and d["event"] == "result" and d["state"] == "succeeded" and d["exit_code"] == 0' -- run good.yml --json
t "every transition of every step is an event" 0 'json:[(e["from"], e["to"]) for e in all if e.get("step") == "read" and e["event"] == "step_changed"] == [("pending", "ready"), ("ready", "running"), ("running", "succeeded")]' -- run good.yml --json
t "results are in the final object" 0 'json:[s["name"] for s in d["steps"]] == ["write", "read", "echo"] and "hello" in str(d["steps"][1]["result"])' -- run good.yml --json

t "a failed task is exit status 1 and never called a success" 1 "out:bad failed after" "out:1 failed" "out:1 skipped" "outre:after +skipped \(broken failed\)" "out:broken failed after 2 attempts" "outre:stepwell explain [0-9a-f-]{36}" "noout:completed" "noout:bad succeeded" -- run bad.yml
t "an independent branch goes on" 1 "outre:✓ aside +succeeded" -- run bad.yml
t "a retry is shown" 1 "outre:↻ broken +attempt 1 failed.*again" -- run bad.yml
t "a failed task with --quiet has one error" 1 out= "err:is failed" "err:stepwell show" -- run -q bad.yml
t "a failed task as JSON" 1 'json:d["state"] == "failed" and d["exit_code"] == 1 and [s for s in d["steps"] if s["name"] == "broken"][0]["error"]["class"]' -- run bad.yml --json
t "an allowed failure lets the task succeed, and is counted" 0 "out:allowed succeeded after" "out:1 failed" -- run allowed.yml
t "an invalid file runs nothing" 3 out= "err:kind.yml:4:" "err:nothing was run" -- run kind.yml --db fresh.db
check "an invalid file makes no database" test ! -e fresh.db
t "an invalid file as a problem object" 3 out= 'errjson:d["code"] == "definition" and d["exit_code"] == 3 and d["findings"][0]["line"] == 4' -- run kind.yml --json

t "an input as text" 0 'json:d["input"] == {"day": 31}' -- run good.yml --json --input '{"day": 31}'
t "an input keeps every digit" 0 'out:"input":{"n":123456789012345678901234567890,"x":1.50}' -- run good.yml --json --input '{"n":123456789012345678901234567890,"x":1.50}'
printf '{\n "day": 30\n}\n' >input.json
t "an input from a file" 0 'json:d["input"] == {"day": 30}' -- run good.yml --json --input @input.json
t "an input from standard input" 0 'json:d["input"] == [1, 2]' "in:[1, 2]" -- run good.yml --json --input -
t "an input that is not JSON" 2 out= "err:JSON" -- run good.yml --input '{"day": }'
t "an input file that is not there" 7 out= "err:--input: cannot read 'none.json'" -- run good.yml --input @none.json
t "workflow and input both from standard input" 2 "err:cannot both come from standard input" -- run - --input -
t "a workflow from standard input" 0 "out:nightly succeeded" "in:$(cat good.yml)" -- run -

t "a key starts a task once" 0 'json:d["state"] == "succeeded" and d["key"] == "k1"' -- run good.yml --key k1 --json
first=$("$python" -c 'import json, sys; print(json.loads(open(sys.argv[1]).readlines()[-1])["task"])' "$home/out")
t "the same key follows the same task" 0 "json:d['task'] == '$first'" -- run good.yml --key k1 --json
t "the same key for people" 0 "err:a task with the key 'k1' exists already" "out:nightly succeeded" -- run good.yml --key k1
t "the same key with another input is refused" 4 out= "err:k1" -- run good.yml --key k1 --input '{"other": true}'
t "a reason, tags and the initiator are kept" 0 'json:d["reason"] == "month end" and sorted(d["tags"]) == ["eu", "fast"] and d["initiator"] == "ann"' -- run good.yml --json --reason "month end" --tag eu --tag fast

t "a deadline in so long" 0 'json:d["state"] == "succeeded" and d["deadline"][14:16] == "%02d" % ((int(d["created_at"][14:16]) + 30) % 60)' -- run good.yml --json --deadline 90m
t "a deadline at a time that has passed" 1 'json:d["state"] == "failed" and d["deadline"] == "2020-01-31T00:00:00.000000Z" and d["steps"][0]["state"] == "cancelled"' -- run good.yml --json --deadline 2020-01-31T00:00:00Z
cat >deadlines.json <<'JSON'
{"stepwell": 1, "name": "deadlines", "deadline_ms": 7200000, "steps": [{"name": "ask", "deadline_ms": 3600000}]}
JSON
open=$("$stepwell" run deadlines.json --detach --db open.db)
t "show tells the deadlines" 0 "outre:^  deadline +20.*[0-9]$" "outre:^  deadline +20.* of ask$" -- show "$open" --db open.db
t "context tells the deadlines" 0 "outre:^  deadline +20" "outre:^  fails at +20" -- context "$open" --db open.db
t "context tells the deadlines --json" 0 'json:d["next_deadline"] < d["deadline"]' -- context "$open" --json --db open.db
t "explain tells the deadline" 0 "out:it fails at its deadline, in 3" -- explain "$open" --db open.db
t "a deadline that is no time" 2 out= "err:option '--deadline' needs a time that is to come, not 'soon'" -- run good.yml --deadline soon
t "--detach prints the task id only" 0 err= "outre:^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$" -- run good.yml --detach
t "--resume does a detached task" 0 "out:nightly succeeded" -- run --resume
t "nothing is left to resume" 7 out= "err:there is no unfinished task to resume" -- run --resume --db stepwell.db
t "--detach --json" 0 'json:d["created"] is True and len(d["task"]) == 36' -- run good.yml --detach --json
t "--resume of a named task" 0 "out:nightly succeeded" -- run --resume "$("$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["task"])' "$home/out")"
t "--resume of a task that has ended shows how it ended" 0 "out:nightly succeeded" -- run --resume "$(newest)"
t "--resume without a database" 7 "err:cannot open the database 'none.db'" "err:stepwell run FILE" -- run --resume --db none.db
check "looking makes no database" test ! -e none.db

t "--timeout" 124 "err:--timeout has expired; continue with: stepwell run --resume" "outre:✓ first +succeeded" -- run slow.yml --timeout 1 --db slow.db
t "a handler of an application is waited for" 124 "err:waiting for a worker that handles shop.charge" -- run shop.json --timeout 1 --db shop.db
t "and as JSON" 124 'json:{"event": "waiting_for_worker", "handler": "shop.charge"} in all and d["state"] == "pending" and d["exit_code"] == 124' -- run shop.json --timeout 1 --db shop.db --json
t "warnings are shown and the task runs" 0 "err:extra.yml:3:1: warning: " "out:extra succeeded" -- run extra.yml
t "warnings as JSON" 0 'errjson:d["file"] == "extra.yml" and d["findings"][0]["severity"] == "warning" and "code" not in d' 'json:d["state"] == "succeeded"' -- run extra.yml --json
t "warnings can be refused" 3 out= "err:extra.yml:3:1: error: " -- run extra.yml --strict
t "--root" 0 "out:succeeded" -- run good.yml --root "$home"
check "files lie in the root" test -f "$home/out.txt"
t "a root that is not there" 7 out= "err:--root: cannot use 'nowhere'" -- run good.yml --root nowhere --db rootless.db
t "a root that is a file" 2 out= "err:--root: 'good.yml' is not a directory" -- run good.yml --root good.yml --db rootless.db
check "a wrong root starts no task" test ! -e rootless.db
t "--threads and --durability" 0 "out:succeeded" -- run good.yml --threads 1 --durability relaxed
t "an unknown durability" 2 "err:one of: strict, relaxed" -- run good.yml --durability none
t "a database in memory" 0 "out:nightly succeeded" -- run good.yml --db memory:
t "STEPWELL_DB names the database" 0 env:STEPWELL_DB=other.db "out:succeeded" -- run good.yml
check "the database of STEPWELL_DB is there" test -f other.db

cat >evil.json <<'JSON'
{"stepwell": 1, "name": "evil", "steps": [{"name": "print", "handler": "command", "parameters": {"command": "sh", "args": ["-c", "printf '\\033[2J\\033[31mred\\a' >&2; exit 3"]}}]}
JSON
t "output of a command cannot steer the terminal" 1 "noout:$(printf '\033')" "noerr:$(printf '\033')" -- run evil.json
t "nor in show" 0 "noout:$(printf '\033')" -- show

# A disk that is full in the middle of a task, and has space again.
mkdir disk
if unshare -rm mount -t tmpfs none disk 2>/dev/null; then
    # shellcheck disable=SC2016
    unshare -rm sh -c '
        mount -t tmpfs -o size=400k none disk
        status=0
        while [ $status -eq 0 ]; do
            "$1" run -q good.yml --db disk/full.db
            status=$?
        done
        echo "status $status"
        mount -o remount,size=8m none disk
        "$1" run -q --resume --db disk/full.db || "$1" run -q good.yml --db disk/full.db
        echo "afterwards $?"
        "$1" audit verify --db disk/full.db' sh "$stepwell" >"$home/full.out" 2>"$home/full.err"
    check "a full disk is exit status 8" grep -q "status 8" "$home/full.out"
    check "a full disk is named" grep -q "the disk that holds 'disk/full.db' is full" "$home/full.err"
    check "with space the work goes on" grep -q "afterwards 0" "$home/full.out"
    check "and the history holds together" grep -q "^OK" "$home/full.out"
else
    skip "a full disk" "this system lets nobody mount"
fi
