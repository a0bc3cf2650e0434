"""Networks as a person writes them."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from adapter.errors import TextError
from adapter.networks import networks

ADDRESSES = ("127.0.0.1", "10.1.2.3", "172.20.0.1", "192.168.1.1", "::1", "fd00::1", "8.8.8.8", "2001:db8::1")


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("private", ADDRESSES[:6]),
        ("all", ADDRESSES),
        ("none", ()),
        (" Private ", ADDRESSES[:6]),
        ("10.0.0.0/8, ::1", ("10.1.2.3", "::1")),
        ("8.8.8.8", ("8.8.8.8",)),
    ],
)
def test_words_and_networks_hold_what_they_say(text: str, inside: tuple[str, ...]) -> None:
    found = networks(text)
    assert tuple(one for one in ADDRESSES if any(ip_address(one) in network for network in found)) == inside


@pytest.mark.parametrize("text", ["privat", "10.0.0.1/8", "10.0.0.0/33", "localhost"])
def test_anything_else_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(TextError, match="write private, all, none, or networks"):
        networks(text)
