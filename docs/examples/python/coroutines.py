"""Everything on one event loop: coroutine handlers, a worker beside other tasks, awaited tasks."""

import asyncio
from typing import Any, List

from stepwell import Context, Engine, Worker

engine = Engine("memory:")
fetch = engine.workflow("fetch")


@fetch.step
async def page(ctx: Context[Any]) -> str:
    await asyncio.sleep(0.05)  # a request
    return f"page {ctx.input}"


@fetch.step
async def words(page: str) -> List[str]:
    return page.split()


async def main() -> None:
    worker = asyncio.ensure_future(Worker(engine, coroutines=50).run_async())
    tasks = [fetch.start(number) for number in range(50)]
    await asyncio.gather(*tasks)
    print(sorted(task.result("words")[1] for task in tasks)[:3])
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)


asyncio.run(main())
