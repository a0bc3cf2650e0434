"""A flood of bad requests from one address: true senders go on, and every refusal is counted."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from running import Adapter, running, until

from adapter.sandbox import Sandbox

STRANGER = {"X-Forwarded-For": "203.0.113.9"}
BAD = 800


def flood(adapter: Adapter, count: int) -> Counter[int]:
    """So many unsigned requests over one connection, and how they were answered."""
    with requests.Session() as session:
        answers = (session.post(f"{adapter.url}/hooks/click", json={}, headers=STRANGER) for _ in range(count))
        return Counter(one.status_code for one in answers)


def test_a_flood_is_told_to_wait_while_true_senders_are_served(tmp_path: Path, sandbox: Sandbox) -> None:
    with running(tmp_path, sandbox.url, ADAPTER_TRUSTED_PROXIES="1", ADAPTER_ADDRESS_LIMIT="1") as adapter:
        with ThreadPoolExecutor(4) as pool:
            floods = [pool.submit(flood, adapter, BAD // 4) for _ in range(4)]
            good = Counter[int]()
            while not all(one.done() for one in floods):
                body = b'{"id": "%d", "agent": "0101", "phone": "8015550142"}' % good.total()
                good[adapter.post("click", body, headers={"X-Forwarded-For": "198.51.100.7"}).status_code] += 1
        bad = sum((one.result() for one in floods), Counter[int]())
        assert set(good) == {200}
        assert set(bad) == {401, 429}
        assert bad[429] > bad[401] >= 10
        store = adapter.store()
        until(lambda: sum(one["count"] for one in store.refusals()) == BAD)
        store.close()
        assert adapter.log().count("address.limited") <= bad[401], "said when it begins, not for each"


def test_what_was_only_counted_is_written_before_a_worker_stops(tmp_path: Path, sandbox: Sandbox) -> None:
    with running(tmp_path, sandbox.url) as adapter:
        assert flood(adapter, 20) == {401: 20}
        adapter.stop()
        store = adapter.store()
        assert [one["count"] for one in store.refusals()] == [20]
        store.close()
