# shellcheck shell=bash disable=SC2154,SC2034
# breaker list, open and close: circuit breakers of external services, by hand.

cat >pay.yml <<'YML'
stepwell: 1
name: pay
breakers:
  payments: { failure_threshold: 1, open_ms: 60000 }
steps:
  - name: charge
    handler: command
    breaker: payments
    retry: { max_attempts: 3, backoff: none }
    parameters: { command: test, args: [-e, paid] }
YML

t "breaker list without a database" 7 out= "err:cannot open the database" -- breaker list
t "plan names the breaker" 0 "out:breaker payments" -- plan pay.yml
t "a failure opens it, and the task waits" 124 -- run pay.yml --timeout 1
t "breaker list" 0 err= "outre:^BREAKER +STATE +FAILURES" "outre:^payments +open +1/1 +0/1 +20" -- breaker list
t "breaker list --json" 0 'json:[(b["breaker"], b["state"], b["failures"], b["openings"], b["forced"], b["open_ms"]) for b in d["breakers"]] == [("payments", "open", 1, 1, False, 60000)]' -- breaker list --json
t "breaker list --quiet" 0 out= err= -- breaker list -q
t "explain says so" 0 "outre:charge is ready, but the circuit payments is open for another [0-9.]+ s: 1 failure in a row" -- explain
t "breaker open without a reason" 2 out= "err:'breaker open' needs --reason" -- breaker open payments
t "breaker open of none" 2 out= -- breaker open --reason x
t "breaker open of another" 7 out= "err:there is no breaker 'payment'" -- breaker open payment --reason x
t "breaker open" 0 "outre:^payments +open .*closed by hand" -- breaker open payments --reason "they are down" --actor ann
t "breaker open for a time" 0 'json:d["breakers"][0]["until"] is not None and d["breakers"][0]["forced"]' -- breaker open payments --for 600 --reason "they are down" --actor ann --json
t "explain says it was by hand" 0 "out:it was opened by hand" -- explain
t "breaker close has no time" 2 "err:'--for'" -- breaker close payments --for 5 --reason x
touch paid
t "breaker close" 0 "outre:^payments +closed +0/1" -- breaker close payments --reason "they are back" --actor ann
t "the task goes on" 0 -- run --resume
t "the log still verifies" 0 "out:OK" -- audit verify
