"""Status links: for one delivery, for a time, signed by any of the keys."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from freezegun import freeze_time
from itsdangerous import TimestampSigner

from adapter.errors import SignatureError
from adapter.web.links import VALID_FOR, Links

OLD, NEW, OTHER = ("a key that is old enough", "a key that is newer", "a key of somebody else")


def token(links: Links, delivery_id: str = "d1") -> str:
    return parse_qs(urlsplit(links.status(delivery_id)).query)["token"][0]


def test_a_link_opens_its_delivery() -> None:
    links = Links([NEW], "https://hooks.example.com")
    assert links.status("d1").startswith("https://hooks.example.com/deliveries/d1?token=")
    links.check("d1", token(links))


def test_a_link_needs_no_escaping() -> None:
    assert set(token(Links([NEW], ""))) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


def test_a_link_opens_no_other_delivery() -> None:
    links = Links([NEW], "")
    with pytest.raises(SignatureError):
        links.check("d2", token(links))


GOOD = token(Links([NEW], ""))
PARTS = GOOD.split(".")


@pytest.mark.parametrize(
    "tampered",
    [
        "",
        "x",
        ".",
        "..",
        "\xe9",
        "\x00",
        GOOD[:-2],
        GOOD[1:],
        f"{PARTS[0]}.{PARTS[2]}",
        f"{PARTS[0]}.zzzzzz.{PARTS[2]}",
        f".{GOOD}",
        GOOD + "." + PARTS[2],
        GOOD.swapcase(),
        "a" * 100_000,
        token(Links([OTHER], "")),
    ],
    ids=[str(number) for number in range(15)],  # the links themselves differ in every run
)
def test_a_tampered_link_opens_nothing(tampered: str) -> None:
    with pytest.raises(SignatureError, match="not valid"):
        Links([NEW], "").check("d1", tampered)


def test_a_token_signed_for_something_else_with_the_same_key_opens_nothing() -> None:
    elsewhere = TimestampSigner(NEW, salt="another use", digest_method=hashlib.sha256)
    with pytest.raises(SignatureError):
        Links([NEW], "").check("d1", elsewhere.sign("d1").decode())


def test_a_link_expires() -> None:
    links = Links([NEW], "")
    with freeze_time("2026-11-22 12:00:00") as clock:
        made = token(links)
        clock.tick(VALID_FOR)
        links.check("d1", made)
        clock.tick(timedelta(seconds=1))
        with pytest.raises(SignatureError, match="expired"):
            links.check("d1", made)


def test_a_key_is_rotated_without_breaking_the_links_that_are_out() -> None:
    before, after = Links([OLD], ""), Links([NEW, OLD], "")
    after.check("d1", token(before))
    Links([NEW], "").check("d1", token(after))  # the first key of the list signs
    with pytest.raises(SignatureError):
        Links([NEW], "").check("d1", token(before))
