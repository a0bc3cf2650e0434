"""Why a request was refused, in the words of the person who has to mend it: for a log or a terminal, never an answer.

It runs after `verify` has failed. Its work is bounded: a fixed list of mistakes, a few secrets, small bodies, and
nothing at all is computed for what does not even look like a signature.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime

from adapter.errors import SchemeError, SignatureError
from adapter.model import Received
from adapter.signature.body import BodyField
from adapter.signature.combined import AllOf, AnyOf
from adapter.signature.jwt import Jwt
from adapter.signature.keyed import ALGORITHMS, Keyed
from adapter.signature.mistakes import (
    Guess,
    Tried,
    guesses,
    of_clock,
    of_digest,
    of_header,
    of_reason,
    of_sender,
    of_token,
)
from adapter.signature.proof import Proof, Scheme
from adapter.signature.token import HeaderToken, QueryToken

LARGEST = 64 * 1024
"""Bytes of a body that mistakes are tried on."""
MOST_SECRETS = 4
MOST_PARTS = 4
NOTHING = "no usual mistake explains it: most likely the sender has another secret; copy it anew"


def explain(scheme: Scheme, secrets: Sequence[str], received: Received, *, now: datetime) -> tuple[str, ...]:
    """What is probably wrong, the best guess first, and last what was checked; empty when nothing is wrong.

    No sentence holds a secret, a true signature or anything of the body.
    """
    secrets = tuple(secrets)[:MOST_SECRETS]
    failed = list(_failed(scheme, secrets, received, now=now))[:MOST_PARTS]
    found = [said for part in failed for said in _findings(part, secrets, received, now=now)]
    found += [f"checked: {_shown(part)}; {_measure(secrets, received)}" for part in failed]
    return tuple(dict.fromkeys(said for said in found if not _tells(said, secrets)))


def matching(scheme: Scheme, secrets: Sequence[str], received: Received, *, now: datetime) -> str:
    """Which of several secrets proves a request that was accepted, in a sentence; empty when there is no choice."""
    if len(secrets) < 2:
        return ""
    for number, secret in enumerate(secrets, 1):
        if not _refusal(scheme, [secret], received, now=now):
            older = "; the sender still uses an older one" if number > 1 else ""
            return f"secret {number} of {len(secrets)} matches{older}"
    return ""


def _failed(scheme: Scheme, secrets: Sequence[str], received: Received, *, now: datetime) -> Iterator[Scheme]:
    """The simple schemes that are to blame: the first of those that all must hold, each of those that may."""
    if not _refusal(scheme, secrets, received, now=now):
        return
    if isinstance(scheme, AllOf):
        yield from next(
            (found for part in scheme.parts if (found := list(_failed(part, secrets, received, now=now)))), []
        )
    elif isinstance(scheme, AnyOf):
        for part in scheme.parts:
            yield from _failed(part, secrets, received, now=now)
    else:
        yield scheme


def _refusal(scheme: Scheme, secrets: Sequence[str], received: Received, *, now: datetime) -> str:
    try:
        scheme.verify(secrets, received, now=now)
    except SignatureError as exc:
        return exc.reason
    return ""


def _findings(scheme: Scheme, secrets: Sequence[str], received: Received, *, now: datetime) -> list[str]:
    tried = Tried(scheme=scheme, secrets=secrets, received=received)
    told = _of_keyed(scheme, tried, now=now) if isinstance(scheme, Keyed) else _of_others(tried, now=now)
    return [*_unusable(tried), *told] or [NOTHING]


def _unusable(tried: Tried) -> Iterator[str]:
    for number, secret in enumerate(tried.secrets, 1):
        try:
            tried.scheme.check_secret(secret)
        except SchemeError as exc:
            yield f"secret {number} cannot be used: {exc.reason.removeprefix(f'{exc.key}: ')}"


def _of_keyed(scheme: Keyed, tried: Tried, *, now: datetime) -> Iterator[str]:
    clock = of_clock(scheme, tried.received, now=now)
    if tried.holds(now=now):
        yield f"the signature is right, but {clock}"
        return
    absent = of_header(scheme, tried.received)
    # Without a signature there is nothing that could match, but for what single senders do.
    guess = _first(tried, of_sender(tried) if absent else guesses(tried), now=now)
    kind = "" if guess else of_digest(scheme, tried.received)
    yield from (said for said in (guess, absent, kind) if said)
    if clock:
        # A wrong time alone would not have spoilt the signature.
        yield from [clock] if guess or absent or kind else [NOTHING, clock]


def _of_others(tried: Tried, *, now: datetime) -> Iterator[str]:
    if isinstance(tried.scheme, Proof):
        yield from of_token(tried.scheme, tried.secrets, tried.received)
    elif said := of_reason(_refusal(tried.scheme, tried.secrets, tried.received, now=now)):
        yield said
    if guess := _first(tried, guesses(tried), now=now):
        yield guess


def _first(tried: Tried, likely: Iterator[Guess], *, now: datetime) -> str:
    """The first mistake that makes the proof hold; empty when none does."""
    if len(tried.received.body) > LARGEST:
        return f"the body is too large to try the usual mistakes on it (more than {LARGEST // 1024} KB)"
    return next((said for said, other in likely if other.holds(now=now)), "")


def _shown(scheme: Scheme) -> str:
    if isinstance(scheme, Keyed):
        kind = "plain " if scheme.plain else "hmac " if scheme.algorithm in ALGORITHMS else ""
        return f"{kind}{scheme.algorithm} in {scheme.encoding}, header {scheme.header}, over {scheme.content}"
    if isinstance(scheme, HeaderToken):
        return f"the secret in the header {scheme.name}"
    if isinstance(scheme, QueryToken):
        return f"the secret in the query parameter {scheme.name}"
    if isinstance(scheme, BodyField):
        return f"the field {scheme.field} of the body"
    if isinstance(scheme, Jwt):
        return f"a token with {' or '.join(scheme.algorithms)} in the header {scheme.header}"
    return f"a proof of the kind {type(scheme).__name__.lower()}"


def _measure(secrets: Sequence[str], received: Received) -> str:
    body = received.body
    size = f"a body of {len(body):,} bytes with the sha256 {hashlib.sha256(body).hexdigest()[:8]}..."
    return f"{size}; {len(secrets)} secret{'' if len(secrets) == 1 else 's'} tried"


def _tells(said: str, secrets: Sequence[str]) -> bool:
    """Whether a sentence holds a secret, as one that names a place called like it would."""
    return any(secret in said for secret in secrets if len(secret) >= 8)
