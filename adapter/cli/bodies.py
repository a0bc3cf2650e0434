"""Requests made by hand on the command line: read, changed, signed, posted."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import click
import requests

from adapter import condition, path, payload, signature
from adapter.cli import changing
from adapter.errors import TextError
from adapter.mapping import Mapping, examples
from adapter.mapping.compiled import PARAMETERS, Example
from adapter.mapping.run import UNITS
from adapter.mapping.text import Where
from adapter.model import Received
from adapter.settings import TABLE
from adapter.sources import Source

_HOOK = re.compile("/hooks/[^/?#]+/?$")
NO_RECEIPT = "This sender is not told what became of it; you are: xima-adapter deliveries"


class Origin(click.ParamType[str]):
    """Where a server is: `http(s)://host:port`."""

    name = "URL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The URL without a slash at its end, that of the server when it is of a webhook; called by click."""
        try:
            return str(TABLE["ADAPTER_PUBLIC_URL"].read(_HOOK.sub("", value) or "-"))
        except TextError:
            self.fail(f"write where the adapter is, like http://127.0.0.1:8000, not {value}", param, ctx)


def moment(text: str) -> datetime:
    """A moment given on the command line; raises `click.UsageError`."""
    found = condition.moment(text)
    if found is None or not 1970 <= found.year < 3000:
        raise click.UsageError(f"write a date and time like 2026-11-24T10:15:00-07:00, not {text}")
    return found


def headers(given: Sequence[str]) -> dict[str, str]:
    """Headers given as `K: V`; raises `click.UsageError`."""
    found = {}
    for one in given:
        name, colon, text = one.partition(":")
        if not colon or not name.strip():
            raise click.UsageError(f"write a header as 'Name: value', not {one}")
        found[name.strip().lower()] = text.strip()
    return found


def received(mapping: Mapping, body: bytes, given: dict[str, str], query: str) -> Received:
    """A request to the mapping's URL; without a content type it has the one that its sender would send."""
    reads = mapping.receive.body
    kind = _guess(body) if reads in (None, PARAMETERS, "form") else reads  # whoever sends JSON to a form says so: 415
    content_type = examples.CONTENT_TYPES.get(kind, "text/xml")
    url = f"https://example.com/hooks/{mapping.name}" + (f"?{query}" if query else "")
    return Received(method="POST", url=url, headers={"content-type": content_type, **given}, body=body)


def _guess(body: bytes) -> str:
    start = body.lstrip()[:1]
    return "json" if start in (b"{", b"[") else "xml" if start == b"<" else "form"


def with_line(mapping: Mapping, where: Where, text: str) -> str:
    """A note of a trace with the line of the mapping it speaks of."""
    place = mapping.places.get(where)
    return f"line {place.line}: {text}" if place else text


def signed(
    source: Source, name: str | None, changes: Sequence[str], *, added: Sequence[str] = (), origin: str, now: datetime
) -> Received:
    """An example of the mapping, changed as asked, with every proof its sender would give.

    `changes` are of fields that it has, `added` may be others. It is another event than the last: the ids of it that
    stand in headers are made anew.
    """
    example = _example(source.mapping, name)
    request = examples.received(source.mapping, example)
    url = request.url.replace("https://example.com", origin, 1)
    kind = examples.kind_of(source.mapping, request)
    body = changing.changed(kind, _as_of_now(source.mapping, kind, request.body, now=now), changes, added)
    message_id = f"msg_{secrets.token_hex(12)}"
    ids = dict.fromkeys(_id_headers(source.mapping) & request.headers.keys(), message_id)
    request = replace(request, url=url, body=body, headers={**request.headers, **ids})
    for proof in source.proofs:
        request = signature.sign(proof.scheme, "".join(proof.secrets[:1]), request, now=now, message_id=message_id)
    return request


def _id_headers(mapping: Mapping) -> set[str]:
    """The headers that tell one event from another."""
    read = mapping.once.key.paths if mapping.once.key else ()
    steps = [one.steps for one in read if one.root == "request" and len(one.steps) > 1]
    return {str(name).lower() for place, name, *_ in steps if place == "headers"}


def _as_of_now(mapping: Mapping, kind: str, body: bytes, *, now: datetime) -> bytes:
    """The body with its sender's own time of the event, where it says one, set to now: a recorded one is long past."""
    stamp = mapping.sent_at
    if stamp is None or stamp.path.root != "record" or kind not in ("json", "form"):
        return body
    text = now.isoformat() if stamp.unit == "iso8601" else str(int(now.timestamp() * UNITS[stamp.unit]))
    if kind == "form":
        name = str(stamp.path.steps[0])
        return changing.changed(kind, body, [f"{name}={text}"]) if name in changing.names(body) else body
    tree = json.loads(body)
    for record in payload.records(tree, mapping.receive.records):
        if (found := path.get(stamp.path, record)) is not None:
            changing.put(record, str(stamp.path), int(text) if isinstance(found, int) else text)
    return json.dumps(tree).encode()


def _example(mapping: Mapping, name: str | None) -> Example:
    known = {example.name: example for example in mapping.examples}
    if not known:
        raise click.UsageError(f"{mapping.name} has no examples to send")
    if name is not None and name not in known:
        raise click.UsageError(f"there is no example called '{name}'; known: " + "; ".join(known))
    return known[name] if name else mapping.examples[0]


def post(url: str, request: Received) -> requests.Response:
    """The answer of a running adapter; raises `click.ClickException` when there is none."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            return session.post(
                url, data=request.body, headers=dict(request.headers), timeout=60, allow_redirects=False
            )
    except requests.RequestException as exc:
        where = url.partition("?")[0]
        raise click.ClickException(f"no answer from {where}: is the adapter running? ({type(exc).__name__})") from exc


def plain(answer: requests.Response) -> dict[str, Any]:
    """The answer as it came: `receipts` or `error`, or the text of its `body` where it is neither."""
    try:
        told = answer.json()
    except ValueError:
        told = None
    return told if isinstance(told, dict) and told.keys() & {"receipts", "error"} else {"body": answer.text}


def spoken(answer: requests.Response) -> Iterator[str]:
    """The answer in words: each receipt's sentence and link, or the error, or the body as it came."""
    told = plain(answer)
    if "receipts" in told:
        for receipt in told["receipts"]:
            yield f"{receipt['state']}: {receipt['message']}"
            if receipt["status_url"]:
                yield f"  {receipt['status_url']}"
    elif "error" in told:
        yield f"{told['error']['code']}: {told['error']['message']}"
    else:
        if shown := answer.text.strip()[:500]:
            yield shown
        yield NO_RECEIPT
