"""A draft over the requests that really came: beside the version in force then, on the clock of that moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from web.front import WORK, Front, front

from adapter import compared, sources, written
from adapter.backtest import Backtest, Report, examples
from adapter.errors import MappingError
from adapter.mapping import Mapping, Result
from adapter.mapping.difference import Change, Pair
from adapter.model import Callback, ClickToDial
from adapter.store import Version

ids = count(1)
NUMBER = "8015550143"


@dataclass
class Desk:
    """The web application with the history of its only mapping."""

    front: Front
    file: Path

    def publish(self) -> None:
        """Write the version in force down, as a running adapter does."""
        self.front.store.publish(written.in_file(self.file).version(self.file, since=datetime.now(UTC)))

    def lead(self, **changes: Any) -> str:
        """Send a lead; gives the id of its request."""
        body = {"id": f"lead {next(ids)}", "skill": "Sales", "phone": NUMBER, **changes}
        answer = self.front.post("work", body)
        assert answer.status_code == 200
        return answer.headers["X-Request-Id"]

    def draft(self, *changes: tuple[str, str]) -> Mapping:
        """The mapping with some of its text replaced."""
        text = WORK
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        return sources.compiled(text, name="work", read_file=lambda _: "")

    def run(self, *changes: tuple[str, str], most: int = 500) -> Report:
        return Backtest(self.draft(*changes), self.front.store).run(most=most)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with front(tmp_path, {"work": WORK}) as made:
        desk = Desk(made, tmp_path / "mappings/work.yaml")
        desk.publish()
        yield desk


BETTER = ("callback_number: ${phone}", "callback_number: ${mobile}")
OTHER_SKILL = ("skill: ${skill}", "skill: Support")
NO_LEADS = ("- field: skill\n        present: yes", "- field: nothing\n        present: yes")


def test_the_same_mapping_changes_nothing_and_dials_nothing(desk: Desk) -> None:
    for _ in range(3):
        desk.lead()
    before = (desk.front.rows("deliveries"), desk.front.rows("requests"))
    report = desk.run()
    assert (report.requests, report.records, report.noted, dict(report.counts)) == (3, 3, 0, {"same": 3})
    assert report.found == []
    assert (desk.front.rows("deliveries"), desk.front.rows("requests")) == before
    assert desk.front.xima.asked == []


def test_every_change_is_counted_and_leads_to_its_request(desk: Desk) -> None:
    desk.lead(mobile=NUMBER)
    other = desk.lead(mobile="8015550199")
    without = desk.lead()
    report = desk.run(BETTER)
    assert dict(report.counts) == {"same": 1, "other number": 1, "newly rejected": 1}
    assert [(one.request, one.pair.kinds) for one in report.found] == [
        (without, ("newly rejected",)),
        (other, ("other number",)),
    ]


def test_only_the_latest_requests_are_taken(desk: Desk) -> None:
    for _ in range(5):
        desk.lead()
    report = desk.run(OTHER_SKILL, most=2)
    assert (report.requests, dict(report.counts)) == (2, {"other skill": 2})
    assert report.first is not None
    assert report.last is not None
    assert report.first <= report.last


def test_a_rule_that_was_added_takes_more_and_one_that_went_less(desk: Desk) -> None:
    desk.lead()
    desk.lead(skill="", name="nobody")
    assert dict(desk.run(NO_LEADS).counts) == {"newly skipped": 1, "same": 1}
    assert dict(desk.run(("present: yes\n    callback", "present: no\n    callback"), OTHER_SKILL).counts) == {
        "newly skipped": 1,
        "newly accepted": 1,
    }


def test_a_draft_that_wants_other_proofs_is_told_for_no_request_can_be_tried_on_that(desk: Desk) -> None:
    desk.lead()
    assert not desk.run().other_proofs
    report = desk.run(("secrets: [HOOK_SECRET]", "secrets: [OTHER_SECRET]"))
    assert (report.other_proofs, dict(report.counts)) == (True, {"same": 1})
    assert desk.run(("from: github", "from: header-token\n  header: X-Key")).other_proofs


def test_a_draft_that_cannot_read_the_bodies_says_so(desk: Desk) -> None:
    desk.lead()
    report = desk.run(("body: json", "body: xml"))
    assert dict(report.counts) == {"newly unreadable": 1}
    assert compared.sentence(report.found[0].pair).endswith("-> the body cannot be read, its sender would get 400")


def test_each_request_is_beside_the_version_in_force_then(desk: Desk) -> None:
    desk.lead(mobile=NUMBER)
    history = desk.front.store.history("work")
    (kept,) = history
    changed = desk.draft(OTHER_SKILL)
    desk.front.run(f"update requests set version = '{changed.version}'")
    desk.front.store.publish(
        Version(
            mapping="work",
            version=changed.version,
            since=kept.since + timedelta(seconds=1),
            file=kept.file,
            content=kept.content.replace(*OTHER_SKILL),
        )
    )
    assert dict(desk.run().counts) == {"other skill": 1}
    assert dict(desk.run(OTHER_SKILL).counts) == {"same": 1}


@pytest.mark.parametrize(
    "forget", ["delete from mapping_versions", "update mapping_versions set content = 'format: 9'"], ids=["gone", "old"]
)
def test_without_the_version_in_force_then_it_is_what_was_noted_that_counts(desk: Desk, forget: str) -> None:
    desk.lead(mobile=NUMBER)
    desk.lead(skill="")
    desk.lead(phone="12")
    desk.lead(mobile="8015550199")
    desk.front.run(forget)
    same, better = desk.run(), desk.run(BETTER)
    assert (same.noted, dict(same.counts)) == (4, {"same": 4})
    assert dict(better.counts) == {"same": 3, "other number": 1}


def test_what_was_noted_of_a_repeated_event_is_its_first_delivery(desk: Desk) -> None:
    desk.lead(id="again")
    desk.lead(id="again")
    desk.front.run("delete from mapping_versions")
    assert dict(desk.run().counts) == {"same": 2}
    desk.front.run("delete from deliveries")
    assert dict(desk.run(OTHER_SKILL).counts) == {"same": 2}
    removed = desk.run(NO_LEADS)
    assert compared.sentence(removed.found[0].pair) == "an action that was removed since -> nothing: no rule matched"


def test_the_clock_is_that_of_the_request(desk: Desk) -> None:
    desk.lead()
    hours = "rules:\n  - name: click"
    closed = "hours:\n  zone: UTC\n  open: {mon-sun: 00:00-00:01}\n  outside: hold\n" + hours
    noon = int(datetime(2026, 1, 7, 12, 0, tzinfo=UTC).timestamp() * 1_000_000)
    desk.front.run(f"update requests set received_at = {noon}")
    report = desk.run((hours, closed))
    (found,) = report.found
    assert found.pair.kinds == ("other hold",)
    assert compared.sentence(found.pair) == (
        "the callback to …0143 for the skill Sales: hold_until nothing -> 2026-01-08T07:00:00.000Z"
    )


def test_a_request_that_is_purged_meanwhile_is_passed_over(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.lead()
    monkeypatch.setattr(desk.front.store, "requests_of", lambda *_, **__: ["gone"])
    assert desk.run().requests == 0


def test_the_first_examples_of_each_kind_are_shown_the_most_frequent_kind_first(desk: Desk) -> None:
    for _ in range(3):
        desk.lead(mobile="8015550199")
    desk.lead()
    told = [(kind, number, len(found)) for kind, number, found in examples(desk.run(BETTER), most=2)]
    assert told == [("other number", 3, 2), ("newly rejected", 1, 1)]


def test_a_record_that_changes_in_two_ways_is_an_example_of_one(desk: Desk) -> None:
    desk.lead(mobile="8015550199")
    report = desk.run(BETTER, OTHER_SKILL)
    assert [(kind, number, len(found)) for kind, number, found in examples(report, most=2)] == [
        ("other number", 1, 1),
        ("other skill", 1, 0),
    ]


# words


def pair(before: Result, after: Result | None, *changes: Change) -> Pair:
    return Pair(record=0, before=before, after=after, changes=changes)


LEAD_OF = Result(kind="action", action=Callback(skill="Sales", callback_number="8015550142"))
DIAL_OF = Result(kind="action", action=ClickToDial(agent="0101", number_to_dial="8015550142"))
REJECTED = Result(kind="reject", reason="8015550142 is not valid in GB")
NUMBERS = Change(kind="other number", field="callback_number", before="8015550142", after="8015550199")
ALIKE = Change(kind="other number", field="callback_number", before="8015550142", after="9015550142")
WORDS = {
    "number": (
        pair(LEAD_OF, LEAD_OF, NUMBERS),
        "the callback to …0142 for the skill Sales: callback_number …0142 -> …0199",
        "the callback to 8015550142 for the skill Sales: callback_number 8015550142 -> 8015550199",
    ),
    "number that looks alike": (
        pair(LEAD_OF, LEAD_OF, ALIKE),
        "the callback to …0142 for the skill Sales: another callback_number",
        "the callback to 8015550142 for the skill Sales: callback_number 8015550142 -> 9015550142",
    ),
    "key": (
        pair(LEAD_OF, LEAD_OF, Change(kind="other key", field="once", before="a@b", after="c@d")),
        "the callback to …0142 for the skill Sales: another once",
        "the callback to 8015550142 for the skill Sales: once a@b -> c@d",
    ),
    "terms": (
        pair(DIAL_OF, DIAL_OF, Change(kind="other terms", field="fresh_for", before=timedelta(hours=1), after=None)),
        "the call from extension 0101 to …0142: fresh_for 1 hour -> nothing",
        "the call from extension 0101 to 8015550142: fresh_for 1 hour -> nothing",
    ),
    "rejected": (
        pair(LEAD_OF, REJECTED, Change(kind="newly rejected")),
        "the callback to …0142 for the skill Sales -> not usable: ***0142 is not valid in GB",
        "the callback to 8015550142 for the skill Sales -> not usable: 8015550142 is not valid in GB",
    ),
}


@pytest.mark.parametrize(("of", "masked", "full"), WORDS.values(), ids=WORDS.keys())
def test_a_change_is_told_in_a_sentence_that_shows_numbers_only_when_asked(of: Pair, masked: str, full: str) -> None:
    assert compared.sentence(of) == compared.plain(of)["said"] == masked
    assert compared.sentence(of, full=True) == full


def test_plain_data_holds_no_number_either() -> None:
    told = compared.plain(pair(LEAD_OF, LEAD_OF, NUMBERS))
    assert told["changes"] == [
        {"kind": "other number", "field": "callback_number", "before": "…0142", "after": "…0199"}
    ]
    assert "801555" not in str(told)


def test_a_draft_may_stand_in_a_file_of_any_name(tmp_path: Path) -> None:
    file = tmp_path / "try this.yaml"
    file.write_text(WORK, encoding="utf-8")
    assert written.in_file(file, any_name=True).mapping.name == "work"


@pytest.mark.parametrize("text", ["format: 1\n", "- a list\n", "name: [a]\n"], ids=["no name", "a list", "no text"])
def test_a_draft_without_a_name_of_its_own_is_told_what_is_wrong(tmp_path: Path, text: str) -> None:
    file = tmp_path / "draft.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(MappingError):
        written.in_file(file, any_name=True)
