# shellcheck shell=bash disable=SC2154,SC2034
# validate and plan: good files, and everything that can be wrong with a file.

cat >good.yml <<'YAML'
name: nightly
version: "1.0"
config: { max_parallel_steps: 2, fail_fast: false }
steps:
  - { id: fetch, name: Fetch, step_type: noop, parameters: {} }
  - { id: check, name: Check, step_type: noop, depends_on: [fetch], parameters: {} }
  - { id: sum, name: Sum, step_type: noop, depends_on: [fetch], timeout_seconds: 90, parameters: {}, retry: { attempts: 3, backoff: linear, wait_seconds: 2, max_wait_seconds: 10 } }
  - { id: send, name: Send, step_type: noop, depends_on: [check, sum], continue_on_error: true, parameters: {} }
YAML
cat >shop.json <<'JSON'
{"stepwell": 1, "name": "shop", "version": "2.1", "steps": [
  {"name": "charge", "heartbeat_ms": 30000},
  {"name": "pack", "handler": "noop", "after": ["charge"]},
  {"name": "ship", "handler": "warehouse.ship", "after": ["pack"]}]}
JSON
cat >rules.json <<'JSON'
{"stepwell": 1, "name": "rules", "steps": [
  {"name": "a", "handler": "noop", "on_failure": "skip_dependents"},
  {"name": "b", "handler": "noop", "after": ["a"], "trigger": "any_succeeded", "timeout_ms": 2000},
  {"name": "c", "handler": "noop", "after": ["a", "b"], "trigger": {"quorum": 2}, "retry": {"max_crashes": 0}}]}
JSON
cat >cycle.yml <<'YAML'
name: cycle
version: "1.0"
steps:
  - { id: a, name: A, step_type: noop, depends_on: [b], parameters: {} }
  - { id: b, name: B, step_type: noop, depends_on: [a], parameters: {} }
YAML
cat >unknown.yml <<'YAML'
name: unknown
version: "1.0"
steps:
  - { id: fetch, name: A, step_type: noop, parameters: {} }
  - { id: b, name: B, step_type: noop, depends_on: [fetsh], parameters: {} }
YAML
cat >twice.yml <<'YAML'
name: twice
version: "1.0"
steps:
  - { id: a, name: A, step_type: noop, parameters: {} }
  - { id: a, name: A, step_type: noop, parameters: {} }
YAML
cat >extra.yml <<'YAML'
name: extra
version: "1.0"
colour: blue
steps:
  - { id: a, name: A, step_type: noop, parameters: {} }
