"""`send` posts a recorded example as if it happened now; otherwise it would be too old to be wanted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from adapter import sources
from adapter.cli import bodies

NOW = datetime(2026, 11, 24, 17, 15, 0, 500_000, tzinfo=UTC)
MAPPING = """
format: 1
name: timed
receive:
  from: header-token
  header: X-Key
  secrets: [HOOK_SECRET]
  body: {kind}
  {records}
sent_at: {sent_at}
rules:
  - callback:
      skill: Sales
      callback_number: ${{phone}}
phones:
  region: US
examples:
  - name: the first
    body: |
      {body}
    expect:
{expect}
"""


def sent(folder: Path, *, kind: str, sent_at: str, body: str, records: str = "", times: int = 1) -> str:
    """The body that `send` would post for the first example of such a mapping."""
    file = folder / "timed.yaml"
    expect = "      - callback: {skill: Sales, callback_number: 8015550142}\n" * times
    records = f"records: {records}" if records else ""
    file.write_text(MAPPING.format(kind=kind, sent_at=sent_at, body=body, records=records, expect=expect))
    source = sources.ready(sources.read(file), public_url="", environ={"HOOK_SECRET": "a secret"})
    return bodies.signed(source, None, [], origin="https://hooks.example.com", now=NOW).body.decode()


PHONE = '"phone": "8015550142"'


@pytest.mark.parametrize(
    ("sent_at", "body", "at"),
    [
        ("at", '"at": "2026-01-01T10:00:00Z"', "2026-11-24T17:15:00.500000+00:00"),
        ("{path: at, unit: s}", '"at": 1767261600', 1795540500),
        ("{path: at, unit: ms}", '"at": 1767261600000', 1795540500500),
        ("{path: at, unit: ms}", '"at": "1767261600000"', "1795540500500"),
    ],
    ids=["iso8601", "seconds", "milliseconds", "milliseconds as text"],
)
def test_the_senders_own_time_becomes_now(tmp_path: Path, sent_at: str, body: str, at: str | int) -> None:
    posted = sent(tmp_path, kind="json", sent_at=sent_at, body=f"{{{PHONE}, {body}}}")
    assert json.loads(posted) == {"phone": "8015550142", "at": at}


def test_every_record_of_a_list_happened_now(tmp_path: Path) -> None:
    body = f'{{"list": [{{{PHONE}, "when": {{"at": 1}}}}, {{{PHONE}, "when": {{"at": 2}}}}]}}'
    posted = sent(tmp_path, kind="json", sent_at="{path: when.at, unit: s}", records="list", body=body, times=2)
    assert [one["when"]["at"] for one in json.loads(posted)["list"]] == [1795540500, 1795540500]


def test_a_field_of_a_form_happened_now_and_the_others_stay(tmp_path: Path) -> None:
    posted = sent(tmp_path, kind="form", sent_at="date_time", body="date_time=2026-01-01&phone=8015550142")
    assert parse_qs(posted) == {"phone": ["8015550142"], "date_time": ["2026-11-24T17:15:00.500000+00:00"]}


@pytest.mark.parametrize(
    ("kind", "sent_at", "body"),
    [
        ("json", "at", f"{{{PHONE}}}"),
        ("json", "request.headers.date", f'{{{PHONE}, "at":  "2026-01-01"}}'),
        ("form", "date_time", "phone=8015550142"),
    ],
    ids=["no time in the body", "the time is in a header", "no time in the form"],
)
def test_a_body_that_says_no_time_is_sent_as_it_is(tmp_path: Path, kind: str, sent_at: str, body: str) -> None:
    posted = sent(tmp_path, kind=kind, sent_at=sent_at, body=body)
    assert posted == body if kind == "form" else json.loads(posted) == json.loads(body)


def test_an_event_whose_id_is_in_a_header_is_another_each_time(tmp_path: Path) -> None:
    file = tmp_path / "zendesk.yaml"
    file.write_text((files("adapter") / "starters/zendesk.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    source = sources.ready(sources.read(file), public_url="", environ={"ZENDESK_SECRET": "a secret"})
    sent = [bodies.signed(source, None, [], origin="https://hooks.example.com", now=NOW) for _ in range(2)]
    ids = {one.headers["x-zendesk-webhook-invocation-id"] for one in sent}
    assert len(ids) == 2
    assert "01JGKZ" not in ids
    assert [source.admit(one, now=NOW) for one in sent] == [None, None]
