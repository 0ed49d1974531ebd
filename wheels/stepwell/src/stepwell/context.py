"""What a handler is told about the attempt it runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Dict, Generic, List, Optional, TypeVar, cast

from ._binding import core
from ._values import decode

if TYPE_CHECKING:
    from ._heartbeat import Heartbeat

InputT = TypeVar("InputT")

_UNREAD: Any = object()


class Context(Generic[InputT]):
    """One attempt of one step.

    idempotency_key is the same for every attempt of the step: give it to services that can
    recognise a repeated request. fencing_token grows with every attempt: give it to stores that
    can refuse an older one.
    """

    __slots__ = ("_claim", "_handler", "_input", "_results", "_deadline", "_cancelled", "_beat")

    def __init__(
        self, claim: core.Claim, handler: Any = None, engine: Optional[core.Engine] = None
    ) -> None:
        self._claim = claim
        self._handler = handler
        self._input = _UNREAD
        self._results: Dict[str, Any] = {}
        self._deadline: Optional[float] = None
        if claim.timeout_ms:
            self._deadline = time.monotonic() + claim.timeout_ms / 1000
        self._cancelled = False
        self._beat: Optional[Heartbeat] = None
        if claim.heartbeat_ms and engine is not None:
            from ._heartbeat import Heartbeat  # it logs, which whoever imports the package need not

            self._beat = Heartbeat(engine, claim)

    def __repr__(self) -> str:
        return f"<Context {self.workflow}.{self.step} attempt {self.attempt} of {self.task_id}>"

    @property
    def input(self) -> InputT:
        """Input of the task, as the type its workflow declares."""
        if self._input is _UNREAD:
            value = decode(self._claim.input)
            self._input = value if self._handler is None else self._handler.input_of(value)
        return cast(InputT, self._input)

    def result(self, step: Any) -> Any:
        """Result of a step that this one comes directly after, None when it gave none.

        A step that has not succeeded gives None too; state tells them apart.
        """
        name = step if isinstance(step, str) else step.name
        if name not in self._results:
            self._results[name] = decode(self._upstream(name).result)
        return self._results[name]

    def state(self, step: Any) -> str:
        """State, when this step was claimed, of a step that it comes directly after.

        "succeeded", unless that failed with on_failure="continue", or the trigger of this step
        does not wait for its success.
        """
        return self._upstream(step if isinstance(step, str) else step.name).state

    def _upstream(self, name: str) -> core.StepInput:
        for upstream in self._claim.inputs:
            if upstream.name == name:
                return upstream
        raise core.NotFoundError(
            f"{self.step} does not come directly after {name}; add it to after="
        )

    @property
    def upstream(self) -> List[str]:
        """Names of the steps whose results can be read."""
        return [upstream.name for upstream in self._claim.inputs]

    @property
    def results(self) -> Dict[str, Any]:
        """Results of the steps that this one comes directly after, by name."""
        return {name: self.result(name) for name in self.upstream}

    @property
    def parameters(self) -> Dict[str, Any]:
        """Parameters that the definition gives the step."""
        return cast(Dict[str, Any], decode(self._claim.parameters) or {})

    @property
    def task_id(self) -> str:
        """Identifier of the task."""
        return self._claim.task_id

    @property
    def workflow(self) -> str:
        """Name of the workflow."""
        return self._claim.workflow

    @property
    def version(self) -> str:
        """Version of the workflow."""
        return self._claim.version

    @property
    def step(self) -> str:
        """Name of the step."""
        return self._claim.name

    @property
    def attempt(self) -> int:
        """Number of this attempt, 1 for the first."""
        return self._claim.attempt

    @property
    def max_attempts(self) -> int:
        """How many attempts may fail."""
        return self._claim.max_attempts

    @property
    def idempotency_key(self) -> str:
        """The same text for every attempt of this step of this task."""
        return self._claim.idempotency_key

    @property
    def fencing_token(self) -> int:
        """A number that grows with every attempt of this step."""
        return self._claim.epoch

    @property
    def correlation_id(self) -> Optional[str]:
        """Identifier of the request that caused the task."""
        return self._claim.correlation_id

    @property
    def time_left(self) -> Optional[float]:
        """Seconds until this attempt counts as timed out, None without a timeout."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    @property
    def cancelled(self) -> bool:
        """Whether the outcome of this attempt is no longer wanted: the task was cancelled, the
        time is over or another worker took the step. Long handlers look now and then and stop."""
        return self._cancelled

    def heartbeat(self) -> None:
        """Say that this attempt goes on. A step with heartbeat= is tried again when its handler
        says nothing for so long.

        May be called as often as you like: it looks at a clock, and writes (one commit) when a
        third of the step's heartbeat has passed since it did. Without heartbeat= it never writes.
        Raises FencedError once the outcome is no longer wanted (see cancelled): let it end the
        handler.
        """
        beat = self._beat
        if beat is not None and beat.is_due() and not beat.send():
            self._cancelled = True
        self._check_wanted()

    async def heartbeat_async(self) -> None:
        """The same for a coroutine: the event loop goes on while it writes."""
        beat = self._beat
        if beat is not None and beat.is_due():
            import asyncio

            loop = asyncio.get_running_loop()
            if not await loop.run_in_executor(None, beat.send):
                self._cancelled = True
        self._check_wanted()

    def _check_wanted(self) -> None:
        if self._cancelled:
            raise core.FencedError(
                f"attempt {self.attempt} of {self.step} counts no longer: it was cancelled, ran "
                "out of time, or was taken over"
            )
