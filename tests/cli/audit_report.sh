# shellcheck shell=bash disable=SC2154,SC2034,SC2016
# audit report: tables and documents, from the database and from an export, checked by two other
# verifiers; signatures of reports.

cat >two.yml <<'YAML'
name: two
version: "1.0"
steps:
  - { id: one, name: One, step_type: noop, parameters: {} }
  - { id: two, name: Two, step_type: noop, depends_on: [one], parameters: {} }
YAML
"$stepwell" run -q two.yml --tag subject:c1 --input '{"name": "x"}'
"$stepwell" erase -q c1 --actor 'bea<script>|x' --reason "request of May"
"$stepwell" audit keygen example.com/two --signer two.key >two.vkey 2>/dev/null
"$stepwell" audit seal -q --signer two.key -o two.checkpoint
"$stepwell" audit export -q public --checkpoint two.checkpoint
trust=(--checkpoint two.checkpoint --vkey @two.vkey)

t "audit report" 0 "outre:^STANDARD +CONTROL +ANSWER +TITLE +ENTRIES" "outre:^pci +10\.2\.1\.2 +found " "outre:^pci +10\.3\.4 +not found " "outre:^pci +10\.2\.1\.1 +not applicable " "outre:^gdpr +17 +found +Erasing a person's data +[0-9]+$" "err:not applicable, in the" -- audit report "${trust[@]}"
t "audit report of one standard" 0 "outre:^gdpr +25 " "noout:soc2" "noout:pci" -- audit report "${trust[@]}" --standard gdpr
t "audit report of two standards" 0 "out:gdpr" "out:soc2" "noout:pci" -- audit report "${trust[@]}" --standard gdpr --standard soc2
t "audit report of a time with nothing in it" 0 'json:d["window"]["entries"] == 0 and [e for e in d["evidence"] if e["evidence"] == "events"][0]["answer"] == "not_found"' -- audit report "${trust[@]}" --until 2001-01-01 --as json
t "audit report --json" 0 'json:len(all) == 1 and d["report"] == "stepwell control report 1" and d["log"]["level"] == "signed" and d["window"]["since_us"] is None and len(d["controls"]) > 40' -- audit report "${trust[@]}" --json
t "audit report --quiet" 0 out= err= -- audit report "${trust[@]}" --quiet
for as in json markdown html; do
    "$stepwell" audit report "${trust[@]}" --as "$as" >"db.$as"
    "$stepwell" audit report --export public --vkey @two.vkey --as "$as" >"export.$as"
    check "a database and its export give the same $as" cmp "db.$as" "export.$as"
    check "the $as does not judge" bash -c '! grep -qi complian "$1"' _ "db.$as"
done
for as in markdown html; do
    check "names are escaped in $as" bash -c '! grep -qF "<script" "$1" && grep -qF "bea&lt;script" "$1"' _ "db.$as"
done
check "a page loads nothing" bash -c '! grep -qiE "https?://|<script|<link|<img|@import|url\(" db.html'

t "audit report into a page" 0 out= "err:wrote report.html" -- audit report "${trust[@]}" -o report.html
check "the name of the file says how" cmp report.html db.html
t "audit report into Markdown" 0 out= -- audit report "${trust[@]}" -o report.md
check "of Markdown, too" cmp report.md db.markdown
t "audit report, signed" 0 out= "err:wrote report.json" "err:wrote report.json.sig" -- audit report "${trust[@]}" -o report.json --signer two.key
t "audit check of a report" 0 "out:OK  the report is as example.com/two signed it" -- audit check report.json --signature report.json.sig --vkey @two.vkey
t "audit check of a report as JSON" 0 'json:d == {"ok": True, "signed_by": "example.com/two"}' -- audit check report.json --signature report.json.sig --vkey @two.vkey --json
sed 's/"not_found"/"found"/' report.json >edited.json
t "audit check of an edited report" 6 out= "err:the report was edited" -- audit check edited.json --signature report.json.sig --vkey @two.vkey
t "audit check with something else" 6 out= "err:the signature" -- audit check report.json --signature two.checkpoint --vkey @two.vkey
t "audit check of a report without a key" 2 out= "err:needs --vkey" -- audit check report.json --signature report.json.sig

verifiers=("$python $project/docs/examples/audit/verify_report.py")
! command -v ruby >/dev/null || verifiers+=("ruby $project/docs/examples/audit/verify_report.rb")
for verifier in "${verifiers[@]}"; do
    read -ra words <<<"$verifier"
    words+=("$(cat two.vkey)")
    check "${words[0]} agrees" "${words[@]}" report.json public report.json.sig
    check "${words[0]} refuses an edited one" bash -c '! "$@"' _ "${words[@]}" edited.json public
    check "${words[0]} refuses another's signature" bash -c '! "$@"' _ "${words[@]}" edited.json public report.json.sig
done

"$stepwell" audit anchor -q --anchor file:far.txt "${trust[@]}"
t "audit report with an anchor" 0 "outre:^pci +10\.3\.4 +found " "outre:^nist +AU-8 +found " -- audit report "${trust[@]}" --anchor file:far.txt
t "audit report with nothing but an anchor" 0 "outre:^pci +10\.3\.4 +found " -- audit report --vkey @two.vkey --anchor file:far.txt
"$stepwell" audit report -q --anchor file:far.txt --export public --vkey @two.vkey -o anchored.json
for verifier in "${verifiers[@]}"; do
    read -ra words <<<"$verifier"
    check "${words[0]} agrees about anchors" "${words[@]}" "$(cat two.vkey)" anchored.json public
done

t "audit report --list" 0 "outre:^pci +10\.2\.1\.2 +Administrative actions +Does every" "out:gdpr" -- audit report --list
t "audit report --list of a standard" 0 "out:iso27001" "noout:gdpr" -- audit report --list --standard iso27001
t "audit report --list --json" 0 'json:len(all) > 40 and d["standard"] == "gdpr" and all[0] == {"standard": "soc2", "cites": all[0]["cites"], "control": "CC6.1", "title": all[0]["title"], "question": all[0]["question"], "evidence": ["requests", "operators", "workers"]}' -- audit report --list --json
t "audit report without a key" 2 out= "err:needs --vkey" -- audit report --checkpoint two.checkpoint
t "audit report without a checkpoint" 2 out= "err:evidence is what was signed" -- audit report --vkey @two.vkey
t "audit report of a standard that is none" 2 out= "err:there is no standard 'iso9001' here" -- audit report "${trust[@]}" --standard iso9001
t "audit report in a format of entries" 2 out= "err:JSON, Markdown or HTML" -- audit report "${trust[@]}" --as csv
t "audit report into a file of no format" 2 out= "err:JSON, Markdown or HTML" -- audit report "${trust[@]}" -o report.txt
t "audit report signed into nothing" 2 out= "err:--signer needs --output" -- audit report "${trust[@]}" --signer two.key
t "audit report with a time that is none" 2 out= "err:needs a time" -- audit report "${trust[@]}" --since soon
t "audit report of a folder that is none" 7 out= "err:no report is made" -- audit report --export none --vkey @two.vkey
t "audit report without a database" 7 out= "err:there is no database" -- audit report "${trust[@]}" --db none.db
"$stepwell" audit keygen example.com/two --signer other.key >other.vkey 2>/dev/null
t "audit report with another key" 6 out= "err:not signed by any of the keys" -- audit report --checkpoint two.checkpoint --vkey @other.vkey
t "audit list in a format of reports" 2 out= "err:jsonl, yaml or csv, not 'html'" -- audit list --as html
t "compliance is called otherwise here" 2 out= "err:stepwell audit report" -- compliance report
