# shellcheck shell=bash disable=SC2154,SC2034
# list, show, explain, cancel, audit verify: what is stored, and errors about it.

cat >good.yml <<'YAML'
name: nightly
version: "1.0"
steps:
  - { id: write, name: Write, step_type: create_file, parameters: { path: out.txt, content: "hello" } }
  - { id: read, name: Read, step_type: read_file, depends_on: [write], parameters: { path: out.txt } }
YAML
cat >bad.yml <<'YAML'
name: bad
version: "1.0"
steps:
  - { id: broken, name: Broken, step_type: command, parameters: { command: "false" } }
  - { id: after, name: After, step_type: noop, depends_on: [broken], parameters: {} }
YAML
cat >shop.json <<'JSON'
{"stepwell": 1, "name": "shop", "version": "2.1", "steps": [
  {"name": "charge"}, {"name": "ship", "handler": "noop", "after": ["charge"]}]}
JSON

for words in "list" "show" "explain" "cancel 0192" "audit verify" "run --resume"; do
    # shellcheck disable=SC2086
    t "$words without a database" 7 out= "err:cannot open the database 'stepwell.db'" "err:stepwell run FILE" -- $words
done
check "looking made no database" test ! -e stepwell.db
t "a missing database as a problem object" 7 out= 'errjson:d["code"] == "not_found" and d["error"] == "ENOTFOUND" and d["exit_code"] == 7 and d["hint"] and d["type"] == "urn:stepwell:problem:ENOTFOUND"' -- list --json

"$stepwell" run -q good.yml --tag eu
"$stepwell" run -q bad.yml 2>/dev/null
open=$("$stepwell" run shop.json --detach --reason "because")
short=${open:0:13}

t "list" 0 err= "out:TASK" "out:nightly 1.0" "outre:succeeded +2/2" "outre:failed +0/2" "outre:pending +0/2" "out:3 tasks: 1 pending" -- list
t "list --json" 0 'json:[t["workflow"] for t in d["tasks"]] == ["shop", "bad", "nightly"] and d["counts"]["failed"] == 1' -- list --json
t "list by state" 0 "out:bad" "noout:nightly" "out:1 task: 1 failed" -- list --state failed
t "list by workflow" 0 'json:[t["workflow"] for t in d["tasks"]] == ["nightly"]' -- list --json --workflow nightly
t "list by tag" 0 'json:[t["tags"] for t in d["tasks"]] == [["eu"]]' -- list --json --tag eu
t "list by two tags" 2 "err:'list' looks for one --tag" -- list --tag a --tag b
t "list with a limit" 0 "out:the newest 1 are shown" -- list --limit 1
t "list in pages" 0 'json:[t["workflow"] for t in d["tasks"]] == ["nightly"]' -- list --json --after "$(newest bad)"
t "list since a while" 0 "out:3 tasks" -- list --since 1h
t "list until a while ago" 0 "out:0 tasks" -- list --until 1h
t "list since a date" 0 "out:3 tasks" -- list --since 2020-02-29 --until 2099-01-01T00:00:00Z
t "list since a day that is none" 2 "err:option '--since' needs a time, not '2021-02-29'" -- list --since 2021-02-29
t "list since no time" 2 "err:option '--until' needs a time, not '5 o'" -- list --until "5 o"
t "list since half a time" 2 "err:needs a time" -- list --since 2021-02-28T10
t "list by correlation id" 0 "out:0 tasks" -- list --correlation-id none
t "list after no task" 7 "err:there is no task 'ffff'" -- list --after ffff
t "list of nothing" 0 "out:0 tasks" -- list --workflow none

t "show the newest task" 0 err= "out:shop 2.1: pending" "out:$open" "out:because" "out:ann" "out:Steps" "out:Timeline" "outre:\+0.000s.*submitted by ann: because" -- show
t "show by the beginning of an id" 0 "out:$open" -- show "$short"
t "show in capitals" 0 "out:$open" -- show "${open^^}"
nightly=$(newest nightly)
bad=$(newest bad)
t "show results and attempts" 0 "outre:✓ +read +succeeded +1/1" "out:attempt 1 started by worker" "outre:read +succeeded in" "out:Results" "out:hello" -- show "$nightly"
t "show an error" 0 "outre:✗ +broken +failed" "outre:✗ broken +attempt 1 failed after .*: exit status 1" -- show "$bad"
t "show --json" 0 'json:d["state"] == "succeeded" and [s["name"] for s in d["steps"]] == ["write", "read"] and d["timeline"][0]["event"] == "task_submitted" and d["timeline"][0]["elapsed_s"] == 0' -- show "$nightly" --json
t "show --quiet" 0 out= err= -- show -q
t "no such task" 7 "err:there is no task" "err:stepwell list" -- show 01920000-0000-7000-8000-000000000000
t "no such beginning" 7 "err:there is no task 'ffff'" -- show ffff
t "not an id" 2 "err:'hello' is neither a task id nor the beginning of one" -- show hello
t "an ambiguous beginning" 7 "err:3 tasks begin with '0" "err:$open" -- show 0

