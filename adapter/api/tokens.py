"""The tokens of API keys, and what a key may be let do."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping

PREFIX = "xca_"
"""So that a token is recognised in a log, a repository or a chat where it does not belong."""
SCOPES: Mapping[str, str] = {
    "deliveries:read": "see deliveries and their tries",
    "deliveries:cancel": "cancel deliveries while nothing was sent",
    "mappings:read": "see the mappings and what is wrong with them",
    "agents:read": "see the caller ids of agents",
    "dial": "ring an agent and connect a number",
    "callback": "put a number into a skill's callback queue",
    "caller-id": "change the caller id an agent has selected",
}
_TOKEN = re.compile(f"{PREFIX}[A-Za-z0-9_-]{{43}}")


def new_token() -> str:
    """A new token: 256 bits of chance."""
    return PREFIX + secrets.token_urlsafe(32)


def is_token(text: str) -> bool:
    """Whether a text could be a token at all."""
    return _TOKEN.fullmatch(text) is not None


def digest(token: str) -> str:
    """What a token is recognised by.

    One plain SHA-256: slow hashes with salt protect what people choose; 256 random bits cannot be guessed from it.
    """
    return hashlib.sha256(token.encode()).hexdigest()
