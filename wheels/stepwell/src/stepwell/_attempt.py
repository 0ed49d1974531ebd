"""One attempt: call the handler with what it takes, turn what comes out into an outcome row.

Whatever a handler does ends here. It may return, raise anything, call sys.exit or answer a value
that JSON cannot hold; each becomes a row for the engine, and none reaches the worker's threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional, Tuple

from ._retry import retry_after_ms
from ._values import InputError, ResultError, encode
from .context import Context

if TYPE_CHECKING:
    from ._binding import core
    from ._handler import Handler

Outcome = Tuple[Any, ...]

_CLASS_MAX = 200
_MESSAGE_MAX = 4_000
_DETAIL_MAX = 16_000


class Attempt:
    """A claimed step while its handler runs."""

    __slots__ = ("claim", "handler", "context", "hold", "dropped")

    def __init__(
        self, claim: core.Claim, handler: Handler[Any, Any], engine: Optional[core.Engine] = None
    ) -> None:
        self.claim = claim
        self.handler = handler
        self.context: Context[Any] = Context(claim, handler, engine)
        self.hold: Tuple[int, int] = (claim.step_id, claim.epoch)  # names it in a renewal
        self.dropped = False

    @property
    def deadline(self) -> float:
        """When its time is over on the monotonic clock; infinity without a timeout."""
        deadline = self.context._deadline
        return float("inf") if deadline is None else deadline

    def drop(self) -> None:
        """Its outcome is no longer wanted; the handler can see that in ctx.cancelled."""
        self.dropped = True
        self.context._cancelled = True

    def run(self) -> Outcome:
        """Call a handler that is a plain function."""
        try:
            return self.succeeded(self.call())
        except BaseException as error:  # sys.exit in a handler must not end a worker's thread
            return self.failed(error)

    async def run_async(self) -> Outcome:
        """Await a handler that is a coroutine function."""
        import asyncio

        try:
            return self.succeeded(await self.call())
        except asyncio.CancelledError as error:
            return self.released() if self.dropped else self.failed(error)
        except BaseException as error:  # asyncio would end the loop over a SystemExit
            return self.failed(error)

    def call(self) -> Any:
        """What the handler returns: a value, or an awaitable for a coroutine function."""
        function: Any = self.handler.function
        return function(**self.handler.arguments(self.context))

    def succeeded(self, value: Any) -> Outcome:
        """Row of a handler that returned."""
        text = encode(value, f"the result of {self.claim.name}", ResultError)
        return (*self.hold, "succeeded", text)

    def released(self) -> Outcome:
        """Row of an attempt that is given back."""
        return (*self.hold, "released")

    def failed(self, error: BaseException) -> Outcome:
        """Row of a handler that raised. A result or input that does not fit will not fit next
        time either, so it fails for good."""
        no_fit = isinstance(error, (ResultError, InputError))
        for_good = no_fit or not self.handler.retry.wants(error)
        return (
            *self.hold,
            "failed_for_good" if for_good else "failed",
            None,
            _text(type(error).__name__, _CLASS_MAX),
            _text(_message(error), _MESSAGE_MAX),
            _text(_detail(error), _DETAIL_MAX),
            0 if for_good else _delay_ms(error),
        )


def _delay_ms(error: BaseException) -> int:
    try:
        return retry_after_ms(error) or 0
    except (TypeError, ValueError):
        return 0  # a delay that is no number must not cost the step its error


def _message(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"the handler called sys.exit({error.code!r})"
    try:
        return str(error)
    except BaseException as second:  # __str__ is the handler's code too
        return f"<no message: __str__ raised {type(second).__name__}>"


def _detail(error: BaseException) -> str:
    """The traceback from the handler on."""
    import traceback

    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__name__") == __name__:
        trace = trace.tb_next
    try:
        return "".join(traceback.format_exception(type(error), error, trace))
    except BaseException as second:  # formatting calls __str__ and reads source files
        return f"<no traceback: {type(second).__name__}>"


def _text(text: str, limit: int) -> str:
    """Valid text of at most limit characters; of a longer one the end is kept, where a traceback
    says what happened."""
    if len(text) > limit:
        text = "..." + text[-limit:]
    text = text.replace("\0", "\\0")
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