t "explain the newest task" 0 err= "out:no live worker handles 'shop.charge'" "out:ship waits for charge, which is ready" -- explain
t "explain one step" 0 "out:ship waits for charge" "noout:shop.charge" -- explain "$short" ship
t "explain --json" 0 'json:[(r["step"], r["reason"]) for r in d["reasons"]] == [("charge", "missing_handler"), ("ship", "open_dependency")]' -- explain --json
t "explain a failed task" 0 "out:broken has failed" -- explain "$bad"
t "explain a task that is done" 0 "out:every step has ended; the task is succeeded" -- explain "$nightly"
t "explain a step that is not there" 7 "err:no step 'shipp'" -- explain "$short" shipp

t "context of the newest task" 0 err= "out:shop: healthy, has_ready_steps" "outre:^  done +0.00 %$" "outre:^  steps +1 pending, 1 ready$" "outre:^  next +charge$" "outre:^  to do +execute_ready_steps$" "noout:blocked" -- context
t "context of a failed task" 0 "out:bad: blocked, blocked_by_failures" "outre:^  blocking +broken, after$" "outre:^  steps +1 failed, 1 cancelled$" "out:handle_failures" -- context "$bad"
t "context --json" 0 'json:(d["execution_status"], d["recommended_action"], d["health_status"], d["completion_percentage"], d["step_counts"]["succeeded"], d["next_steps"]) == ("all_complete", "finalize_task", "healthy", 100.0, 2, [])' -- context "$nightly" --json
t "context --quiet" 0 out= err= -- context -q
t "context of nothing" 7 "err:there is no task 'ffff'" -- context ffff

t "readiness of the newest task" 0 err= "outre:^STEP +STATE +READY +REASON +ATTEMPTS +PARENTS" "outre:^charge +ready +yes +queued +0/1 +0/0$" "outre:^ship +pending +no +open_dependency +0/1 +0/1$" -- readiness
t "readiness of a failed task" 0 "outre:^broken +failed +no +attempts_used_up +1/1 +0/0$" -- readiness "$bad"
t "readiness --json" 0 'json:[(s["step"], s["ready"], s["reason"], s["completed_parents"], s["next_retry_at"]) for s in d["steps"]] == [("write", False, "ended", 0, None), ("read", False, "ended", 1, None)]' -- readiness "$nightly" --json
t "readiness by a rule of Tasker" 0 err= "outre:^STEP +STATE +READY +ATTEMPTS +PARENTS +RETRY AT$" "outre:^charge +pending +yes +0/1 +0/0$" "outre:^ship +pending +no +0/1 +0/1$" -- readiness --rule tasker-rails
t "readiness by Tasker of what failed" 0 "outre:^broken +error +no +1/1 +0/0 +20" "outre:^after +cancelled +no" -- readiness "$bad" --rule tasker-core
t "readiness by Tasker --json" 0 'json:d["rule"] == "tasker-core" and [(s["step"], s["state"], s["ready"], s["dependencies_satisfied"], s["retry_eligible"], s["attempts"], s["completed_parents"], s["next_retry_at"]) for s in d["steps"]] == [("write", "complete", False, True, False, 1, 0, None), ("read", "complete", False, True, False, 1, 1, None)]' -- readiness "$nightly" --json --rule tasker-core
t "readiness by a rule that is none" 2 "err:'--rule'" "err:tasker-rails" -- readiness --rule rails
t "readiness of nothing" 7 "err:there is no task 'ffff'" -- readiness ffff

