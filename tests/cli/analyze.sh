# shellcheck shell=bash disable=SC2154,SC2034
# analyze: what the dependencies of a file or of a stored workflow mean.

cat >shop.json <<'JSON'
{"stepwell": 1, "name": "shop", "steps": [
  {"name": "validate", "handler": "noop", "timeout_ms": 2000},
  {"name": "pack", "handler": "noop", "after": ["validate"]},
  {"name": "charge", "handler": "noop", "after": ["validate"], "timeout_ms": 20000},
  {"name": "ship", "handler": "noop", "after": ["pack", "charge", "validate"]}]}
JSON
sed 's/20000/30000/; s/, "validate"\]/]/' shop.json >other.json
sed 's/"timeout_ms": 2000}/"after": ["ship"]}/' shop.json >cycle.json

t "analyze names the critical path" 0 err= "out:critical path validate > charge > ship" "out:23.0s of 24.0s of work" "out:2 steps can run at once" -- analyze shop.json
t "what need not be written is named" 0 "out:ship need not name validate" -- analyze shop.json
t "slack, and where durations come from" 0 "outre:pack +2 +1.000s +2.000s +21.0s +19.0s +assumed" "outre:charge .*none +timeout" -- analyze shop.json
t "a given duration" 0 "out:critical path validate > pack > ship" "outre:pack .*none +given" -- analyze shop.json --duration pack=30
t "several durations, the last one of a step counts" 0 'json:d["span"] == 5.5 and [s["basis"] for s in d["steps"]].count("given") == 2' -- analyze shop.json --json --duration charge=9 --duration charge=2.5 --duration pack=0
t "with workers" 0 "out:with 1 worker 24.0s (no run is shorter than 24.0s), 100% busy" -- analyze shop.json --workers 1
t "impact" 0 "out:if pack fails, 1 step cannot run" "out:ship" -- analyze shop.json --impact pack
t "diff" 0 "out:2 changes to 'other.json'" "out:node_changed  charge in timeout" "out:edge_removed  validate -> ship" -- analyze shop.json --diff other.json
t "analyze --json" 0 err= 'json:d["workflow"] == "shop" and d["critical_path"] == ["validate", "charge", "ship"] and d["span"] == 23 and d["width"] == 2 and d["width_exact"] and d["redundant"] == [{"from": "validate", "to": "ship"}] and d["steps"][0]["name"] == "validate" and d["bottlenecks"][0]["name"] == "charge"' -- analyze shop.json --json
t "analyze --json with all questions" 0 'json:d["makespan"]["duration"] == 24 and d["impact"] == ["ship"] and d["changes"][0]["kind"] == "node_changed" and d["changes"][0]["fields"] == ["timeout"]' -- analyze shop.json --json --workers 1 --impact pack --diff other.json
t "analyze --quiet" 0 out= err= -- analyze -q shop.json
t "analyze of standard input" 0 "out:shop: 4 steps" "in:$(cat shop.json)" -- analyze -
t "analyze of a cycle names it" 3 out= "err:validate" "err:in a circle" "err:'cycle.json' has 1 error" -- analyze cycle.json
t "analyze of a cycle says where to break it" 3 out= "err:cycle.json:2:53: warning: to break the circle, validate could do without ship: " "err:every circle of these steps passes through it" -- analyze cycle.json
t "analyze of a cycle as JSON" 3 out= 'errjson:[f["path"] for f in d["findings"] if "break the circle" in f["message"]] == ["steps[0].after[0]"]' -- analyze cycle.json --json
t "analyze of a file that is not there" 7 "err:cannot read 'none.yml'" -- analyze none.yml
t "diff with a file that is not there" 7 "err:cannot read 'none.yml'" -- analyze shop.json --diff none.yml
t "impact of an unknown step" 7 "err:there is no step 'x'" -- analyze shop.json --impact x
t "a duration of an unknown step" 7 "err:there is no step 'x'" -- analyze shop.json --duration x=1
for bad in pack =1 pack= pack=x pack=-1 pack=nan pack=inf pack=1e30 pack=1s; do
    t "no duration: $bad" 2 "err:option '--duration' needs STEP=SECONDS" -- analyze shop.json --duration "$bad"
done
t "a duration that is too long says how long" 2 "err:fewer than 1e12" -- analyze shop.json --duration pack=1e12
printf '{"stepwell": 1, "name": "long", "steps": [%s{"name": "s0", "handler": "noop"}]}' \
    "$(printf '{"name": "s%d", "handler": "noop"}, ' {1..11})" >long.json
printf 's%d=9e11\n' {0..11} >long.txt
t "durations whose sum does not fit" 2 out= "err:the sum of durations passes 2^63 - 1" -- analyze long.json --durations long.txt
printf '{"stepwell": 1, "name": "e", "steps": []}' >empty.json
printf '{"stepwell": 1, "name": "e", "steps": [\n{"name": "a", "handler": "noop"},\n{"name": "a", "handler": "noop"}]}' >twice.json
for command in analyze plan graph; do
    t "$command of no steps" 3 out= "err:empty.json:1:" "err:there are no steps" -- $command empty.json
    t "$command of a name given twice" 3 out= "err:twice.json:3:" "err:is there already, in line 2" -- $command twice.json
done
"$python" -c 'import json; n = 20000; print(json.dumps({"stepwell": 1, "name": "ring", "steps": [{"name": f"s{i}", "handler": "noop", "after": [f"s{i - 1 if i else n - 1}"]} for i in range(n)]}))' >ring.json
t "a circle of many steps" 3 out= "err:(19992 more)" "err:s0 could do without s19999" -- analyze ring.json
t "no workers" 2 "err:option '--workers' needs a whole number" -- analyze shop.json --workers 0
t "analyze needs a subject" 2 "err:FILE" -- analyze
t "analyze help" 0 "out:--duration STEP=SECONDS" "out:--impact STEP" -- analyze --help
t "no database" 7 err: -- analyze shop
t "a stored workflow" 0 -- run --quiet shop.json --db shop.db
t "analyze of a stored workflow" 0 "out:critical path validate > charge > ship" -- analyze shop --db shop.db
t "analyze of an unknown workflow" 7 "err:there is no workflow 'nothing'" -- analyze nothing --db shop.db
