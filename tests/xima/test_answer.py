from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from adapter.model import Evidence, Outcome
from adapter.xima import read

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def outcome(status: int, headers: dict[str, str] | None = None, body: str = "", kind: str = "click_to_dial") -> Outcome:
    return read(status, headers or {}, body, kind=kind, now=NOW)


@pytest.mark.parametrize(
    ("status", "evidence"),
    [
        (100, Evidence.UNKNOWN),
        (103, Evidence.UNKNOWN),
        (200, Evidence.ACCEPTED),
        (202, Evidence.ACCEPTED),
        (204, Evidence.ACCEPTED),
        (299, Evidence.ACCEPTED),
        (301, Evidence.REFUSED),
        (302, Evidence.REFUSED),
        (304, Evidence.REFUSED),
        (307, Evidence.REFUSED),
        (400, Evidence.REFUSED),
        (401, Evidence.UNAUTHORIZED),
        (403, Evidence.REFUSED),
        (404, Evidence.REFUSED),
        (408, Evidence.REFUSED),
        (409, Evidence.REFUSED),
        (422, Evidence.REFUSED),
        (429, Evidence.LATER),
        (499, Evidence.REFUSED),
        (500, Evidence.UNKNOWN),
        (502, Evidence.UNKNOWN),
        (503, Evidence.UNKNOWN),
        (504, Evidence.UNKNOWN),
        (509, Evidence.OVER_CAP),
        (599, Evidence.UNKNOWN),
        (600, Evidence.UNKNOWN),
        (999, Evidence.UNKNOWN),
    ],
)
@pytest.mark.parametrize("kind", ["click_to_dial", "callback", "select_caller_id", ""])
def test_a_status_proves_the_same_for_every_action(status: int, evidence: Evidence, kind: str) -> None:
    found = outcome(status, kind=kind)
    assert (found.evidence, found.phase, found.status) == (evidence, "answered", status)
    assert found.retry_after is None


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("7", timedelta(seconds=7)),
        (" 120 ", timedelta(minutes=2)),
        ("0", timedelta(seconds=1)),
        ("3600", timedelta(hours=1)),
        ("86400", timedelta(hours=1)),
        ("9" * 5000, timedelta(hours=1)),
        ("0" * 5000 + "7", timedelta(seconds=7)),
        ("Sun, 22 Nov 2026 12:00:30 GMT", timedelta(seconds=30)),
        ("Sun, 22 Nov 2026 13:00:30 +0100", timedelta(seconds=30)),
        ("Sun, 22 Nov 2026 12:00:30 -0000", timedelta(seconds=30)),
        ("Sun, 22 Nov 2026 11:00:00 GMT", timedelta(seconds=1)),
        ("Sun, 22 Nov 2099 11:00:00 GMT", timedelta(hours=1)),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("name", ["Retry-After", "retry-after"])
def test_retry_after_is_honoured_between_a_second_and_an_hour(
    status: int, name: str, value: str, wait: timedelta
) -> None:
    found = outcome(status, {"Server": "x", name: value})
    assert (found.evidence, found.retry_after) == (Evidence.LATER, wait)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "-5",
        "1.5",
        "5, 6",
        "٣",
        "Sun, 99 Nov 2026",
        "Sun, 22 Nov 99999999 11:00:00 GMT",
        "Sun, 22 Nov 2026 12:00:30 +99999999999",
    ],
)
@pytest.mark.parametrize(("status", "evidence"), [(429, Evidence.LATER), (503, Evidence.UNKNOWN)])
def test_an_unreadable_retry_after_counts_as_none(status: int, evidence: Evidence, value: str) -> None:
    found = outcome(status, {"Retry-After": value})
    assert (found.evidence, found.retry_after) == (evidence, None)


def test_retry_after_means_nothing_on_another_status() -> None:
    assert outcome(500, {"Retry-After": "7"}).retry_after is None


