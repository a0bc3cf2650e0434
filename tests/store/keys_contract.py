"""What every store must do for the API: its keys, what was asked under an idempotency key, pages of deliveries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from processes import in_processes, together
from sample import CALLBACK, CLICK, NOW, SELECT, delivery

from adapter.errors import Conflict
from adapter.keeping import new_id
from adapter.model import Action, Delivery
from adapter.store import Key, Store
from adapter.store.listing import id_at

from .contract import Contract, keep

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def key(name: str = "crm", **changes: Any) -> Key:
    values = {"digest": f"hash of {name}", "scopes": ["dial", "callback"], "tenant": "", "created_at": NOW}
    return Key(name=name, **{**values, **changes})


def ask_at_once(given: tuple[str, int]) -> bool:
    """In another process: ask for something of its own under the same key; gives whether it was the first."""
    url, number = given
    store = Store(url)
    together()
    first = store.keys.is_first("crm 1", f"fingerprint {number}", now=NOW, until=NOW + DAY)
    store.close()
    return first


def made(store: Store, number: int, action: Action = CLICK, **changes: Any) -> Delivery:
    at = NOW + number * MINUTE
    one = delivery(action, id=new_id(at), key=f"k{number}", created_at=at, **changes)
    keep(store, one)
    return one


class KeysContract(Contract):
    """The promises of a store to the API."""

    def test_a_key_comes_back_by_its_hash_as_it_was_kept(self, store: Store) -> None:
        full = key(tenant="acme", expires_at=NOW + DAY)
        store.keys.add(full)
        assert store.keys.find("hash of crm") == full
        assert store.keys.find("hash of another") is None

    def test_a_name_is_free_again_when_its_key_was_revoked(self, store: Store) -> None:
        store.keys.add(key())
        with pytest.raises(Conflict, match="there is a key called crm already: revoke it first"):
            store.keys.add(key(digest="other"))
        assert store.keys.revoke("crm", now=NOW)
        assert not store.keys.revoke("crm", now=NOW)
        store.keys.add(key(digest="other", created_at=NOW + DAY))
        assert store.keys.find("hash of crm") is None
        assert [(one.digest, one.revoked_at) for one in store.keys.all()] == [("hash of crm", NOW), ("other", None)]

    def test_the_day_of_use_is_noted(self, store: Store) -> None:
        store.keys.add(key())
        store.keys.used("hash of crm", "2026-11-22")
        assert [one.used_on for one in store.keys.all()] == ["2026-11-22"]

    def test_the_first_to_ask_under_a_key_decides_what_it_stands_for_until_it_is_forgotten(self, store: Store) -> None:
        def is_first(fingerprint: str, at: timedelta = timedelta()) -> bool:
            return store.keys.is_first("crm 1", fingerprint, now=NOW + at, until=NOW + at + DAY)

        assert [is_first("a"), is_first("b"), is_first("a", DAY / 2)] == [True, False, True]
        assert is_first("b", DAY), "it was remembered for a day"

    def test_of_many_that_ask_at_once_one_is_the_first(self, url: str, store: Store) -> None:
        assert sum(in_processes(ask_at_once, [(url, number) for number in range(4)])) == 1

    def test_the_purge_takes_what_is_forgotten_and_keys_that_were_revoked_long_ago(self, store: Store) -> None:
        for name in ("old", "new", "kept"):
            store.keys.add(key(name))
        store.keys.revoke("old", now=NOW - 40 * DAY)
        store.keys.revoke("new", now=NOW)
        store.keys.is_first("crm 1", "a", now=NOW - 2 * DAY, until=NOW - DAY)
        assert store.purge(before=NOW - 30 * DAY, now=NOW) == 2
        assert [one.name for one in store.keys.all()] == ["kept", "new"]

    # pages

    def test_pages_are_read_from_the_newest_on(self, store: Store) -> None:
        ids = [made(store, number).id for number in range(5)]
        first = store.newest(most=2)
        second = store.newest(most=2, below=first[-1].id)
        assert [one.id for one in (*first, *second)] == ids[:0:-1]
        assert [one.id for one in store.newest(most=2, below=second[-1].id)] == ids[:1]

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            ({}, [4, 3, 2, 1, 0]),
            ({"state": "unknown"}, [3]),
            ({"mapping": "other"}, [4]),
            ({"tenant": "acme"}, [2]),
            ({"action": "callback"}, [1]),
            ({"action": "select_caller_id"}, [2]),
            ({"action": "click_to_dial", "state": "queued"}, [4, 0]),
            ({"agent": "0101"}, [4, 3, 2, 0]),
            ({"agent": "101"}, []),
            ({"agent": "%"}, []),
            ({"since": NOW + 3 * MINUTE}, [4, 3]),
            ({"until": NOW + 3 * MINUTE}, [2, 1, 0]),
            ({"since": NOW + MINUTE, "until": NOW + 2 * MINUTE}, [1]),
            ({"since": NOW + timedelta(microseconds=1), "until": NOW + MINUTE}, []),
            ({"since": NOW.replace(year=1), "until": NOW.replace(year=9999)}, [4, 3, 2, 1, 0]),
        ],
        ids=str,
    )
    def test_filters_must_all_agree(self, store: Store, wanted: dict[str, Any], found: list[int]) -> None:
        made(store, 0)
        made(store, 1, CALLBACK)
        made(store, 2, SELECT, tenant="acme")
        made(store, 3, state="unknown")
        made(store, 4, mapping="other")
        page = store.newest(most=10, **wanted)
        assert [(one.created_at - NOW) // MINUTE for one in page] == found

    def test_ids_begin_as_the_pages_believe(self) -> None:
        assert new_id(NOW).startswith(id_at(NOW))
