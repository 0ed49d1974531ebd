"""The cost of reporting 1,000 outcomes in one call from Python, on the memory store: the median in
microseconds. The same work as bench_update.c; script/bench compares them."""

import time

from stepwell import Engine

ROWS = 1000
ROUNDS = 21
RESULT = '{"ok":true,"n":12345}'


def measure(engine: Engine, worker: int) -> float:
    """Seconds of one call with the outcomes of a new task."""
    engine.submit([("wide",)])
    claims = engine.exchange(worker, [], ROWS, 0).claims
    rows = [(claim.step_id, claim.epoch, "succeeded", RESULT) for claim in claims]
    started = time.perf_counter()
    applied = engine.update_batch(rows)
    ended = time.perf_counter()
    if len(applied) != ROWS:
        raise SystemExit(f"{len(applied)} rows were applied")
    return ended - started


def main() -> None:
    steps = ",".join(f'{{"name":"s{i}","handler":"bench.step"}}' for i in range(ROWS))
    with Engine("memory:") as engine:
        engine.register(f'{{"stepwell":1,"name":"wide","steps":[{steps}]}}')
        worker = engine.worker_open(["bench.step"])
        took = sorted(measure(engine, worker) for _ in range(ROUNDS))
    print(round(took[ROUNDS // 2] * 1e6, 1))


if __name__ == "__main__":
    main()
