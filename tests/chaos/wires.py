"""Two machines that are truly apart: network namespaces, each with a wire of its own to this machine."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address

import pytest

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
IP = shutil.which("ip", path=PATH)


@dataclass(frozen=True, kw_only=True)
class Wire:
    """The wire to one machine: its network namespace, our end of the wire, our address on it."""

    network: str
    end: str
    address: str

    def cut(self) -> None:
        """Pull the plug: what is sent is lost, and nobody is told."""
        _ip("link", "set", self.end, "down")

    def mend(self) -> None:
        """Put it in again."""
        _ip("link", "set", self.end, "up")


def _ip(*words: str) -> None:
    assert IP
    subprocess.run([IP, *words], check=True, capture_output=True, text=True)


@contextmanager
def wires(*names: str) -> Iterator[list[Wire]]:
    """A wire to each of these machines; skips where a program may not lay one."""
    if os.geteuid() != 0 or not IP:
        pytest.skip("two networks take root and the program ip (apt-get install iproute2)")
    run, net = secrets.token_hex(3), f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
    found = [
        Wire(network=f"xa-{run}-{name}", end=f"xa{run}{turn}", address=f"{net}.{4 * turn + 1}")
        for turn, name in enumerate(names)
    ]
    try:
        for wire in found:
            _lay(wire)
        yield found
    finally:
        for wire in found:
            subprocess.run([IP, "netns", "del", wire.network], check=False, capture_output=True)


def _lay(wire: Wire) -> None:
    try:
        _ip("netns", "add", wire.network)
        _ip("link", "add", wire.end, "type", "veth", "peer", "name", "eth0", "netns", wire.network)
    except subprocess.CalledProcessError as exc:
        pytest.skip(f"no network namespaces here: {exc.stderr.strip()}")
    there = ip_address(wire.address) + 1
    _ip("addr", "add", f"{wire.address}/30", "dev", wire.end)
    _ip("link", "set", wire.end, "up")
    _ip("-n", wire.network, "addr", "add", f"{there}/30", "dev", "eth0")
    for own in ("eth0", "lo"):
        _ip("-n", wire.network, "link", "set", own, "up")
