"""How a script is read, replaced while the sandbox runs, and refused."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from pages import ROOT
from test_docs import between

from adapter.errors import SettingsError
from adapter.sandbox import World
from adapter.sandbox.script import Fault, Script, parse

from .caller import ACTIONS, AGENTS, Caller

WHOLE = """
token: hush                     # or tokens: [..]
agents:
  - {name: Pat Owner, extension: 0101, type: UC, caller_ids: [{label: Main, outboundCallerId: 8015550100}],
     selected: Main, logged_in: yes}
  - name: Émile 😀
    extension: 007
    logged_in: no
skills: [General Sales, {name: No, strategy: wait_in_queue}]
switches:
  agent_offline: 204-silent
  uc_wait: 1m30s
  forbidden_agents: [0101]
faults:
  - operation: click_to_dial
    status: 503
    retry_after: 3
    delay: 2s
    times: 3
    share: 0.2
    seed: 7
  - {reset: after, delay_answer: 0.5}
seed: 1
"""


PAGE = (ROOT / "docs/sandbox.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["office", "trouble", "open"])
def test_the_scripts_of_the_page_are_scripts(name: str) -> None:
    text = between(PAGE, name).removeprefix("```yaml\n").removesuffix("\n```")
    assert parse(text, Script()) != Script()


def test_the_page_explains_every_key_of_a_fault() -> None:
    assert [one.name for one in fields(Fault) if f"`{one.name}`" not in PAGE and f"`{one.name}: " not in PAGE] == []


def test_the_page_names_who_works_in_the_small_office() -> None:
    assert [one.extension for one in Script().agents if one.extension not in PAGE] == []


def test_scalars_are_read_as_text() -> None:
    script = parse(WHOLE, Script())
    pat, emile = script.agents
    assert (pat.extension, pat.caller_ids[0].number, emile.extension) == ("0101", "8015550100", "007")
    assert (emile.name, emile.logged_in, emile.type) == ("Émile 😀", False, "UC")
    assert (script.tokens, script.skills[1].name) == (["hush"], "No")


def test_durations_and_numbers_are_read() -> None:
    script = parse(WHOLE, Script())
    first, second = script.faults
    assert (first.status, first.retry_after, first.times, first.share, first.seed) == (503, 3, 3, 0.2, 7)
    assert (first.delay, second.delay_answer, script.switches.uc_wait) == (2, 0.5, 90)


def test_the_script_in_force_can_be_given_back(xima: Caller) -> None:
    answer = xima.script(WHOLE)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    shown = xima.send("GET", "/_sandbox/script").json()
    assert shown == answer.json()
    assert shown["faults"][1]["reset"] == "after"
    assert shown["agents"][1]["name"] == "Émile 😀"
    assert xima.script(json.dumps(shown)).json() == shown
    assert parse(json.dumps(shown), Script()).as_dict() == parse(WHOLE, Script()).as_dict()


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}", "\n---\n"])
def test_an_empty_script_is_an_office_where_nothing_goes_wrong(text: str) -> None:
    assert parse(text, Script()) == Script()


def test_a_script_takes_effect_while_the_sandbox_runs(xima: Caller) -> None:
    xima.script({"agents": [{"name": "New Hire", "extension": "900", "type": "XIMA"}]})
    assert xima.send("GET", AGENTS).json() == {"agents": [{"agent": "New Hire(900)", "type": "XIMA"}]}
    assert xima.dial("900").status_code == 204
    assert xima.dial("0101").status_code == 404


def test_a_script_of_faults_alone_keeps_the_office_and_what_happened_there(xima: Caller) -> None:
    xima.script(WHOLE)
    xima.session.headers["Authorization"] = "Bearer hush"
    xima.script("switches: {}")
    xima.dial("0101")
    xima.callback("General Sales")
    script = xima.script("faults: [{status: 503}]").json()
    assert [agent["extension"] for agent in script["agents"]] == ["0101", "007"]
    assert (script["tokens"], script["skills"][1]["name"]) == (["hush"], "No")
    world = xima.sandbox.world
    assert len(world.desks["0101"].rings) == len(world.queues["General Sales"].waiting) == 1


def test_switches_and_faults_that_a_new_script_does_not_name_are_over(xima: Caller) -> None:
    xima.script("{faults: [{status: 503}], switches: {egress_cap: yes}}")
    assert xima.act("callback").status_code == 503
    xima.script("{}")
    assert xima.act("callback").status_code == 204


def test_counting_starts_again_with_a_new_script(xima: Caller) -> None:
    for _ in range(2):
        xima.fault({"status": 503, "times": 1})
        assert [xima.act("callback").status_code for _ in range(2)] == [503, 204]


WRONG = [
    ("switch: {}", "switch: Unknown field. Known here: tokens, agents, skills, switches, faults, seed, call_ended."),
    ("{token: a, tokens: [b]}", "token: Unknown field."),
    ("tokens: []", "tokens: "),
    ("token: ''", "tokens.0: Must not be empty."),
    ("agents: Pat", "agents: Not a valid list."),
    ("agents: [Pat]", "agents.0.extension: Missing data"),
    ("agents: [{name: '', extension: 1}]", "agents.0.name: Must not be empty."),
    ("agents: [{name: A, extension: 1x}]", "agents.0.extension: Must be digits."),
    ("agents: [{name: A, extension: 1, type: PHONE}]", "agents.0.type: Must be one of: UC, XIMA, Xima."),
    ("agents: [{name: A, extension: 1, busy: perhaps}]", "agents.0.busy: Must be yes or no."),
    ("agents: [{name: A, extension: 1, selected: M}]", "agents.0.selected: Not a label"),
    (
        "agents: [{name: A, extension: 1, caller_ids: [{label: M}]}]",
        "agents.0.caller_ids.0.outboundCallerId: Missing data",
    ),
    ("agents: [{name: A, extension: 1}, {name: B, extension: 1}]", "agents: Two of them have the same extension."),
    ("skills: [A, {name: A}]", "skills: Two of them have the same name."),
    ("skills: [{name: A, strategy: fifo}]", "skills.0.strategy: Must be one of"),
    ("switches: [a]", "switches: Invalid input type."),
    ("switches: {agent_offline: 418}", "switches.agent_offline: Must be one of: 409, 400,"),
    ("switches: {agent_ofline: 409}", "switches.agent_ofline: Unknown field."),
    ("switches: {uc_wait: soon}", "switches.uc_wait: not a duration"),
    ("switches: {uc_wait: 2h}", "switches.uc_wait: Longer than an hour."),
    ("switches: {rate_limit: 3601}", "switches.rate_limit: Longer than an hour."),
    ("switches: {max_concurrency: -1}", "switches.max_concurrency: Must be greater"),
    ("faults: {status: 503}", "faults: Not a valid list."),
    ("faults: [reset]", "faults.0: Invalid input type."),
    ("faults: [{}]", "faults.0: No fault: set one of"),
    ("faults: [{times: 2}]", "faults.0: No fault: set one of"),
    ("faults: [{reset: no}]", "faults.0: No fault: set one of"),
    ("faults: [{operation: dial, status: 503}]", "faults.0.operation: Must be one of"),
    ("faults: [{status: 99}]", "faults.0.status: Must be"),
    ("faults: [{status: 5xx}]", "faults.0.status: Not a valid integer."),
    ("faults: [{status: 503, times: 0}]", "faults.0.times: Must be"),
    ("faults: [{status: 503, share: 2}]", "faults.0.share: Must be"),
    ("faults: [{status: 503, share: nan}]", "faults.0.share: "),
    ("faults: [{status: 503, rate_limit: yes}]", "faults.0.rate_limit: Cannot be joined with status."),
    ("faults: [{reset: yes, garbage: yes}]", "faults.0.garbage: Cannot be joined with reset."),
    ("faults: [{reset: yes, after_effect: yes}]", "faults.0.after_effect: Belongs to"),
    ("faults: [{delay: 1s, after_effect: yes}]", "faults.0.after_effect: Belongs to"),
    ("faults: [{delay: 1s, retry_after: 1}]", "faults.0.retry_after: Belongs to"),
    ("faults: [{reset: yes}, {delay: 1d}]", "faults.1.delay: Longer than an hour."),
    ("just text", "script: must be a mapping"),
    ("- a list", "script: must be a mapping"),
    ("[]", "script: must be a mapping"),
    ("[", "script: not YAML: "),
    ("seed: 1\nseed: 2", "script: not YAML: a key stands twice in the mapping at line 1"),
    ("{? [a]: 1}", "script: not YAML: "),
    ("name: !!python/object:os.system x", "name: Unknown field."),
    ("seed: one", "seed: Not a valid integer."),
    ("[" * 1000, "script: nested too deeply"),
    ('{"token": "\\ud83d"}', "script: not YAML: "),
]


@pytest.mark.parametrize(("text", "message"), WRONG, ids=[text[:60] for text, _ in WRONG])
def test_a_wrong_script_is_refused_by_key_and_the_old_one_stays(xima: Caller, text: str, message: str) -> None:
    before = xima.script("faults: [{status: 503, times: 5}]").json()
    answer = xima.script(text)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "bad_request"
    assert error["message"].startswith(message)
    assert xima.send("GET", "/_sandbox/script").json() == before
    assert xima.act("callback").status_code == 503


def test_a_script_that_is_not_utf_8_is_refused(xima: Caller) -> None:
    answer = xima.send("POST", "/_sandbox/script", data=b"token: \xff")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("script: not YAML: ")


def test_every_wrong_key_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        World("{a: 1, seed: x, faults: [{reset: maybe}]}")
    assert [problem.partition(":")[0] for problem in caught.value.problems] == ["faults.0.reset", "seed", "a"]


def test_the_default_office_fits_the_default_actions(xima: Caller) -> None:
    for extension in ("0100", "0101", "0102", "0207"):
        for number in ("8015550100", "18015550100", "442079460000"):
            assert xima.dial(extension, outboundCallerId=number).status_code == 204
    for skill in ("General Sales", "Widget Sales", "Field Service", "Sales", "Support"):
        assert xima.callback(skill).status_code == 204
    assert all(xima.act(action).status_code == 204 for action in ACTIONS)
