# shellcheck shell=bash disable=SC2154,SC2034
# graph, gantt and the drawing of plan: pictures of files and tasks, and what cannot be drawn.

cat >good.yml <<'YAML'
name: nightly
version: "1.0"
steps:
  - { id: fetch, name: Fetch, step_type: noop, parameters: {} }
  - { id: check, name: Check, step_type: noop, depends_on: [fetch], timeout_seconds: 90, parameters: {} }
  - { id: sum, name: Sum, step_type: noop, depends_on: [fetch], timeout_seconds: 10, parameters: {} }
  - { id: send, name: Send, step_type: noop, depends_on: [check, sum], parameters: {} }
YAML
cat >bad.yml <<'YAML'
name: bad
version: "1.0"
steps:
  - { id: broken, name: Broken, step_type: command, parameters: { command: "false" }, retry: { attempts: 2, backoff: none } }
  - { id: after, name: After, step_type: noop, depends_on: [broken], parameters: {} }
YAML
cat >cycle.yml <<'YAML'
name: cycle
version: "1.0"
steps:
  - { id: a, name: A, step_type: noop, depends_on: [b], parameters: {} }
  - { id: b, name: B, step_type: noop, depends_on: [a], parameters: {} }
YAML
cat >hostile.json <<'JSON'
{"stepwell": 1, "name": "hostile", "steps": [
  {"name": "end", "title": "<b>&\"' \\n", "handler": "noop"},
  {"name": "graph", "handler": "noop", "after": ["end"]}]}
JSON
{
    printf 'name: wide\nversion: "1.0"\nsteps:\n  - { id: start, name: S, step_type: noop, parameters: {} }\n'
    for ((i = 0; i < 60; i++)); do
        printf '  - { id: part_%d, name: S, step_type: noop, depends_on: [start], parameters: {} }\n' "$i"
    done
} >wide.yml

# Whether a file is well-formed XML in which every element is one of SVG.
svg_valid() {
    "$python" -c '
import sys, xml.dom.minidom
root = xml.dom.minidom.parse(sys.argv[1]).documentElement
names = {e.tagName for e in root.getElementsByTagName("*")}
sys.exit(root.tagName != "svg" or root.getAttribute("role") != "img" or not names <= {
    "title", "desc", "style", "g", "rect", "path", "text"})' "$1"
}

t "graph draws a file" 0 err= "out:│ fetch │" "out:│ check │  │ sum │" "noout:level" -- graph good.yml
t "graph reads standard input" 0 "out:│ fetch │" "in:$(cat good.yml)" -- graph -
t "graph in ASCII" 0 env:LC_ALL=C "out:| fetch |" "out:+-------+" -- graph good.yml
t "graph --quiet" 0 out= err= -- graph good.yml -q
t "graph --format mermaid" 0 "out:flowchart TD" "out:n0 --> n1" -- graph good.yml --format mermaid
t "graph --direction right" 0 "out:flowchart LR" -- graph good.yml --format mermaid --direction right
t "graph --format dot" 0 'out:digraph "nightly"' "out:n0 -> n1" -- graph good.yml --format dot
t "graph --json has coordinates" 0 'json:[n["name"] for n in d["nodes"]] == ["fetch", "check", "sum", "send"] and d["levels"] == 3 and d["nodes"][0]["x"] > 0 and len(d["edges"]) == 4 and d["nodes"][0]["state"] is None' -- graph good.yml --format json
t "graph --critical goes by timeouts" 0 'json:[n["critical"] for n in d["nodes"]] == [True, True, False, True] and [e["critical"] for e in d["edges"]] == [True, False, True, False]' -- graph good.yml --json --critical
t "graph --critical goes by steps" 0 'json:[n["critical"] for n in d["nodes"]] == [True, True]' -- graph bad.yml --json --critical
t "graph --output says what it wrote" 0 out= "err:wrote plan.svg" -- graph good.yml -o plan.svg --critical
check "the SVG is valid" svg_valid plan.svg
check "the SVG names the critical path" grep -q "Critical path: fetch, check, send" plan.svg
t "graph --output by ending" 0 out= err= -- graph good.yml -q -o plan.mmd
check "the ending .mmd is Mermaid" grep -q "^flowchart" plan.mmd
t "graph --format wins over the ending" 0 -- graph good.yml -q -o plan.txt --format dot
check "the format was DOT" grep -q "^digraph" plan.txt
t "graph of hostile names" 0 -- graph hostile.json -q -o hostile.svg
check "the SVG of hostile names is valid" svg_valid hostile.svg

