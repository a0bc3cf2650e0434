"""The commands that know of reports: `report`, `check`, `explain` and `deliveries show`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from receiver import WHSEC, receiving
from running import CLICK, free_port
from sample import CALLBACK, NOW, SECOND, delivery
from store.contract import arrival

from adapter.store import Entry, Store, Told

from .conftest import Run

REPORT = """
report:
  to: {origin}/hooks
  secrets: [REPORT_SECRET]
  when: [accepted, refused]
  include:
    event: ${{id}}
    kind: {{choose: [{{when: [{{field: agent, present: yes}}], use: click}}, {{use: lead}}]}}
"""


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with a secret that signs."""
    monkeypatch.setenv("REPORT_SECRET", WHSEC)
    return monkeypatch


def write(home: Path, origin: str, env: pytest.MonkeyPatch) -> None:
    """The mapping `click` with a report to an origin that is allowed."""
    (home / "mappings" / "click.yaml").write_text(CLICK + REPORT.format(origin=origin))
    env.setenv("ADAPTER_REPORT_HOSTS", origin)


def test_a_signed_test_is_posted_and_the_answer_told(run: Run, home: Path, env: pytest.MonkeyPatch) -> None:
    with receiving() as receiver:
        write(home, receiver.origin, env)
        said = run("report", "click")
        (told,) = receiver.verified()
    assert (said.exit_code, said.output.splitlines()[-1]) == (0, "The receiver took it: 204.")
    assert (told["type"], told["data"]["state"], told["data"]["include"]) == (
        "report.test",
        "accepted",
        {"event": "1", "kind": "click"},
    )


def test_a_mapping_of_which_no_example_gives_a_delivery_has_nothing_to_tell_of(
    run: Run, home: Path, env: pytest.MonkeyPatch
) -> None:
    starter = run("presets", "xima-call-ended", "--starter").stdout
    report = REPORT.format(origin="http://127.0.0.1:9").split("  when:")[0]
    (home / "mappings" / "xima-call-ended.yaml").write_text(starter + report)
    env.setenv("ADAPTER_REPORT_HOSTS", "http://127.0.0.1:9")
    said = run("report", "xima-call-ended")
    assert (said.exit_code, "no example of xima-call-ended gives an action that is" in said.stderr) == (2, True)


def test_a_receiver_that_does_not_take_it_is_told(run: Run, home: Path, env: pytest.MonkeyPatch) -> None:
    write(home, f"http://127.0.0.1:{free_port()}", env)
    said = run("report", "click")
    assert (said.exit_code, said.output.splitlines()[-1]) == (1, "The receiver did not take it: connection refused.")
    found = json.loads(run("report", "click", "--json").output)
    assert (found["status"], found["said"]) == (None, "connection refused")


def test_what_is_missing_for_a_report_is_told(run: Run, home: Path, env: pytest.MonkeyPatch) -> None:
    said = run("report", "click")
    assert (said.exit_code, "click reports to nobody" in said.output) == (2, True)
    write(home, "http://127.0.0.1:9", env)
    env.setenv("ADAPTER_REPORT_HOSTS", "crm.example.com")
    remedy = "ADAPTER_REPORT_HOSTS does not allow http://127.0.0.1:9: add it there, for click reports to it"
    said = run("report", "click")
    assert remedy in said.output
    assert said.exit_code != 0
    assert f"click.yaml: warning: {remedy}" in run("check").output
    write(home, "http://127.0.0.1:9", env)
    assert "REPORT_HOSTS" not in run("check").output


def test_a_mapping_without_an_action_in_its_examples_has_nothing_to_tell_of(
    run: Run, home: Path, env: pytest.MonkeyPatch
) -> None:
    write(home, "http://127.0.0.1:9", env)
    path = home / "mappings" / "click.yaml"
    text = path.read_text()
    path.write_text(text[: text.index("examples:")] + text[text.index("lint:") :])
    assert "no example of click gives an action" in run("report", "click").output


def test_explain_shows_who_would_be_told_what(run: Run, home: Path, env: pytest.MonkeyPatch) -> None:
    write(home, "http://127.0.0.1:9", env)
    (home / "body").write_text('{"id": "7", "agent": "0101", "phone": "8015550142"}')
    said = run("explain", "click", "body")
    assert (
        '  would tell http://127.0.0.1:9/hooks when accepted, refused: {"event": "7", "kind": "click"}'
        in said.output.splitlines()
    )
    (found,) = json.loads(run("explain", "click", "body", "--json").output)["results"]
    assert "this line of choose applies" in found["trace"][-1]
    assert found["report"]["include"] == {"event": "7", "kind": "click"}


def test_show_lists_the_reports_of_a_delivery(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{home / 'adapter.db'}"
    monkeypatch.setenv("ADAPTER_DATABASE_URL", url)
    report = {"to": "https://crm.example.com/", "secrets": [], "when": ["expired"], "include": {}}
    ended = delivery(CALLBACK, state="expired", terms={"fresh_for": 60.0, "report": report})
    store = Store(url)
    store.upgrade()
    store.add(arrival(), [Entry(note={}, delivery=ended, remember_until=NOW + SECOND)])
    (due,) = store.reports.claim(now=NOW, until=NOW + SECOND, most=1, busy={}, each=1)
    store.reports.settle(due, Told(result="given up", status=410, said="answered 410"))
    store.close()
    lines = run("deliveries", "show", "d1").output.splitlines()
    assert "Reports to the sender:" in lines
    assert lines[-1].split() == [
        *("2026-01-07T17:00:00.000Z", "-", "expired", "https://crm.example.com:443", "given", "up", "1", "410"),
        *("answered", "410"),
    ]
    (found,) = json.loads(run("deliveries", "show", "d1", "--json").output)["reports"]
    assert (found["result"], found["again_at"]) == ("given up", None)
    assert run("deliveries", "tell", "d1").output == "It is sent once more.\n"
    (found,) = json.loads(run("deliveries", "show", "d1", "--json").output)["reports"]
    assert found["result"] == "pending"
    said = run("deliveries", "tell", "d1")
    assert (said.exit_code, "no report of d1 was given up" in said.output) == (1, True)
