"""What every store must do for mappings: their history, and the counts of versions under trial."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

from processes import in_processes, together
from sample import NOW, SECOND

from adapter.errors import StoreError
from adapter.store import Arrival, Store, Trial, Version
from adapter.store.trials import MOST_EXAMPLES
from adapter.store.versions import KEPT

from .contract import Contract

DAY = timedelta(days=1)


def version(version: str = "v1", *, mapping: str = "lead", **changes: Any) -> Version:
    values = {"since": NOW, "file": f"/m/{mapping}.yaml", "content": f"text of {version}", "beside": {"a.csv": "k,v"}}
    return Version(mapping=mapping, version=version, **{**values, **changes})


def published(store: Store, *versions: Version) -> None:
    for one in versions:
        store.publish(one)


def trial(kind: str = "same", *, seconds: int = 0, **changes: Any) -> Trial:
    values = {"mapping": "lead", "shadow": "s1", "version": "v1", "at": NOW + seconds * SECOND}
    return Trial(kind=kind, **{**values, **changes})


def counts(store: Store) -> list[tuple[str, str, int]]:
    return [(one["shadow"], one["kind"], one["count"]) for one in store.trials("lead")]


def add(store: Store, number: int, mapping: str = "lead") -> None:
    values: dict[str, Any] = {"version": "v1", "method": "POST", "url": "", "headers": {}, "body": b""}
    at = NOW + number * SECOND
    store.add(Arrival(id=f"r{number}", mapping=mapping, received_at=at, **values), [])


def publish_the_same(given: tuple[str, int]) -> int:
    """In another process: a version comes into force; gives its number."""
    url, _ = given
    store = Store(url)
    together()
    try:
        while True:
            with suppress(StoreError):  # of two at once, a store may turn one away
                return store.publish(version()).number
    finally:
        store.close()


class VersionsContract(Contract):
    """The promises about the history of mappings."""

    # history

    def test_what_comes_into_force_is_kept_with_all_its_texts(self, store: Store) -> None:
        kept = store.publish(version())
        assert kept == version(number=1)
        assert store.in_force() == {"lead": kept}
        assert store.history("lead") == [kept]

    def test_a_version_that_is_in_force_already_stays_in_force_since_it_was(self, store: Store) -> None:
        first = store.publish(version())
        assert store.publish(version(since=NOW + SECOND, file="/elsewhere/lead.yaml")) == first
        assert store.history("lead") == [first]

    def test_a_version_that_comes_back_is_a_new_line_of_the_history(self, store: Store) -> None:
        published(store, version("v1"), version("v2", since=NOW + SECOND), version("v1", since=NOW + 2 * SECOND))
        assert [(one.number, one.version) for one in store.history("lead")] == [(3, "v1"), (2, "v2"), (1, "v1")]
        assert store.in_force()["lead"].since == NOW + 2 * SECOND

    def test_every_mapping_has_a_history_of_its_own(self, store: Store) -> None:
        published(store, version("v1"), version("v2"), version("w1", mapping="other"), version("", mapping="other"))
        assert {name: one.version for name, one in store.in_force().items()} == {"lead": "v2", "other": ""}
        assert store.history("nobody") == []

    def test_only_what_was_replaced_long_ago_is_purged(self, store: Store) -> None:
        long_ago = NOW - KEPT - DAY
        published(
            store,
            version("v1", since=long_ago - DAY),
            version("v2", since=long_ago),
            version("v3", since=NOW - KEPT + DAY),
            version("w1", mapping="other", since=long_ago),
        )
        assert store.purge(before=NOW, now=NOW) == 1
        assert [one.version for one in store.history("lead")] == ["v3", "v2"]
        assert [one.version for one in store.history("other")] == ["w1"]

    def test_the_history_is_purged_in_small_bites(self, store: Store) -> None:
        published(store, *(version(f"v{number}", since=NOW - KEPT - DAY) for number in range(5)))
        assert [store.purge(before=NOW, now=NOW, most=3) for _ in range(3)] == [3, 1, 0]

    # trials

    def test_records_are_counted_by_kind_and_by_both_versions(self, store: Store) -> None:
        store.count_trials([trial(), trial(), trial("other number", seconds=1), trial(shadow="s2", seconds=2)])
        store.count_trials([trial(seconds=3), trial(mapping="other", seconds=4)])
        assert counts(store) == [("s1", "same", 3), ("s2", "same", 1), ("s1", "other number", 1)]
        (same, *_) = store.trials("lead")
        assert (same["first_at"], same["last_at"], same["examples"]) == (NOW, NOW + 3 * SECOND, [])

    def test_the_first_examples_are_kept_and_the_count_goes_on(self, store: Store) -> None:
        store.count_trials([trial("other agent", example={"request": str(number)}) for number in range(MOST_EXAMPLES)])
        store.count_trials([trial("other agent", example={"request": "too late"})])
        (found,) = store.trials("lead")
        assert found["count"] == MOST_EXAMPLES + 1
        assert [one["request"] for one in found["examples"]] == [str(number) for number in range(MOST_EXAMPLES)]

    def test_counts_go_when_nothing_was_added_for_long(self, store: Store) -> None:
        store.count_trials([trial(), trial("other skill", seconds=10)])
        assert store.purge(before=NOW + 5 * SECOND, now=NOW) == 1
        assert counts(store) == [("s1", "other skill", 1)]

    # requests to try a version on

    def test_the_latest_requests_of_a_mapping_come_first(self, store: Store) -> None:
        for number in range(4):
            add(store, number, "other" if number == 2 else "lead")
        assert store.requests_of("lead", most=2) == ["r3", "r1"]
        assert store.requests_of("lead", most=9) == ["r3", "r1", "r0"]

    def test_processes_that_put_the_same_in_force_at_once_write_it_down_once(self, store: Store, url: str) -> None:
        assert in_processes(publish_the_same, [(url, number) for number in range(4)]) == [1, 1, 1, 1]
        assert len(store.history("lead")) == 1
