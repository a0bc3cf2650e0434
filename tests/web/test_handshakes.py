"""What senders ask before they send, and that nothing of it is kept."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlencode

import pytest
from running import SECRET
from werkzeug.test import TestResponse

from adapter import handshake, sources
from adapter.errors import SchemeError, SignatureError
from adapter.model import Received
from web.front import CLICK, WORK, Front, front

RULES = "\n".join(WORK.splitlines()[6:])
FROM = {"meta": "meta-leadads", "linkedin": "linkedin", "monday": "monday", "keap": "keap", "intercom": "intercom"}
FROM |= {"sfmc": "sfmc-ens", "lead": "github"}


def mapping(name: str, receive: str) -> str:
    """A mapping of this sender."""
    return f"format: 1\nname: {name}\nreceive:\n  secrets: [HOOK_SECRET]\n{receive}{RULES}\n"


FILES = {name: mapping(name, f"  from: {preset}\n") for name, preset in FROM.items()}
FILES["own"] = mapping(
    "own",
    """  verify: {scheme: query_token, name: key}
  handshake: {type: get_echo, token_query: token, echo_query: word}
  also:
    - header_token: X-Also
      secrets: [HOOK_SECRET]
""",
)
FILES["slack"] = mapping("slack", "  from: github\n").replace(
    "  from: github\n",
    "  verify: {scheme: query_token, name: key}\n"
    "  handshake: {type: post_json_echo, field: challenge, beside: [token, type]}\n",
)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """The application with a mapping for every kind of handshake."""
    with front(tmp_path_factory.mktemp("asked"), FILES) as made:
        yield made


@pytest.fixture(autouse=True)
def _nothing_is_kept(asked: Front) -> Iterator[None]:
    yield
    assert asked.rows("requests") == asked.rows("deliveries") == []


def target(path: str, query: Mapping[str, str]) -> str:
    """A path with a query, as a server would receive it."""
    return f"{path}?{urlencode(query)}"


def meta(asked: Front, token: str = SECRET, **query: str) -> TestResponse:
    """Meta's question, with these changes."""
    given = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": token, **query}
    return asked.client.get(target("/hooks/meta", given))


def test_meta_gets_its_challenge_back_as_plain_text(asked: Front) -> None:
    answer = meta(asked)
    assert (answer.status_code, answer.text, answer.content_type) == (200, "1158201444", "text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("token", ["other", "", "\xe9"])
def test_a_wrong_verify_token_gets_401_and_is_counted(asked: Front, token: str) -> None:
    answer = meta(asked, token)
    assert answer.status_code == 401
    assert "token" not in answer.text
    assert {"wrong verify token"} <= {row["reason"] for row in asked.rows("refusals")}


BAD = {
    "html": {"hub.challenge": "<script>alert(1)</script>"},
    "long": {"hub.challenge": "1" * 1025},
    "empty": {"hub.challenge": ""},
    "line": {"hub.challenge": "a\r\nb"},
    "other-mode": {"hub.mode": "unsubscribe"},
}


@pytest.mark.parametrize("query", BAD.values(), ids=BAD)
def test_what_is_no_plain_word_is_not_sent_back(asked: Front, query: dict[str, str]) -> None:
    answer = meta(asked, **query)
    assert answer.status_code == 400
    assert "script" not in answer.text


def test_a_parameter_that_is_given_twice_is_refused(asked: Front) -> None:
    assert asked.client.get("/hooks/meta?hub.mode=subscribe&hub.challenge=1&hub.challenge=2").status_code == 400


def test_linkedin_gets_its_code_with_the_hmac(asked: Front) -> None:
    code = "890e4665-4dfe-4ab1-b689-ed553bceeed0"
    answer = asked.client.get(f"/hooks/linkedin/?challengeCode={code}&applicationId=7")
    mac = hmac.new(SECRET.encode(), code.encode(), hashlib.sha256).hexdigest()
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.get_json() == {"challengeCode": code, "challengeResponse": mac}


@pytest.mark.parametrize("code", ["hmacsha256={}", '{"a":1}', "a" * 129, ""])
def test_nobody_can_have_the_body_of_an_event_signed(asked: Front, code: str) -> None:
    assert asked.client.get(target("/hooks/linkedin", {"challengeCode": code})).status_code == 400


def test_monday_gets_its_challenge_back(asked: Front) -> None:
    answer = asked.client.post("/hooks/monday", json={"challenge": "3eZbrw1aBm2rZg"})
    assert (answer.status_code, answer.text) == (200, '{"challenge":"3eZbrw1aBm2rZg"}')
    assert answer.content_type == "application/json"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"challenge": "x", "event": {}}, 401),
        ({"challenge": "<b>"}, 400),
        ({"challenge": 7}, 400),
        ({"challenge": "x" * 1025}, 400),
        ({"challenge": "x" * 20_000}, 401),
        ([], 401),
    ],
)
def test_everything_else_is_no_challenge(asked: Front, body: object, status: int) -> None:
    assert asked.client.post("/hooks/monday", json=body).status_code == status


def test_keys_that_may_stand_beside_the_word_are_passed_over(asked: Front) -> None:
    answer = asked.client.post("/hooks/slack", json={"challenge": "x", "token": "t", "type": "url_verification"})
    assert answer.text == '{"challenge":"x"}'


def test_keap_gets_its_header_back_where_the_url_holds_the_secret(asked: Front) -> None:
    sent = {"X-Hook-Secret": "abc-123"}
    answer = asked.client.post(target("/hooks/keap", {"key": SECRET}), headers=sent)
    assert (answer.status_code, answer.headers["X-Hook-Secret"], answer.text) == (200, "abc-123", "")
    refused = asked.client.post("/hooks/keap", headers=sent)
    assert refused.status_code == 401
    assert "X-Hook-Secret" not in refused.headers


