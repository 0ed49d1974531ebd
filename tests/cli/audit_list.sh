# shellcheck shell=bash disable=SC2154,SC2034
# audit list, audit stats: entries that match, as a table, as JSON Lines, YAML and CSV.

cat >two.yml <<'YAML'
name: two
version: "1.0"
steps:
  - { id: one, name: One, step_type: noop, parameters: {} }
  - { id: two, name: Two, step_type: noop, depends_on: [one], parameters: {} }
YAML
t "audit list without a database" 7 out= "err:cannot open the database" -- audit list
"$stepwell" run -q two.yml
"$stepwell" run -q two.yml --reason '=HYPERLINK("x")'
task=$(newest)

t "audit list" 0 "outre:^ENTRY +TIME +TASK +STEP +WHAT +ACTOR +REASON" "outre:^ +2 .* $task +task_submitted +ann|task_submitted +ann" "err:--after 20 shows the next ones" -- audit list
t "audit list, the next page" 0 "out:worker_closed" err= -- audit list --after 20
t "audit list of a task" 0 "out:ready to running" "noout:worker_opened" -- audit list "$task"
t "audit list of the beginning of an id" 0 "out:task_submitted" -- audit list "${task:0:30}"
t "audit list of a task that never was" 0 out= "err:no entry matches" -- audit list 01a1fa53-a1dc-76ad-9ffc-eb15f6879603
t "audit list of no task" 2 out= "err:neither a task id" -- audit list zzz
t "audit list by actor" 0 'json:len(all) == 2 and {r["kind"] for r in all} == {"task_submitted"}' -- audit list --actor ann --json
t "audit list by step and outcome" 0 'json:[(r["step"], r["from"], r["to"]) for r in all] == [("two", "running", "succeeded")] * 2' -- audit list --step two --outcome succeeded --json
t "audit list by kind" 0 'json:len(all) == 1 and d["entry_no"] == 1 and d["task_id"] is None' -- audit list --kind workflow_registered --as jsonl
t "audit list by time" 0 out= "err:no entry matches" -- audit list --until 1h
t "audit list since" 0 'json:len(all) == 21 and d["kind"] == "worker_closed"' -- audit list --since 1h --json
t "audit list with a limit" 0 'json:[r["entry_no"] for r in all] == [6, 7, 8]' -- audit list --after 5 --limit 3 --json
t "audit list by correlation id" 0 out= "err:no entry matches" -- audit list --correlation-id none
t "audit list as YAML" 0 "outre:^- entry_no: 12$" 'outre:^  reason: "' -- audit list --as yaml --kind task_submitted
t "audit list as CSV" 0 "outre:^entry_no,time,kind," "out:\"'=HYPERLINK(\"\"x\"\")\"" -- audit list --as csv "$task"
"$stepwell" audit list --as csv >all.csv
check "a reader of CSV finds all rows" "$python" -c '
import csv
rows = list(csv.DictReader(open("all.csv", newline="")))
assert [int(r["entry_no"]) for r in rows] == list(range(1, 22)), rows
assert rows[11]["reason"] == chr(39) + "=HYPERLINK(\"x\")", rows[11]'
t "audit list quietly" 0 out= err= -- audit list -q
t "audit list of no kind" 2 "err:'--kind'" -- audit list --kind none
t "audit list of no state" 2 "err:is no state of a step or task" -- audit list --outcome gone
t "audit list of no format" 2 "err:'--as'" -- audit list --as xml
t "audit list behind no entry" 2 "err:needs the number of an entry" -- audit list --after x

t "audit stats" 0 "outre:^ *4  step_changed +succeeded " "outre:^ *2  by +ann " -- audit stats
t "audit stats --json" 0 'json:sum(k["count"] for k in d["kinds"]) == 21 == sum(a["count"] for a in d["actors"]) and {"kind": "step_changed", "outcome": "running"}.items() <= d["kinds"][0].items()' -- audit stats --json
t "audit stats of a step" 0 'json:[k["count"] for k in d["kinds"]] == [2, 2]' -- audit stats --step one --json
t "audit stats of nothing" 0 out= "err:no entry matches" -- audit stats --actor nobody
"$stepwell" prune --older-than 0s -q
t "audit list of a pruned task" 0 "out:task_pruned" "out:ready to running" -- audit list "$task"
