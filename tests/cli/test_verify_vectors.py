"""Every recorded vector, official ones among them, through `verify`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapter.cli.judging import judge
from cli.conftest import Run

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "data/vectors.json").read_text())
PING = {
    "preset": "intercom",
    "secret": "s",
    "headers": {"X-Hub-Signature": "sha1=23c705132c0889b7cbdf8656a579382446b4e096"},
    "body": '{"topic":"ping"}',
}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_every_vector_is_judged_as_its_vendor_would(vector: dict[str, Any]) -> None:
    verdict = judge(vector)
    assert verdict["verdict"] == vector["expected"], verdict
    assert vector.get("reason", "") in verdict["reason"]
    if answer := vector.get("response"):
        assert verdict["response"] == {**answer, "headers": {}}
    else:
        assert "response" not in verdict


def test_all_of_them_in_one_file(run: Run) -> None:
    result = run("verify", "-", input=json.dumps(VECTORS))
    assert [one["verdict"] for one in json.loads(result.stdout)] == [one["expected"] for one in VECTORS]
    assert len(VECTORS) == 65
    assert result.exit_code == 1


def test_the_header_of_a_handshake_is_told() -> None:
    verdict = judge(
        {"preset": "keap", "secret": "s", "url": "https://a.example/h?key=s", "headers": {"X-Hook-Secret": "abc"}}
    )
    assert verdict["response"] == {
        "status": 200,
        "content_type": "text/plain",
        "body": "",
        "headers": {"X-Hook-Secret": "abc"},
    }


@pytest.mark.parametrize("secret", [{"secret": "s"}, {}], ids=["secret", "none"])
@pytest.mark.parametrize("name", ["meta-leadads", "linkedin", "keap", "intercom", "tally"])
def test_head_is_answered_whoever_asks_as_the_server_does(name: str, secret: dict[str, str]) -> None:
    verdict = judge({"preset": name, **secret, "method": "head", "url": "https://a.example/h", "body": ""})
    assert verdict["verdict"] == "valid"
    assert verdict["response"] == {"status": 200, "content_type": "text/plain", "body": "", "headers": {}}


def test_head_needs_a_known_sender_too() -> None:
    assert judge({"preset": "nobody", "secret": "s", "method": "HEAD"})["verdict"] == "invalid"


def test_a_signed_question_must_be_signed() -> None:
    assert judge(PING)["response"]["body"] == "{}"
    other = judge({**PING, "secret": "t"})
    assert (other["verdict"], "response" in other) == ("invalid", False)


def test_a_handshake_can_be_written_out() -> None:
    asks = {"type": "get_hmac", "code_query": "c", "reply_json": {"r": "{mac}"}}
    verify = {"scheme": "query_token", "name": "key"}
    record = {"verify": verify, "secret": "s", "method": "GET", "url": "https://a.example/h?c=1"}
    assert judge({**record, "handshake": asks})["response"]["body"].startswith('{"r":"')
    assert judge({**record, "handshake": {"type": "get"}})["reason"].startswith("type: unknown word")
    refused = judge({**record, "handshake": asks, "url": "https://a.example/h?c=%3Cb%3E"})
    assert refused["reason"] == "a challenge code is letters, digits and hyphens, 128 at most"


@pytest.mark.parametrize(
    ("preset", "sample", "body"),
    [
        ("meta-leadads", "meta-verify.query", "1158201444"),
        (
            "linkedin",
            "linkedin-challenge.query",
            '{"challengeCode":"890e4665-4dfe-4ab1-b689-ed553bceeed0","challengeResponse":'
            '"db449ffefc4ccab154d78c0e33300e22c00f0942c1d07eb8da2ac6f4cf16ee3a"}',
        ),
    ],
)
def test_a_recorded_question_is_answered(preset: str, sample: str, body: str) -> None:
    query = (Path(__file__).parents[1] / "samples" / sample).read_text().strip()
    verdict = judge(
        {"preset": preset, "secret": "meatyhamhock", "method": "GET", "url": f"https://a.example/h?{query}"}
    )
    assert verdict["response"]["body"] == body


def test_a_question_that_comes_before_the_secret_needs_none() -> None:
    record = {"preset": "monday", "method": "POST", "url": "https://a.example/h", "body": '{"challenge":"a"}'}
    assert judge(record)["response"]["body"] == '{"challenge":"a"}'
    assert judge({**record, "body": "{}"})["verdict"] == "invalid"
    assert judge({**record, "preset": "github"})["reason"] == "secret is a text, or a list of texts"
