"""The page that shows whose phone rings, and the ledger behind it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
import requests

from adapter.sandbox import World, create_app

from .caller import NUMBER, Caller

VOID = {"meta", "link"}
APART = {"td", "th", "li", "p", "h2", "h3"}


class Outline(HTMLParser):
    """The text of a page, and whether its tags are balanced."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not [name for name, _ in attrs if name.startswith("on") or name == "style"]
        self.open.extend([] if tag in VOID else [tag])
        self.text += " " if tag in APART else ""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += "" if {"style", "script"} & set(self.open) else data


def shown(xima: Caller) -> str:
    """The visible text of the page, its white space collapsed."""
    outline = Outline(xima.send("GET", "/").text)
    assert outline.open == []
    return " ".join(outline.text.split())


def test_nothing_has_rung_at_first(xima: Caller) -> None:
    text = shown(xima)
    assert "Pat Owner 0101 Desk phone (UC) · selected caller ID: Main 8015550100 Has not rung" in text
    assert "Lee Owner 0102 Softphone" in text
    assert "Sales 0 waiting" in text
    assert "0 received None yet." in text


def test_a_desk_phone_rings_first(xima: Caller) -> None:
    xima.dial("0101", outboundCallerId="18015550100", externalPrefix="9")
    text = shown(xima)
    assert f"The agent's phone rings first; 9{NUMBER} is called once it is answered" in text
    assert re.search(r"showing caller ID 18015550100\. Since \d\d:\d\d:\d\d \(\d+ s\)", text)
    assert text.count("☎ Ringing") == 1


def test_a_softphone_calls_at_once(xima: Caller) -> None:
    xima.dial("0102")
    assert f"☎ Ringing Calling {NUMBER} at once, showing caller ID 8015550100." in shown(xima)


def test_a_callback_waits_in_the_queue_of_its_skill(xima: Caller) -> None:
    for number in range(12):
        xima.callback("Support", f"80155500{number:02}")
    text = shown(xima)
    assert re.search(r"Support 12 waiting Reserve Agent: .* 1\. 8015550000 since \d\d:\d\d:\d\d, logged", text)
    assert "8015550009" in text
    assert "and 2 more" in text


def test_what_is_selected_and_who_is_away_is_shown(xima: Caller) -> None:
    xima.select("London", "442079460000", extension="0102")
    assert "selected caller ID: London 442079460000" in shown(xima)
    xima.script(
        {
            "agents": [
                {"name": "Al", "extension": "1", "logged_in": "no"},
                {"name": "Bo", "extension": "2", "type": "XIMA", "busy": "yes"},
            ]
        }
    )
    text = shown(xima)
    assert "Al 1 logged out Desk phone (UC) · selected caller ID: none" in text
    assert "Bo 2 busy Softphone" in text
    xima.dial("2")
    assert "showing caller ID the trunk's." in shown(xima)


def test_the_last_twenty_calls_are_shown_the_newest_first(xima: Caller) -> None:
    for number in range(24):
        xima.callback(number=f"{number}")
    xima.callback("Nope")
    text = shown(xima)
    assert "25 received" in text
    rows = re.findall(r"(\d+) \d\d:\d\d:\d\d callback (\d+|cut|…) (yes|no)", text)
    assert rows[0] == ("25", "404", "no")
    assert [int(n) for n, _, _ in rows] == list(range(25, 5, -1))


def test_a_cut_call_and_the_faults_in_force_are_shown(xima: Caller) -> None:
    xima.fault({"drop_after_effect": "yes"})
    with pytest.raises(requests.ConnectionError):
        xima.callback()
    text = shown(xima)
    assert "fault: drop_after_effect on any" in text
    assert re.search(r"callback cut yes fault: drop_after_effect POST /rest/api/v1/callback", text)


def test_a_phone_stops_ringing_after_half_a_minute() -> None:
    now = datetime(2026, 1, 5, 9, 0, 0, tzinfo=UTC)
    client = create_app(World(clock=lambda: now)).test_client()
    headers = {"Authorization": "Bearer sandbox-token"}
    for extension in ("0101", "0101", "0102"):
        path = f"/rest/api/v1/agents/{extension}/click-to-dial"
        client.post(path, json={"numberToDial": NUMBER}, headers=headers)
    now += timedelta(seconds=29)
    assert client.get("/").text.count("Since 09:00:00 (29 s)") == 3
    now += timedelta(seconds=1)
    page = client.get("/").text
    assert page.count(f"Last rang at 09:00:00 for {NUMBER}, caller ID 8015550100") == 2
    assert "☎" not in page


