"""`POST /hooks/<mapping>` in this process: what is answered to whom, and what is kept."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running import SECRET, until

from adapter.dispatcher import carrying
from adapter.model import Evidence, Outcome
from adapter.web.hooks import SOAP_ACK, raw_target
from web.front import ACCEPTED, CLICK, JSON, LEAD, ORIGIN, WORK, Front, front, outcome

RECEIPT = {
    *("id", "state", "action", "reason", "message", "mapping", "version", "rule"),
    *("created_at", "updated_at", "status_url", "duplicate_of", "policy"),
}
REFUSED = outcome(Evidence.REFUSED, status=422, reason="no such agent")
UNKNOWN = Outcome(evidence=Evidence.UNKNOWN, phase="sent", reason="the answer never came")
LOST = outcome(Evidence.OVER_CAP, status=509, reason="over its cap")


def test_a_click_is_answered_with_its_receipt(work: Front) -> None:
    receipt = work.receipt("work", CLICK)
    assert set(receipt) == RECEIPT
    assert receipt | {"state": "accepted", "action": "click_to_dial", "mapping": "work", "rule": "click"} == receipt
    assert receipt["status_url"].startswith(f"{ORIGIN}/deliveries/{receipt['id']}?token=")
    assert receipt["duplicate_of"] is None
    assert receipt["message"] == "Xima accepted the call from extension 0101 to …0142."
    assert [action.as_dict() for action in work.xima.asked] == [{"agent": "0101", "number_to_dial": "8015550142"}]


def test_without_a_public_url_receipts_lead_to_the_address_it_listens_on(tmp_path: Path) -> None:
    with front(tmp_path, {"work": WORK}, ADAPTER_PUBLIC_URL="", ADAPTER_BIND="127.0.0.1:8123") as made:
        assert made.receipt("work", CLICK)["status_url"].startswith("http://127.0.0.1:8123/deliveries/")


def test_a_batch_is_answered_in_its_order_and_its_clicks_wait_their_turn(work: Front) -> None:
    records = [LEAD, {"id": "3", "skill": "Sales", "phone": "12"}, {"id": "4"}, CLICK, LEAD]
    receipts = work.post("work", records).get_json()["receipts"]
    assert [one["state"] for one in receipts] == ["queued", "reject", "skip", "queued", "queued"]
    assert receipts[4]["duplicate_of"] == receipts[0]["id"] == receipts[4]["id"]
    assert [one["id"] is None for one in receipts] == [False, True, True, False, False]
    assert work.xima.asked == []
    assert all(set(one) == RECEIPT for one in receipts)


def test_a_repeated_click_gets_the_first_receipt_and_rings_once(work: Front) -> None:
    first, again = work.receipt("work", CLICK), work.receipt("work", CLICK)
    assert (again["id"], again["state"], again["duplicate_of"]) == (first["id"], "accepted", first["id"])
    assert again["message"].startswith("This was asked for before")
    assert len(work.xima.asked) == 1


def test_a_click_that_another_mapping_has_made_just_now_is_answered_without_a_link_to_cancel_it(tmp_path: Path) -> None:
    quiet = WORK.replace("same_number: no", "same_number: 60s")
    with front(tmp_path, {"work": quiet, "other": quiet.replace("name: work", "name: other")}) as made:
        first, again = made.receipt("work", CLICK), made.receipt("other", CLICK)
        assert (again["duplicate_of"], again["mapping"], again["status_url"]) == (first["id"], "work", None)
        assert made.receipt("work", {**CLICK, "id": "2"})["status_url"].partition("?")[0] in first["status_url"]
        assert len(made.xima.asked) == 1


def test_an_empty_batch_has_no_receipts(work: Front) -> None:
    assert work.post("work", []).get_json() == {"receipts": []}


@pytest.mark.parametrize(
    ("told", "state"), [(REFUSED, "refused"), (UNKNOWN, "unknown"), (ACCEPTED, "accepted")], ids=lambda v: str(v)[:12]
)
def test_what_became_of_a_click_is_in_its_receipt_and_the_status_is_200(work: Front, told: Outcome, state: str) -> None:
    work.xima.outcomes = [told]
    receipt = work.receipt("work", CLICK)
    assert (receipt["state"], receipt["reason"]) == (state, told.reason)


def test_a_click_that_takes_too_long_is_answered_as_sending_and_finished_all_the_same(tmp_path: Path) -> None:
    with front(tmp_path, {"work": WORK}, ADAPTER_WAIT="1s") as slow:
        slow.xima.free.clear()
        receipt = slow.receipt("work", CLICK)
        assert receipt["state"] == "sending"
        slow.xima.free.set()
        until(lambda: slow.store.newest()[0].state == "accepted")
    assert len(slow.xima.asked) == 1


# failures: 4xx

SHOWN = WORK.replace("name: work", "name: shown").replace("  body: json\n", "  body: json\n  answer: {failures: 4xx}\n")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with front(tmp_path_factory.mktemp("shown"), {"shown": SHOWN}) as made:
        yield made


@pytest.mark.parametrize(
    ("told", "body", "status", "state"),
    [
        (ACCEPTED, {"id": "ok"}, 200, "accepted"),
        (REFUSED, {"id": "no"}, 422, "refused"),
        (LOST, {"id": "cap"}, 422, "failed"),
        (UNKNOWN, {"id": "?"}, 504, "unknown"),
        (None, {"id": "12", "phone": "12"}, 422, "reject"),
        (None, {"id": "s", "agent": ""}, 200, "skip"),
        (None, {"id": "q", "agent": "", "skill": "Sales"}, 200, "queued"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_sender_that_shows_the_status_to_a_person_gets_one_that_says_so(
    shown: Front, told: Outcome | None, body: dict[str, str], status: int, state: str
) -> None:
    shown.run("delete from gates")  # the egress cap of one would hold the next
    shown.xima.outcomes = [told] if told else []
    for _ in range(2):  # the repeat of an event is answered as it was the first time
        answer = shown.post("shown", {**CLICK, **body})
        assert answer.get_json()["receipts"][0]["state"] == state
        assert answer.status_code == status


def test_such_a_sender_hears_504_when_the_outcome_is_not_in_yet(tmp_path: Path) -> None:
    with front(tmp_path, {"shown": SHOWN}, ADAPTER_WAIT="1s") as slow:
        slow.xima.free.clear()
        answer = slow.post("shown", CLICK)
    assert (answer.status_code, answer.get_json()["receipts"][0]["state"]) == (504, "sending")


def test_a_batch_is_always_answered_with_200(shown: Front) -> None:
    assert shown.post("shown", [{"id": "1", "agent": "1", "phone": "12"}, LEAD]).status_code == 200


# what senders want to hear

OWN = WORK.replace("name: work", "name: own").replace(
    "  body: json\n", "  body: json\n  answer:\n    body: <ok/>\n    type: text/xml\n"
)
SHIPPED = Path(__file__).parents[2] / "mappings"


def test_a_mapping_may_give_its_own_answer(tmp_path: Path) -> None:
    with front(tmp_path, {"own": OWN}) as own:
        answer = own.post("own", CLICK)
    assert (answer.status_code, answer.text, answer.content_type) == (200, "<ok/>", "text/xml")


@pytest.fixture
def salesforce(tmp_path: Path) -> Iterator[Front]:
    shipped = (SHIPPED / "salesforce-click-to-dial.yaml").read_text(encoding="utf-8")
    files = {
        "salesforce": shipped.replace("SALESFORCE_HOOK_KEY", "HOOK_SECRET").replace("-click-to-dial", ""),
        "salesforce-agents.csv": (SHIPPED / "salesforce-agents.csv").read_text(encoding="utf-8"),
    }
    with front(tmp_path, files) as made:
        assert made.sources.broken == {}
        yield made


def test_salesforce_hears_its_ack_first_and_when_it_repeats(salesforce: Front) -> None:
    body = salesforce.sources.usable["salesforce"].mapping.examples[0].body.encode()
    for _ in range(2):
        answer = salesforce.post("salesforce", body, headers={"Content-Type": "text/xml; charset=utf-8"})
        assert (answer.status_code, answer.text) == (200, SOAP_ACK)
        assert answer.content_type == "text/xml; charset=utf-8"
    (row,) = salesforce.rows("deliveries")
    assert row["key"] == "04l000000000001"
    assert SECRET.replace(" ", "%20") not in json.dumps([str(one) for one in salesforce.rows("requests")])


# who is not let in, and what cannot be read

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
STALE = {"X-Hub-Signature-256": "sha256=" + "0" * 64}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        STALE,
        {"X-Hub-Signature-256": "sha256=\xe9\xff"},
        {"X-Hub-Signature-256": "sha256="},
        {"X-Hub-Signature-256": "nonsense"},
        {"X-Hub-Signature-256": "sha256=" + "0" * 4000},
    ],
    ids=["none", "wrong", "not ascii", "empty", "malformed", "long"],
)
def test_a_401_says_nothing_about_why(work: Front, headers: dict[str, str]) -> None:
    answer = work.client.post("/hooks/work", data=json.dumps(CLICK), headers={**JSON, **headers})
    assert answer.status_code == 401
    assert answer.get_json() == {
        "error": {
            "code": "unauthorized",
            "message": "The request was not signed as this mapping demands. The operator finds the reason in the log.",
        }
    }
    assert work.rows("requests") == work.rows("deliveries") == []
    assert work.xima.asked == []


def test_the_reason_of_a_401_is_counted_for_the_operator(work: Front) -> None:
    for _ in range(2):
        work.client.post("/hooks/work", data=json.dumps(CLICK), headers={**JSON, **STALE})
    (refused,) = work.refusals()
    assert (refused["mapping"], refused["code"], refused["count"]) == ("work", "unauthorized", 2)
    assert refused["reason"]


def test_the_signature_is_asked_before_anything_is_read(work: Front) -> None:
    assert work.client.post("/hooks/work", data=b"{not json", headers=JSON).status_code == 401


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{not json", JSON, 400, "bad_request"),
        (b"", JSON, 400, "bad_request"),
        (b'"text"', JSON, 400, "bad_request"),
        (b"\xff\xfe", JSON, 400, "bad_request"),
        (b"[" * 100_000, JSON, 400, "bad_request"),
        (b"a=1", FORM, 415, "unsupported_body"),
        (b"<a/>", {"Content-Type": "text/xml"}, 415, "unsupported_body"),
        (gzip.compress(b"{}"), {**JSON, "Content-Encoding": "gzip"}, 415, "unsupported_body"),
        (b"x" * 2000, JSON, 413, "body_too_large"),
    ],
    ids=["no json", "empty", "no object", "no text", "deep", "form", "xml", "gzip", "large"],
)
def test_a_signed_request_that_cannot_be_read_is_refused_and_counted(
    tmp_path: Path, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    limit = "1999" if status == 413 else "1MB"
    with front(tmp_path, {"work": WORK}, ADAPTER_MAX_BODY=limit) as work:
        answer = work.post("work", body, headers=headers)
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (status, code)
        assert work.rows("requests") == work.rows("deliveries") == []
        assert [(one["mapping"], one["code"], one["count"]) for one in work.refusals()] == [("work", code, 1)]


def test_a_body_of_exactly_the_limit_is_taken(tmp_path: Path) -> None:
    body = json.dumps(CLICK).encode()
    with front(tmp_path, {"work": WORK}, ADAPTER_MAX_BODY=str(len(body))) as work:
        assert work.post("work", body).status_code == 200


def test_a_compressed_body_is_refused_with_its_remedy(work: Front) -> None:
    answer = work.post("work", gzip.compress(b"{}"), headers={**JSON, "Content-Encoding": "gzip"})
    assert answer.get_json()["error"]["message"].endswith("send no Content-Encoding")
    assert work.post("work", CLICK, headers={**JSON, "Content-Encoding": "identity"}).status_code == 200


@pytest.mark.parametrize("body", [b"x" * 2_000_000, b"{}"], ids=["large", "small"])
def test_a_name_nobody_has_is_answered_but_never_kept(work: Front, body: bytes) -> None:
    for number in range(3):
        work.client.post(f"/hooks/invented-{number}", data=body, headers=JSON)
    assert [one["mapping"] for one in work.refusals()] == [""]
    assert work.refusals()[0]["count"] == 3


def test_an_unknown_mapping_is_404_and_a_broken_one_503_with_a_time_to_come_back(work: Front) -> None:
    unknown = work.client.post("/hooks/nobody", data=b"{}", headers=JSON)
    assert (unknown.status_code, unknown.get_json()["error"]["code"]) == (404, "not_found")
    broken = work.client.post("/hooks/broken", data=b"{}", headers=JSON)
    assert (broken.status_code, broken.get_json()["error"]["code"]) == (503, "unavailable")
    assert int(broken.headers["Retry-After"]) > 0
    assert [one["mapping"] for one in work.refusals()] == ["broken", ""]


def test_a_form_is_signed_as_it_was_sent(tmp_path: Path) -> None:
    form = WORK.replace("name: work", "name: form").replace("body: json", "body: form")
    with front(tmp_path, {"form": form}) as made:
        answer = made.post("form", b"id=7&skill=Sales+%26+more&phone=801-555-0142&empty=", headers=FORM)
        assert answer.get_json()["receipts"][0]["state"] == "queued"
        assert made.store.newest()[0].action.as_dict()["skill"] == "Sales & more"


# a store that cannot be written


def test_when_the_store_cannot_be_written_nothing_is_kept_and_the_sender_may_try_again(work: Front) -> None:
    work.run("create trigger full before insert on deliveries begin select raise(abort, 'disk is full'); end")
    answer = work.post("work", CLICK)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert work.rows("requests") == work.rows("deliveries") == work.rows("once") == []
    assert work.xima.asked == []
    work.run("drop trigger full")
    assert work.receipt("work", CLICK)["state"] == "accepted"


def test_a_refusal_that_cannot_be_counted_is_a_refusal_all_the_same(work: Front) -> None:
    work.run("drop table refusals")
    assert work.client.post("/hooks/work", data=b"{}", headers=JSON).status_code == 401


def test_a_click_whose_outcome_cannot_be_saved_is_sending_and_not_an_error(
    work: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying, "SAVE_TRIES", 1)
    work.run("create trigger full before update on deliveries begin select raise(abort, 'disk is full'); end")
    assert work.receipt("work", CLICK)["state"] == "sending"
    assert len(work.xima.asked) == 1


# the address that is signed


@pytest.mark.parametrize(
    ("environ", "target"),
    [
        ({"RAW_URI": "/hooks/a%2fb/?x=%20#y"}, "/hooks/a%2fb/?x=%20#y"),
        ({"RAW_URI": "//hooks//a?"}, "//hooks//a?"),
        ({"RAW_URI": None, "REQUEST_URI": "/hooks/a?b"}, "/hooks/a?b"),
        ({"RAW_URI": "http://evil.example/hooks/a?b=http://c/d"}, "/hooks/a?b=http://c/d"),
        ({"RAW_URI": "https://evil.example"}, "/"),
        ({"RAW_URI": None, "REQUEST_URI": None, "PATH_INFO": "/hooks/a", "QUERY_STRING": "b=c"}, "/hooks/a?b=c"),
        ({"RAW_URI": None, "REQUEST_URI": None, "PATH_INFO": "/hooks/a", "QUERY_STRING": ""}, "/hooks/a"),
    ],
)
def test_the_target_is_what_was_received_and_never_the_host(idle: Front, environ: dict[str, Any], target: str) -> None:
    with idle.client.application.test_request_context("/", environ_overrides=environ):
        assert raw_target() == target
