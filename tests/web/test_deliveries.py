"""The status link: JSON for programs, a page for people, and cancelling while nothing was sent."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from freezegun import freeze_time

from adapter.model import TRANSITIONS, WAITING, Delivery, Evidence, Outcome
from adapter.policy import Verdict
from adapter.web.links import VALID_FOR
from web.front import CLICK, LEAD, ORIGIN, Front, outcome

FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
PROGRAMS = [None, "*/*", "application/json", "application/json, text/plain, */*", "text/html;q=0.5, application/json"]
ATTEMPT = {"at", "phase", "status", "reason", "duration_ms"}


def path_of(work: Front, body: object = CLICK) -> str:
    """The path of the status link that a signed request is answered with."""
    url: str = work.receipt("work", body)["status_url"]
    return url.removeprefix(ORIGIN)


def put(work: Front, state: str) -> None:
    """Move the only delivery without asking whether it may go there."""
    work.run(f"update deliveries set state = '{state}', lease_owner = null")


# what it shows


def test_a_program_gets_the_receipt_with_every_try(work: Front) -> None:
    trouble = Outcome(evidence=Evidence.NOT_SENT, phase="not_sent", reason="no connection")
    work.xima.outcomes = [trouble]
    shown = work.client.get(path_of(work)).get_json()
    assert shown["state"] == "accepted"
    assert [(one["phase"], one["status"], one["reason"]) for one in shown["attempts"]] == [
        ("not_sent", None, "no connection"),
        ("answered", 204, ""),
    ]
    assert all(set(one) == ATTEMPT for one in shown["attempts"])


def test_it_shows_what_the_receipt_said_and_the_same_link(work: Front) -> None:
    receipt = work.receipt("work", LEAD)
    shown = work.client.get(receipt["status_url"].removeprefix(ORIGIN)).get_json()
    untold = dict.fromkeys(("outcome", "duration_seconds", "ended_at", "outcome_told_at", "outcome_matched_by"), None)
    assert shown == {**receipt, **untold, "attempts": [], "acts": []}


@pytest.mark.parametrize("accept", PROGRAMS, ids=str)
def test_programs_get_json(work: Front, accept: str | None) -> None:
    answer = work.client.get(path_of(work), headers={"Accept": accept} if accept else {})
    assert answer.content_type == "application/json"


@pytest.mark.parametrize("accept", [FIREFOX, "text/html", "text/html, application/json;q=0.9"])
def test_browsers_get_a_page(work: Front, accept: str) -> None:
    answer = work.client.get(path_of(work), headers={"Accept": accept})
    assert answer.content_type == "text/html; charset=utf-8"
    assert "Xima accepted the call from extension 0101 to …0142." in answer.text


def test_a_page_runs_and_loads_nothing_but_its_own(work: Front) -> None:
    pages = [work.client.get(path_of(work, LEAD), headers={"Accept": FIREFOX}) for _ in range(2)]
    policies = [page.headers["Content-Security-Policy"] for page in pages]
    nonce = re.search("style-src 'nonce-([^']+)'", policies[0])
    assert nonce
    assert policies[0].startswith("default-src 'none'; ")
    assert f"script-src 'nonce-{nonce[1]}'" in policies[0]
    assert re.findall("<(?:style|script)([^>]*)>", pages[0].text) == [f' nonce="{nonce[1]}"'] * 2
    assert policies[0] != policies[1], "a nonce is used once"
    assert not re.search(r"https?://|src=|href=", pages[0].text.replace(ORIGIN, ""))


def test_a_page_shows_foreign_text_as_text(work: Front) -> None:
    evil = "<img src=x onerror=alert(1)>\"'&"
    work.xima.outcomes = [outcome(Evidence.REFUSED, status=422, reason=evil)]
    page = work.client.get(path_of(work, CLICK), headers={"Accept": FIREFOX}).text
    lead = work.client.get(path_of(work, {**LEAD, "skill": evil}), headers={"Accept": FIREFOX}).text
    assert "<img" not in page + lead
    assert page.count("&lt;img src=x onerror=alert(1)&gt;&#34;&#39;&amp;") == 2  # the sentence and the try
    assert "<script>alert" not in lead
    assert "lead &lt;script&gt;" in lead


@pytest.mark.parametrize("state", TRANSITIONS)
def test_a_page_offers_to_cancel_and_looks_again_only_where_that_makes_sense(work: Front, state: str) -> None:
    path = path_of(work, LEAD)
    put(work, state)
    page = work.client.get(path, headers={"Accept": FIREFOX}).text
    assert f'class="state {state}"' in page
    assert ('<button id="cancel">' in page) == (state in WAITING)
    assert ('http-equiv="refresh"' in page) == (state in ("held", "queued", "sending"))


@pytest.mark.parametrize("state", TRANSITIONS)
def test_only_the_page_of_what_was_accepted_says_what_that_means(work: Front, state: str) -> None:
    path = path_of(work, LEAD)
    put(work, state)
    page = work.client.get(path, headers={"Accept": FIREFOX}).text
    assert ("“Accepted” means" in page) == (state == "accepted")


def test_the_page_of_what_a_person_settled_says_whose_word_that_is(work: Front) -> None:
    work.xima.outcomes = [outcome(Evidence.UNKNOWN, status=500, reason="nobody knows")]
    path = path_of(work, CLICK)
    (one,) = work.store.newest()
    rang = Verdict(state="accepted", reason="it rang", due_at=one.due_at, expires_at=one.expires_at)
    work.store.act(one, rang, who="Pat", now=one.due_at)
    page = work.client.get(path, headers={"Accept": FIREFOX}).text
    assert "counts as accepted: it rang." in page
    assert "took the request, or that a person said so." in page


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param('{"message": "no such skill"}', "no such skill", id="message"),
        pytest.param('{"error": "gone (for good)"}', "gone (for good)", id="error"),
        pytest.param('{"status": 404, "error": {"code": 7, "message": "no such skill"}}', "no such skill", id="within"),
        pytest.param('{"message": " ", "detail": "no such skill"}', "no such skill", id="the first that says anything"),
        pytest.param('{"status": 404}', "{&#34;status&#34;: 404}", id="says nothing in words"),
        pytest.param('{"message": "no su}', "{&#34;message&#34;: &#34;no su}", id="cut off"),
        pytest.param("no such skill", "no such skill", id="no JSON"),
    ],
)
def test_the_page_shows_the_words_of_xima_and_json_all_of_them(work: Front, body: str, words: str) -> None:
    work.xima.outcomes = [outcome(Evidence.REFUSED, status=404, reason=f"404: no (Xima says: {body})")]
    path = path_of(work, CLICK)
    page = work.client.get(path, headers={"Accept": FIREFOX}).text
    assert page.count(f"404: no (Xima says: {words})") == 2  # the sentence and the try
    assert work.client.get(path).get_json()["reason"] == f"404: no (Xima says: {body})"


def test_on_a_telephone_the_cells_of_a_table_stand_below_each_other(work: Front) -> None:
    page = work.client.get(path_of(work), headers={"Accept": FIREFOX}).text
    narrow = page.partition("@media (max-width: 32rem)")[2]
    assert "tr, td { display: block;" in narrow


def test_the_page_tells_the_time_in_minutes_and_json_exactly(work: Front) -> None:
    path = path_of(work, LEAD)
    put(work, "held")
    shown = work.client.get(path).get_json()
    page = work.client.get(path, headers={"Accept": FIREFOX}).text
    assert re.search(r"is held until \d{4}-\d\d-\d\d \d\d:\d\d UTC: ", page)
    assert not re.search(r"\dT\d\d:|:\d\d\.\d{3}Z", page)  # not by chance in what is random of a page
    assert re.search(r"is held until \S+T\S+\.\d{3}Z: ", shown["message"])


def test_a_receipt_is_not_kept_on_the_way_and_its_link_is_told_to_nobody(work: Front) -> None:
    headers = work.client.get(path_of(work)).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"


# who may look


@pytest.mark.parametrize("token", ["", "x", "\xe9%00", "a.b.c"])
def test_a_link_that_is_not_valid_shows_nothing_whether_the_delivery_is_there_or_not(work: Front, token: str) -> None:
    path = path_of(work).partition("?")[0]
    there, nowhere = (work.client.get(f"{one}?token={token}") for one in (path, "/deliveries/nobody"))
    assert there.status_code == nowhere.status_code == 401
    assert there.get_json() == nowhere.get_json()
    assert there.get_json()["error"]["message"] == "This status link is not valid, or it has expired."
    assert work.client.delete(f"{path}?token={token}").status_code == 401


def test_the_token_of_one_delivery_opens_no_other(work: Front) -> None:
    first, second = path_of(work, CLICK), path_of(work, LEAD)
    crossed = first.partition("?")[0] + "?" + second.partition("?")[2]
    assert work.client.get(crossed).status_code == 401
    assert work.client.delete(crossed).status_code == 401


def test_an_expired_link_says_so_and_looking_does_not_put_its_end_off(work: Front) -> None:
    path = path_of(work)
    with freeze_time(datetime.now(UTC) + VALID_FOR - timedelta(minutes=1)):
        renewed = work.client.get(path).get_json()["status_url"]
    with freeze_time(datetime.now(UTC) + VALID_FOR + timedelta(minutes=1)):
        for one in (path, renewed.removeprefix(ORIGIN)):
            assert work.client.get(one).status_code == 401


def test_a_delivery_that_was_removed_is_404(work: Front) -> None:
    path = path_of(work)
    work.run("delete from deliveries")
    answer = work.client.get(path)
    assert (answer.status_code, answer.get_json()["error"]["message"]) == (404, "This delivery is not kept any more.")


@pytest.mark.parametrize(("token", "status"), [("wrong", 401), (None, 404)])
def test_a_person_with_a_dead_link_gets_a_page(work: Front, token: str | None, status: int) -> None:
    path = path_of(work)
    work.run("delete from deliveries")
    answer = work.client.get(f"/deliveries/x?token={token}" if token else path, headers={"Accept": FIREFOX})
    assert (answer.status_code, answer.content_type) == (status, "text/html; charset=utf-8")
    assert "<h1>This " in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


# cancelling


@pytest.mark.parametrize("state", WAITING)
def test_what_waits_is_cancelled_and_never_sent(work: Front, state: str) -> None:
    path = path_of(work, LEAD)
    put(work, state)
    answer = work.client.delete(path)
    assert (answer.status_code, answer.get_json()["state"]) == (200, "cancelled")
    assert work.client.get(path).get_json()["message"].endswith("was cancelled: cancelled through its status link.")
    (act,) = work.store.acts(answer.get_json()["id"])
    assert (act["who"], act["old"], act["new"]) == ("status link", state, "cancelled")


@pytest.mark.parametrize("state", sorted(set(TRANSITIONS) - set(WAITING)))
def test_what_does_not_wait_any_more_cannot_be_cancelled_and_the_answer_says_its_state(work: Front, state: str) -> None:
    path = path_of(work, LEAD)
    put(work, state)
    answer = work.client.delete(path, headers={"Accept": FIREFOX})
    assert answer.status_code == 409
    assert answer.get_json() == {
        "error": {"code": "conflict", "message": f"It cannot be cancelled any more: it is {state}"},
        "state": state,
    }
    assert work.store.newest()[0].state == state


def test_a_delivery_taken_at_the_same_moment_is_not_cancelled(work: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    path = path_of(work, LEAD)
    act = work.store.act

    def taken_first(*args: object, **kwargs: object) -> None:
        put(work, "sending")
        act(*args, **kwargs)  # type: ignore[arg-type] # handed on as they came

    monkeypatch.setattr(work.store, "act", taken_first)
    answer = work.client.delete(path)
    assert (answer.status_code, work.store.newest()[0].state) == (409, "sending")
    assert answer.get_json()["error"]["message"].endswith("it is sending")


@pytest.mark.parametrize(
    "moves", ["state = 'queued'", "state = 'queued', attempt = attempt + 1"], ids=["let go", "put off"]
)
def test_what_moves_at_the_very_moment_and_waits_still_is_cancelled(
    work: Front, monkeypatch: pytest.MonkeyPatch, moves: str
) -> None:
    path, get = path_of(work, LEAD), work.store.get
    put(work, "held")
    moved = [f"update deliveries set {moves}"]

    def looked(delivery_id: str) -> Delivery | None:
        found = get(delivery_id)
        while moved:  # by the dispatcher, behind the back of whoever has looked
            work.run(moved.pop())
        return found

    monkeypatch.setattr(work.store, "get", looked)
    answer = work.client.delete(path)
    assert (answer.status_code, answer.get_json()["state"]) == (200, "cancelled")
