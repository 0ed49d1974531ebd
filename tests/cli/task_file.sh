# shellcheck shell=bash disable=SC2154,SC2034
# task export, task verify, and commands that look at a task file: --file, --at-entry.

cat >two.yml <<'YAML'
name: two
version: "1.0"
steps:
  - { id: one, name: One, step_type: noop, parameters: {} }
  - { id: two, name: Two, step_type: noop, depends_on: [one], parameters: {} }
YAML
"$stepwell" run two.yml --input '{"n": 1}' >/dev/null
"$stepwell" audit keygen example.com/two --signer two.key >two.vkey 2>/dev/null
"$stepwell" audit keygen example.com/two --signer other.key >other.vkey 2>/dev/null
"$stepwell" audit seal --signer two.key -o two.checkpoint 2>/dev/null
task=$("$stepwell" list --json | grep -o '"task":"[^"]*"' | cut -d'"' -f4)

t "task export" 0 'out:"format": "stepwell-task-file", "version": 1' 'out:"checkpoint": null' "err:the root of the log is not signed" -- task export
t "task export into a file" 0 out= "err:wrote two.task" "err:task $task with 10 entries" noerr:signed -- task export -o two.task --checkpoint two.checkpoint
t "task export into a file, for programs" 0 'json:d["file"] == "again.task" and d["entries"] == d["proved"] == 10 and d["log_entries"] == 11 and d["signed"]' -- task export "${task:0:20}" -o again.task --checkpoint two.checkpoint --json
t "task export of what there is not" 7 out= "err:there is no task" -- task export 01a1fa53-a1dc-76ad-9ffc-eb15f6879603
t "task export into no folder" 7 out= "err:no/x.new" -- task export -o no/x
t "task export with no checkpoint" 2 out= "err:the text is no checkpoint" -- task export --checkpoint two.yml
t "task export with two checkpoints" 2 out= "err:proofs lead to one --checkpoint" -- task export --checkpoint two.checkpoint --checkpoint two.checkpoint
"$stepwell" run two.yml >/dev/null
t "task export of a newer task" 2 out= "err:the checkpoint is older than the task" -- task export --checkpoint two.checkpoint
"$stepwell" show "$task" >live.show
"$stepwell" gantt "$task" >live.gantt
"$stepwell" explain "$task" >live.explain
"$stepwell" audit list "$task" >live.list
rm -f stepwell.db*

t "task verify" 0 err= "out:OK  integrity (L1): 10 entries are in the log of 11 whose root nobody has vouched for" "out:Not shown: that no entry was left out." -- task verify two.task
t "task verify with a key" 0 "out:OK  signed (L2): " "outre:^    root sha256:[0-9a-f]{64}$" -- task verify two.task --vkey @two.vkey
t "task verify --json" 0 'json:d["ok"] and d["level"] == "signed" and d["entries"] == d["signed"] == 10 and d["steps"] == 2' -- task verify two.task --vkey @two.vkey --json
t "task verify from standard input" 0 "out:OK  signed" in:"$(cat two.task)" -- task verify - --vkey @two.vkey
t "task verify with another key" 6 out= "err:the checkpoint of the file cannot be trusted" -- task verify two.task --vkey @other.vkey
t "task verify with a checkpoint and no key" 2 out= "err:need --vkey" -- task verify two.task --checkpoint two.checkpoint
sed 's/"json": "{\\"n\\": 1}"/"json": "{\\"n\\": 2}"/' two.task >edited.task
t "task verify of an edited payload" 6 out= "err:edited.task: the input of the task was edited" -- task verify edited.task
t "task verify of an edited payload, for programs" 6 'json:not d["ok"] and "was edited" in d["message"]' -- task verify edited.task --json
sed '/"no": 6,/d' two.task >shorter.task
t "task verify without an entry" 6 out= "err:shorter.task: entry 7 (step \"two\"" "err:it becomes ready while \"one\", which it waits for, is running" -- task verify shorter.task
head -c 3000 two.task >half.task
t "task verify of half a file" 2 out= "err:half.task:" -- task verify half.task
t "task verify of no task file" 2 out= "err:two.yml:1:1: " -- task verify two.yml
t "task verify of nothing" 7 out= "err:cannot read 'none'" -- task verify none
t "task verify without a file" 2 out= "err:needs the argument FILE" -- task verify

for command in show gantt explain; do
    "$stepwell" $command --file two.task >file.$command
    check "$command --file says what $command said" diff live.$command file.$command
done
"$stepwell" audit list --file two.task "$task" >file.list
check "audit list --file says what audit list said" diff live.list file.list
t "show of the past" 0 "out:two 1.0: running" -- show --file two.task --at-entry 6
t "explain of the past" 0 "out:two is ready" -- explain --file two.task --at-entry 7
t "graph of a file" 0 "out:one" -- graph --file two.task
t "context of the past" 0 'json:d["state"] == "running"' -- context --file two.task --at-entry 6 --json
t "readiness of the past" 0 "out:one" -- readiness --file two.task --at-entry 2
t "whatif from the past" 0 'json:d["history_count"] == 1 and [s["source"] for s in d["steps"]] == ["step", "step"] and d["difference_s"]["p50"] > 0' -- whatif --file two.task --at-entry 4 --slower two=3 --json
t "analyze with what a file knows" 0 "out:two" -- analyze two --durations p50 --file two.task
t "a moment before the task" 7 out= "err:the task was submitted after entry 1" -- show --file two.task --at-entry 1
t "a moment behind the file" 7 out= "err:the last entry of the file is 10, not 11" -- show --file two.task --at-entry 11
t "a moment of a database" 2 out= "err:--at-entry needs --file" -- show --at-entry 3
t "a file and a database" 2 out= "err:--file and --db cannot be given together" -- show --file two.task --db x.db
t "show of an edited file" 6 out= "err:cannot open the task file: the input of the task was edited" -- show --file edited.task
t "show of no task file" 2 out= "err:two.yml:1:1: " -- show --file two.yml
