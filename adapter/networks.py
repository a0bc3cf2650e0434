"""Networks as a person writes them: `private`, `all`, `none`, or addresses and networks with commas between."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

from adapter.errors import TextError

Network = IPv4Network | IPv6Network
WORDS = {
    "none": "",
    "all": "0.0.0.0/0, ::/0",
    "private": "127.0.0.0/8, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, ::1, fc00::/7",
}


def networks(text: str) -> tuple[Network, ...]:
    """The networks written; raises `TextError`."""
    listed = WORDS.get(text.strip().lower(), text).split(",")
    try:
        return tuple(ip_network(one.strip()) for one in listed if one.strip())
    except ValueError as exc:
        raise TextError("write private, all, none, or networks like 10.1.0.0/16, 192.0.2.7") from exc
