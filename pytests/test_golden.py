"""The golden scenarios (tests/golden/README.md), played through the binding on both stores."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from typing import Any, Dict, List

import pytest
import stepwell
from helper import ROOT
from stepwell import Engine
from stepwell._values import decode

FOLDER = ROOT / "tests" / "golden"
SCENARIOS = sorted(FOLDER.glob("*.json"))


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Player:
    """Plays one scenario on an engine."""

    def __init__(self, engine: Engine, scenario: Dict[str, Any]) -> None:
        self.engine = engine
        self.scenario = scenario
        self.workflow = scenario["workflow"]["name"]
        self.workers: Dict[str, int] = {}
        self.tasks: Dict[str, str] = {}
        self.claims: Dict[str, Dict[Any, stepwell.Claim]] = defaultdict(dict)
        self.held: Dict[str, Dict[int, stepwell.Claim]] = defaultdict(dict)

    def play(self) -> None:
        self.engine.register(compact(self.scenario["workflow"]))
        for number, operation in enumerate(self.scenario["script"]):
            verb = next(iter(operation))
            try:
                self.operate(verb, operation)
            except AssertionError as error:
                place = f"operation {number}, {compact(operation)}"
                raise AssertionError(f"{place}: {error}") from error
        self.check_end()

    def operate(self, verb: str, operation: Dict[str, Any]) -> None:
        expected = operation.get("error")
        try:
            getattr(self, f"do_{verb}")(operation)
        except stepwell.Error as error:
            assert type(error).__name__ == expected, error
        else:
            assert expected is None, f"did not raise {expected}"

    def do_open(self, operation: Dict[str, Any]) -> None:
        steps = self.scenario["workflow"]["steps"]
        every = [step.get("handler", f"{self.workflow}.{step['name']}") for step in steps]
        self.workers[operation["open"]] = self.engine.worker_open(
            operation.get("handlers", every),
            name=operation["open"],
            lease_ms=operation.get("lease_ms", 0),
        )

    def do_submit(self, operation: Dict[str, Any]) -> None:
        text = compact(operation["input"]) if "input" in operation else None
        parent = self.tasks[operation["parent"]] if "parent" in operation else None
        row = (self.workflow, text, operation.get("key"), None)
        row += (operation.get("tags"), operation.get("priority", 0))
        row += (None, None, None, operation.get("deadline_ms"), None, parent)
        (answer,) = self.engine.submit([row])
        self.tasks[operation["submit"]] = answer.task_id
        if "created" in operation:
            assert answer.created == operation["created"]
        if "same_as" in operation:
            assert answer.task_id == self.tasks[operation["same_as"]]

    def do_exchange(self, operation: Dict[str, Any]) -> None:
        name = operation["exchange"]
        answer = self.engine.exchange(
            self.workers[name],
            self.rows(operation.get("report", []), name),
            operation.get("claim", 0),
            operation.get("wait_ms", 0),
        )
        self.remember(name, answer)
        assert [row.status for row in answer.applied] == operation.get("applied", [])
        if "claims" in operation:
            assert [claim.name for claim in answer.claims] == operation["claims"]
        if "finished" in operation:
            ended = {task.task_id for task in answer.finished}
            assert ended == {self.tasks[task] for task in operation["finished"]}

    def do_update(self, operation: Dict[str, Any]) -> None:
        rows = self.rows(operation["update"], None)
        applied = self.engine.update_batch(rows)
        assert [row.status for row in applied] == operation["applied"]

    def do_heartbeat(self, operation: Dict[str, Any]) -> None:
        claims = [
            self.claims[row["claim_of"]][self.tasks[row.get("task", "t1")], row["step"]]
            for row in operation["heartbeat"]
        ]
        applied = self.engine.heartbeat([(claim.step_id, claim.epoch) for claim in claims])
        assert [row.status for row in applied] == operation["applied"]

    def do_work(self, operation: Dict[str, Any]) -> None:
        name, task_id = operation["work"], self.tasks[operation["until"]]
        rows: List[Any] = []
        while self.engine.get(task_id)[0].state not in ("succeeded", "failed", "cancelled"):
            answer = self.engine.exchange(self.workers[name], rows, 10, 0 if rows else 2_000)
            self.remember(name, answer)
            rows = [
                (claim.step_id, claim.epoch, "succeeded", compact({"step": claim.name}))
                for claim in answer.claims
            ]

    def do_renew(self, operation: Dict[str, Any]) -> None:
        name = operation["renew"]
        held = self.held[name]
        lost = self.engine.worker_renew(
            self.workers[name], [(claim.step_id, claim.epoch) for claim in held.values()]
        )
        assert sorted(held[step_id].name for step_id, _ in lost) == sorted(operation["lost"])

    def do_close(self, operation: Dict[str, Any]) -> None:
        self.engine.worker_close(self.workers[operation["close"]])

    def do_cancel(self, operation: Dict[str, Any]) -> None:
        task_id = self.tasks[operation["cancel"]]
        self.engine.cancel([(task_id, operation.get("actor"), operation.get("reason"))])

    def there(self, name: str) -> bool:
        try:
            self.engine.get(self.tasks[name])
        except stepwell.NotFoundError:
            return False
        return True

    def do_prune(self, operation: Dict[str, Any]) -> None:
        there = [name for name in self.tasks if self.there(name)]
        self.engine.prune(
            older_than=-1,
            states=operation.get("states", ()),
            actor=operation.get("actor"),
            reason=operation.get("reason"),
        )
        assert [name for name in there if not self.there(name)] == operation["prune"]

    def do_override(self, operation: Dict[str, Any]) -> None:
        rows = []
        for row in operation["override"]:
            _, steps = self.engine.get(self.tasks[row.get("task", "t1")])
            (step_id,) = (step.step_id for step in steps if step.name == row["step"])
            result = (compact(row["result"]),) if "result" in row else ()
            rows.append((step_id, row["state"], operation["actor"], operation["reason"], *result))
        changed = self.engine.override(rows, operation.get("mode"))
        assert [row.status for row in changed] == operation["applied"]

    def do_dead(self, operation: Dict[str, Any]) -> None:
        if "to" in operation:
            result = compact(operation["result"]) if "result" in operation else None
            who = (operation["actor"], operation["reason"], result)
            letters, changed = self.engine.dead_override(operation["to"], *who, **operation["dead"])
            assert [row.status for row in changed] == operation["applied"]
        else:
            letters = self.engine.dead_list(**operation["dead"])
        names = {task_id: name for name, task_id in self.tasks.items()}
        found = [f"{names[row.task_id]} {row.step} {row.error_class}" for row in letters]
        assert found == operation["letters"]

    def do_breaker(self, operation: Dict[str, Any]) -> None:
        name = operation["breaker"]
        if "to" in operation:
            who = (operation["actor"], operation["reason"])
            row = (name, operation["to"], *who, operation.get("open_ms"))
            self.engine.breaker_override([row])
        (state,) = (row.state for row in self.engine.breaker_list() if row.name == name)
        assert state == operation["state"]

    def do_append(self, operation: Dict[str, Any]) -> None:
        rows = [
            (
                self.tasks[row.get("task", "t1")],
                row["type"],
                compact(row["data"]) if "data" in row else None,
                row.get("expected_version"),
                row.get("key"),
            )
            for row in operation["append"]
        ]
        answers = self.engine.event_append(rows, operation.get("mode"))
        assert [row.status for row in answers] == operation["statuses"]
        assert [row.version for row in answers] == operation["versions"]

    def do_events(self, operation: Dict[str, Any]) -> None:
        filter = dict(operation["events"])
        if "task" in operation:
            filter["task_id"] = self.tasks[operation["task"]]
        rows = self.engine.event_list(**filter)
        found = [f"{row.position} {row.type}" + (f" {row.data}" if row.data else "") for row in rows]
        assert found == operation["found"]

    def do_list(self, operation: Dict[str, Any]) -> None:
        filter = dict(operation["list"])
        for name in {"parent", "before"} & set(filter):
            filter[name] = self.tasks[filter[name]]
        names = {task_id: name for name, task_id in self.tasks.items()}
        found = [names[row.task_id] for row in self.engine.list(**filter)]
        assert found == operation["found"]
        if not {"before", "limit"} & set(filter):
            assert sum(self.engine.count(**filter).values()) == len(found)

    def do_explain(self, operation: Dict[str, Any]) -> None:
        task_id = self.tasks[operation.get("task", "t1")]
        reasons = self.engine.explain(task_id, operation["explain"])
        assert [reason.reason for reason in reasons] == operation["reasons"]

    def do_sleep_ms(self, operation: Dict[str, Any]) -> None:
        time.sleep(operation["sleep_ms"] / 1000)

    def rows(self, reports: List[Dict[str, Any]], worker: Any) -> List[Any]:
        """Outcome rows of report rows; the claim says number and epoch."""
        rows = []
        for report in reports:
            name = report.get("claim_of", worker)
            task_id = self.tasks[report.get("task", "t1")]
            claim = self.claims[name][task_id, report["step"]]
            self.held[name].pop(claim.step_id, None)
            result = compact(report["result"]) if "result" in report else None
            error = (report.get("error"), report.get("message"), None)
            delay = report.get("retry_after_ms", 0)
            rows.append((claim.step_id, claim.epoch, report["outcome"], result, *error, delay))
        return rows

    def remember(self, worker: str, answer: stepwell.Exchange) -> None:
        for claim in answer.claims:
            self.claims[worker][claim.task_id, claim.name] = claim
            self.held[worker][claim.step_id] = claim

    def check_end(self) -> None:
        for name, expected in self.scenario["final"].items():
            task, steps = self.engine.get(self.tasks[name])
            assert task.state == expected["state"]
            rows = {step.name: step for step in steps}
            for step, fields in expected.get("steps", {}).items():
                for field, value in fields.items():
                    found = getattr(rows[step], field)
                    found = decode(found) if field == "result" else found
                    assert found == value, f"{step}.{field} is {found!r}, expected {value!r}"
        for name, expected in self.scenario.get("transitions", {}).items():
            history = self.engine.audit_task(self.tasks[name])
            assert [
                f"{entry.step} {entry.from_state}>{entry.to_state} {entry.attempt}"
                for entry in history
                if entry.kind == "step_changed"
            ] == expected


def test_there_are_scenarios() -> None:
    if not FOLDER.exists():
        pytest.skip("tests/golden is not here")
    assert len(SCENARIOS) >= 13


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario(engine: Engine, path: Any) -> None:
    Player(engine, json.loads(path.read_text())).play()
