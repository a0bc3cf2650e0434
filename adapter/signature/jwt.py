"""JSON web tokens signed with a shared secret (RFC 7519): monday.com, Netlify.

PyJWT reads the token and checks its signature; claims are checked here, because time is an argument.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from jwt import PyJWS
from jwt.algorithms import HMACAlgorithm
from jwt.exceptions import InvalidAlgorithmError, InvalidKeyError, InvalidSignatureError, InvalidTokenError

from adapter import payload
from adapter.errors import PayloadError, SchemeError, SignatureError
from adapter.model import Received
from adapter.signature import material
from adapter.signature.description import Description
from adapter.signature.encoding import FORMS, secret_key, usable_keys
from adapter.signature.keyed import ALGORITHMS
from adapter.signature.proof import Place, Scheme

AHEAD = 300
"""Seconds by which the sender's clock may be ahead of ours."""
LIFE = timedelta(minutes=5)
"""How long a token made here is valid."""
MOST_SECONDS = 10**12


class _Hmac(HMACAlgorithm):
    """The sender chooses how long its secrets are; a warning at every request would help nobody."""

    def check_key_length(self, key: Any) -> str | None:
        return None


HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
"""The only algorithms there are: a token can neither be unsigned nor ask for another kind of key."""


def _jws() -> PyJWS:
    made = PyJWS(algorithms=[])
    for name, hashed in HASHES.items():
        made.register_algorithm(name, _Hmac(hashed))
    return made


_JWS = _jws()


@dataclass(frozen=True, kw_only=True, slots=True)
class BodyHash:
    """The claim that holds a hash of the body."""

    name: str
    algorithm: str
    encoding: str

    def forms(self, body: bytes) -> list[bytes]:
        """Every way in which the body's hash may be written."""
        return FORMS[self.encoding](hashlib.new(self.algorithm, body).digest())


