# shellcheck shell=bash disable=SC2154,SC2034
# whatif: when a task ends, what a change does to it, and questions that make no sense.

cat >etl.yml <<'YAML'
name: etl
version: "1.0"
steps:
  - { id: fetch, name: Fetch, step_type: noop, parameters: {} }
  - { id: load, name: Load, step_type: wait, depends_on: [fetch], parameters: { seconds: 0.2 } }
  - { id: train, name: Train, step_type: wait, depends_on: [fetch], parameters: { seconds: 0.1 } }
  - { id: report, name: Report, step_type: noop, depends_on: [load, train], parameters: {} }
YAML

t "whatif without a database" 7 out= "err:cannot open the database 'stepwell.db'" -- whatif
"$stepwell" run etl.yml -q --detach >/dev/null
t "without a history" 0 err= "out:etl: pending, 0 of 4 steps ended" "out:default, 0" "out:too few tasks have succeeded to say: 0 of 5" -- whatif
t "without a history as JSON" 0 'json:d["calibration"]["trusted"] is False and d["history_count"] == 0 and d["steps"][0]["source"] == "default" and d["steps"][0]["p50_s"] == 60' -- whatif --json
"$stepwell" cancel -q "$(newest etl)"
for _ in 1 2 3 4 5; do "$stepwell" run -q etl.yml; done
"$stepwell" run etl.yml -q --detach >/dev/null

t "the newest task" 0 err= "out:etl: pending" "outre:ends +succeeded" "outre:left \(p50\) +0\.[2-9]" "out:What decides the end" "out:fetch, load, report" "outre:load +pending +0\.[2-9].*step, 5 +100 %" "out:of 5 earlier tasks" "noout:difference" -- whatif
t "as JSON" 0 'json:d["base"]["path"] == ["fetch", "load", "report"] and "what_if" not in d and d["base"]["workers"] == 2 and d["workers_learnt"] and d["calibration"]["tasks"] == 5 and d["base"]["left_s"]["p10"] <= d["base"]["left_s"]["p50"] <= d["base"]["left_s"]["p90"]' -- whatif --json
t "a slower step" 0 "out:difference" "out:What would decide it" "out:fetch, train, report" -- whatif --slower train=5
t "a slower step as JSON" 0 'json:d["what_if"]["path"] == ["fetch", "train", "report"] and d["difference_s"]["p50"] > 0.2' -- whatif --slower train=5 --json
t "a faster step" 0 'json:d["difference_s"]["p50"] < 0' -- whatif --slower load=0.5 --json
t "a failing step" 0 "outre:ends +succeeded +failed" "outre:steps that will not run +0 +3 +\+3" -- whatif --fail fetch
t "a resolved step" 0 'json:d["what_if"]["path"] == ["fetch", "train", "report"] and d["difference_s"]["p50"] < 0' -- whatif --resolve load --json
t "a skipped step, with what needs it" 0 'json:d["what_if"]["path"] == ["fetch", "train"] and d["what_if"]["steps_never"] == 2 and d["what_if"]["ends"] == "succeeded"' -- whatif --skip load --json
t "how exact the plays are" 0 "out:200 plays: more of them would leave p50 between 0." -- whatif
t "how exact the plays are, as JSON" 0 'json:d["draws"] == 200 and d["base"]["p50_between_s"]["least"] <= d["base"]["left_s"]["p50"] <= d["base"]["p50_between_s"]["most"]' -- whatif --json
t "several changes" 0 'json:d["what_if"]["ends"] == "failed" and d["what_if"]["workers"] == 7' -- whatif --resolve load --slower train=2 --fail report --workers 7 --json
t "more workers" 0 "outre:steps at once +2 +4 +\+2" -- whatif --more-workers 2
t "fewer workers" 0 'json:d["what_if"]["workers"] == 1 and d["difference_s"]["p50"] > 0.08' -- whatif --more-workers -1 --json
t "one after the other" 0 'json:d["difference_s"]["p50"] > 0.08' -- whatif --resource 1=load,train --json
t "by the beginning of an id" 0 "out:etl: pending" -- whatif "$(newest etl)"
t "--quiet" 0 out= err= -- whatif -q
check "the same question has the same answer" "$python" -c '
import json, subprocess, sys
ask = lambda: json.loads(subprocess.run([sys.argv[1], "whatif", "--json"], capture_output=True).stdout)
a, b = ask(), ask()
sys.exit(a["base"]["left_s"] != b["base"]["left_s"] or a["steps"] != b["steps"])' "$stepwell"
check "no colours where they are not wanted" "$python" -c '
import os, subprocess, sys
words = [sys.argv[1], "whatif", "--fail", "fetch"]
run = lambda **more: subprocess.run(words, capture_output=True, env={**os.environ, **more}).stdout
sys.exit(b"\x1b" not in run(FORCE_COLOR="1") or b"\x1b" in run(NO_COLOR="1") or b"\x1b" in run())' "$stepwell"

check "the guide has commands" test "$(grep -c '^\$ stepwell whatif' "$project/docs/guide/forecast.md")" -ge 6
while read -r _ _ words; do
    # The commands of the guide are words without quotes.
    # shellcheck disable=SC2086
    t "the guide: ${words%%#*}" 0 err= -- ${words%%#*}
done < <(grep '^\$ stepwell whatif' "$project/docs/guide/forecast.md")

t "no such step" 7 out= "err:workflow 'etl' has no step 'lode'" "err:stepwell show" -- whatif --fail lode
t "no such step in a resource" 7 "err:no step ''" -- whatif --resource 1=load,,train
t "a step twice" 2 "err:step 'load' is changed twice" -- whatif --fail load --skip load
t "no factor" 2 "err:'--slower' needs STEP=FACTOR, not 'load'" -- whatif --slower load
t "no step" 2 "err:'--slower' needs STEP=FACTOR" -- whatif --slower =2
t "a factor that is no number" 2 "err:'--slower' needs STEP=FACTOR" -- whatif --slower load=2x
t "a factor of nothing" 2 "err:is above 0" -- whatif --slower load=0
t "a factor that is not finite" 2 "err:is above 0" -- whatif --slower load=inf
t "workers that are no number" 2 "err:'--workers' needs a whole number" -- whatif --workers many
t "no workers" 2 "err:'--workers' needs a whole number" -- whatif --workers 0
t "too many workers" 2 "err:'--workers' needs a whole number" -- whatif --workers 1000001
t "a resource without steps" 2 "err:'--resource' needs SEATS=STEP" -- whatif --resource 1=
t "a resource without seats" 2 "err:'--resource' needs SEATS=STEP" -- whatif --resource 0=load
t "no such task" 7 "err:there is no task" -- whatif 01920000-0000-7000-8000-000000000000
"$stepwell" cancel -q "$(newest etl)"
t "an ended task" 0 "out:etl: cancelled" "noout:Trust" -- whatif
t "an ended task as JSON" 0 'json:d["base"]["left_s"]["p90"] == 0 and d["base"]["ends"] == "cancelled" and d["base"]["path"] == []' -- whatif --json
t "a change in an ended task" 4 out= "err:the task has ended: cancelled" -- whatif --fail load
t "a change in an ended task as JSON" 4 out= 'errjson:d["error"] == "ESTATE" and d["exit_code"] == 4' -- whatif --fail load --json

t "--calibration" 0 err= "out:of 5 earlier tasks" "noout:left (p50)" -- whatif --calibration
t "--calibration as JSON" 0 'json:d["workflow"] == "etl" and d["calibration"]["tasks"] == 5 and d["calibration"]["trusted"] and set(d) == {"workflow", "calibration"}' -- whatif --calibration --json
