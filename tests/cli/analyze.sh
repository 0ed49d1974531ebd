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
t "impact of several" 0 "out:if validate fails, 3 steps cannot run" "out:if pack fails, 1 step cannot run" -- analyze shop.json --impact validate --impact pack
t "impact of several as JSON" 0 'json:d["impact"] == ["pack", "charge", "ship"] and d["impact_of"][2] == {"name": "pack", "blocked": ["ship"]}' -- analyze shop.json --json --impact charge --impact validate --impact pack
t "what steps wait for in common" 0 "out:pack and charge all wait for 1 step" "outre:waited for +validate" "outre:nearest +validate" -- analyze shop.json --common pack --common charge
t "what one step waits for" 0 "out:ship waits for 3 steps" "outre:nearest +pack, charge" -- analyze shop.json --common ship
t "steps in common as JSON" 0 'json:d["common"] == {"all": ["validate"], "nearest": ["validate"]}' -- analyze shop.json --json --common pack --common charge
t "nothing is in common" 0 "out:validate and ship all wait for 0 steps" "noout:nearest" -- analyze shop.json --common validate --common ship
t "steps that are not reached" 0 "outre:not reached +validate, charge" -- analyze shop.json --from pack
t "steps that are not reached, as JSON" 0 'json:d["unreachable"] == ["validate"]' -- analyze shop.json --json --from pack --from charge
t "all are reached" 0 "noout:not reached" -- analyze shop.json --from validate
t "not asked what is reached" 0 'json:"unreachable" not in d and "common" not in d and "impact" not in d' -- analyze shop.json --json
cat >apart.json <<'JSON'
{"stepwell": 1, "name": "apart", "steps": [
  {"name": "a", "handler": "noop"}, {"name": "b", "handler": "noop", "after": ["a"]},
  {"name": "c", "handler": "noop", "after": ["a", "b"]}, {"name": "alone", "handler": "noop"}]}
JSON
t "orphans and parts" 0 "outre:orphans +alone" "outre:parts +2 that no dependency connects" -- analyze apart.json
t "neither orphans nor parts" 0 "noout:orphans" "noout:parts" -- analyze shop.json
t "parts and depths as JSON" 0 'json:d["part_count"] == 2 and {s["name"]: (s["part"], s["level"], s["shortest"]) for s in d["steps"]} == {"a": (0, 0, 0), "b": (0, 1, 1), "c": (0, 2, 1), "alone": (1, 0, 0)}' -- analyze apart.json --json
t "bounds of the makespan" 0 'json:(m := d["makespan"])["bound"] == 24 and m["bound_span"] == 23 and m["bound_workers"] == 24' -- analyze shop.json --json --workers 1
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
t "common of an unknown step" 7 "err:there is no step 'x'" -- analyze shop.json --common pack --common x
t "from an unknown step" 7 out= "err:there is no step 'x'" -- analyze shop.json --from x
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
sed 's/"name": "shop"/"name": "shop", "version": "2"/' shop.json >second.json
sed 's/"2"/"3"/; s/, "validate"\]/]/' second.json >third.json
t "a second version is stored" 0 -- run --quiet second.json --db shop.db
t "a third version is stored" 0 -- run --quiet third.json --db shop.db
t "diff with another version" 0 "out:1 change to '2'" "out:edge_added    validate -> ship" -- analyze shop --db shop.db --diff 2
t "diff of a stored workflow with a file" 0 "out:0 changes to 'third.json'" -- analyze shop --db shop.db --diff third.json
t "diff with a version that is not there" 7 out= "err:there is no version '9' of 'shop'" -- analyze shop --db shop.db --diff 9
t "analyze of an unknown workflow" 7 "err:there is no workflow 'nothing'" -- analyze nothing --db shop.db