LOGGED_OUT = "; the agent may be logged out of the Contact Center Agent Client"


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (204, "click_to_dial", ""),
        (200, "callback", "Xima answered 200 instead of 204"),
        (302, "callback", "302: Xima answered with a redirect, which is never followed: check XIMA_HOST"),
        (
            307,
            "click_to_dial",
            "307: Xima answered with a redirect, which is never followed: check XIMA_HOST",
        ),
        (400, "callback", "400: Xima could not use the request: check its numbers and names"),
        (
            401,
            "click_to_dial",
            "401: Xima does not accept the token of the Service User: was it refreshed, or removed?",
        ),
        (403, "click_to_dial", "403: the Service User has no access to this agent" + LOGGED_OUT),
        (403, "callback", "403: the Service User has no access to this skill"),
        (404, "click_to_dial", "404: Xima does not know this agent" + LOGGED_OUT),
        (404, "callback", "404: Xima does not know this skill"),
        (404, "select_caller_id", "404: Xima does not know this agent or caller id"),
        (404, "", "404: Xima does not know this agent or skill"),
        (409, "click_to_dial", "409: Xima cannot do this at present" + LOGGED_OUT),
        (418, "click_to_dial", "418: Xima refused the request" + LOGGED_OUT),
        (429, "click_to_dial", "429: Xima asks for fewer requests"),
        (500, "click_to_dial", "500: Xima had a fault of its own: the call may have been placed"),
        (502, "callback", "502: Xima had a fault of its own: the callback may have been queued"),
        (504, "select_caller_id", "504: Xima had a fault of its own: the caller id may have been changed"),
        (500, "", "500: Xima had a fault of its own"),
        (
            503,
            "callback",
            "503: Xima is overloaded or closed for maintenance: the callback may have been queued",
        ),
        (700, "click_to_dial", "700: Xima's answer makes no sense: the call may have been placed"),
    ],
)
def test_the_reason_is_in_words_for_an_agent(status: int, kind: str, reason: str) -> None:
    assert outcome(status, kind=kind).reason == reason


def test_a_503_that_says_when_to_come_back_claims_no_call() -> None:
    found = outcome(503, {"Retry-After": "5"})
    assert found.reason == "503: Xima is overloaded or closed for maintenance"


def test_the_reason_of_a_tenant_over_its_cap_names_who_can_help() -> None:
    assert "Xima Support can reset" in outcome(509).reason


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param("", "", id="empty"),
        pytest.param(" \r\n\x00 ", "", id="nothing readable"),
        pytest.param('{"message":"no such skill"}', '{"message":"no such skill"}', id="JSON"),
        pytest.param(
            "<html><head><title>Not\n  here</title><style>p {color: red}</style></head><body><p>Go away</p>",
            "Not here Go away",
            id="HTML",
        ),
        pytest.param("<script>alert(1)</script>hm<script>alert(2)", "hm", id="scripts, one of them cut"),
        pytest.param("gone<a href='", "gone", id="a tag that was cut"),
        pytest.param("a\x1b[31mb\u202ec\x85d", "a [31mb c d", id="control characters"),
        pytest.param("x" * 500, "x" * 120, id="long"),
    ],
)
def test_the_body_is_quoted_in_one_short_clean_line(body: str, said: str) -> None:
    quoted = f" (Xima says: {said})" if said else ""
    assert outcome(404, body=body, kind="callback").reason == "404: Xima does not know this skill" + quoted


QUOTED = {
    "as it was sent": ("8015550142", "8015550142 is not dialable", "***0142 is not dialable"),
    "JSON": ("8015550142", '{"message":"+18015550142 is bad"}', '{"message":"***0142 is bad"}'),
    "a number of JSON": ("8015550142", '{"numberToDial":8015550142}', '{"numberToDial":***0142}'),
    "letters around it": ("8015550142", "x8015550142_y", "x***0142_y"),
    "behind a dash": ("8015550142", "no-8015550142abc", "no-***0142abc"),
    "a URL": ("+18015550142", "/call?to=%2B18015550142&x", "/call?to=%2B***0142&x"),
    "written nicely": ("8015550142", "no route to +1 (801) 555-0142.", "no route to ***0142."),
    "dashes of print": ("8015550142", "801\u2013555\u20130142?", "***0142?"),
    "within its country": ("+442079460958", "(020) 7946 0958 no", "***0958 no"),
    "twice": ("8015550142", "8015550142,8015550142", "***0142,***0142"),
    "where the line is cut": ("8015550142", "x" * 112 + " 8015550142", "x" * 112 + " ***0142"),
    "a short one": ("19222", "call 19222", "call ***9222"),
    "another one": ("8015550142", "caller id +1 385 555 1234", "caller id ***1234"),
    "an extension": ("0142", "no 0142", "no 0142"),
    "no number": ("8015550142", "agent 0101, trace 1a2044ed0aa56443", "agent 0101, trace 1a2044ed0aa56443"),
}


@pytest.mark.parametrize(("called", "body", "said"), QUOTED.values(), ids=QUOTED)
def test_a_number_that_xima_repeats_is_quoted_by_its_last_four_digits(called: str, body: str, said: str) -> None:
    reason = read(400, {}, body, kind="callback", now=NOW, called=called).reason
    assert reason.endswith(f" (Xima says: {said})")


def test_a_body_made_to_hurt_is_quoted_as_soon() -> None:
    for body in ("1" * 1024, "1 " * 512, "(+1(" * 256, "1-. " * 256):
        read(400, {}, body, kind="callback", now=NOW, called="8015550142")  # quadratic work would take minutes


def test_the_body_never_changes_what_the_status_proves() -> None:
    assert outcome(204, body='{"error": "failed"}') == outcome(204)
    assert outcome(400, body='{"status": "accepted"}').evidence is Evidence.REFUSED