t "override without a reason" 2 "err:'override' needs --to and --reason" -- override "$bad" broken --to ready
t "override to a state of workers" 2 "err:option '--to' cannot be 'running'" -- override "$bad" broken --to running --reason x
t "override of a step that is not there" 7 "err:the task has no step 'x'" -- override "$bad" x --to ready --reason x
t "override that is refused changes nothing" 4 out= "err:no step was changed" "err:1 of its dependencies are open" -- override "$bad" broken after --to ready --reason x
t "override in part" 4 "out:broken: failed, now ready" "noout:after:" "err:1 of 2 steps are changed: step after cannot become ready" -- override "$bad" broken after --to ready --reason "try again" --partial
t "override takes up what the failure had cancelled" 0 "out:after: pending, now cancelled" -- override "$bad" after --to cancelled --reason "not yet"
t "override in part as JSON" 4 'json:d["updated"] == 1 and [(s["step"], s["status"], s["from"], s["state"]) for s in d["steps"]] == [("after", "applied", "cancelled", "pending"), ("broken", "refused", "ready", "ready")] and "ready" in d["steps"][1]["message"]' 'errjson:d["code"] == "refused"' -- override "$bad" after broken --to pending --reason x --partial --json
t "override goes on with the task" 0 "out:bad: recovering, has_ready_steps" -- context "$bad"
t "override by name" 0 "out:broken: ready, now resolved" -- override "$bad" broken --to resolved --reason "done by hand" --actor bob
t "override with a result" 0 "out:after: ready, now resolved" -- override "$bad" after --to resolved --result '{"by":"hand"}' --reason "done"
t "the result is shown" 0 'json:[s["result"] for s in d["steps"]] == [None, {"by": "hand"}]' -- show "$bad" --json
t "override is in the timeline" 0 "outre:broken +ready by ann .try again.$" "outre:broken +resolved by bob .done by hand.$" -- show "$bad"

t "cancel" 0 err= "out:cancelled $open" -- cancel "$short" --reason "wrong month" --actor bob
t "a cancelled task shows who and why" 0 "out:shop 2.1: cancelled" "outre:cancelled by bob: wrong month" -- show
t "cancel again" 4 out= "err:cannot cancel $open" -- cancel "$open"
t "cancel what has ended, as a problem object" 4 out= 'errjson:d["code"] == "refused" and d["error"] == "ESTATE" and d["exit_code"] == 4' -- cancel "$nightly" --json
t "cancel nothing" 7 "err:there is no task" -- cancel ffff
"$stepwell" run shop.json --detach >/dev/null
t "cancel --json" 0 'json:d["state"] == "cancelled" and d["actor"] == "ann"' -- cancel "$(newest)" --json
t "following a cancelled task is exit status 5" 5 "out:shop cancelled" -- run --resume "$open"

t "prune needs an age" 2 "err:'prune' needs --older-than" -- prune --state failed
t "prune with an age that is none" 2 "err:option '--older-than' needs an age, not 'old'" -- prune --older-than old
t "prune what has not ended" 2 "err:a task that is running has not ended" -- prune --older-than 1d --state running
t "prune nothing" 0 err= "out:0 tasks with 0 steps pruned" -- prune --older-than 1d
t "prune, dry" 0 err= "outre:^[1-9][0-9]* tasks? with [0-9]+ steps? would be pruned$" -- prune --older-than 0s --dry-run
"$stepwell" run shop.json --detach >/dev/null
pruned=$(newest)
"$stepwell" cancel "$pruned" >/dev/null
t "prune" 0 err= "outre:^1 task with [0-9]+ steps pruned" -- prune --older-than 0s --state cancelled --workflow shop --limit 1 --reason cleanup
"$stepwell" run shop.json --detach >/dev/null
"$stepwell" cancel "$(newest)" >/dev/null
t "prune as JSON" 0 err= 'json:d["tasks"] >= 1 and d["steps"] >= 1 and d["dry_run"] is False and d["freed_bytes"] >= 0' -- prune --older-than 0s --state cancelled --json
t "what was pruned is gone" 7 "err:there is no task" -- show "$pruned"
t "audit verify after pruning" 0 err= "outre:but for [0-9]+ pruned tasks" -- audit verify
t "audit verify" 0 err= "outre:^OK  integrity \(L1\): [0-9]+ entries in [0-9]+ segments; " "out:0 reports of a superseded attempt refused" "outre:^    head sha256:[0-9a-f]{64}$" -- audit verify
t "audit verify --json" 0 'json:d["ok"] and d["entries"] > 10 and len(d["head"]) == 64' -- audit verify --json

