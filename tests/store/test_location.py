"""Where the store is: what may be written, and what people see of it."""

from __future__ import annotations

import importlib.util

import pytest

from adapter.errors import TextError
from adapter.store import location

GOOD = [
    ("postgresql://u:p%40w@h/d", "postgresql://u:***@h/d", {"p%40w", "p@w"}),
    ("postgres://u@h:5433/d?sslmode=verify-full", "postgres://u@h:5433/d?sslmode=verify-full", set()),
    (
        "postgresql://u:pw12@h1,h2:5433/d?target_session_attrs=read-write",
        "postgresql://u:***@h1,h2:5433/d?target_session_attrs=read-write",
        {"pw12"},
    ),
    ("postgresql:///d?host=/run&password=hush&user=x", "postgresql:///d?host=/run&password=***&user=x", {"hush"}),
    ("postgresql://h?dbname=d", "postgresql://h?dbname=d", set()),
    ("sqlite:///adapter.db", "sqlite:///adapter.db", set()),
]


@pytest.mark.parametrize(("url", "shown", "passwords"), GOOD, ids=[url for url, _, _ in GOOD])
def test_an_address_is_shown_without_its_password(url: str, shown: str, passwords: set[str]) -> None:
    assert location.checked(f" {url}\n") == url
    assert location.shown(url) == shown
    assert set(location.passwords(url)) == passwords


@pytest.mark.parametrize("url", ["postgresql://u:hu@sh/hush@h", "mysql://u:hu:sh@h/d", "postgresql://u:hu@sh@h/d"])
def test_also_a_wrong_one_is_shown_without_its_password(url: str) -> None:
    with pytest.raises(TextError) as found:
        location.checked(url)
    assert "sh" not in location.shown(url) + found.value.reason.replace("should", "")


def test_without_the_driver_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(TextError, match=r"pip install 'xima-crm-adapter\[postgres\]'"):
        location.checked("postgresql://localhost/adapter")
