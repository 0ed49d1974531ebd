# shellcheck shell=bash disable=SC2154,SC2034
# Command lines: help, suggestions, options, exit status 2.

t "no command shows the overview and is a usage error" 2 out= "err:Commands" "err:stepwell run --resume" --
t "--help" 0 err= "out:Examples" "out:audit verify" "out:Exit codes" -- --help
t "-h" 0 err= "out:Commands" -- -h
t "help" 0 err= "out:Commands" -- help
t "help of a command has examples before options" 0 "out:stepwell run nightly.yml" "out:--timeout SECONDS" -- help run
check "examples come first" "$python" -c '
import subprocess, sys
text = subprocess.run([sys.argv[1], "run", "--help"], capture_output=True, text=True).stdout
sys.exit(not text.index("Examples") < text.index("Usage") < text.index("Options"))' "$stepwell"
t "help of a command with two words" 0 "out:Proves level 1" -- help audit verify
for command in run validate plan list show explain whatif cancel prune worker "audit verify" "audit keygen" "audit seal" "audit prove" "audit check" "audit export" version help; do
    # The name of a command may be two words.
    # shellcheck disable=SC2086
    t "$command --help" 0 err= "out:Usage" "out:stepwell $command" "out:Examples" -- $command --help
    # shellcheck disable=SC2086
    t "$command refuses an unknown option" 2 out= "err:unknown option '--frobnicate'" "err:stepwell $command --help" -- $command --frobnicate
done
check "help fits in 80 columns" "$python" -c '
import subprocess, sys
words = [[], ["run"], ["validate"], ["plan"], ["list"], ["show"], ["explain"], ["whatif"], ["cancel"], ["prune"], ["worker"], ["audit", "verify"], ["audit", "keygen"], ["audit", "seal"], ["audit", "prove"], ["audit", "check"], ["audit", "export"]]
for word in words:
    for line in subprocess.run([sys.argv[1], *word, "--help"], capture_output=True, text=True).stdout.splitlines():
        if len(line) > 80:
            sys.exit(line)' "$stepwell"
t "version" 0 "outre:^stepwell [0-9]+\.[0-9]+\.[0-9]+$" -- version
t "--version" 0 "outre:^stepwell [0-9]+\.[0-9]+\.[0-9]+$" -- --version
t "version --json" 0 'json:set(d) == {"version"}' -- version --json

t "unknown command" 2 out= "err:unknown command 'frobnicate'" "noerr:did you mean" -- frobnicate
t "a typo gets a suggestion" 2 "err:unknown command 'valdiate'; did you mean 'validate'?" -- valdiate x.yml
t "the beginning of a command gets a suggestion" 2 "err:did you mean 'explain'?" -- expl
t "half of a command gets a suggestion" 2 "err:did you mean 'audit verify'?" -- audit
t "a typo in the second word" 2 "err:unknown command 'audit verfy'; did you mean 'audit verify'?" -- audit verfy
t "help for an unknown command" 2 "err:unknown command 'lsit'; did you mean 'list'?" -- help lsit
t "a typo in an option" 2 "err:unknown option '--timout'; did you mean '--timeout'?" -- run x.yml --timout 3
t "options are not abbreviated" 2 "err:unknown option '--lim'; did you mean '--limit'?" -- list --lim 3
t "abbreviated with a value" 2 "err:unknown option '--lim'" -- list --lim=3
t "an unknown letter" 2 "err:unknown option '-z'" -- list -z
t "an option without its value" 2 "err:option '--limit' needs a value: N" -- list --limit
t "a flag with a value" 2 "err:option '--json' takes no value" -- list --json=yes
t "not a number" 2 "err:'--limit' needs a whole number from 1 to 10000, not 'many'" -- list --limit many
t "a number out of range" 2 "err:not '0'" -- list --limit 0
t "a number beyond 64 bits" 2 "err:not '99999999999999999999'" -- list --limit 99999999999999999999
t "not a choice" 2 "err:option '--state' cannot be 'ended'" "err:one of: pending, running" -- list --state ended
t "a missing argument" 2 "err:'validate' needs the argument FILE" -- validate
t "an argument too many" 2 "err:'list' has no use for the argument 'x'" -- list x
t "an option of another command" 2 "err:'validate' takes no option '--db'" -- --db x.db validate y.yml
t "run without a file" 2 "err:'run' needs the argument FILE, or --resume" -- run
t "--resume with an option for new tasks" 2 "err:--key is for new ones" -- run --resume --key k
t "cancel needs a task" 2 "err:'cancel' needs the argument TASK" -- cancel
t "-- ends the options" 7 "err:cannot read '--json'" -- validate -- --json
t "a usage error as a problem object" 2 out= 'errjson:d["code"] == "usage" and d["exit_code"] == 2 and d["type"].startswith("urn:stepwell:problem:") and "did you mean" in d["detail"] and d["title"]' -- lst --json
t "no command with --json" 2 out= 'errjson:d["code"] == "usage"' -- --json
