"""An id that its sender does not sign makes no second event of a recorded request: asked of every preset."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sender_cases import PRESETS, of_preset, secrets_of, source

from adapter import replay, signature
from adapter.errors import SignatureError
from adapter.model import Received

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HEADER = re.compile(r"request[.]headers[.]([a-z0-9-]+)")
KEYS = {name: one.key.text for name, one in PRESETS.items() if one.key}
IN_HEADERS = {name: HEADER.findall(text) for name, text in KEYS.items() if HEADER.search(text)}


def test_the_key_of_a_preset_comes_from_its_body_or_its_headers() -> None:
    assert {"zendesk", "svix", "standard-webhooks"} <= set(IN_HEADERS)
    assert not [name for name, text in KEYS.items() if "request.query" in text or "request.url" in text]


@pytest.mark.parametrize("name", IN_HEADERS)
def test_an_id_can_be_changed_only_where_the_signed_bytes_are_remembered(name: str) -> None:
    of = of_preset(name)
    sender, secret = source(of), next(iter(secrets_of(of).values()))
    plain = Received(
        method="POST", url="https://example.com/hooks/x", headers=dict.fromkeys(IN_HEADERS[name], "A"), body=b"{}"
    )
    sent = signature.sign(sender.proofs[0].scheme, secret, plain, now=NOW)
    for header in IN_HEADERS[name]:
        changed = replace(sent, headers={**sent.headers, header: "B"})
        try:
            sender.verify(changed, now=NOW)
        except SignatureError:
            assert sender.apart == ()
            continue
        first, second = (replay.fingerprints(sender, one) for one in (sent, changed))
        assert (len(first), first[0]) == (2, second[0])
        assert first[1] != second[1]


@pytest.mark.parametrize("name", sorted({*IN_HEADERS} - {"zendesk"}))
def test_no_other_sender_is_asked_for_more(name: str) -> None:
    assert source(of_preset(name)).apart == ()
