"""Further proofs that are no secrets: where a request comes from, and the certificate its client showed the proxy.

They stand beside a proof with a secret, never alone: an address or a certificate may be shared by many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hmac import compare_digest
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from adapter.errors import SchemeError, SignatureError
from adapter.model import Received
from adapter.signature.description import Description
from adapter.signature.material import header
from adapter.signature.proof import Scheme

Address = IPv4Address | IPv6Address


class Guard(Scheme):
    """A proof without a secret."""

    __slots__ = ()

    def check_secret(self, secret: str) -> None:
        raise SchemeError("secrets", "there is no secret in this proof; remove it")


@dataclass(frozen=True, kw_only=True, slots=True)
class IpAllow(Guard):
    """The client's address must be in one of the networks."""

    networks: tuple[IPv4Network | IPv6Network, ...]

    def verify(self, secrets: Sequence[str], received: Received, *, now: datetime) -> None:
        address = _address(received.address)
        if not any(address in network for network in self.networks):
            raise SignatureError("address not allowed")

    def sign(self, secret: str, received: Received, *, now: datetime, message_id: str) -> Received:
        # Nobody chooses the address he is seen with.
        return received


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientCertificate(Guard):
    """A header in which a trusted proxy tells what it found in the client's certificate."""

    name: str
    accept: tuple[str, ...]

    def verify(self, secrets: Sequence[str], received: Received, *, now: datetime) -> None:
        shown = header(received, self.name)
        matches = [compare_digest(shown, text.encode()) for text in self.accept]
        if not any(matches):
            raise SignatureError("client certificate not accepted")

    def sign(self, secret: str, received: Received, *, now: datetime, message_id: str) -> Received:
        return replace(received, headers={**received.headers, self.name.lower(): self.accept[0]})


def _address(text: str) -> Address:
    """The address of a client, an IPv4 one also when it is written as IPv6; raise `SignatureError`."""
    bare = text.strip()
    if bare.startswith("["):  # [2001:db8::1]:443
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:  # 192.0.2.1:443, as some proxies write it
        bare = bare.partition(":")[0]
    try:
        found = ip_address(bare)
    except ValueError as exc:
        raise SignatureError("the client's address is not known") from exc
    return getattr(found, "ipv4_mapped", None) or found


def _ip_allow(description: Description) -> IpAllow:
    texts = description.only("scheme", "networks").texts("networks")
    if not texts:
        raise SchemeError(description.name("networks"), "must be a list of networks, for example 192.0.2.0/24")
    return IpAllow(networks=tuple(_network(description, text) for text in texts))


def _network(description: Description, text: str) -> IPv4Network | IPv6Network:
    try:
        found = ip_network(text)
    except ValueError as exc:
        said = f"'{text}' is no network; write one like 192.0.2.0/24, 192.0.2.7 or 2001:db8::/32"
        raise SchemeError(description.name("networks"), said) from exc
    if found.prefixlen == 0:
        raise SchemeError(description.name("networks"), f"{text} is the whole internet; name the sender's networks")
    return found


def _client_certificate(description: Description) -> ClientCertificate:
    description.only("scheme", "name", "accept")
    accept = description.texts("accept") or ("SUCCESS",)
    if not all(text.isprintable() and text == text.strip() for text in accept):
        raise SchemeError(description.name("accept"), "has characters that no header can hold")
    return ClientCertificate(name=description.header("name"), accept=accept)


GUARDS: Mapping[str, Callable[[Description], Guard]] = {
    "ip_allow": _ip_allow,
    "client_certificate": _client_certificate,
}
"""The word of a guard -> its reader; a guard is never the only proof, so no `verify` may name one."""
