# shellcheck shell=bash disable=SC2154,SC2034
# erase: what is known of a subject goes, the log and what it proves stay.

cat >order.json <<'JSON'
{"stepwell": 1, "name": "order", "steps": [
  {"name": "greet", "handler": "command", "parameters": {"command": "echo", "args": ["hello"]}}]}
JSON
t "erase without a database" 7 out= "err:cannot open the database" -- erase ann --reason x
"$stepwell" run -q order.json --tag subject:ann --input '{"name": "SECRET-OF-ANN"}'
"$stepwell" run -q order.json --tag subject:bob --input '{"name": "SECRET-OF-BOB"}'
"$stepwell" audit keygen example.com/order --signer order.key >order.vkey 2>/dev/null
"$stepwell" audit seal --signer order.key -o before.checkpoint 2>/dev/null
check "the secret is there" grep -qc SECRET-OF-ANN stepwell.db

t "erase needs a reason" 2 out= "err:'erase' needs --reason" -- erase ann
t "erase needs a subject" 2 out= "err:needs the argument SUBJECT" -- erase --reason x
t "erase that changes nothing" 0 "out:1 task would be erased" -- erase ann --dry-run
"$stepwell" run -q order.json --detach --tag subject:ann --db stepwell.db >/dev/null
t "erase while a task runs" 4 out= "err:cancel it, or wait until it has ended" -- erase ann --reason "request 7"
"$stepwell" cancel "$(newest)" -q
t "erase" 0 "out:2 tasks erased; no copy is left in the database file" -- erase ann --reason "request 7" --actor eve
check "no byte is left" bash -c '! cat stepwell.db* | grep -q SECRET-OF-ANN'
check "the others are left alone" grep -q SECRET-OF-BOB stepwell.db
t "erase again" 0 'json:d == {"dry_run": False, "tasks": 0, "erased_before": 2, "clean": True}' -- erase ann --reason "request 7" --json
t "erase quickly" 0 "out:1 task erased" "noout:no copy" err= -- erase bob --reason x --quick
t "the log still is what was signed" 0 "outre:^OK  signed" "out:without the payloads of 3 erased" -- audit verify --checkpoint before.checkpoint --vkey @order.vkey
t "the log says who and why" 0 'json:[(r["actor"], r["reason"]) for r in all][:2] == [("eve", "request 7")] * 2' -- audit list --kind task_erased --json
t "the erased task shows no input" 0 'noout:SECRET' "out:task_erased by eve" -- show "$("$stepwell" audit list --kind task_erased --json | "$python" -c 'import json, sys; print(json.loads(sys.stdin.readline())["task_id"])')"
