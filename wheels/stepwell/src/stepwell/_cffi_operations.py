"""What operators do, over cffi: steps, breakers and dead letters changed by hand, tasks taken out.

Not here: the rows (_cffi_rows.py), all other calls (_core_cffi.py).
"""

from __future__ import annotations

from typing import Any, List, Optional, Sequence, Tuple

from . import _cffi_library as c
from . import _cffi_given as given_rows
from ._cffi_library import Calls, Keeper, ffi, lib
from ._cffi_rows import breaker, dead_group, dead_row, each, overridden
from ._records import BreakerRow, DeadGroup, DeadRow, Erased, Overridden, Pruned


class OperationCalls(Calls):
    """Calls of an engine that change what it keeps by hand."""

    def override(
        self, rows: Sequence[Tuple[Any, ...]], mode: Optional[str] = None, /
    ) -> List[Overridden]:
        """Bring steps into other states by hand, in one transaction."""
        keeper = Keeper()
        number = given_rows.read_mode(mode, keeper)
        given = c.read_rows(rows, "rows")
        array = ffi.new("sw_step_override_row[]", len(given))
        c.fill_rows(array, given, lambda out, row: given_rows.fill_override(keeper, out, row))
        _, result = self._result(lib.sw_step_override, array, len(given), number)
        return [overridden(row) for row in each(lib.sw_step_overrides, result)]

    def breaker_list(self) -> List[BreakerRow]:
        """Every circuit breaker that a registered workflow names, by name."""
        _, result = self._result(lib.sw_breaker_list)
        return [breaker(row) for row in each(lib.sw_breakers, result)]

    def breaker_override(self, rows: Sequence[Tuple[Any, ...]], /) -> List[BreakerRow]:
        """Open or close circuit breakers by hand, all or none."""
        keeper = Keeper()
        given = c.read_rows(rows, "rows")
        array = ffi.new("sw_breaker_override_row[]", len(given))
        c.fill_rows(array, given, lambda out, row: given_rows.fill_breaker(keeper, out, row))
        _, result = self._result(lib.sw_breaker_override, array, len(given))
        return [breaker(row) for row in each(lib.sw_breakers, result)]

    def task_prune(
        self,
        finished_before_us: int,
        /,
        *,
        workflow: Optional[str] = None,
        states: Sequence[str] = (),
        limit: int = 0,
        dry_run: bool = False,
        actor: Optional[str] = None,
        reason: Optional[str] = None,
    ) -> Pruned:
        """Take out tasks that ended before a time."""
        keeper = Keeper()
        before = c.read_int(finished_before_us, "finished_before_us")
        options = given_rows.prune_options(keeper, before, workflow, states, limit, actor, reason)
        options.dry_run = bool(dry_run)
        report = ffi.new("sw_prune_report *", {"size": ffi.sizeof("sw_prune_report")})
        self._call(lib.sw_task_prune, options, report)
        return Pruned(report.task_count, report.step_count, report.freed_bytes)

    def task_erase(
        self,
        subject: str,
        actor: Optional[str],
        reason: Optional[str],
        /,
        *,
        dry_run: bool = False,
        quick: bool = False,
    ) -> Erased:
        """Destroy inputs, results and errors of all tasks of a subject."""
        keeper = Keeper()
        options = ffi.new("sw_erase_options *", {"size": ffi.sizeof("sw_erase_options")})
        options.subject = keeper.text(subject, "subject")
        options.actor = keeper.text(actor, "actor", optional=True)
        options.reason = keeper.text(reason, "reason", optional=True)
        options.dry_run = 1 if dry_run else 0
        options.quick = 1 if quick else 0
        report = ffi.new("sw_erase_report *", {"size": ffi.sizeof("sw_erase_report")})
        self._call(lib.sw_task_erase, options, report)
        return Erased(report.task_count, report.erased_count, bool(report.clean))

    def dead_list(
        self,
        *,
        workflow: Optional[str] = None,
        handler: Optional[str] = None,
        step: Optional[str] = None,
        error_class: Optional[str] = None,
        failed_after_us: Optional[int] = None,
        failed_before_us: Optional[int] = None,
        after_us: Optional[int] = None,
        after_step_id: Optional[int] = None,
        limit: Optional[int] = None,
    ) -> List[DeadRow]:
        """Steps that have failed for good, newest first."""
        keeper = Keeper()
        texts = {"workflow": workflow, "handler": handler, "step": step, "error_class": error_class}
        numbers = {"failed_after_us": failed_after_us, "failed_before_us": failed_before_us}
        numbers.update(after_us=after_us, after_step_id=after_step_id, limit=limit)
        filter = given_rows.read_dead_filter(keeper, texts, numbers)
        _, result = self._result(lib.sw_dead_list, filter)
        return [dead_row(row) for row in each(lib.sw_dead_letters, result)]

    def dead_count(
        self,
        *,
        workflow: Optional[str] = None,
        handler: Optional[str] = None,
        step: Optional[str] = None,
        error_class: Optional[str] = None,
        failed_after_us: Optional[int] = None,
        failed_before_us: Optional[int] = None,
    ) -> List[DeadGroup]:
        """How many dead letters there are of each error class and handler."""
        keeper = Keeper()
        texts = {"workflow": workflow, "handler": handler, "step": step, "error_class": error_class}
        numbers = {"failed_after_us": failed_after_us, "failed_before_us": failed_before_us}
        filter = given_rows.read_dead_filter(keeper, texts, numbers)
        _, result = self._result(lib.sw_dead_count, filter)
        return [dead_group(row) for row in each(lib.sw_dead_groups, result)]

    def dead_override(
        self,
        state: str,
        actor: str,
        reason: str,
        result: Optional[str] = None,
        *,
        workflow: Optional[str] = None,
        handler: Optional[str] = None,
        step: Optional[str] = None,
        error_class: Optional[str] = None,
        failed_after_us: Optional[int] = None,
        failed_before_us: Optional[int] = None,
        after_us: Optional[int] = None,
        after_step_id: Optional[int] = None,
        limit: Optional[int] = None,
    ) -> Tuple[List[DeadRow], List[Overridden]]:
        """Retry or resolve all that a filter finds, in one transaction."""
        keeper = Keeper()
        texts = {"workflow": workflow, "handler": handler, "step": step, "error_class": error_class}
        numbers = {"failed_after_us": failed_after_us, "failed_before_us": failed_before_us}
        numbers.update(after_us=after_us, after_step_id=after_step_id, limit=limit)
        action = given_rows.read_dead_action(keeper, state, actor, reason, result)
        filter = given_rows.read_dead_filter(keeper, texts, numbers)
        _, answer = self._result(lib.sw_dead_override, filter, action)
        found = [dead_row(row) for row in each(lib.sw_dead_letters, answer)]
        changed = [overridden(row) for row in each(lib.sw_step_overrides, answer)]
        return found, changed
