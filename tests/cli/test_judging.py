"""`verify`: recorded requests judged by the code the server runs."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from adapter import sources
from cli.conftest import Run

VECTORS = json.loads((Path(__file__).parents[1] / "data/vectors.json").read_text(encoding="utf-8"))
KNOWN = [one for one in VECTORS if one["preset"] in sources.presets() and one["scheme"] != "handshake"]
HEADER: dict[str, Any] = {
    "id": "form",
    "preset": "header-token",
    "header": "X-Form-Key",
    "secret": "of the form",
    "headers": {"x-form-key": "of the form"},
    "body": "a=b",
}
QUERY: dict[str, Any] = {
    "id": "query",
    "preset": "query-token",
    "query": "key",
    "secret": ["new", "old"],
    "url": "https://hooks.example.com/hooks/q?a=1&key=old",
}


def judged(run: Run, recorded: Any) -> tuple[list[dict[str, Any]], int]:
    result = run("verify", "-", input=json.dumps(recorded))
    return json.loads(result.stdout), result.exit_code


def test_every_vector_of_a_known_sender_is_judged_as_its_vendor_would(run: Run, home: Path) -> None:
    (home / "recorded.json").write_text(json.dumps(KNOWN))
    result = run("verify", "recorded.json")
    verdicts = json.loads(result.stdout)
    assert [(one["id"], one["verdict"]) for one in verdicts] == [(one["id"], one["expected"]) for one in KNOWN]
    assert all(list(one) == ["id", "verdict", "reason", "hints"] for one in verdicts)
    assert all(bool(one["reason"]) == (one["verdict"] == "invalid") for one in verdicts)
    assert result.exit_code == 1
    assert len(KNOWN) > 20


def test_the_exit_code_is_0_when_all_are_valid(run: Run) -> None:
    valid = [one for one in KNOWN if one["expected"] == "valid"]
    verdicts, code = judged(run, valid)
    assert (code, len(verdicts)) == (0, len(valid))


def test_a_single_record_is_judged_too(run: Run) -> None:
    assert judged(run, HEADER) == ([{"id": "form", "verdict": "valid", "reason": "", "hints": []}], 0)


def test_headers_are_texts_or_lists_of_them(run: Run) -> None:
    assert judged(run, {**HEADER, "headers": {"X-Form-Key": ["of the form"]}})[1] == 0
    assert judged(run, {**HEADER, "headers": {"X-Form-Key": ["of the form", "of the form"]}})[1] == 1


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        (HEADER, "valid"),
        ({**HEADER, "secret": "another"}, "invalid"),
        ({**HEADER, "prefix": "Bearer ", "headers": {"X-Form-Key": "bearer of the form"}}, "valid"),
        (QUERY, "valid"),
        ({**QUERY, "secret": "new"}, "invalid"),
        ({**QUERY, "query": "code"}, "invalid"),
        ({"preset": "basic", "secret": "me:pw", "headers": {"Authorization": "Basic bWU6cHc="}}, "valid"),
        ({"verify": {"scheme": "header_token", "name": "X-A"}, "secret": "s", "headers": {"X-A": "s"}}, "valid"),
        ({"preset": "salesforce-outbound", "organization": "00D000000000001", "body": "<a/>"}, "invalid"),
    ],
    ids=[*("header", "wrong", "prefix", "query", "rotated out", "other name", "basic", "written out", "organization")],
)
def test_what_a_preset_asks_for_stands_in_the_record(run: Run, record: dict[str, Any], verdict: str) -> None:
    verdicts, code = judged(run, record)
    assert (verdicts[0]["verdict"], code) == (verdict, int(verdict == "invalid"))


def test_a_body_that_is_no_text_is_given_in_base64(run: Run) -> None:
    digest = hmac.new(b"s", b"\xff\x00", "sha256").hexdigest()
    record = {"preset": "github", "secret": "s", "headers": {"X-Hub-Signature-256": f"sha256={digest}"}}
    assert judged(run, {**record, "body_base64": "/wA="})[1] == 0
    assert judged(run, {**record, "body_base64": "/wE="})[1] == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"preset": "nobody"}, "name a preset (xima-adapter presets lists them), or write out verify"),
        ({"preset": None}, "name a preset"),
        ({"header": None}, "name"),
        ({"secret": None}, "secret is a text, or a list of texts"),
        ({"secret": []}, "secret is a text"),
        ({"secret": [1]}, "secret is a text"),
        ({"headers": "X-Form-Key: x"}, "headers is an object of names and texts"),
        ({"body": {"a": 1}}, "body is the text exactly as it was sent, not parsed JSON"),
        ({"body": []}, "body is the text"),
        ({"body_base64": "?"}, "body_base64 is not base64"),
        ({"now": "soon"}, "now is seconds since 1970, or an ISO 8601 time"),
        ({"now": 1e300}, "now is seconds"),
        ({"now": float("nan")}, "now is seconds"),
        ({"now": [1]}, "now is seconds"),
        ({"verify": {"scheme": "magic"}, "preset": None}, "scheme"),
        ({"verify": {"scheme": "hmac"}}, ""),
    ],
    ids=str,
)
def test_a_record_that_cannot_be_judged_is_invalid_and_says_why(run: Run, change: dict[str, Any], reason: str) -> None:
    verdicts, code = judged(run, [{**HEADER, **change}, HEADER])
    assert [one["verdict"] for one in verdicts] == ["invalid", "valid"]
    assert reason in verdicts[0]["reason"]
    assert (verdicts[0]["id"], code) == ("form", 1)


def test_a_parameter_that_is_missing_is_named(run: Run) -> None:
    record = {name: value for name, value in HEADER.items() if name != "header"}
    (verdict,), _ = judged(run, record)
    assert verdict["reason"].startswith("the preset header-token needs header here: name of the header")


@pytest.mark.parametrize("record", ["text", 1, None, [[]]], ids=str)
def test_what_is_no_record_is_invalid(run: Run, record: Any) -> None:
    (verdict,), code = judged(run, record if isinstance(record, list) else [record])
    assert (verdict["id"], verdict["reason"], code) == (None, "a recorded request is a JSON object", 1)


def test_time_is_that_of_the_record_or_now(run: Run) -> None:
    old = next(one for one in KNOWN if one["preset"] == "hubspot-v3" and one["expected"] == "valid")
    assert judged(run, old)[1] == 0
    without = {name: value for name, value in old.items() if name != "now"}
    outside = "timestamp outside tolerance: the signature is right, but the time is "
    assert judged(run, without)[0][0]["reason"].startswith(outside)
    early = judged(run, {**old, "now": "2001-01-01T00:00:00Z"})[0][0]
    assert early["reason"].startswith(outside)
    assert "ahead of our clock, and 5 minutes are allowed" in early["reason"]


def test_the_reason_names_the_likeliest_mistake_and_the_hints_what_was_checked(run: Run) -> None:
    record = {**HEADER, "headers": {}, "url": "https://hooks.example.com/hooks/form?key=of%20the%20form"}
    (verdict,), code = judged(run, record)
    assert (verdict["verdict"], code) == ("invalid", 1)
    assert verdict["reason"].startswith("missing header X-Form-Key: the header X-Form-Key is missing: the sender does")
    assert verdict["hints"][1] == "the right secret stands in the query key: not as this mapping wants it"
    assert verdict["hints"][2].startswith(
        "checked: the secret in the header X-Form-Key; a body of 3 bytes with the sha"
    )
    assert len(verdict["hints"]) == 3


def test_a_valid_record_says_which_of_several_secrets_matched(run: Run) -> None:
    (verdict,), code = judged(run, QUERY)
    assert (verdict, code) == (
        {
            "id": "query",
            "verdict": "valid",
            "reason": "",
            "hints": ["secret 2 of 2 matches; the sender still uses an older one"],
        },
        0,
    )


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000], ids=["empty", "cut", "no text", "deep"])
def test_a_file_that_is_not_json_is_wrong_use(run: Run, content: bytes) -> None:
    result = run("verify", "-", input=content)
    assert result.exit_code == 2
    assert "the file is not JSON" in result.output


def test_a_file_that_is_not_there_is_wrong_use(run: Run) -> None:
    assert run("verify", "nowhere.json").exit_code == 2


def test_a_secret_that_is_no_text_is_named_and_not_tripped_over(run: Run) -> None:
    record = {"preset": "basic", "secret": "me\ud800:pw", "headers": {"Authorization": "Basic bWU6cHc="}}
    (verdict,), code = judged(run, record)
    assert (verdict["verdict"], code) == ("invalid", 1)
    assert "secret 1 cannot be used" in " ".join(verdict["hints"])