# A copy in which one byte of the log is another: the database is well-formed, the history is not.
"$python" - stepwell.db forged.db <<'PYTHON'
import sqlite3, sys
source, target = sqlite3.connect(sys.argv[1]), sqlite3.connect(sys.argv[2])
source.backup(target)
tables = [row[0] for row in target.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
name = next(name for name in tables if "segment" in name)
rowid, body = target.execute(f"SELECT segment_no, body FROM {name} ORDER BY segment_no LIMIT 1 OFFSET 2").fetchone()
target.execute(f"UPDATE {name} SET body = ? WHERE segment_no = ?", (body[:-1] + bytes([body[-1] ^ 1]), rowid))
target.commit()
PYTHON
t "audit verify of a forged log" 6 out= "err:cannot be trusted" -- audit verify --db forged.db
t "audit verify of a forged log as JSON" 6 'json:not d["ok"] and d["first_bad_entry"] > 0' 'errjson:d["code"] == "audit"' -- audit verify --db forged.db --json

printf 'not a database, but long enough to look at: %0200d' 0 >text.db
"$python" -c 'import sqlite3; c = sqlite3.connect("foreign.db"); c.execute("CREATE TABLE t (x)"); c.commit()'
cp stepwell.db newer.db
"$python" -c 'import sqlite3; c = sqlite3.connect("newer.db"); c.execute("PRAGMA user_version = 9999"); c.commit()'
mkdir folder.db
t "a text file as database" 8 "err:cannot open the database 'text.db'" -- list --db text.db
t "a foreign database" 8 "err:cannot open the database 'foreign.db'" "err:--db" -- list --db foreign.db
t "a foreign database is left alone by run" 8 "err:cannot open the database 'foreign.db'" -- run good.yml --db foreign.db
check "the foreign database has its table only" "$python" -c '
import sqlite3, sys
names = [r[0] for r in sqlite3.connect("foreign.db").execute("SELECT name FROM sqlite_schema")]
sys.exit(names != ["t"])'
t "a database of a newer version" 8 "err:cannot open the database 'newer.db'" "err:newer" -- list --db newer.db
t "a foreign database as a problem object" 8 out= 'errjson:d["code"] == "storage" and d["error"] == "EFOREIGN" and d["exit_code"] == 8' -- list --db foreign.db --json
t "a directory as database" 8 "err:cannot open the database 'folder.db'" -- run good.yml --db folder.db
t "a database in a folder that is not there" 7 "err:cannot open the database 'none/x.db'" -- run good.yml --db none/x.db
if [ -w /dev/full ]; then
    "$stepwell" list >/dev/full 2>"$home/err"
    status=$?
    : >"$home/out"
    if [ $status -eq 8 ] && grep -q "cannot write to standard output" "$home/err"; then pass; else fail "a full disk behind stdout" "exit status $status"; fi
fi

# Tasks that another one has started.
parent=$("$stepwell" run shop.json --detach)
child=$("$stepwell" run shop.json --detach --parent "$parent" --tag late)
t "list by parent" 0 'json:[(t["task"], t["parent_id"]) for t in d["tasks"]] == [("'"$child"'", "'"$parent"'")] and sum(d["counts"].values()) == 1' -- list --json --parent "${parent^^}"
t "list by parent and tag" 0 "out:0 tasks" -- list --parent "$parent" --tag eu
t "list by a parent that may be gone" 0 "out:0 tasks" -- list --parent 01920000-0000-7000-8000-000000000000
t "list by no parent" 7 "err:there is no task 'ffff'" -- list --parent ffff
t "show a parent" 0 "outre:parent +$parent" "outre:tags +late, parent:$parent" -- show "$child"
t "show no parent" 0 'json:d["parent_id"] is None' -- show "$parent" --json
t "run for a parent that is gone" 7 out= "err:cannot submit a task" "err:to be the parent" -- run shop.json --detach --parent 01920000-0000-7000-8000-000000000000
t "run for no parent" 2 out= "err:neither a task id" -- run shop.json --detach --parent hello
t "run with two parents" 2 out= "err:two parents" -- run shop.json --detach --parent "$parent" --tag "parent:$child"
t "resume for a parent" 2 "err:--parent is for new ones" -- run --resume --parent "$parent"
