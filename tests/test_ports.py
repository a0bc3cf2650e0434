"""A port that a test was given is its own until a server of its listens there, and between two servers."""

from __future__ import annotations

import socket

import pytest
from running import free_port

from benchmarks import ports
from benchmarks.ports import MANY


def test_nobody_else_gets_a_port_on_which_servers_may_listen_one_after_the_other() -> None:
    port = free_port()
    for _ in range(2):
        with socket.create_server(("127.0.0.1", port)):
            pass
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))
        with socket.socket() as client, pytest.raises(ConnectionRefusedError):
            client.connect(("127.0.0.1", port))


def test_no_more_ports_are_kept_than_a_process_can_bear() -> None:
    for _ in range(MANY + 1):
        free_port()
    assert len(ports._kept) == MANY