YAML
cat >type.yml <<'YAML'
name: type
version: "1.0"
steps: none
YAML
printf 'name: broken\nsteps:\n  - { id: a\n' >broken.yml
cat >bomb.yml <<'YAML'
a: &a [x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
name: bomb
steps: [*c, *c]
YAML
printf '\x7fELF\x01\x02\x00\x00binary' >binary.yml
: >empty.yml
mkdir folder.yml
head -c 200000 /dev/zero | tr '\0' '[' >deep.json

t "validate a good file" 0 err= "out:good.yml: ok: nightly 1.0, 4 steps" -- validate good.yml
t "validate --quiet says nothing of a good file" 0 out= err= -- validate -q good.yml
t "validate several" 0 "out:good.yml: ok" "out:shop.json: ok: shop 2.1, 3 steps" -- validate good.yml shop.json
t "validate standard input" 0 "out:-: ok: shop" "in:$(cat shop.json)" -- validate -
t "validate --json" 0 'json:d["valid"] and d["workflow"] == "nightly" and d["step_count"] == 4 and d["findings"] == [] and len(d["digest"]) == 64' -- validate good.yml --json
t "a cycle is named with its path" 3 "outre:^cycle.yml:[0-9]+:[0-9]+: error: .*a.*b" -- validate cycle.yml
t "an unknown dependency gets a suggestion" 3 "outre:^unknown.yml:5:[0-9]+: error: .*fetsh" "out:fetch" -- validate unknown.yml
t "a duplicate id" 3 "outre:^twice.yml:5:[0-9]+: error: " -- validate twice.yml
t "an unknown key is a warning" 0 "outre:^extra.yml:3:[0-9]+: warning: .*colour" "out:extra.yml: ok" -- validate extra.yml
t "an unknown key is an error with --strict" 3 "outre:^extra.yml:3:[0-9]+: error: .*colour" "noout:ok" -- validate --strict extra.yml
t "a wrong type" 3 "outre:^type.yml:3:[0-9]+: error: " -- validate type.yml
t "broken YAML" 3 "outre:^broken.yml:[0-9]+:[0-9]+: error: " -- validate broken.yml
t "a YAML bomb" 3 "outre:^bomb.yml:[0-9]+:[0-9]+: error: " -- validate bomb.yml
t "a binary file" 3 "outre:binary.yml" -- validate binary.yml
t "an empty file" 3 "outre:empty.yml" -- validate empty.yml
t "a directory" 3 "err:'folder.yml' is a directory, not a file" -- validate folder.yml
t "200 KB of brackets" 3 "outre:deep.json:1:[0-9]+: error: " -- validate deep.json
t "no such file" 7 "err:cannot read 'none.yml': No such file or directory" -- validate none.yml
t "an endless file" 8 "err:'/dev/zero' has more than" -- validate /dev/zero
t "one invalid file outweighs a missing one" 3 "out:good.yml: ok" "err:none.yml" -- validate none.yml cycle.yml good.yml
t "findings as JSON" 3 'json:not d["valid"] and d["findings"][0]["severity"] == "error" and d["findings"][0]["line"] == 5 and d["findings"][0]["message"]' -- validate twice.yml --json
t "a missing file as JSON" 7 'json:not d["valid"] and "No such file" in d["problem"]' -- validate none.yml --json
# Root reads everything, so root becomes somebody else for this.
cp good.yml secret.yml && chmod 000 secret.yml
if [ "$(id -u)" -ne 0 ]; then
    t "an unreadable file" 8 "err:cannot read 'secret.yml': Permission denied" -- validate secret.yml
elif command -v setpriv >/dev/null; then
    chmod 711 "$home" && cp "$stepwell" ../stepwell && chmod 755 ../stepwell .
    setpriv --reuid 65534 --regid 65534 --clear-groups ../stepwell validate secret.yml >"$home/out" 2>denied
    status=$?
    check "an unreadable file" grep -q "cannot read 'secret.yml': Permission denied" denied
    check "is exit status 8" test $status -eq 8
else
    skip "an unreadable file" "root reads everything, and setpriv is not here"
fi

t "plan shows levels in order" 0 err= "out:nightly 1.0: 4 steps in 3 levels, at most 2 at once (2 allowed)" "out:level 2: 2 steps side by side" "out:after check, sum" "out:timeout 90 s" "out:3 attempts (linear 2 s to 10 s)" "out:failure is allowed" -- plan good.yml
t "plan names trigger rules and what a failure skips" 0 "out:when any_succeeded, timeout 2 s" "out:when quorum of 2" "out:failure skips what follows" "out:, 0 lost workers" "noout:5 lost workers" "noout:all_succeeded" -- plan rules.json
t "plan --json names trigger rules" 0 'json:[(s["trigger"], s["quorum"]) for s in d["steps"]] == [("all_succeeded", 0), ("any_succeeded", 0), ("quorum", 2)] and d["steps"][0]["on_failure"] == "skip_dependents"' -- plan rules.json --json
t "plan names handlers that need a worker" 0 "out:needs workers of your application for: shop.charge, warehouse.ship" "out:heartbeat 30 s" -- plan shop.json
t "plan --json" 0 'json:d["levels"] == [["fetch"], ["check", "sum"], ["send"]] and d["width"] == 2 and d["max_parallel"] == 2 and d["steps"][3]["after"] == ["check", "sum"] and d["steps"][2]["timeout_ms"] == 90000' -- plan good.yml --json
t "plan --json names application handlers" 0 'json:d["application_handlers"] == ["shop.charge", "warehouse.ship"] and [s["heartbeat_ms"] for s in d["steps"]] == [30000, 0, 0]' -- plan shop.json --json
t "plan of an invalid file" 3 out= "err:cycle.yml:" "err:'cycle.yml' has 1 error" -- plan cycle.yml
t "plan of an invalid file as a problem object" 3 out= 'errjson:d["code"] == "definition" and d["file"] == "twice.yml" and d["findings"][0]["line"] == 5' -- plan twice.yml --json
t "run --dry-run is plan and makes no database" 0 "out:level 1" -- run --dry-run good.yml
check "run --dry-run leaves no file" test ! -e stepwell.db

# Files of the project that Stepwell replaces: loaded, or refused with a place and a reason.
cases=$project/../shared/cases
if [ -d "$cases" ]; then
    while IFS= read -r file; do
        "$stepwell" validate "$file" >"$home/out" 2>"$home/err"
        status=$?
        if [ $status -eq 0 ] || { [ $status -eq 3 ] && grep -qE ':[0-9]+:[0-9]+: error: .{10}' "$home/out"; }; then
            pass
        else
            fail "validate $file" "exit status $status"
        fi
    done < <(find "$cases"/rustchain* -type f \( -name '*.y*ml' -o -name '*.json' \) | sort)
else
    skip "workflow files of others" "$cases is not here"
fi
