# shellcheck shell=bash disable=SC2154,SC2034
# audit keygen, seal, verify with checkpoints, prove, check, export: what was signed, what was
# changed since.

cat >two.yml <<'YAML'
name: two
version: "1.0"
steps:
  - { id: one, name: One, step_type: noop, parameters: {} }
  - { id: two, name: Two, step_type: noop, depends_on: [one], parameters: {} }
YAML
"$stepwell" run two.yml >/dev/null
vkey="^example\.com/two\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$"

t "audit keygen" 0 "outre:$vkey" "err:wrote two.key and two.key.state" -- audit keygen example.com/two --signer two.key
cp "$home/out" two.vkey
check "the key is for its owner only" test "$(stat -c %a two.key two.key.state | sort -u)" = 600
t "audit keygen keeps what is there" 4 out= "err:cannot make" -- audit keygen example.com/two --signer two.key
t "audit keygen without a file" 2 out= "err:needs --signer FILE" -- audit keygen example.com/two
t "audit keygen without a name" 2 out= "err:needs the argument NAME" -- audit keygen --signer x.key
t "audit keygen with a name that cannot be one" 2 out= 'err:visible ASCII characters without "+"' -- audit keygen a+b --signer x.key
t "audit keygen --json" 0 'json:d["name"] == "example.com/other" and d["vkey"].startswith("example.com/other+")' -- audit keygen example.com/other --signer other.key --json

t "audit seal" 0 "outre:^example\.com/two$" "outre:^— example\.com/two [A-Za-z0-9+/=]+$" "err:signed " -- audit seal --signer two.key
cp "$home/out" first.checkpoint
t "audit seal again signs nothing new" 0 "err:, 0 of them new" -- audit seal --signer two.key
cp "$home/out" again.checkpoint
check "the same checkpoint" diff again.checkpoint first.checkpoint
cp stepwell.db old.db
"$stepwell" run two.yml >/dev/null
t "audit seal into a file" 0 out= "err:wrote second.checkpoint" -- audit seal --signer two.key -o second.checkpoint
t "audit seal --json" 0 'json:d["origin"] == "example.com/two" and d["new"] == 0 and d["entries"] > 8 and "\n\n" in d["checkpoint"]' -- audit seal --signer two.key --json
t "audit seal without a key" 2 out= "err:needs --signer FILE" -- audit seal
t "audit seal with a key that is not there" 7 out= "err:none.key" -- audit seal --signer none.key
t "audit seal of a database that is not there" 7 out= "err:there is no database" -- audit seal --signer two.key --db none.db
"$stepwell" run two.yml >/dev/null

t "audit verify with a checkpoint" 0 err= "outre:^OK  signed \(L2\): the first [0-9]+ entries are those of 1 checkpoint, " "outre:^    root sha256:[0-9a-f]{64}$" -- audit verify --checkpoint first.checkpoint --vkey @two.vkey
t "audit verify with several" 0 "out:of 2 checkpoints" -- audit verify --checkpoint first.checkpoint --checkpoint second.checkpoint --vkey "$(cat two.vkey)"
t "audit verify with checkpoints as JSON" 0 'json:d["level"] == "L2 signed" and d["signed"] > 8 and d["unsealed_tail"] == d["entries"] - d["signed"] > 0' -- audit verify --checkpoint second.checkpoint --vkey @two.vkey --json
t "audit verify without a key" 2 out= "err:go together" -- audit verify --checkpoint first.checkpoint
t "audit verify without a checkpoint" 2 out= "err:go together" -- audit verify --vkey @two.vkey
t "audit verify with a text that is no key" 2 out= "err:no verifier key" -- audit verify --checkpoint first.checkpoint --vkey none
t "audit verify with a checkpoint that is not there" 7 out= "err:none.checkpoint" -- audit verify --checkpoint none.checkpoint --vkey @two.vkey
"$stepwell" audit keygen example.com/two --signer third.key >third.vkey 2>/dev/null
t "audit verify with another key" 6 out= "err:not signed by any of the keys" -- audit verify --checkpoint first.checkpoint --vkey @third.vkey
sed 's/^example/Example/' first.checkpoint >forged.checkpoint
t "audit verify with a forged checkpoint" 6 out= "err:its signature is not good" -- audit verify --checkpoint forged.checkpoint --vkey @two.vkey

