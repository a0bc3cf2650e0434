"""What some senders ask before they send: prove that this URL is yours, by sending a word back.

A handshake is data, as a signature's scheme is. Nothing of it is stored, and what is sent back is short, of plain
characters, and never a page: anybody may ask.
"""

from __future__ import annotations

from adapter.handshake.kinds import (
    PRESENT,
    GetEcho,
    GetHmac,
    Handshake,
    PostByHand,
    PostHeaderEcho,
    PostJsonEcho,
    PostPing,
    Reply,
)
from adapter.handshake.reading import READERS, read

__all__ = [
    "PRESENT",
    "READERS",
    "GetEcho",
    "GetHmac",
    "Handshake",
    "PostByHand",
    "PostHeaderEcho",
    "PostJsonEcho",
    "PostPing",
    "Reply",
    "read",
]
