"""Ports of this machine on which a server is going to listen."""

from __future__ import annotations

import os
import socket
from collections import deque

MANY = 100
_kept: deque[int] = deque()


def free_port() -> int:
    """A port nobody listens on, and that nobody else is given until this process ends or has had a hundred others.

    It stays bound: who asks the kernel for any port gets another, and servers, which all bind with SO_REUSEADDR, may
    still listen on it as often as they like.
    """
    kept = socket.socket()
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(("127.0.0.1", 0))
    port = int(kept.getsockname()[1])
    _kept.append(kept.detach())
    if len(_kept) > MANY:
        os.close(_kept.popleft())
    return port