task=$("$stepwell" list --json --limit 2 | "$python" -c 'import json, sys; print(json.load(sys.stdin)["tasks"][1]["task"])')
verifier=("$python" "$project/docs/examples/audit/verify_proof.py" "$(cat two.vkey)")
t "audit prove a step" 0 err= "outre:^c2sp.org/tlog-proof@v1$" -- audit prove "$task" --step one --checkpoint second.checkpoint
cp "$home/out" step.proof
t "audit check" 0 err= "outre:^OK  entry [0-9]+, step_changed, .*, step one, ready to running: in the log of [0-9]+ entries of example.com/two$" "out:running to succeeded" -- audit check step.proof --vkey @two.vkey
t "audit check from standard input" 0 "out:OK" "in:$(cat step.proof)
" -- audit check - --vkey @two.vkey
t "audit check --json" 0 'json:len(all) == 2 and all[0]["ok"] and all[0]["step"] == "one" and all[0]["to"] == "running"' -- audit check step.proof --vkey @two.vkey --json
t "audit prove entries" 0 out= "err:wrote entry.proof" -- audit prove --entry 3 --checkpoint second.checkpoint -o entry.proof
check "the verifier in Python agrees" "${verifier[@]}" entry.proof
t "audit prove --json" 0 'json:len(all) == 2 and d["entry"] == 3 and d["proof"].startswith("c2sp.org/tlog-proof@v1\n")' -- audit prove --entry 2 --entry 3 --checkpoint second.checkpoint --json
"$stepwell" run two.yml --detach --db part.db >/dev/null
"$stepwell" audit keygen example.com/part --signer part.key >/dev/null 2>&1
"$stepwell" audit seal --signer part.key --db part.db -o part.checkpoint 2>/dev/null
"$stepwell" run --resume --db part.db >/dev/null
part=$("$stepwell" list --json --db part.db | "$python" -c 'import json, sys; print(json.load(sys.stdin)["tasks"][0]["task"])')
t "audit prove what is newer in part" 0 "err:newer entries are not signed yet" -- audit prove "$part" --checkpoint part.checkpoint --db part.db
t "audit prove what is newer" 7 out= "err:covers no entry about that" -- audit prove "$(newest)" --checkpoint first.checkpoint
t "audit prove an entry that is newer" 2 out= "err:is none of the" -- audit prove --entry 999 --checkpoint first.checkpoint
t "audit prove no number" 2 out= "err:'--entry' needs a number" -- audit prove --entry x --checkpoint first.checkpoint
t "audit prove nothing" 2 out= "err:needs one --checkpoint with TASK or --entry" -- audit prove --checkpoint first.checkpoint
t "audit prove without a checkpoint" 2 out= "err:needs one --checkpoint" -- audit prove --entry 3
t "audit prove consistency" 0 out= "err:wrote both.proof" -- audit prove --checkpoint first.checkpoint --checkpoint second.checkpoint -o both.proof
t "audit check of consistency" 0 "outre:^OK  the first [0-9]+ entries are those of the older checkpoint: " -- audit check both.proof --vkey @two.vkey --checkpoint first.checkpoint
check "the verifier in Python agrees about consistency" "${verifier[@]}" both.proof first.checkpoint
t "audit check of consistency as JSON" 0 'json:d["entries"] > d["old_entries"] > 8' -- audit check both.proof --vkey @two.vkey --checkpoint first.checkpoint --json
t "audit check of consistency with another checkpoint" 6 out= "err:is not given" -- audit check both.proof --vkey @two.vkey --checkpoint second.checkpoint
t "audit check without a key" 2 out= "err:needs --vkey" -- audit check entry.proof
t "audit check with another key" 6 out= "err:not signed by any of the keys" -- audit check entry.proof --vkey @third.vkey
sed 's/^index 2/index 1/' entry.proof >forged.proof
t "audit check of a forged proof" 6 out= "err:the proof does not hold" -- audit check forged.proof --vkey @two.vkey
check "the verifier in Python refuses it" bash -c '! "$@" 2>/dev/null' - "${verifier[@]}" forged.proof
if command -v ruby >/dev/null; then
    rubies=(ruby "$project/docs/examples/audit/verify_proof.rb" "$(cat two.vkey)")
    check "the verifier in Ruby agrees" "${rubies[@]}" entry.proof
    check "the verifier in Ruby agrees about consistency" "${rubies[@]}" both.proof first.checkpoint
    check "the verifier in Ruby refuses it" bash -c '! "$@" 2>/dev/null' - "${rubies[@]}" forged.proof
fi

t "audit export" 0 out= "err:wrote public" -- audit export public --checkpoint first.checkpoint
t "audit verify of an export" 0 "outre:^OK  signed \(L2\): the [0-9]+ entries of the folder are those of 1 checkpoint" "noout:head" -- audit verify --export public --vkey @two.vkey
t "audit export adds to a folder" 0 "err:wrote public/" -- audit export public/ --checkpoint second.checkpoint
t "audit verify of an export with an older checkpoint" 0 "out:are those of 2 checkpoints" -- audit verify --export public --vkey @two.vkey --checkpoint first.checkpoint
t "audit verify of an export as JSON" 0 'json:d["ok"] and d["level"] == "L2 signed" and d["signed"] == d["entries"]' -- audit verify --export public --vkey @two.vkey --json
for jobs in 1 2 64; do
    t "audit verify of an export by $jobs" 0 "outre:^OK  signed \(L2\)" -- audit verify --export public --vkey @two.vkey --jobs $jobs
