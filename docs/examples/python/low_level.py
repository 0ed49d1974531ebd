"""The engine without the layer on top: rows in, rows out, JSON as text. One exchange reports what
was done and claims what comes next, in one transaction.
"""

from typing import Any, List, Tuple

from stepwell import Engine

DEFINITION = """
stepwell: 1
name: etl
steps:
  - name: extract
  - name: transform
    after: [extract]
    retry: {max_attempts: 3, base_ms: 10}
  - name: load
    after: [transform]
"""

with Engine("memory:") as engine:
    engine.register(DEFINITION, source="etl.yaml")
    engine.submit([("etl", f'{{"file":{n}}}', f"file-{n}") for n in range(100)])

    worker = engine.worker_open(["etl.extract", "etl.transform", "etl.load"], name="low level")
    outcomes: List[Tuple[Any, ...]] = []
    exchanges = 0
    while outcomes or not exchanges:
        claims = engine.exchange(worker, outcomes, 1000, 0).claims
        outcomes = [(c.step_id, c.epoch, "succeeded", f'"{c.name} done"') for c in claims]
        exchanges += 1
    engine.worker_close(worker)

    print(f"{engine.count(workflow='etl')['succeeded']} tasks in {exchanges} exchanges")
    (last,) = engine.list(limit=1)
    print(f"{last.key}: {last.state}, {last.step_counts['succeeded']} steps")
