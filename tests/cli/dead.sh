# shellcheck shell=bash disable=SC2154,SC2034
# dead list, retry and resolve: what has failed for good in any task, and doing something about it.

cat >bad.json <<'JSON'
{"stepwell": 1, "name": "bad", "steps": [
  {"name": "broken", "handler": "command", "parameters": {"command": "test", "args": ["-e", "mended"]}},
  {"name": "next", "handler": "noop", "after": ["broken"]}]}
JSON

t "dead list without a database" 7 out= "err:cannot open the database" -- dead list
"$stepwell" run -q bad.json 2>/dev/null
"$stepwell" run -q bad.json 2>/dev/null

t "dead list" 0 err= "outre:^TASK +WORKFLOW +STEP +ATTEMPTS" "outre:bad +broken +1 " "out:2 dead letters" "outre:^  2  [A-Za-z]+ in command$" -- dead list
t "dead list has a limit" 0 "out:2 dead letters; the newest 1 are shown" -- dead list --limit 1
t "dead list --json" 0 'json:[(r["step"], r["handler"], r["workflow"], r["attempt"], r["crashes"], r["task_state"]) for r in d["dead_letters"]] == [("broken", "command", "bad", 1, 0, "failed")] * 2 and [(c["handler"], c["count"]) for c in d["counts"]] == [("command", 2)]' -- dead list --json
t "dead list of another workflow" 0 "out:0 dead letters" -- dead list --workflow good
t "dead list of another error" 0 "out:0 dead letters" -- dead list --error-class Timeout
t "dead list of a time" 0 "out:2 dead letters" -- dead list --since 1h
t "dead list of an earlier time" 0 "out:0 dead letters" -- dead list --until 1h
t "dead list of no time" 2 "err:option '--since' needs a time" -- dead list --since noon
t "dead list --quiet" 0 out= err= -- dead list -q

t "dead retry of anything" 2 out= "err:say which dead letters" -- dead retry --reason x
t "dead retry without a reason" 2 out= "err:'dead retry' needs --reason" -- dead retry --all
t "dead retry that changes nothing" 0 "out:2 dead letters" -- dead retry --all --dry-run
t "dead retry has no result" 2 "err:'--result'" -- dead retry --all --reason x --result 1
t "dead resolve with what is not JSON" 2 out= "err:result is not JSON" -- dead resolve --all --reason x --result "{"
t "dead retry" 0 "outre:^[0-9a-f-]{36} broken: now ready$" "out:1 of 1 dead letters: now ready" -- dead retry --step broken --limit 1 --reason "mended" --actor bob
t "one is left" 0 "out:1 dead letter" "noout:1 dead letters" -- dead list
t "dead resolve --json" 0 'json:d["updated"] == 1 and [(r["step"], r["status"], r["state"]) for r in d["dead_letters"]] == [("broken", "applied", "resolved")]' -- dead resolve --workflow bad --result '{"by":"hand"}' --reason "by hand" --json
t "none is left" 0 "out:0 dead letters" -- dead list
t "retrying none is no error" 0 "out:0 of 0 dead letters" -- dead retry --all --reason x
touch mended
t "the tasks go on" 0 -- run --resume
t "the log knows who and why" 0 "outre:broken +resolved by ann .by hand.$" -- show "$("$stepwell" list --json --limit 2 | "$python" -c 'import json, sys; print(json.load(sys.stdin)["tasks"][1]["task"])')"
t "the log still verifies" 0 "out:OK" -- audit verify
