# shellcheck shell=bash disable=SC2154,SC2034
# event append, list, replay and projections: the audit log as streams of events.

cat >order.yml <<'YAML'
stepwell: 1
name: order
steps:
  - { name: charge, handler: noop }
  - { name: ship, handler: noop, after: [charge] }
YAML

t "event list without a database" 7 out= "err:cannot open the database" -- event list
"$stepwell" run -q order.yml
task=$("$stepwell" list --json | "$python" -c 'import json, sys; print(json.load(sys.stdin)["tasks"][0]["task"])')

t "event list" 0 err= "outre:^EVENT +TIME +TASK +TYPE +STEP +DATA" "outre:^ +1 .* workflow.registered" "outre:$task +step.completed +ship" "outre:task.completed" -- event list
t "event list of a task has what is its own" 0 "out:task.submitted" "noout:worker.opened" -- event list "${task:0:13}"
t "event list has a limit" 0 "out:task.submitted" "noout:worker.opened" "err:--after 2 shows the next ones" -- event list --limit 2
t "event list --after" 0 "noout:workflow.registered" "outre:^ +2 " -- event list --after 1
t "event list --after nothing" 2 "err:needs the number of an entry" -- event list --after 1x
t "event list of types" 0 'json:[d["type"], d["task"], d["step"], d["data"]] == ["task.completed", "'"$task"'", None, None]' -- event list --type task.completed --json
t "event list of no such type" 0 out= "err:no event matches" -- event list --type nothing
t "event list of an earlier time" 0 out= "err:no event matches" -- event list --until 1h
t "event list --quiet" 0 out= err= -- event list -q

version=$("$stepwell" event replay "$task" --json | "$python" -c 'import json, sys; print(json.load(sys.stdin)["position"])')
t "event append" 0 err= "outre:^[0-9]+$" -- event append "$task" order.shipped --data '{"parcel":7}' --step ship --expect "$version" --actor ann --reason "by hand"
t "event append at a version that is gone" 4 out= "err:is at version" "err:not at $version" -- event append "$task" order.shipped --expect "$version"
t "event append under a key" 0 'json:d["status"] == "appended" and d["position"] == d["version"]' -- event append "$task" order.paid --key k --data 42 --json
t "event append twice" 0 "outre:^[0-9]+ was there already$" -- event append "$task" order.paid --key k --data 42
t "event append of something else under the key" 4 out= "err:has the key with another type, data" -- event append "$task" order.paid --key k --data 43
t "event append of the engine's types" 2 out= "err:one of the engine's" -- event append "$task" step.completed
t "event append of what is not JSON" 2 out= "err:data is not JSON" -- event append "$task" order.paid --data '{'
t "event append of a file that is not there" 7 out= "err:--data: " -- event append "$task" order.paid --data @none.json
t "event append to no such step" 4 out= 'err:has no step "none"' -- event append "$task" order.paid --step none
t "event append to no such task" 7 out= -- event append 01a1fa53-a1dc-76ad-9ffc-eb15f6879603 order.paid
t "event append without a type" 2 out= "err:needs the argument TYPE" -- event append "$task"
echo '[1, 2]' >data.json
t "event append of a file" 0 -- event append "$task" order.paid --data @data.json
t "what was appended" 0 'json:(d["data"], d["step"], d["actor"], d["reason"], d["key"]) == ({"parcel": 7}, "ship", "ann", "by hand", None)' -- event list "$task" --type order.shipped --json
t "event list --json is one object per line" 0 'json:[e["data"] for e in all] == [42, [1, 2]]' -- event list --type order.paid --json

t "event list --follow ends after a silence" 0 "out:order.paid" "noout:step.ready" -- event list --follow --timeout 1 --type order.paid
t "event list --timeout alone" 2 "err:how long --follow waits" -- event list --timeout 1
(sleep 0.4 && "$stepwell" event append -q "$task" order.late) &
t "event list --follow hears what comes" 0 'json:d["type"] == "order.late"' -- event list --follow --timeout 5 --type order.late --limit 1 --json

t "event replay" 0 err= "out:$task succeeded as event" "outre:^  charge +succeeded +1" -- event replay
t "event replay of earlier" 0 "outre:^  ship +pending +0" -- event replay "$task" --position 4
t "event replay before there was a task" 7 out= "err:cannot replay the task" -- event replay "$task" --position 1
t "event replay --json" 0 'json:d["state"] == "pending" and [s["state"] for s in d["steps"]] == ["ready", "pending"]' -- event replay "$task" --position 2 --json
t "event projections without any" 0 out= "err:no projection is kept" -- event projections
"$stepwell" task export "$task" -o order.task -q 2>/dev/null
t "a task file has the events" 0 "out:order.late" -- event list --file order.task --type order.late
t "the log still verifies" 0 "out:OK" -- audit verify
