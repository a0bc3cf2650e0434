"""The sender signed another URL than the one this adapter believes to have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote

from adapter.model import Received
from adapter.signature.mistakes.guess import Guess, Tried

_URL = re.compile(r"(https?)://([^/?#]*)([^?]*)(.*)", re.DOTALL)


def of_url(tried: Tried) -> Iterator[Guess]:
    """The URL as proxies, settings and senders spoil it."""
    if not tried.scheme.covers_url:
        return
    for said, change in CHANGES:
        url = change(tried.received)
        if url != tried.received.url:
            yield f"it would match {said}", tried.at(url)


def _as(template: str) -> Callable[[Received], str]:
    """The URL written anew from its parts: {protocol}, {host}, {path}, {query}, and {asked}, the Host header."""

    def change(received: Received) -> str:
        found = _URL.fullmatch(received.url)
        if not found:
            return received.url
        protocol, host, path, query = found.groups()
        asked = received.headers.get("host", host)
        return template.format(protocol=protocol, host=host, path=path, query=query, asked=asked)

    return change


def _decoded(received: Received) -> str:
    path, mark, query = received.url.partition("?")
    return path + mark + unquote(query, encoding="latin-1")


def _other_slash(received: Received) -> str:
    return _as("{protocol}://{host}{path}/{query}")(received)


def _no_slash(received: Received) -> str:
    path, mark, query = received.url.partition("?")
    return path.removesuffix("/") + mark + query


_PUBLIC = "the sender calls another address than ADAPTER_PUBLIC_URL says; correct one of them"

CHANGES: tuple[tuple[str, Callable[[Received], str]], ...] = (
    (f"for http instead of https: {_PUBLIC}", lambda received: received.url.replace("https://", "http://", 1)),
    (f"for https instead of http: {_PUBLIC}", lambda received: received.url.replace("http://", "https://", 1)),
    ("without the trailing slash: write the URL at the sender exactly as it is called", _no_slash),
    ("with a trailing slash: write the URL at the sender exactly as it is called", _other_slash),
    ("with the query decoded: keep escapes out of the URL, or write url: {decode: [none, percent]}", _decoded),
    ("without the query: keep the URL at the sender free of a query", _as("{protocol}://{host}{path}")),
    (f"for the Host header instead of the public URL: {_PUBLIC}", _as("{protocol}://{asked}{path}{query}")),
    (f"for https and the Host header instead of the public URL: {_PUBLIC}", _as("https://{asked}{path}{query}")),
    (f"for http and the Host header instead of the public URL: {_PUBLIC}", _as("http://{asked}{path}{query}")),
    ("for the path alone: the sender leaves the protocol and the host out of what it signs", _as("{path}{query}")),
)
"""What to say -> the URL with that one change."""
