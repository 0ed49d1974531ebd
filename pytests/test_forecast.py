"""Forecasts. What the numbers are is tested in C, on clocks that stand still; here it is that every
word of the question arrives and every part of the answer comes back."""

from __future__ import annotations

import json
import time
from typing import Any, Dict, List

import pytest
import stepwell
from helper import submit
from stepwell import Engine

STEPS: List[Dict[str, Any]] = [
    {"name": "fetch"},
    {"name": "load", "after": ["fetch"]},
    {"name": "train", "after": ["fetch"]},
    {"name": "report", "after": ["load", "train"]},
]
TEXT = json.dumps({"stepwell": 1, "name": "w", "steps": STEPS})


@pytest.fixture
def worker(engine: Engine) -> int:
    engine.register(TEXT)
    return engine.worker_open(["w." + step["name"] for step in STEPS])


def run_task(engine: Engine, worker: int, seconds: float = 0.0) -> str:
    """A task in which every step takes so long, one after the other."""
    task_id = submit(engine, "w")
    while True:
        claims = engine.exchange(worker, [], 10, 0).claims
        if not claims:
            return task_id
        for claim in claims:
            time.sleep(seconds)
            engine.update_batch([(claim.step_id, claim.epoch, "succeeded")])


class TestForecast:
    def test_says_when_a_task_ends_and_how_it_knows(self, engine: Engine, worker: int) -> None:
        for _ in range(3):
            run_task(engine, worker, 0.002)
        task_id = submit(engine, "w")
        forecast = engine.forecast(task_id)
        assert forecast[:3] == (task_id, "pending", False)
        assert abs(forecast.now_us - engine.info().now_us) < 60_000_000
        assert (forecast.elapsed_us, forecast.step_count, forecast.ended_count) == (0, 4, 0)
        assert (forecast.history_count, forecast.draws, forecast.workers_learnt) == (3, 200, True)
        base = forecast.base
        assert (base.state, base.workers, base.never_count) == ("succeeded", 2, 0)
        assert 6000 < base.left_us[0] <= base.left_us[1] <= base.left_us[2]
        assert base.path == ("fetch", "train", "report")
        assert base.progress == 0.0
        assert base.work_us > 8000
        assert forecast.what_if == base
        assert forecast.difference_us == (0, 0, 0)
        load = forecast.steps[1]
        assert load[:4] == ("load", "pending", "step", 3)
        assert 0 < load.p50_us <= load.p95_us
        assert (load.elapsed_us, load.runs, load.overdue) == (0, True, False)
        assert forecast.steps[0].decides == 1.0
        assert forecast.calibration.task_count == 3
        assert not forecast.calibration.trusted
        assert engine.forecast(task_id).base.left_us == base.left_us

    def test_says_so_when_it_knows_nothing(self, engine: Engine) -> None:
        engine.register(TEXT)
        forecast = engine.forecast(submit(engine, "w"))
        assert {step.source for step in forecast.steps} == {"default"}
        assert forecast.base.left_us == (240_000_000,) * 3
        assert forecast.calibration == (0, 0, 0.0, False)
        assert not forecast.workers_learnt

    def test_answers_for_an_ended_task(self, engine: Engine, worker: int) -> None:
        forecast = engine.task(run_task(engine, worker, 0.001)).forecast()
        assert (forecast.state, forecast.ended_count) == ("succeeded", 4)
        assert forecast.base[:1] + forecast.base[2:3] == ("succeeded", (0, 0, 0))
        assert (forecast.base.path, forecast.base.progress) == ((), 1.0)
        assert forecast.steps[0].source == "ended"
        assert forecast.elapsed_us > 3000

    def test_takes_how_much_work_to_put_into_it(self, engine: Engine, worker: int) -> None:
        for _ in range(2):
            run_task(engine, worker)
        forecast = engine.forecast(submit(engine, "w"), draws=7, history=1, calibrate=-1)
        assert (forecast.draws, forecast.history_count) == (7, 1)
        assert forecast.calibration.task_count == 0