def test_intercoms_ping_must_be_signed(asked: Front) -> None:
    ping = {"type": "notification_event", "topic": "ping"}
    answer = asked.post("intercom", ping)
    assert (answer.status_code, answer.text) == (200, "{}")
    assert asked.client.post("/hooks/intercom", json=ping).status_code == 401


def test_the_key_of_marketing_cloud_is_told_to_the_operator(asked: Front, log: io.StringIO) -> None:
    body = {"callbackId": "1", "verificationKey": "11111111-2222-4333-8444-555555555555"}
    assert asked.client.post("/hooks/sfmc", json=body).status_code == 200
    assert 'handshake="verificationKey 11111111-2222-4333-8444-555555555555"' in log.getvalue()


def test_further_proofs_must_hold_for_a_handshake_too(asked: Front) -> None:
    query = {"token": SECRET, "word": "hello"}
    assert asked.client.get(target("/hooks/own", query)).status_code == 401
    answer = asked.client.get(target("/hooks/own", query), headers={"X-Also": SECRET})
    assert answer.text == "hello"


@pytest.mark.parametrize("name", [*FILES, "lead/", "meta/"])
def test_head_says_that_a_mapping_is_here(asked: Front, name: str) -> None:
    answer = asked.client.head(f"/hooks/{name}")
    assert (answer.status_code, answer.data) == (200, b"")


def test_head_and_get_of_an_unknown_mapping_are_404(asked: Front) -> None:
    assert asked.client.head("/hooks/nobody").status_code == asked.client.get("/hooks/nobody").status_code == 404


@pytest.mark.parametrize("name", ["lead", "monday", "keap", "lead/"])
def test_get_is_only_for_those_who_ask_that_way(asked: Front, name: str) -> None:
    answer = asked.client.get(f"/hooks/{name}")
    assert answer.status_code == 405
    assert {"HEAD", "POST"} <= set(answer.headers["Allow"].split(", "))
    assert answer.get_json()["error"]["code"] == "method_not_allowed"


def test_a_get_that_asks_nothing_is_400(asked: Front) -> None:
    assert asked.client.get("/hooks/meta").status_code == 400


def test_a_question_by_get_is_none_when_it_is_posted(asked: Front) -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": SECRET}
    assert asked.client.post(target("/hooks/meta", query), json={}).status_code == 401


def test_an_event_of_a_sender_that_shakes_hands_is_an_event(tmp_path: Path) -> None:
    with front(tmp_path, {"intercom": FILES["intercom"]}) as made:
        assert made.receipt("intercom", CLICK)["state"] == "accepted"


def test_a_word_of_its_own_may_be_the_verify_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = mapping("meta", "  from: meta-leadads\n  handshake_secrets: [WORD]\n")
    with front(tmp_path, {"meta": text}) as made:
        assert "WORD is not set" in made.sources.broken["meta"].problems[0]


def question(method: str = "POST", url: str = "", body: bytes = b"") -> Received:
    """A request that may be a handshake."""
    return Received(method=method, url=url, headers={}, body=body)


ASKED = {"linkedin": "challengeCode=a", "meta-leadads": "hub.mode=subscribe&hub.challenge=1&hub.verify_token="}


@pytest.mark.parametrize("secrets", [[], [""], ["\ud800"]])
@pytest.mark.parametrize(("name", "query"), ASKED.items(), ids=ASKED)
def test_without_a_secret_no_question_is_answered(name: str, query: str, secrets: list[str]) -> None:
    asks = sources.presets()[name].handshake
    assert asks
    with pytest.raises(SignatureError):
        asks.greeting(question("GET", f"/?{query}"), secrets)
    assert asks.greeting(question("POST", f"/?{query}"), ["s"]) is None
    assert asks.greeting(question("GET", "/"), ["s"]) is None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"challenge"', b"{}", b'{"a": 1}'])
@pytest.mark.parametrize("name", ["monday", "sfmc-ens"])
def test_what_is_no_object_with_the_word_asks_nothing(name: str, body: bytes) -> None:
    asks = sources.presets()[name].handshake
    assert asks
    assert asks.greeting(question(body=body), ["s"]) is None


WRONG = {
    "no-type": ({}, "type"),
    "type": ({"type": "get_ekho"}, "type"),
    "key": ({"type": "post_header_echo", "header": "X-A", "field": "b"}, "field"),
    "header": ({"type": "post_header_echo", "header": "X A"}, "header"),
    "missing": ({"type": "get_echo", "token_query": "a"}, "echo_query"),
    "reply": ({"type": "get_hmac", "code_query": "a", "reply_json": {"a": []}}, "reply_json.a"),
    "beside": ({"type": "post_json_echo", "field": "a", "beside": [7]}, "beside"),
}


@pytest.mark.parametrize(("described", "key"), WRONG.values(), ids=WRONG)
def test_a_wrong_description_is_refused_at_its_key(described: dict[str, object], key: str) -> None:
    with pytest.raises(SchemeError) as refusal:
        handshake.read(described)
    assert refusal.value.key == key


@pytest.mark.parametrize("name", sorted(handshake.READERS))
def test_every_handshake_of_the_documentation_can_be_read(name: str) -> None:
    found = json.loads((Path(__file__).parents[1] / "data/schemes.json").read_text())["_handshakes"].values()
    assert {type(handshake.read(one)) for one in found if one["type"] == name}