@dataclass(frozen=True, kw_only=True, slots=True)
class Jwt(Scheme):
    """A token in a header, with the claims it must have."""

    header: str
    algorithms: tuple[str, ...]
    bearer_optional: bool
    require: tuple[str, ...]
    claims: Mapping[str, str]
    aud_is_url: bool
    body_hash: BodyHash | None
    leeway: int

    @property
    def covers_url(self) -> bool:
        return self.aud_is_url

    @property
    def carries(self) -> tuple[Place, ...]:
        return (("header", self.header.lower()),)

    def check_secret(self, secret: str) -> None:
        try:
            _JWS.get_algorithm_by_name(self.algorithms[0]).prepare_key(secret_key(secret))
        except InvalidKeyError as exc:
            raise SchemeError("secrets", "this is a public key or a certificate, not a shared secret") from exc

    def verify(self, secrets: Sequence[str], received: Received, *, now: datetime) -> None:
        claims = self._claims(secrets, self._token(received))
        for name in self.require:
            if claims.get(name) in (None, ""):
                raise SignatureError(f"missing claim {name}")
        for name, text in self.claims.items():
            if claims.get(name) != text:
                raise SignatureError(f"wrong claim {name}")
        self._check_times(claims, now=now)
        self._check_audience(claims.get("aud"), received.url)
        self._check_body(claims, received.body)

    def sign(self, secret: str, received: Received, *, now: datetime, message_id: str) -> Received:
        self.check_secret(secret)
        claims: dict[str, Any] = {**self.claims, "iat": int(now.timestamp()), "exp": int((now + LIFE).timestamp())}
        claims |= {"jti": message_id}
        if self.aud_is_url:
            claims["aud"] = received.url
        if self.body_hash:
            claims[self.body_hash.name] = self.body_hash.forms(received.body)[0].decode()
        if unknown := [name for name in self.require if name not in claims]:
            raise SchemeError("require", f"nobody but the sender knows the claim {unknown[0]}")
        token = _JWS.encode(json.dumps(claims).encode(), secret_key(secret), self.algorithms[0])
        return replace(received, headers={**received.headers, self.header.lower(): token})

    def _token(self, received: Received) -> bytes:
        text = material.header(received, self.header)
        if self.bearer_optional and text[:7].lower() == b"bearer ":
            text = text[7:]
        return text.strip()

    def _claims(self, secrets: Sequence[str], token: bytes) -> dict[str, Any]:
        """The claims, when any of the secrets has signed them; every one is tried, whichever it was."""
        keys = usable_keys(secrets)
        if not keys:
            raise SignatureError("no usable secret")
        found = [one for key in keys if (one := self._decoded(key, token)) is not None]
        if not found:
            raise SignatureError("signature mismatch")
        try:
            claims = payload.parse("json", found[0])
        except PayloadError as exc:
            raise SignatureError("malformed token") from exc
        if not isinstance(claims, dict):
            raise SignatureError("malformed token")
        return claims

    def _decoded(self, key: bytes, token: bytes) -> bytes | None:
        try:
            found = _JWS.decode(token, key, algorithms=self.algorithms)
        except (InvalidSignatureError, InvalidKeyError):
            return None
        except InvalidAlgorithmError as exc:
            raise SignatureError(f"the token's algorithm is not {' or '.join(self.algorithms)}") from exc
        except InvalidTokenError as exc:
            raise SignatureError("malformed token") from exc
        return bytes(found)

    def _check_times(self, claims: Mapping[str, Any], *, now: datetime) -> None:
        seconds = Decimal(str(now.timestamp()))
        if (ends := _seconds(claims, "exp")) is not None and seconds >= ends + self.leeway:
            raise SignatureError("expired")
        for name in ("iat", "nbf"):
            if (begins := _seconds(claims, name)) is not None and seconds < begins - max(AHEAD, self.leeway):
                raise SignatureError(f"the token is from the future ({name})")

    def _check_audience(self, aud: Any, url: str) -> None:
        if self.aud_is_url and not {url, url.partition("?")[0]}.intersection(aud if _texts(aud) else [str(aud)]):
            raise SignatureError("wrong claim aud: the token is for another URL")

    def _check_body(self, claims: Mapping[str, Any], body: bytes) -> None:
        if self.body_hash is None:
            return
        shown = str(claims.get(self.body_hash.name)).encode()
        if not any(hmac.compare_digest(shown, form) for form in self.body_hash.forms(body)):
            raise SignatureError("body hash mismatch")


def _seconds(claims: Mapping[str, Any], name: str) -> Decimal | None:
    """A moment among the claims; None when it is not there, `SignatureError` when it is none."""
    found = claims.get(name)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | Decimal) or not -MOST_SECONDS < found < MOST_SECONDS:
        raise SignatureError(f"malformed claim {name}")
    return Decimal(found)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def read_jwt(description: Description) -> Jwt:
    """A token; raise `SchemeError`."""
    description.only(
        *("scheme", "header", "algorithms", "bearer_optional", "require", "claims", "aud_from"),
        *("body_hash_claim", "leeway"),
    )
    if description.has("aud_from"):
        description.word("aud_from", ("url",))
    claims = description.group("claims")
    return Jwt(
        header=description.header("header"),
        algorithms=description.words("algorithms", HASHES, "HS256"),
        bearer_optional=description.flag("bearer_optional"),
        require=description.texts("require"),
        claims={name: claims.text(name) for name in claims.keys} if claims else {},
        aud_is_url=description.has("aud_from"),
        body_hash=_body_hash(description),
        leeway=description.number("leeway", 1, most=3600) if description.has("leeway") else 0,
    )


def _body_hash(description: Description) -> BodyHash | None:
    group = description.group("body_hash_claim")
    if group is None:
        return None
    group.only("name", "algorithm", "encoding")
    return BodyHash(
        name=group.text("name"),
        algorithm=group.word("algorithm", ALGORITHMS, "sha256"),
        encoding=group.word("encoding", FORMS, "hex"),
    )
