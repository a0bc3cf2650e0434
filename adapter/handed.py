"""A listening socket that systemd holds and hands over, so that a restart refuses nobody: they wait until it is back.

gunicorn takes such sockets itself when LISTEN_PID is its own:
https://www.freedesktop.org/software/systemd/man/sd_listen_fds.html
"""

from __future__ import annotations

import os

PID = "LISTEN_PID"
COUNT = "LISTEN_FDS"


def has_socket() -> bool:
    """Whether this process was started with a socket that listens already."""
    return os.environ.get(PID) == str(os.getpid()) and os.environ.get(COUNT, "0") != "0"


def hand_on(parent: int) -> None:
    """Let this process have what its parent was started with."""
    if os.environ.get(PID) == str(parent):
        os.environ[PID] = str(os.getpid())