class TestWhatIf:
    @pytest.fixture
    def task(self, engine: Engine) -> stepwell.Task:
        engine.register(TEXT)
        return engine.task(submit(engine, "w"))

    def test_slower(self, task: stepwell.Task) -> None:
        forecast = task.forecast(slower={"load": 3}, workers=2)
        assert forecast.changed
        assert forecast.what_if.path == ("fetch", "load", "report")
        assert forecast.difference_us[1] == 60_000_000  # one worker: 240 s, two: 300 s
        assert task.forecast(slower={"load": 0.5}).difference_us[1] == -30_000_000

    def test_skip(self, task: stepwell.Task) -> None:
        # report needs all of its dependencies to succeed, so that it is skipped as well
        what_if = task.forecast(skip="load").what_if
        assert (what_if.state, what_if.never_count) == ("succeeded", 2)
        assert (what_if.left_us[1], what_if.p50_between_us) == (120_000_000, (120_000_000,) * 2)

    def test_resolve(self, task: stepwell.Task) -> None:
        assert task.forecast(resolve="load").difference_us[1] == -60_000_000
        assert task.forecast(resolve=["load", "train"]).difference_us[1] == -120_000_000

    def test_fail(self, task: stepwell.Task) -> None:
        forecast = task.forecast(fail=["fetch"])
        assert (forecast.what_if.state, forecast.what_if.never_count) == ("failed", 3)
        load = forecast.steps[1]
        assert (load.runs, load.runs_what_if, load.decides_what_if) == (True, False, 0.0)

    def test_workers_and_resources(self, task: stepwell.Task) -> None:
        assert task.forecast(more_workers=1).what_if.workers == 2
        forecast = task.forecast(workers=4, resources=[(1, ["load", "train"])])
        assert (forecast.what_if.workers, forecast.difference_us[1]) == (4, 0)

    def test_steps_as_declared(self, engine: Engine) -> None:
        workflow = engine.workflow("v")

        @workflow.step
        def first(ctx: Any) -> None: ...

        task = workflow.start()
        assert task.forecast(fail=first).what_if.state == "failed"
        assert task.forecast(slower={first: 2}, resources=[(1, [first])]).changed

    def test_refuses_what_makes_no_sense_with_the_row(
        self, engine: Engine, worker: int, task: stepwell.Task
    ) -> None:
        with pytest.raises(stepwell.NotFoundError, match="has no step 'a'") as missing:
            task.forecast(fail="load", skip="a")
        assert missing.value.row == 1
        with pytest.raises(stepwell.InvalidArgumentError, match="changed twice"):
            task.forecast(fail="load", slower={"load": 2})
        with pytest.raises(stepwell.InvalidArgumentError, match="is above 0"):
            task.forecast(slower={"load": float("nan")})
        with pytest.raises(stepwell.InvalidArgumentError, match="1 seat or more"):
            task.forecast(resources=[(0, [])])
        with pytest.raises(stepwell.InvalidArgumentError, match="draws"):
            task.forecast(draws=1_000_000)
        with pytest.raises(stepwell.InvalidArgumentError, match="expected fail, slower, skip or resolve"):
            engine.forecast_rows(task.id, [("load", "explode")])
        (claim,) = engine.exchange(worker, [], 1, 0).claims
        engine.update_batch([(claim.step_id, claim.epoch, "succeeded")])
        with pytest.raises(stepwell.IllegalTransitionError, match="has ended: succeeded"):
            task.forecast(skip="fetch")
        with pytest.raises(stepwell.NotFoundError):
            engine.forecast("01a1fa53-a1dc-76ad-9ffc-eb15f6879603")

    @pytest.mark.parametrize(
        "options",
        [
            {"fail": 1},
            {"fail": [None]},
            {"skip": {}},
            {"slower": {"load": "2"}},
            {"slower": {1: 2}},
            {"workers": 1.5},
            {"draws": "7"},
            {"resources": [(1, [2])]},
            {"resources": [("1", [])]},
            {"other": 1},
        ],
    )
    def test_refuses_wrong_types(self, task: stepwell.Task, options: Dict[str, Any]) -> None:
        with pytest.raises(TypeError):
            task.forecast(**options)