def test_everything_shown_is_escaped(xima: Caller) -> None:
    evil = "<script>alert('1')</script>\"&"
    xima.script({"agents": [{"name": evil, "extension": "1"}], "skills": [evil]})
    xima.dial("1", numberToDial=evil)
    xima.callback(evil, evil)
    xima.send("GET", "/rest/<b>?<i>")
    page = xima.send("GET", "/").text
    assert page.count("<script") == 1
    assert "<b>?" not in page
    assert shown(xima).count(evil) == 4


def test_half_an_emoji_does_not_break_the_page_or_the_ledger(xima: Caller) -> None:
    xima.callback(number="\ud83d")
    assert "1. ?" in shown(xima)
    assert xima.last()["json"]["callbackNumber"] == "\ud83d"


def test_the_page_allows_itself_nothing_from_outside(xima: Caller) -> None:
    response = xima.send("GET", "/")
    policy = response.headers["Content-Security-Policy"]
    nonces = set(re.findall(r"nonce-([\w-]+)'", policy))
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert set(re.findall(r'nonce="([\w-]+)"', response.text)) == nonces
    assert nonces != set(re.findall(r"nonce-([\w-]+)'", xima.send("GET", "/").headers["Content-Security-Policy"]))
    assert not re.search(r"https?://|eval|sandbox-token", response.text)
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_refreshes_itself_with_and_without_scripts(xima: Caller) -> None:
    page = xima.send("GET", "/").text
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page
    assert 'fetch("/"' in page
    assert 'name="viewport" content="width=device-width' in page
    assert "prefers-color-scheme: dark" in page


def test_a_row_of_the_ledger_tells_all(xima: Caller) -> None:
    before = datetime.now(UTC)
    xima.send("POST", "/rest/api/v1/callback?again=1", json={"skill": "Sales", "callbackNumber": NUMBER})
    row = xima.last()
    at = datetime.fromisoformat(row.pop("at"))
    assert before - timedelta(milliseconds=1) <= at <= datetime.now(UTC)
    assert row.pop("duration_ms") >= 0
    assert row == {
        "n": 1,
        "operation": "callback",
        "method": "POST",
        "path": "/rest/api/v1/callback?again=1",
        "json": {"skill": "Sales", "callbackNumber": NUMBER},
        "fault": None,
        "status": 204,
        "effect": True,
        "reason": "",
    }


def test_the_ledger_can_be_emptied_with_what_it_led_to(xima: Caller) -> None:
    xima.dial()
    xima.callback()
    response = xima.send("DELETE", "/_sandbox/calls")
    assert (response.status_code, response.content) == (204, b"")
    assert xima.calls() == []
    assert "☎" not in shown(xima)
    assert not xima.sandbox.world.queues["Sales"].waiting
    xima.callback()
    assert [row["n"] for row in xima.calls()] == [1]


def test_calls_at_the_same_time_are_all_kept_in_order(xima: Caller) -> None:
    def burst(caller: int) -> list[int]:
        mine = Caller(xima.sandbox)
        with mine.session:
            return [mine.callback(number=f"{caller}-{turn}").status_code for turn in range(15)]

    with ThreadPoolExecutor(6) as pool:
        answers = [status for answers in pool.map(burst, range(6)) for status in answers]
    rows = xima.calls()
    assert answers == [204] * 90
    assert [row["n"] for row in rows] == list(range(1, 91))
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    assert all(row["effect"] and row["status"] == 204 for row in rows)
    numbers = [row["json"]["callbackNumber"] for row in rows]
    for caller in range(6):
        mine = [number for number in numbers if number.startswith(f"{caller}-")]
        assert mine == [f"{caller}-{turn}" for turn in range(15)]
    assert len({one.number for one in xima.sandbox.world.queues["Sales"].waiting}) == 90


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/", 405),
        ("PUT", "/_sandbox/calls", 405),
        ("DELETE", "/_sandbox/script", 405),
        ("GET", "/_sandbox/nothing", 404),
    ],
)
def test_the_sandbox_has_its_own_errors_and_keeps_them_out_of_the_ledger(
    xima: Caller, method: str, path: str, status: int
) -> None:
    response = xima.send(method, path)
    assert response.status_code == status
    assert set(response.json()["error"]) == {"code", "message"}
    assert xima.calls() == []


def test_a_script_over_64_kb_is_413(xima: Caller) -> None:
    response = xima.send("POST", "/_sandbox/script", data=b"#" * 70_000)
    assert (response.status_code, response.headers["Connection"]) == (413, "close")
