# shellcheck shell=bash disable=SC2154,SC2034
# audit anchor, and audit verify --anchor: checkpoints in places outside, and what becomes known when
# the database is rolled back, its key is stolen, or a place is gone or lies.

cat >one.yml <<'YAML'
name: one
version: "1.0"
steps:
  - { id: one, name: One, step_type: noop, parameters: {} }
YAML
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
"$stepwell" run one.yml >/dev/null
"$stepwell" audit keygen example.com/one --signer one.key >one.vkey 2>/dev/null
"$stepwell" audit seal --signer one.key -o first.checkpoint 2>/dev/null
given=(--checkpoint first.checkpoint --vkey @one.vkey)

t "audit verify says that there is no anchor" 0 "out:last anchor: none" -- audit verify "${given[@]}"
t "audit verify says so in JSON" 0 'json:d["anchored"] == 0 and d["last_anchor"] is None' -- audit verify --json
mkdir far
t "audit anchor in a file" 0 out= "err:anchored 8 entries at file:far/anchors" -- audit anchor --anchor file:far/anchors "${given[@]}"
t "audit verify with an anchor" 0 "outre:^OK  anchored \(L3\): 1 anchor outside holds the first 8 entries; signed" "outre:last anchor: .* old, 20" -- audit verify --anchor file:far/anchors --vkey @one.vkey
t "audit verify with an anchor as JSON" 0 'json:d["level"] == "L3 anchored" and d["anchored"] == 8 and d["last_anchor_age_seconds"] < 3600' -- audit verify --anchor file:far/anchors --vkey @one.vkey --json

git init --quiet repo
t "audit anchor in git" 0 "err:at git:repo" -- audit anchor --anchor git:repo "${given[@]}"
check "a commit says what it is" test "$(git -C repo log -1 --format=%s)" = "checkpoint of 8 entries of example.com/one"
t "audit verify with an anchor in git" 0 "out:anchored (L3)" -- audit verify --anchor git:repo --vkey @one.vkey
t "audit anchor in a second database" 0 "err:at db:far/anchors.db" -- audit anchor --anchor db:far/anchors.db "${given[@]}"
t "audit verify with a second database" 0 "out:anchored (L3)" -- audit verify --anchor db:far/anchors.db --vkey @one.vkey
t "a second database without an anchor" 7 out= "err:holds no anchor of" -- audit verify --anchor db:far/anchors.db --vkey "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
t "a second database that is none" 8 out= "err:not a database" -- audit verify --anchor db:far/anchors --vkey @one.vkey
t "a second database that is not there" 7 out= "err:unable to open" -- audit verify --anchor db:far/none.db --vkey @one.vkey
printf 'Nov 29 00:00:01 host stepwell: ' >system.log
tail -1 far/anchors >>system.log
t "audit anchor in the system's log" 0 "err:at syslog:" "err:does not say whether that arrived" -- audit anchor --anchor syslog:system.log "${given[@]}"
t "audit anchor in the system's log, wherever that is collected" 0 "err:at syslog:" -- audit anchor --anchor syslog: "${given[@]}"
t "audit verify with a line of the system's log" 0 "out:anchored (L3)" -- audit verify --anchor file:system.log --vkey @one.vkey
t "audit verify with the system's log" 0 "out:anchored (L3)" -- audit verify --anchor syslog:system.log --vkey @one.vkey
t "audit verify with a system's log that is not there" 7 out= "err:none.log" -- audit verify --anchor syslog:none.log --vkey @one.vkey
t "audit verify with the system's log itself" 2 out= "err:read as the file that it is collected in" -- audit verify --anchor syslog: --vkey @one.vkey
t "audit verify with several anchors" 0 "out:2 anchors outside hold" -- audit verify --anchor file:far/anchors --anchor git:repo --vkey @one.vkey

