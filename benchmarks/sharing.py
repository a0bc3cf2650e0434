"""`python -m benchmarks.sharing`: many callbacks in one PostgreSQL store, shared by several dispatchers.

In the end each must have reached the pretend Xima once, and every dispatcher must have had a share.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path

from adapter.store import Store
from benchmarks import filling, postgres, stage
from benchmarks.stage import Shape

DONE = "delivery.accepted"
PATIENCE_SECONDS = 300.0


def share(home: Path, shape: Shape, *, count: int, dispatchers: int) -> dict[str, float]:
    """Fill the store, let the dispatchers empty it, and count."""
    with ExitStack() as stack:
        xima = stack.enter_context(stage.upstream(home, delay_ms=20))
        environ = stage.prepared(home, xima, shape)
        url = environ["ADAPTER_DATABASE_URL"]
        logs = [home / f"dispatch-{number}.log" for number in range(dispatchers)]
        for log in logs:
            stack.enter_context(stage.process("-m", "adapter", "dispatch", log=log, environ=environ))
        with filling.opened(url) as database:
            filling.put(database, count)
        begun = time.monotonic()
        states = _wait_until_empty(url)
        happened = Counter(json.loads(body)["callbackNumber"] for _, body in stage.heard(xima))
        shares = [log.read_text(errors="replace").count(DONE) for log in logs]
        return {
            "seconds": round(time.monotonic() - begun, 1),
            "accepted": states.get("accepted", 0),
            "lost": count - len(happened),
            "doubled": sum(times > 1 for times in happened.values()),
            **{f"done by dispatcher {number}": many for number, many in enumerate(shares, 1)},
        }


def _wait_until_empty(url: str) -> dict[str, int]:
    """The states, once nothing waits and nothing is under way any more; raises `TimeoutError`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with closing(Store(url)) as store:
        while {"queued", "sending"} & set(found := dict(store.counts())):
            if time.monotonic() > deadline:
                raise TimeoutError(f"still waiting: {found}")
            time.sleep(0.2)
    return found


def main() -> int:
    """Print what was counted; 1 when anything was lost, doubled, or left to too few."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sharing", description=__doc__)
    parser.add_argument("--count", type=int, default=5_000, help="callbacks (%(default)s)")
    parser.add_argument("--dispatchers", type=int, default=4, help="processes that share them (%(default)s)")
    asked = parser.parse_args()
    with postgres.running(options=()) as server, stage.folder() as home:
        shape = Shape(workers=1, threads=16, server=server)
        told = share(home, shape, count=asked.count, dispatchers=asked.dispatchers)
    for name, number in told.items():
        print(f"{number:8,}  {name}")
    good = told["accepted"] == asked.count and not told["lost"] and not told["doubled"]
    return 0 if good and all(told[f"done by dispatcher {number + 1}"] for number in range(asked.dispatchers)) else 1


if __name__ == "__main__":
    sys.exit(main())
