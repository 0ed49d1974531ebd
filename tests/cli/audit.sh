# shellcheck shell=bash disable=SC2154,SC2034
# audit keygen, seal, verify with checkpoints: what was signed, and what was changed since.

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

t "audit verify of an older copy" 0 "out:integrity (L1)" -- audit verify --db old.db
t "audit verify of an older copy with a checkpoint" 6 out= "err:an older copy of the database put back" -- audit verify --db old.db --checkpoint second.checkpoint --vkey @two.vkey
t "audit seal of an older copy" 6 out= "err:refused to sign" -- audit seal --db old.db --signer two.key
rm two.key.state
t "audit seal without its state" 7 out= "err:cannot sign without" -- audit seal --signer two.key