if command -v curl >/dev/null; then
    declare -A ports
    for kind in honest lie deaf; do
        mkfifo "$kind.pipe"
        "$python" "$project/tests/cli/witness.py" "$(cat one.vkey)" "$kind" >"$kind.pipe" &
        ports[$kind.process]=$!
        read -r "ports[$kind]" key <"$kind.pipe"
    done
    echo "$key" >witness.vkey
    honest=http://127.0.0.1:${ports[honest]}/w1
    keys=(--vkey @one.vkey --vkey @witness.vkey)
    t "audit anchor at a witness" 0 out= "err:wrote first.cosigned" -- audit anchor --anchor "$honest" --checkpoint first.checkpoint "${keys[@]}" -o first.cosigned
    check "the witness has signed it" grep -q "^— witness.example/w1 " first.cosigned
    t "audit verify with a cosigned checkpoint" 0 "out:anchored (L3)" -- audit verify --checkpoint first.cosigned "${keys[@]}"
    t "a cosignature means nothing without its key" 0 "outre:^OK  signed \(L2\)" "out:last anchor: none" -- audit verify --checkpoint first.cosigned --vkey @one.vkey
    t "audit verify with what the witness serves" 0 "out:anchored (L3)" -- audit verify --anchor "$honest" "${keys[@]}"
    "$stepwell" run one.yml >/dev/null
    "$stepwell" audit seal --signer one.key -o second.checkpoint 2>/dev/null
    t "audit anchor proves to the witness that the log has grown" 0 "err:anchored 15 entries" -- audit anchor --anchor "$honest" --checkpoint second.checkpoint "${keys[@]}"
    t "audit anchor of the same again" 0 "err:anchored 15 entries" -- audit anchor --anchor "$honest" --checkpoint second.checkpoint "${keys[@]}"
    t "audit anchor of an older checkpoint" 6 out= "err:the witness saw 15 entries of the log already" -- audit anchor --anchor "$honest" --checkpoint first.checkpoint "${keys[@]}"
    t "audit anchor with a witness that lies" 6 out= "err:its signature is not good" -- audit anchor --anchor "http://127.0.0.1:${ports[lie]}/w1" --checkpoint first.checkpoint "${keys[@]}"
    t "audit anchor with a witness that fails" 8 out= "err:answers with status 500" -- audit anchor --anchor "http://127.0.0.1:${ports[deaf]}/w1" --checkpoint first.checkpoint "${keys[@]}"
    t "audit anchor without the witness's key" 6 out= "err:with no cosignature by a key given" -- audit anchor --anchor "$honest" --checkpoint second.checkpoint --vkey @one.vkey
    t "audit anchor at a witness that is not there" 8 out= "err:does not answer" -- audit anchor --anchor http://127.0.0.1:1/w1 --checkpoint first.checkpoint "${keys[@]}"
    for kind in honest lie deaf; do
        kill "${ports[$kind.process]}"
    done
fi

# Who has stolen the key and its state of before, and rolls the database back, signs another history.
cp one.key thief.key
"$stepwell" run one.yml --db forged.db >/dev/null
"$stepwell" run one.yml --db forged.db >/dev/null
cat >thief.key.state <<'STATE'
stepwell signer state 1
segment 0 0000000000000000000000000000000000000000000000000000000000000000

STATE
chmod 600 thief.key.state
"$stepwell" audit seal --signer thief.key --db forged.db -o forged.checkpoint 2>/dev/null
t "a stolen key passes level 2" 0 "outre:^OK  signed \(L2\)" -- audit verify --db forged.db --checkpoint forged.checkpoint --vkey @one.vkey
t "but no anchor" 6 out= "err:were rewritten" -- audit verify --db forged.db --checkpoint forged.checkpoint --anchor file:far/anchors --vkey @one.vkey

t "an anchor that is gone" 7 out= "err:cannot read the anchor" -- audit verify --anchor file:none --vkey @one.vkey
t "an anchor of another log" 7 out= "err:holds no anchor of" -- audit verify --anchor file:far/anchors --vkey "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
t "a folder without git" 7 out= "err:git rev-parse" -- audit anchor --anchor git:far "${given[@]}"
t "git without an anchor" 7 out= "err:git show" -- audit verify --anchor git:repo --vkey "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
t "a place of no kind" 2 out= "err:a place is file:PATH" -- audit anchor --anchor far "${given[@]}"
t "audit anchor without a place" 2 out= "err:needs --anchor" -- audit anchor "${given[@]}"
"$stepwell" audit keygen example.com/one --signer other.key >other.vkey 2>/dev/null
t "an anchor by another key" 6 out= "err:the anchor \"file:far/anchors\" cannot be trusted" -- audit verify --anchor file:far/anchors --vkey @other.vkey
t "a checkpoint by another key is not anchored" 6 out= "err:cannot be trusted" -- audit anchor --anchor file:far/anchors --checkpoint first.checkpoint --vkey @other.vkey
sed -i 's/./&x/40' far/anchors
t "an anchor that was damaged" 7 out= "err:holds no anchor" -- audit verify --anchor file:far/anchors --vkey @one.vkey
