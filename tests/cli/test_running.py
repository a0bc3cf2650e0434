"""Commands that run something, up to the point where it runs; the processes themselves are in test_server."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from running import free_port, until

from adapter import server
from adapter.cli import printed, running
from adapter.errors import SettingsError
from adapter.settings import SETTINGS, Settings
from cli.conftest import SECRET, Run

GOOD = {"XIMA_HOST": "xima.invalid", "XIMA_TOKEN": f"token-{SECRET}", "ADAPTER_SECRET_KEY": f"{SECRET}-{SECRET}"}
HALVES = ("serve", "web", "dispatch")


@pytest.fixture
def good(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings with which it would start."""
    for name, value in {**GOOD, "ADAPTER_BIND": f"127.0.0.1:{free_port()}"}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings with which a half was started; nothing runs."""
    found: list[Settings] = []

    def start(given: Settings) -> int:
        found.append(given)
        return 0

    for half in HALVES:
        monkeypatch.setattr(server, half, start)
    return found


@pytest.fixture
def taken() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


# what is wrong is said before anything starts


@pytest.mark.parametrize("half", HALVES)
def test_all_that_is_missing_is_said_at_once(run: Run, started: list[Settings], half: str, home: Path) -> None:
    (home / "mappings").rename(home / "elsewhere")
    result = run(half)
    assert (result.exit_code, started, result.stdout) == (1, [], "")
    told = [line.split()[0].rstrip(":") for line in result.stderr.splitlines()]
    assert told == ["XIMA_HOST", "XIMA_TOKEN", "ADAPTER_MAPPINGS", "ADAPTER_SECRET_KEY"]
    assert not list(home.glob("*.db"))


@pytest.mark.usefixtures("good")
@pytest.mark.parametrize("half", ["serve", "web"])
def test_a_port_in_use_is_said_with_its_remedy(run: Run, started: list[Settings], half: str, taken: str) -> None:
    run("db", "upgrade")
    result = run(half, "--bind", taken)
    assert (result.exit_code, started) == (1, [])
    assert result.stderr == (
        f"cannot listen on {taken}: Address already in use;"
        " stop what listens there, or choose another with --bind or ADAPTER_BIND\n"
    )


@pytest.mark.parametrize("command", ["serve", "web", "sandbox"])
@pytest.mark.parametrize("bind", ["8000", "localhost", "localhost:http", "localhost:-1", "localhost:70000", "a b:80"])
def test_a_wrong_bind_is_wrong_use(run: Run, started: list[Settings], command: str, bind: str) -> None:
    result = run(command, "--bind", bind)
    assert (result.exit_code, started) == (2, [])
    assert f"write HOST:PORT, like 127.0.0.1:8000, not {bind}" in result.output


@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid", "x" * 70, "[2001:db8::1]"])
def test_an_address_that_is_not_ours_is_said_to_be_none(host: str) -> None:
    with pytest.raises(SettingsError, match=r"cannot listen on .*; stop what listens there"):
        running.check_free(f"{host}:80")


@pytest.mark.usefixtures("good")
@pytest.mark.parametrize("half", ["serve", "web"])
def test_without_a_mapping_that_can_be_used_it_does_not_start(
    run: Run, started: list[Settings], home: Path, half: str
) -> None:
    run("db", "upgrade")
    for name in ("click", "form"):
        (home / f"mappings/{name}.yaml").write_text("format: 1\n")
    result = run(half)
    assert (result.exit_code, started, result.stdout) == (1, [], "")
    assert "click.yaml:1:1: " in result.stderr
    assert "form.yaml:1:1: " in result.stderr
    for path in home.glob("mappings/*.yaml"):
        path.unlink()
    assert "there is no mapping file (*.yaml) in mappings" in run(half).stderr


@pytest.mark.usefixtures("good")
def test_the_halves_do_not_start_on_a_store_that_is_not_migrated(run: Run, started: list[Settings], home: Path) -> None:
    for half in ("web", "dispatch"):
        result = run(half)
        assert (result.exit_code, started) == (1, [])
        assert "run xima-adapter db upgrade" in result.stderr
    assert not list(home.glob("*.db"))


# what starts, and how


@pytest.mark.usefixtures("good")
def test_serve_migrates_the_store_says_where_to_post_and_starts(run: Run, started: list[Settings]) -> None:
    result = run("serve")
    (given,) = started
    assert result.exit_code == 0
    assert result.stdout == (
        f"Serving on http://{given.bind}; senders post to\n"
        f"  http://{given.bind}/hooks/click\n  http://{given.bind}/hooks/form\n"
    )
    assert run("deliveries").stdout == "No deliveries yet.\n"


@pytest.mark.usefixtures("good")
def test_the_public_url_is_what_senders_post_to(
    run: Run, monkeypatch: pytest.MonkeyPatch, started: list[Settings]
) -> None:
    monkeypatch.setenv("ADAPTER_PUBLIC_URL", "https://hooks.example.com/")
    assert "\n  https://hooks.example.com/hooks/click\n" in run("serve").stdout


@pytest.mark.usefixtures("good")
def test_a_mapping_that_is_broken_is_shown_and_the_others_are_served(
    run: Run, home: Path, started: list[Settings]
) -> None:
    (home / "mappings/form.yaml").write_text("format: 1\n")
    result = run("serve")
    assert (result.exit_code, len(started)) == (0, 1)
    assert "/hooks/form" not in result.stdout
    assert "form.yaml:1:1: " in result.stderr
    assert result.stderr.splitlines()[-1] == "Cannot be used, so their senders get 503 until that is mended: form"


@pytest.mark.usefixtures("good")
def test_bind_wins_over_the_setting(run: Run, started: list[Settings]) -> None:
    bind = f"localhost:{free_port()}"
    run("serve", "--bind", bind)
    run("web", "--bind", bind)
    assert [given.bind for given in started] == [bind, bind]


@pytest.mark.usefixtures("good")
def test_the_halves_start_on_a_store_that_is_there(run: Run, started: list[Settings]) -> None:
    run("db", "upgrade")
    assert "senders post to" in run("web").stdout
    assert run("dispatch").stdout == ""
    assert len(started) == 2


@pytest.mark.usefixtures("good")
def test_numbers_that_a_new_key_does_not_know_are_told_of_at_the_start(
    run: Run, started: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("db", "upgrade")
    run("suppress", "add", "+18015550142", "--reason", "asked us to stop")
    assert [run(half).stderr for half in HALVES] == ["", "", ""]
    monkeypatch.setenv("ADAPTER_SECRET_KEY", "another key made at this very start")
    said = "error: 1 number of the do-not-call list WILL BE CALLED, put on it with a key that is not in"
    for half in HALVES:
        result = run(half)
        assert (result.exit_code, result.stderr.startswith(said)) == (0, True)
    assert len(started) == 6


@pytest.mark.usefixtures("good")
def test_a_serve_whose_parent_is_gone_does_not_start(run: Run, started: list[Settings]) -> None:
    assert run("serve", "--parent", str(os.getpid())).exit_code == 1
    assert started == []


# db upgrade


def test_upgrading_can_be_repeated(run: Run, home: Path) -> None:
    for _ in range(2):
        assert run("db", "upgrade").stdout == "The store sqlite:///adapter.db is up to date.\n"
    assert (home / "adapter.db").is_file()


def test_upgrading_a_server_does_not_show_its_password(
    run: Run, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADAPTER_DATABASE_URL", postgres_url)
    where = f"postgresql://adapter:***@{postgres_url.rpartition('@')[2]}"
    assert run("db", "upgrade").stdout == f"The store {where} is up to date.\n"
    assert where in run("settings").stdout
    monkeypatch.setenv("ADAPTER_DATABASE_URL", postgres_url.replace("/test_", "/no_such_"))
    for command in (["db", "upgrade"], ["deliveries"], ["settings", "--json"]):
        result = run(*command)
        assert result.exit_code == 1
        assert "open%20secret" not in result.output


def test_a_store_in_a_folder_that_is_not_there_is_said_with_its_remedy(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADAPTER_DATABASE_URL", "sqlite:////nowhere/adapter.db")
    for command in (["db", "upgrade"], ["deliveries"]):
        result = run(*command)
        assert result.exit_code == 1
        assert result.stderr.startswith("ADAPTER_DATABASE_URL: there is no folder /nowhere: make it")


# settings


@pytest.mark.usefixtures("good")
def test_settings_shows_every_value_where_it_came_from_and_no_secret(
    run: Run, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    (home / "wait").write_text("3s\n")
    monkeypatch.setenv("ADAPTER_WAIT_FILE", "wait")
    result = run("settings")
    assert result.exit_code == 0
    rows = {line.split()[0]: line.split() for line in result.stdout.splitlines() if line.isupper() or "_" in line}
    assert rows["XIMA_HOST"][1:3] == ["xima.invalid", "environment"]
    assert rows["XIMA_TOKEN"][1:3] == ["(secret)", "environment"]
    assert rows["ADAPTER_SECRET_KEY"][1:3] == ["(secret)", "environment"]
    assert rows["ADAPTER_WAIT"][1:4] == ["3s", "file", "wait"]
    assert rows["ADAPTER_RETENTION"][1:3] == ["30d", "default"]
    assert set(rows) >= {one.name for one in SETTINGS}
    assert result.stdout.endswith("\nAll good.\n")


def test_settings_that_are_wrong_are_marked_and_the_exit_code_is_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTER_WAIT", "10")
    monkeypatch.setenv("XIMA_TOKEN", f"Bearer {SECRET}")
    result = run("settings")
    assert result.exit_code == 1
    assert "! ADAPTER_WAIT: a duration needs its unit: write 10s" in result.stdout
    assert "! XIMA_TOKEN: write the token alone" in result.stdout
    assert result.stdout.endswith("\n4 of these must be mended before the adapter starts.\n")


@pytest.mark.usefixtures("good")
def test_settings_speaks_json(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTER_WAIT", "10")
    result = run("settings", "--json")
    told = {one["name"]: one for one in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert all(list(one) == ["name", "value", "source", "help", "problem"] for one in told.values())
    assert told["XIMA_TOKEN"]["value"] == "(secret)"
    assert told["ADAPTER_PUBLIC_URL"]["value"] is None
    assert told["ADAPTER_WAIT"]["value"] == "10"
    assert told["ADAPTER_WAIT"]["problem"].startswith("ADAPTER_WAIT: ")
    assert told["ADAPTER_BIND"]["problem"] is None


def test_settings_prints_a_file_to_start_from(run: Run) -> None:
    result = run("settings", "--env")
    assert (result.exit_code, result.stdout) == (0, printed.env_example())


# the sandbox


def test_a_script_that_is_wrong_is_said_to_be(run: Run, home: Path) -> None:
    (home / "script.yaml").write_text("agnts: []\n")
    (home / "latin.yaml").write_bytes(b"agents: \xff")
    for script in ("script.yaml", "latin.yaml"):
        result = run("sandbox", "--bind", "127.0.0.1:0", "--script", script)
        assert (result.exit_code, bool(result.stderr)) == (1, True)
    assert run("sandbox", "--script", "nowhere.yaml").exit_code == 2


def test_the_sandbox_does_not_start_on_a_port_in_use(run: Run, taken: str) -> None:
    result = run("sandbox", "--bind", taken)
    assert (result.exit_code, "cannot listen on" in result.stderr) == (1, True)


def test_the_sandbox_says_where_it_is_answers_there_and_stops_when_asked(home: Path) -> None:
    command = [sys.executable, "-m", "adapter", "sandbox", "--bind", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said = process.stdout.readline()
        url = said.split()[3]
        assert said == f"Pretend Xima on {url} (token: sandbox-token, unless the script says otherwise)\n"
        assert until(lambda: requests.get(f"{url}/_sandbox/calls", timeout=30).ok)
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=300) == ("", "")
    assert process.returncode == 0


@pytest.mark.usefixtures("good")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ADAPTER_MAPPING", "warning: ADAPTER_MAPPING is no setting of the adapter; did you mean ADAPTER_MAPPINGS?\n"),
        ("ADAPTER_SECRET_KEYS_FILE", "; did you mean ADAPTER_SECRET_KEY?\n"),
        ("ADAPTER_XYZZY", "warning: ADAPTER_XYZZY is no setting of the adapter\n"),
        ("ADAPTER_WAIT_FILE", ""),
        ("OTHER_MAPPING", ""),
    ],
)
def test_a_variable_that_is_no_setting_is_told(run: Run, monkeypatch: pytest.MonkeyPatch, name: str, said: str) -> None:
    monkeypatch.setenv("ADAPTER_WAIT", "10s")  # wins over its file
    monkeypatch.setenv(name, "foo")
    result = run("settings")
    assert result.exit_code == 0
    assert result.stderr.endswith(said) if said else result.stderr == ""