t "graph --svg" 0 "out:</svg>" -- graph good.yml --svg
t "graph --svg beside --format" 2 out= "err:leave out --format" -- graph good.yml --svg --format dot
t "graph of an unknown ending" 2 out= "err:'plan.gif' does not tell what to write" "err:--format" -- graph good.yml -o plan.gif
t "graph of an unknown format" 2 out= "err:option '--format' cannot be 'gif'" "err:mermaid" -- graph good.yml --format gif
t "graph into a folder that is not there" 7 out= "err:cannot write 'none/plan.svg'" -- graph good.yml -o none/plan.svg
mkdir folder.svg
t "graph onto a folder" 8 out= "err:cannot write 'folder.svg'" -- graph good.yml -o folder.svg
if [ -w /dev/full ]; then
    t "graph onto a full disk" 8 out= "err:cannot write '/dev/full'" -- graph good.yml -o /dev/full --format svg
fi
t "graph of a cycle" 3 out= "err:cycle.yml:" "err:'cycle.yml' has 1 error" -- graph cycle.yml
t "graph of a missing file" 7 out= "err:cannot read 'none.yml': No such file" -- graph none.yml
t "graph of what is too wide" 2 out= "err:cannot be drawn in 80 columns" "err:--format svg" -- graph wide.yml
t "graph of what is too wide as a problem object" 2 out= 'errjson:d["error"] == "ELIMIT"' -- graph wide.yml --format text --json
t "graph of what is too wide as SVG" 0 "out:</svg>" -- graph wide.yml --format svg
t "graph of two files" 2 "err:'graph' has no use for the argument" -- graph good.yml bad.yml
t "graph without a database" 7 out= "err:cannot open the database" -- graph
t "gantt without a database" 7 out= "err:cannot open the database" -- gantt

t "plan draws what fits" 0 "out:│ fetch │" "out:level 1: 1 step" -- plan good.yml
t "plan lists what does not" 0 "noout:│" "out:level 2: 60 steps side by side" -- plan wide.yml

"$stepwell" run -q good.yml
"$stepwell" run -q bad.yml 2>/dev/null
good=$(newest nightly)
t "graph of the newest task" 0 err= "out:✗ broken" "out:⊘ after" -- graph
t "graph of a task by the beginning of its id" 0 "out:✓ send" -- graph "${good:0:18}"
t "graph of a task has states and times" 0 'json:[n["state"] for n in d["nodes"]] == ["succeeded"] * 4 and min(n["duration_us"] for n in d["nodes"]) > 0' -- graph "$good" --json
t "graph of a task in colour" 0 env:FORCE_COLOR=1 "out:$(printf '\033')[31m" -- graph
t "graph of no task" 7 "err:there is no task 'ffff'" -- graph ffff

