"""Forecasts, pictures and durations of tasks over cffi: rows, and the calls of Engine for them.

Not here: graphs without an engine (_cffi_graph.py), options of pictures (_cffi_pictures.py).
"""

from __future__ import annotations

from typing import Any, List, Sequence, Tuple

from . import _cffi_library as c
from . import _cffi_pictures as pictures
from ._cffi_library import Calls, Keeper, ffi, lib
from ._cffi_rows import DURATION_SOURCES, STEP_STATES, TASK_STATES, each, load_workflow, state_name
from ._records import Calibration, Forecast, ForecastCase, ForecastStep


def forecast(result: Any) -> Forecast:
    """The sw_forecast of a result with its steps."""
    row = next(each(lib.sw_forecasts, result))
    calibration = row.calibration
    return Forecast(
        c.uuid_of(row.task_id),
        state_name(TASK_STATES, row.state),
        bool(row.changed),
        row.now_us,
        row.elapsed_us,
        row.step_count,
        row.ended_count,
        row.history_count,
        row.draws,
        bool(row.workers_learnt),
        _forecast_case(row.base),
        _forecast_case(row.what_if),
        (row.difference_us[0], row.difference_us[1], row.difference_us[2]),
        Calibration(
            calibration.task_count,
            calibration.within_count,
            calibration.error,
            bool(calibration.trusted),
        ),
        [_forecast_step(step) for step in each(lib.sw_forecast_steps, result)],
    )


def _forecast_case(row: Any) -> ForecastCase:
    return ForecastCase(
        state_name(TASK_STATES, row.state),
        row.workers,
        (row.left_us[0], row.left_us[1], row.left_us[2]),
        (row.p50_between_us[0], row.p50_between_us[1]),
        row.work_us,
        row.never_count,
        c.texts_of(row.path, row.path_count),
        row.progress,
    )


def _forecast_step(row: Any) -> ForecastStep:
    return ForecastStep(
        c.known(row.name),
        state_name(STEP_STATES, row.state),
        state_name(DURATION_SOURCES, row.source),
        row.sample_count,
        row.p50_us,
        row.p95_us,
        row.elapsed_us,
        bool(row.runs),
        bool(row.runs_what_if),
        bool(row.overdue),
        row.decides,
        row.decides_what_if,
    )


def fill_change(keeper: Keeper, out: Any, row: Any) -> None:
    """Fill a sw_forecast_change."""
    step, kind, factor = c.read_row(row, "a change", 2, 3)
    out.step = keeper.text(step, "step")
    text = keeper.text(kind, "kind")
    if factor is not None:
        if not isinstance(factor, (float, int)):
            raise TypeError("factor must be float or int")
        out.factor = float(factor)
    out.kind = lib.sw_forecast_kind_find(text)
    if out.kind < 0:
        raise c.refusal(f"kind is '{kind[:64]}', expected fail, slower, skip or resolve")


def fill_resource(keeper: Keeper, out: Any, row: Any) -> None:
    """Fill a sw_forecast_resource."""
    seats, steps = c.read_row(row, "a resource", 2, 2)
    out.seats = c.read_int(seats, "seats", 32)
    out.steps, out.step_count = keeper.texts(steps, "steps")


class ForecastCalls(Calls):
    """Calls of an engine about how tasks will go and how they look."""

    def forecast_rows(
        self,
        task_id: str,
        /,
        changes: Sequence[Tuple[Any, ...]] = (),
        *,
        workers: int = 0,
        more_workers: int = 0,
        resources: Sequence[Tuple[int, Sequence[str]]] = (),
        draws: int = 0,
        history: int = 0,
        calibrate: int = 0,
    ) -> Forecast:
        """A Forecast of a task; rows as for the C extension."""
        keeper = Keeper()
        uuid = keeper.uuid(task_id, "task_id")
        options = ffi.new("sw_forecast_options *", {"size": ffi.sizeof("sw_forecast_options")})
        given = c.read_rows(changes, "changes")
        change_array = ffi.new("sw_forecast_change[]", len(given))
        c.fill_rows(change_array, given, lambda out, row: fill_change(keeper, out, row))
        options.changes, options.change_count = change_array, len(given)
        given = c.read_rows(resources, "resources")
        array = ffi.new("sw_forecast_resource[]", len(given))
        c.fill_rows(array, given, lambda out, row: fill_resource(keeper, out, row))
        options.resources, options.resource_count = array, len(given)
        options.what_if_workers = c.read_int(workers, "workers", 32)
        options.more_workers = c.read_int(more_workers, "more_workers", 32)
        options.draws = c.read_int(draws, "draws", 32)
        options.history = c.read_int(history, "history", 32)
        options.calibrate = c.read_int(calibrate, "calibrate", 32)
        _, result = self._result(lib.sw_task_forecast, options, uuid)
        return forecast(result)

    def picture_text(self, task_id: str, format: str, *rest: Any) -> str:
        """A task as it stands, as text of a format."""
        keeper = Keeper()
        uuid = keeper.uuid(task_id, "task_id")
        options = pictures.picture_options(keeper, format, *rest)
        _, result = self._result(lib.sw_task_picture, options, ffi.NULL, uuid)
        return c.known(lib.sw_pictures(result, ffi.NULL).text)

    def gantt_text(self, task_id: str, format: str, *rest: Any) -> str:
        """The attempts of a task along a time line, as text of a format."""
        keeper = Keeper()
        uuid = keeper.uuid(task_id, "task_id")
        options = pictures.gantt_options(keeper, format, *rest)
        _, result = self._result(lib.sw_task_gantt, options, uuid)
        return c.known(lib.sw_pictures(result, ffi.NULL).text)

    def duration_rows(
        self, definition: str, history: int = 0, /
    ) -> List[Tuple[str, str, int, int, int]]:
        """What the steps of a definition take: (name, source, sample_count, p50_us, p95_us)."""
        learnt = c.read_int(history, "history", 32)
        workflow, _ = load_workflow(definition, None, False)
        _, result = self._result(lib.sw_workflow_durations, workflow, learnt)
        return [pictures.duration_row(row) for row in each(lib.sw_step_durations, result)]
