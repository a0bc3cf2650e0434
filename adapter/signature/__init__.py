"""Who sent this request: checking a sender's proof, and making one as a true sender would.

A scheme is data (`scheme`), its secrets come in a list of which any may match, and time is an argument. The
same code checks the server's requests and signs those of the command line, the sandbox and the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from adapter.model import Received
from adapter.signature.explain import explain, matching
from adapter.signature.guards import ClientCertificate, Guard
from adapter.signature.lateness import lateness
from adapter.signature.proof import Scheme
from adapter.signature.scheme import guard, scheme

__all__ = [
    "ClientCertificate",
    "Guard",
    "Scheme",
    "check_secret",
    "explain",
    "guard",
    "lateness",
    "matching",
    "scheme",
    "sign",
    "verify",
]


def verify(scheme: Scheme, secrets: Sequence[str], received: Received, *, now: datetime) -> None:
    """Raise `SignatureError`, and nothing else, unless the request proves that its sender holds a secret.

    The reason names the check that failed and never holds data of the request.
    """
    # A text is a sequence of texts too, and each of its letters would be a secret.
    scheme.verify([secrets] if isinstance(secrets, str) else secrets, received, now=now)


def sign(scheme: Scheme, secret: str, received: Received, *, now: datetime, message_id: str = "msg_1") -> Received:
    """The request with the proof a true sender would add; raise `SchemeError` when it cannot be made.

    `message_id` is what a scheme with an id header writes there; a sender keeps it over its retries.
    """
    return scheme.sign(secret, received, now=now, message_id=message_id)


def check_secret(scheme: Scheme, secret: str) -> None:
    """Raise `SchemeError` unless the scheme can use this secret; its text is not in the reason."""
    scheme.check_secret(secret)