t "gantt of the newest task" 0 err= "outre:^broken .*✗ +✗ [0-9.]+s$" "outre:^after +⊘$" -- gantt
t "gantt of a task" 0 "outre:^send .*━ +✓ [0-9.]+s$" -- gantt "$good"
t "gantt in ASCII" 0 env:LC_ALL=C "outre:^send .*= +\+ [0-9.]+s$" -- gantt "$good"
t "gantt --json" 0 'json:[(r["name"], r["attempt"], r["state"]) for r in d["rows"]] == [("broken", 1, "failed"), ("broken", 2, "failed"), ("after", 0, "cancelled")] and d["lines"] == 2' -- gantt --json
t "gantt --json has times that follow each other" 0 'json:{r["ready_us"] <= r["begin_us"] <= r["end_us"] for r in d["rows"]} == {True}' -- gantt "$good" --json
t "gantt --output" 0 out= "err:wrote run.svg" -- gantt -o run.svg
check "the chart is valid SVG" svg_valid run.svg
t "gantt --svg" 0 "out:broken, attempt 2: failed after" -- gantt --svg
t "gantt of an unknown ending" 2 out= "err:'run.gif' does not tell what to write" -- gantt -o run.gif
t "gantt as Mermaid" 2 out= "err:a Gantt chart cannot be written as 'mermaid'" -- gantt -o run.mmd
t "gantt of no task" 7 "err:there is no task" -- gantt 01920000-0000-7000-8000-000000000000
"$stepwell" run good.yml --detach >/dev/null
t "gantt of a task nobody works on" 0 "outre:^fetch +┄+ +○$" -- gantt

sed 's/\[check, sum\]/[check, sum, fetch]/' good.yml >more.yml
printf '# seconds\nfetch=1\n\n  sum = 95\n' | sed 's/ = /=/' >times.txt
printf 'fetch=1\nnothing=2\n' >strange.txt
printf 'fetch 1\n' >broken.txt
t "graph --redundant marks what follows from others" 0 'json:[e["redundant"] for e in d["edges"]] == [False, False, True, False, False]' -- graph more.yml --json --redundant
t "graph marks nothing unasked" 0 'json:not any(e["redundant"] or e["critical"] for e in d["edges"]) and {n["slack_us"] for n in d["nodes"]} == {None}' -- graph more.yml --json
t "graph --redundant on the terminal" 0 "out:┊" "out:┼┄┄┄" -- graph more.yml --redundant
t "graph --slack" 0 "out:│ sum +1m 20s │" "out:│ check │" -- graph good.yml --slack
t "graph --slack as JSON" 0 'json:[(n["duration_us"], n["slack_us"]) for n in d["nodes"]] == [(10**6, 0), (90 * 10**6, 0), (10**7, 80 * 10**6), (10**6, 0)]' -- graph good.yml --json --slack
t "graph --duration" 0 'json:[n["critical"] for n in d["nodes"]] == [True, False, True, True]' -- graph good.yml --json --critical --duration sum=91
t "graph --durations of a file" 0 'json:[(n["critical"], n["duration_us"]) for n in d["nodes"]] == [(True, 10**6), (False, 90 * 10**6), (True, 95 * 10**6), (True, 10**6)]' -- graph good.yml --json --critical --durations times.txt
t "graph --durations p50 of earlier tasks" 0 'json:max(n["duration_us"] for n in d["nodes"]) < 10**6' -- graph good.yml --json --critical --durations p50
t "analyze --durations p95" 0 'json:{s["basis"] for s in d["steps"]} == {"learnt"} and 0 < d["span"] < 1' -- analyze nightly --json --durations p95
t "analyze --durations beside --duration" 0 'json:[s["basis"] for s in d["steps"] if s["name"] == "sum"] == ["given"] and d["span"] > 7' -- analyze good.yml --json --durations p50 --duration sum=7
t "analyze --durations of a file" 0 "outre:sum .*given" -- analyze good.yml --durations times.txt
t "graph --durations of a task that waits" 0 'json:[n["duration_us"] for n in d["nodes"]][2] == 95 * 10**6' -- graph --json --critical --durations times.txt
t "durations of an unknown step" 7 out= "err:strange.txt:2: there is no step 'nothing'" -- graph good.yml --durations strange.txt
t "durations that are none" 2 out= "err:broken.txt:1: expected STEP=SECONDS, not 'fetch 1'" -- analyze good.yml --durations broken.txt
t "durations of a file that is not there" 7 out= "err:cannot read 'none.txt'" -- analyze good.yml --durations none.txt
t "learnt durations without a database" 7 out= "err:cannot open the database" -- analyze good.yml --durations p50 --db none.db
