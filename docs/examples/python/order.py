"""An order in a file: checked input, retries, a coroutine, a failure that stays where it is.

    python3 order.py [DATABASE]
"""

import asyncio
import sys
from dataclasses import dataclass, field
from typing import List

import stepwell
from stepwell import Context, Engine, Retry, Worker


@dataclass
class Order:
    """What a task needs to know; input that does not fit starts no task."""

    order_id: int
    prices: List[int] = field(default_factory=list)


@dataclass
class Payment:
    id: str
    amount: int
    attempts: int


class CardDeclined(Exception):
    """Trying again would not help."""


engine = Engine(sys.argv[1] if len(sys.argv) > 1 else "memory:")
order = engine.workflow("order", version="1.0.0", input=Order)


@order.step(timeout=10)
def validate(ctx: Context[Order]) -> int:
    return sum(ctx.input.prices)


@order.step(
    retry=Retry(5, wait=0.05, backoff="exponential", on=ConnectionError, give_up_on=CardDeclined),
    timeout=20,
)
async def charge(ctx: Context[Order], validate: int) -> Payment:
    await asyncio.sleep(0.01)  # a payment service would be given ctx.idempotency_key
    if validate > 5_000:
        raise CardDeclined(f"{validate} is over the limit")
    if ctx.attempt < 3:
        raise ConnectionResetError("the card network does not answer")
    return Payment(f"pay_{ctx.input.order_id}", validate, ctx.attempt)


@order.step
def reserve(ctx: Context[Order], validate: int) -> int:
    return len(ctx.input.prices)


@order.step
def ship(reserve: int, charge: Payment) -> str:  # the result becomes a Payment again
    return f"{reserve} items, paid {charge.amount} after {charge.attempts} attempts"


good = order.start(Order(42, [990, 21]), key="order-42")
bad = order.start(Order(43, [9_999]), key="order-43", initiator="ada")
with Worker(engine, threads=4):
    good.wait(30)
    bad.wait(30)

print(f"{good.status}: {good.result('ship')}")
print(f"{bad.status}: {bad.steps['charge'].error_class}, {bad.steps['charge'].error_message}")
print(bad.explain("ship"))
print("the same task:", order.start(Order(42, [990, 21]), key="order-42") == good)
try:
    order.start({"order_id": "44"})
except stepwell.InputError as error:
    print("refused:", error)
print(engine.audit_verify().message.split(":")[0])
