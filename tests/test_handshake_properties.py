"""Whatever comes, a handshake is answered with plain words, refused, or passed over; nothing crashes."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter import sources
from adapter.errors import PayloadError, SignatureError
from adapter.model import Received

ASKING = {name: one.handshake for name, one in sources.presets().items() if one.handshake}
WORDS = ("challenge", "verificationKey", "topic", "ping", "a", "<b>", "\r\n", "\x00", "é", "a" * 1100)
NAMES = ("challengeCode", "hub.mode", "hub.challenge", "hub.verify_token", "x")
values = st.one_of(st.sampled_from(WORDS), st.none(), st.integers(), st.lists(st.text(max_size=3), max_size=2))
bodies = st.one_of(
    st.binary(max_size=40),
    st.dictionaries(st.sampled_from(WORDS), values, max_size=3).map(lambda found: json.dumps(found).encode()),
)
raw = st.text(st.characters(max_codepoint=255), max_size=12)
queries = st.lists(st.tuples(st.sampled_from(NAMES), raw), max_size=4).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
)
PLAIN = set(string.ascii_letters + string.digits + ' ._~+/=:@-{}",')


@pytest.mark.parametrize("name", sorted(ASKING))
@settings(max_examples=80)
@given(method=st.sampled_from(["GET", "POST"]), query=queries, header=raw, body=bodies)
def test_what_is_sent_back_is_short_and_plain(name: str, method: str, query: str, header: str, body: bytes) -> None:
    asks = ASKING[name]
    request = Received(method=method, url=f"https://a.example/h?{query}", headers={"x-hook-secret": header}, body=body)
    for answer in (asks.greeting, asks.signed):
        try:
            reply = answer(request, ["subscribe", "é"])
        except (SignatureError, PayloadError):
            continue
        if reply:
            sent = "".join((reply.body, *reply.headers.values(), *reply.told.values()))
            assert set(sent) <= PLAIN
            assert len(sent) < 1200
            assert reply.content_type in ("text/plain", "application/json")
