"""The smallest workflow: two steps, one after the other, in a store that lives as long as the
program.
"""

from typing import Any, Dict

from stepwell import Context, Engine, Worker

engine = Engine("memory:")
greet = engine.workflow("greet")


@greet.step
def ask(ctx: Context[Any]) -> Dict[str, str]:
    return {"name": ctx.input["name"].capitalize()}


@greet.step
def answer(ask: Dict[str, str]) -> str:  # waits for the step that its parameter names
    return f"Hello {ask['name']}"


task = greet.start({"name": "ada"})
Worker(engine).run(until=task)
print(task.result("answer"))