done
t "audit verify of an export by no thread" 2 out= "err:--jobs" -- audit verify --export public --vkey @two.vkey --jobs 0
t "audit verify of an export by too many" 2 out= "err:--jobs" -- audit verify --export public --vkey @two.vkey --jobs 65
for jobs in 1 2 64; do
    t "audit verify of a database by $jobs" 0 "out:integrity (L1)" -- audit verify --jobs $jobs
    t "audit verify of a signed database by $jobs" 0 "out:signed (L2)" -- audit verify --checkpoint second.checkpoint --vkey @two.vkey --jobs $jobs
done
t "audit verify of a database by no thread" 2 out= "err:--jobs" -- audit verify --jobs 0
t "audit verify of a database by too many" 2 out= "err:--jobs" -- audit verify --jobs 65
t "audit prove from an export" 0 out= "err:wrote exported.proof" -- audit prove --export public --entry 3 --checkpoint second.checkpoint -o exported.proof --db none.db
check "it is the proof that the log gives" diff entry.proof exported.proof
t "audit prove consistency from an export" 0 out= "err:wrote both.exported" -- audit prove --export public --checkpoint first.checkpoint --checkpoint second.checkpoint -o both.exported --db none.db
check "it is that of the log, too" diff both.proof both.exported
t "audit prove a task from an export" 0 "outre:^c2sp.org/tlog-proof@v1$" -- audit prove --export public "$task" --checkpoint second.checkpoint
t "audit prove from a folder that is none" 7 out= "err:cannot read" -- audit prove --export none --entry 3 --checkpoint second.checkpoint
t "audit verify of an export with another key" 6 out= "err:not signed by any of the keys" -- audit verify --export public --vkey @third.vkey
t "audit verify of an export without a key" 2 out= "err:needs --vkey" -- audit verify --export public
t "audit verify of a folder that is none" 7 out= "err:cannot read" -- audit verify --export . --vkey @two.vkey
t "audit export --json" 0 'json:d == {"folder": "public"}' -- audit export public --checkpoint second.checkpoint --json
t "audit export without a checkpoint" 2 out= "err:needs one --checkpoint" -- audit export public
t "audit export of another log" 6 out= "err:is not the one" -- audit export other --checkpoint second.checkpoint --db part.db
printf x >>"$(find public/tile/entries -name '[0-9]*' -type f | sort | tail -1)"
t "audit verify of an export that was edited" 6 out= "err:does not hold" -- audit verify --export public --vkey @two.vkey
t "audit verify of an export that was edited, by several" 6 out= "err:does not hold" -- audit verify --export public --vkey @two.vkey --jobs 3

t "audit verify of an older copy" 0 "out:integrity (L1)" -- audit verify --db old.db
t "audit verify of an older copy with a checkpoint" 6 out= "err:an older copy of the database put back" -- audit verify --db old.db --checkpoint second.checkpoint --vkey @two.vkey
t "audit seal of an older copy" 6 out= "err:refused to sign" -- audit seal --db old.db --signer two.key
"$stepwell" run two.yml >/dev/null
t "audit rotate" 0 "outre:$vkey" "err:new.key signs from entry" -- audit rotate new.key --signer two.key -o rotation.checkpoint
t "audit seal with the new key" 0 out= "err:wrote third.checkpoint" -- audit seal --signer new.key -o third.checkpoint
t "audit seal with the old key" 4 out= "err:another key has replaced" -- audit seal --signer two.key
t "audit verify over a rotation" 0 "out:of 3 checkpoints" -- audit verify --checkpoint second.checkpoint --checkpoint rotation.checkpoint --checkpoint third.checkpoint --vkey @two.vkey
"$stepwell" run two.yml >/dev/null
"$stepwell" audit seal --signer new.key -o fourth.checkpoint 2>/dev/null
t "audit verify with the old key and no rotation" 6 out= "err:not signed by any of the keys" -- audit verify --checkpoint fourth.checkpoint --vkey @two.vkey
t "audit rotate to a key of another name" 4 out= "err:another name" -- audit rotate other.key --signer new.key -o none.checkpoint
t "audit rotate without a file for the checkpoint" 2 out= "err:needs --output" -- audit rotate x.key --signer new.key
t "audit rotate --json" 0 'json:d["name"] == "example.com/two" and d["vkey"].startswith("example.com/two+") and d["entries"] > 8' -- audit rotate last.key --signer new.key -o last.checkpoint --json
rm last.key.state
t "audit seal without its state" 7 out= "err:cannot sign without" -- audit seal --signer last.key
