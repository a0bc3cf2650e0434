"""`send`: an example signed as its sender would sign it, to an adapter that runs; and the whole way in `demo`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import requests
from click.testing import CliRunner, Result
from running import Adapter, free_port, running, until

from adapter.cli import bodies, changing, main
from adapter.sandbox import Sandbox
from cli.conftest import FORM, Run

ROOT = Path(__file__).parents[2]
SOAP = (ROOT / "mappings/salesforce-click-to-dial.yaml").read_text(encoding="utf-8")
HUBSPOT = (ROOT / "mappings/hubspot-click-to-dial.yaml").read_text(encoding="utf-8")
Send = Callable[..., Result]


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adapter]:
    """A running adapter with senders of several kinds."""
    with Sandbox.start() as xima, running(tmp_path_factory.mktemp("send"), xima.url, start=False) as made:
        made.environ["ADAPTER_PUBLIC_URL"] = "https://hooks.example.com"
        made.write("form", FORM.replace("  outside: hold\n", "  outside: send\n"))
        made.write("hubspot", HUBSPOT.replace("HUBSPOT_CLIENT_SECRET", "HOOK_SECRET").replace("-click-to-dial", ""))
        made.write(
            "soap", SOAP.replace("SALESFORCE_HOOK_KEY", "HOOK_SECRET").replace("salesforce-click-to-dial", "soap")
        )
        (made.mappings / "salesforce-agents.csv").write_text("user_id,extension\n005000000000001,0207\n")
        made.start()
        yield made


@pytest.fixture
def send(adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> Send:
    """Runs `send` in the environment of the adapter."""
    for name, value in adapter.environ.items():
        monkeypatch.setenv(name, value)

    def send(*arguments: str) -> Result:
        result = CliRunner().invoke(main, ["send", *arguments, "--to", adapter.url])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert adapter.environ["HOOK_SECRET"] not in result.output
        return result

    return send


def kept(adapter: Adapter) -> list[tuple[str, dict[str, Any]]]:
    """What the adapter made of what was sent, the latest first."""
    store = adapter.store()
    found = [(one.mapping, one.action.as_dict()) for one in store.newest()]
    store.close()
    return found


def test_the_first_example_is_sent_and_its_receipt_is_told_in_words(send: Send, adapter: Adapter) -> None:
    result = send("click")
    first, words, link = result.stdout.splitlines()
    assert result.exit_code == 0
    assert first == f"200 from {adapter.url}/hooks/click"
    assert words == "accepted: Xima accepted the call from extension 0101 to …0142."
    assert link.startswith("  https://hooks.example.com/deliveries/")


def test_an_example_is_chosen_by_its_name_and_changed_field_by_field(send: Send, adapter: Adapter) -> None:
    result = send("click", "--example", "a lead", "--set", "phone=801-555-0177", "--set", "id=chosen")
    assert (
        result.stdout.splitlines()[1]
        == "queued: The callback to …0177 for the skill Sales is waiting to be sent to Xima."
    )
    assert kept(adapter)[0] == ("click", {"skill": "Sales", "callback_number": "8015550177"})


def test_the_url_that_the_sender_calls_says_where_the_adapter_is_too(send: Send, adapter: Adapter) -> None:
    result = CliRunner().invoke(main, ["send", "click", "--to", f"{adapter.url}/hooks/click"])
    assert result.stdout.splitlines()[0] == f"200 from {adapter.url}/hooks/click"


@pytest.mark.parametrize("name", ["hubspot", "form", "soap"])
def test_every_kind_of_sender_is_signed_for(send: Send, adapter: Adapter, name: str) -> None:
    result = send(name)
    assert result.exit_code == 0, result.output
    assert kept(adapter)[0][0] == name
    assert ("<Ack>true</Ack>" in result.stdout) == (name == "soap")


def test_a_field_of_a_form_is_replaced_and_the_others_stay(send: Send, adapter: Adapter) -> None:
    assert send("form", "--set", "phone=801-555-0178").exit_code == 0
    assert kept(adapter)[0] == ("form", {"skill": "Sales", "callback_number": "8015550178"})


def test_a_field_deep_in_the_body_is_reached_by_its_path(send: Send, adapter: Adapter) -> None:
    result = send("hubspot", "--set", "properties.mobilephone.value=801-555-0179", "--set", "vid=9")
    assert "to …0179" in result.stdout
    assert kept(adapter)[0][1]["number_to_dial"] == "8015550179"


def test_a_refusal_is_told_in_words_and_the_exit_code_is_1(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", "another secret than the server's")
    result = send("click")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0].startswith("401 from ")
    assert result.stdout.splitlines()[1].startswith("unauthorized: The request was not signed as this mapping demands.")


def test_a_program_is_told_the_whole_answer(send: Send, adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.loads(send("click", "--set", "id=for a program", "--json").stdout)
    assert (told["url"], told["status"]) == (f"{adapter.url}/hooks/click", 200)
    assert [one["mapping"] for one in told["receipts"]] == ["click"]
    assert "Ack" in json.loads(send("soap", "--json").stdout)["body"]
    monkeypatch.setenv("HOOK_SECRET", "another-secret")
    refused = send("click", "--json")
    assert (refused.exit_code, json.loads(refused.stdout)["error"]["code"]) == (1, "unauthorized")


def test_without_the_secret_nothing_is_sent(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOOK_SECRET")
    result = send("click")
    assert (result.exit_code, result.stdout) == (1, "")
    assert (
        result.stderr
        == "HOOK_SECRET is not set: click checks its sender with it; set it here to what the adapter has\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--example", "nobody"], "there is no example called 'nobody'; known: a click; a lead"),
        (["--set", "phone"], "write path=value, not phone"),
        (["--set", "phone[0=1"], "write path=value, not phone[0=1"),
        (["--set", "a..b=1"], "--set a..b:"),
        (["--set", "$=1"], "--set $: name a field of the body"),
        (["--set", "let.x=1"], "--set let.x: name a field of the body"),
        (["--add", "phone.home=1"], "--add phone.home: there is no such place in this body"),
        (["--add", "phone[0]=1"], "--add phone[0]: there is no such place in this body"),
        (["--add", "list[a=b].c=1"], "--add list[a=b].c: there is no such place in this body"),
        (
            ["--set", "phnoe=1"],
            "--set phnoe: the example has no such field; did you mean phone? (to add one: --add phn",
        ),
        (["--set", "list[0].c=1"], "the example has no such field; it has id, agent, phone (to add"),
        (["--to", "nonsense"], "write where the adapter is, like http://127.0.0.1:8000, not nonsense"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_sent_is_wrong_use(send: Send, arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(main, ["send", "click", *arguments])
    assert (result.exit_code, said in result.output) == (2, True), result.output


def test_only_json_and_plain_forms_are_changed(send: Send) -> None:
    result = send("soap", "--set", "a=b")
    assert (result.exit_code, "--set changes JSON and url-encoded bodies only" in result.output) == (2, True)


def test_an_adapter_that_does_not_run_is_said_not_to(run: Run) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    result = run("send", "form", "--to", url)
    assert result.exit_code == 1
    assert f"no answer from {url}/hooks/form: is the adapter running? (ConnectionError)" in result.output


def test_a_mapping_without_examples_has_nothing_to_send(run: Run, home: Path) -> None:
    (home / "mappings/form.yaml").write_text(FORM[: FORM.index("examples:")])
    assert "form has no examples to send" in run("send", "form").output


@pytest.mark.parametrize(
    ("kind", "body", "changes", "after"),
    [
        ("json", b'{"a": {"b": [1, {"c": 2}]}}', ["a.b[1].c=x", "a.b[-2]=y"], {"a": {"b": ["y", {"c": "x"}]}}),
        ("json", b"{}", ["a.b.c=x"], {"a": {"b": {"c": "x"}}}),
        ("json", b'[{"a": 1}]', ["$[0].a=x"], [{"a": "x"}]),
        ("json", b'{"a": [{"k": {"r": "x"}}]}', ["a[k.r=X].b.c=1=2"], {"a": [{"k": {"r": "x"}, "b": {"c": "1=2"}}]}),
        ("json", b'{"a.b": 1}', ['$["a.b"]=x=y'], {"a.b": "x=y"}),
    ],
)
def test_a_change_is_made_where_its_path_leads(kind: str, body: bytes, changes: list[str], after: Any) -> None:
    assert json.loads(changing.changed(kind, body, [], changes)) == after


def test_a_form_keeps_its_repeated_fields() -> None:
    assert changing.changed("form", b"a=1&a=2&b=&c=3", ["c=x y"]) == b"a=1&a=2&b=&c=x+y"


@pytest.mark.parametrize(
    ("kind", "body", "path"),
    [
        ("form", b"phone=1&name=Ann", "phnoe"),
        ("json", b'{"phone": 1, "name": "Ann"}', "phnoe"),
        ("json", b'{"lead": {"phone": null}}', "lead.phones"),
        ("json", b'{"leads": [{"phone": "1"}]}', "leads[0].phon"),
        ("json", b"{}", "lead.phone"),
    ],
)
def test_a_field_that_is_not_there_is_added_on_purpose_only(kind: str, body: bytes, path: str) -> None:
    with pytest.raises(click.UsageError, match=r"the example has no such field; (did you mean|it has none)"):
        changing.changed(kind, body, [f"{path}=2"])
    assert b"2" in changing.changed(kind, body, [], [f"{path}=2"])


class Told:
    """An answer as far as it is told in words."""

    def __init__(self, text: str) -> None:
        self.text = text

    def json(self) -> Any:
        return json.loads(self.text)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [bodies.NO_RECEIPT]),
        ("{}", ["{}", bodies.NO_RECEIPT]),
        ("x" * 900, ["x" * 500, bodies.NO_RECEIPT]),
        ('{"error": {"code": "conflict", "message": "Too late."}}', ["conflict: Too late."]),
        ('{"receipts": []}', []),
        (
            '{"receipts": [{"state": "queued", "message": "It waits.", "status_url": "http://h/deliveries/1"},'
            ' {"state": "skip", "message": "Nothing was done.", "status_url": null}]}',
            ["queued: It waits.", "  http://h/deliveries/1", "skip: Nothing was done."],
        ),
    ],
)
def test_answers_are_told_in_words(text: str, lines: list[str]) -> None:
    assert list(bodies.spoken(Told(text))) == lines  # type: ignore[arg-type] # all of an answer that is read


# demo


def demo(*arguments: str, **environ: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "adapter", "demo", *arguments],
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environ},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_demo_goes_the_whole_way_and_leaves_when_asked_to() -> None:
    with demo("--once") as process:
        said, wrong = process.communicate(timeout=300)
    assert (process.returncode, wrong) == (0, "")
    assert "accepted. Xima accepted the call from extension 0101" in said
    assert "accepted. Xima accepted the callback to" in said
    assert said.count("  -> 204") == 2


nohup = pytest.mark.skipif(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN, reason="these tests run under nohup")


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(signal.SIGTERM, id="stopped"),
        pytest.param(signal.SIGHUP, id="its terminal is closed", marks=nohup),
    ],
)
def test_the_demo_stays_up_answers_and_cleans_up_behind_itself(end: signal.Signals) -> None:
    with demo() as process:
        assert process.stdout
        said = ""
        while "Ctrl-C stops everything" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        (ready,) = re.findall(r"http://\S+/readyz", said)
        assert requests.get(ready, timeout=30).ok
        (store,) = re.findall(r"ADAPTER_DATABASE_URL=sqlite:///(\S+)", said)
        again = subprocess.run(
            [sys.executable, "-m", "adapter", "send", "callback", "--set", "phone=801-555-0143"],
            env={**os.environ, **dict(re.findall(r"export (\w+)=(\S+)", said))},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert (again.returncode, "queued: The callback to …0143" in again.stdout) == (0, True), again
        process.send_signal(end)
        process.communicate(timeout=300)
    assert not Path(store).exists()
    with pytest.raises(requests.ConnectionError):
        requests.get(ready, timeout=30)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel stops the children of a killed parent on Linux")
def test_a_demo_that_is_killed_leaves_no_adapter_behind() -> None:
    with demo() as process:
        assert process.stdout
        said = ""
        while "readyz" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        process.kill()
        process.communicate()
    (ready,) = re.findall(r"http://\S+/readyz", said)

    def silent() -> bool:
        try:
            requests.get(ready, timeout=1)
        except requests.RequestException:
            return True
        time.sleep(0.05)
        return False

    until(silent)


def test_a_demo_whose_adapter_does_not_start_says_what_the_adapter_said() -> None:
    with demo("--once", ADAPTER_WAIT="soon") as process:
        said, wrong = process.communicate(timeout=300)
    assert (process.returncode, said) == (1, "")
    assert wrong.startswith("the adapter did not start; it said:\nADAPTER_WAIT: not a duration")


def test_the_demo_says_where_it_can_be_run(run: Run, home: Path) -> None:
    result = run("demo", "--once")
    assert result.exit_code == 1
    assert "run it in the project's folder" in result.stderr
