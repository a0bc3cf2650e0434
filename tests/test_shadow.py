"""A version under trial looks at live requests: its differences are counted, and it is in nobody's way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from running import until
from web.front import WORK, Front, front

from adapter import logs, sources
from adapter.errors import StoreError
from adapter.shadow import Shadow
from adapter.sources import Sources

ids = count(1)
OTHER_SKILL = WORK.replace("skill: ${skill}", "skill: Support")
STRICT = WORK.replace("callback_number: ${phone}", "callback_number: ${mobile}")


class Trial:
    """The application with a shadow beside its mapping, which can be exchanged."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self.shadow: Shadow = front.client.application.extensions["shadow"]
        self.put(OTHER_SKILL)

    def put(self, text: str | None) -> None:
        """Another shadow, or none."""
        shadows = {"work": sources.compiled(text, name="work", read_file=lambda _: "")} if text else {}
        found = Sources(usable=self.front.sources.usable, broken={}, shadows=shadows)
        self.shadow._sources = lambda: found

    def lead(self, **changes: Any) -> dict[str, Any]:
        """The receipt of a lead."""
        body = {"id": f"lead {next(ids)}", "skill": "Sales", "phone": "8015550143", **changes}
        return self.front.receipt("work", body)

    def counts(self) -> dict[str, int]:
        """What was counted once nothing waits any more."""
        self.shadow.close()
        return {one["kind"]: one["count"] for one in self.front.store.trials("work")}


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    with front(tmp_path, {"work": WORK}) as made:
        trial = Trial(made)
        yield trial
        trial.shadow.close()


def test_a_shadow_counts_what_it_would_have_done_otherwise_and_does_nothing(trial: Trial) -> None:
    receipt = trial.lead()
    trial.lead(skill="Support")
    assert receipt["state"] == "queued"
    assert trial.counts() == {"other skill": 1, "same": 1}
    assert [one["action"] for one in trial.front.rows("deliveries")] == [
        '["callback",{"skill":"Sales","callback_number":"8015550143"}]',
        '["callback",{"skill":"Support","callback_number":"8015550143"}]',
    ]
    assert trial.front.xima.asked == []


def test_an_example_leads_to_its_request_and_shows_no_number(trial: Trial) -> None:
    trial.lead()
    trial.counts()
    (row,) = trial.front.store.trials("work")
    (example,) = row["examples"]
    assert example["request"] == trial.front.rows("requests")[0]["id"]
    assert example["said"] == "the callback to …0143 for the skill Sales: skill Sales -> Support"
    assert "801555" not in str(row)
    assert (row["version"], row["shadow"]) == (
        trial.front.sources.usable["work"].mapping.version,
        trial.shadow._sources().shadows["work"].version,
    )


def test_a_click_is_dialled_once_and_looked_at(trial: Trial) -> None:
    assert trial.lead(agent="0101", skill="")["state"] == "accepted"
    assert trial.counts() == {"same": 1}
    assert len(trial.front.xima.asked) == 1


def test_a_record_that_differs_in_two_ways_counts_for_both(trial: Trial) -> None:
    trial.put(STRICT.replace("skill: ${skill}", "skill: Support"))
    trial.lead(mobile="8015550199")
    trial.lead()
    assert trial.counts() == {"other number": 1, "other skill": 1, "newly rejected": 1}


def test_a_shadow_that_cannot_read_the_body_says_so(trial: Trial) -> None:
    trial.put(WORK.replace("body: json", "body: xml"))
    assert trial.lead()["state"] == "queued"
    assert trial.counts() == {"newly unreadable": 1}


def test_without_a_shadow_no_thread_is_started(trial: Trial) -> None:
    trial.put(None)
    trial.lead()
    assert "shadow" not in {thread.name for thread in threading.enumerate()}
    assert trial.counts() == {}


def test_a_refused_request_is_not_looked_at(trial: Trial) -> None:
    assert trial.front.client.post("/hooks/work", data="{}").status_code == 401
    assert trial.counts() == {}


def test_requests_are_counted_while_it_runs(trial: Trial) -> None:
    trial.shadow._together = 0.0
    trial.lead()
    until(lambda: trial.front.store.trials("work"))
    trial.lead()
    until(lambda: trial.front.store.trials("work")[0]["count"] == 2)


def test_what_cannot_be_counted_is_told_and_the_answer_stands(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Any) -> None:
        raise StoreError("the store cannot be used: the disk is full")

    monkeypatch.setattr(trial.front.store, "count_trials", broken)
    monkeypatch.setattr(logs.log, "propagate", True)
    assert trial.lead()["state"] == "queued"
    assert trial.counts() == {}
    assert [(one.message, one.fields) for one in caplog.records if "shadow" in one.message] == [  # type: ignore[attr-defined] # set by `event`
        ("shadow.not_counted", {"requests": 1, "reason": "the store cannot be used: the disk is full"})
    ]


def test_more_than_can_wait_is_left_out_and_told(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(trial.shadow, "_begin", lambda: None)
    monkeypatch.setattr(logs.log, "propagate", True)
    trial.shadow._waiting.maxsize = 2
    for _ in range(5):
        assert trial.lead()["state"] == "queued"
    monkeypatch.undo()
    monkeypatch.setattr(logs.log, "propagate", True)
    trial.shadow._waiting.maxsize = 0
    trial.shadow._together = 0.0
    trial.lead()
    until(lambda: trial.front.store.trials("work"))
    assert trial.counts() == {"other skill": 3}
    told = [one.fields for one in caplog.records if one.message == "shadow.left_out"]  # type: ignore[attr-defined] # as above
    assert told == [{"requests": 3}]


def test_a_thread_that_cannot_be_started_takes_no_answer_away(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(trial.shadow, "_begin", lambda: full(threading.Thread()))
        assert trial.lead()["state"] == "queued"
    assert trial.counts() == {}


def test_after_it_was_closed_it_looks_at_nothing(trial: Trial) -> None:
    trial.shadow.close()
    assert trial.lead()["state"] == "queued"
    assert trial.counts() == {}
