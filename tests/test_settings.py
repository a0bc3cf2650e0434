"""The settings: values, files, faults with their remedies all at once, and secrets that are never shown."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter import settings
from adapter.errors import SettingsError, TextError
from adapter.networks import networks
from adapter.settings import SETTINGS, TABLE, Settings, address, environment, found, load

TOKEN = "xima-token-hush-hush"
KEY = "key-of-the-links-hush"


@pytest.fixture
def good(tmp_path: Path) -> dict[str, str]:
    """The settings nobody can do without, and a folder and a store that can be used."""
    return {
        "XIMA_HOST": "acme.xima.cloud",
        "XIMA_TOKEN": TOKEN,
        "ADAPTER_SECRET_KEY": KEY,
        "ADAPTER_MAPPINGS": str(tmp_path),
        "ADAPTER_DATABASE_URL": f"sqlite:///{tmp_path / 'adapter.db'}",
    }


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load(environ)
    return refused.value.problems


def test_what_is_not_given_has_its_default(good: dict[str, str], tmp_path: Path) -> None:
    assert load(good) == Settings(
        xima_host="https://acme.xima.cloud",
        xima_token=TOKEN,
        mappings=tmp_path,
        database_url=f"sqlite:///{tmp_path / 'adapter.db'}",
        secret_keys=(KEY,),
        public_url="",
        trusted_proxies=0,
        max_body=1024 * 1024,
        wait=timedelta(seconds=10),
        retention=timedelta(days=30),
        recover_ask=0,
        bind="127.0.0.1:8000",
        workers=2,
        threads=16,
        mapping_limit=200,
        address_limit=20,
        metrics_allow=networks("private"),
        report_hosts=frozenset(),
        log="auto",
    )


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("XIMA_HOST", "http://127.0.0.1:8100/", "xima_host", "http://127.0.0.1:8100"),
        ("XIMA_TOKEN", "  a-token\t", "xima_token", "a-token"),
        ("ADAPTER_SECRET_KEY", f"{KEY} , {'o' * 16},", "secret_keys", (KEY, "o" * 16)),
        ("ADAPTER_PUBLIC_URL", "https://hooks.example.com/", "public_url", "https://hooks.example.com"),
        ("ADAPTER_PUBLIC_URL", "http://[::1]:8000", "public_url", "http://[::1]:8000"),
        ("ADAPTER_PUBLIC_URL", "https://Example.com:8443/behind/", "public_url", "https://Example.com:8443/behind"),
        ("ADAPTER_PUBLIC_URL", "", "public_url", ""),
        ("ADAPTER_TRUSTED_PROXIES", "2", "trusted_proxies", 2),
        ("ADAPTER_MAX_BODY", "512KB", "max_body", 512 * 1024),
        ("ADAPTER_MAX_BODY", "100", "max_body", 100),
        ("ADAPTER_WAIT", "0", "wait", timedelta()),
        ("ADAPTER_WAIT", "500ms", "wait", timedelta(milliseconds=500)),
        ("ADAPTER_RETENTION", "1h30m", "retention", timedelta(minutes=90)),
        ("ADAPTER_BIND", " [::]:80 ", "bind", "[::]:80"),
        ("ADAPTER_WORKERS", "64", "workers", 64),
        ("ADAPTER_THREADS", "1", "threads", 1),
    ],
)
def test_a_setting_is_read_as_people_write_it(
    good: dict[str, str], name: str, text: str, field: str, value: Any
) -> None:
    assert getattr(load({**good, name: text}), field) == value


WRONG = [
    ("XIMA_HOST", "acme xima", "write acme.xima.cloud"),
    ("XIMA_HOST", "https://me:pw@acme.xima.cloud", "write acme.xima.cloud"),
    ("XIMA_HOST", "https://acme.xima.cloud/rest", "write acme.xima.cloud"),
    ("XIMA_TOKEN", "Bearer abc", "no Bearer"),
    ("XIMA_TOKEN", "a\nb", "no line breaks"),
    ("XIMA_TOKEN", "t\xf6ken", "as Xima showed it"),
    ("XIMA_TOKEN", " ", "write the token alone"),
    ("ADAPTER_MAPPINGS", "/nowhere", "there is no folder /nowhere: make it"),
    ("ADAPTER_DATABASE_URL", "adapter.db", "write sqlite:///FILE"),
    ("ADAPTER_DATABASE_URL", "mysql://u:hush@h/d", "write sqlite:///FILE"),
    ("ADAPTER_DATABASE_URL", "sqlite:///", "write sqlite:///FILE"),
    ("ADAPTER_DATABASE_URL", "sqlite:///:memory:", "write sqlite:///FILE"),
    ("ADAPTER_DATABASE_URL", "sqlite:///a.db?mode=ro", "write sqlite:///FILE"),
    ("ADAPTER_DATABASE_URL", "sqlite:////nowhere/a.db", "there is no folder /nowhere: make it"),
    ("ADAPTER_DATABASE_URL", "postgresql://u:hush@h", "write postgresql://USER:PASSWORD@HOST/DATABASE"),
    ("ADAPTER_DATABASE_URL", "postgresql://u:hu@sh@h/d", "in a password write @ as %40"),
    ("ADAPTER_DATABASE_URL", "postgresql://u:hu%sh@h/d", "% as %25"),
    ("ADAPTER_DATABASE_URL", "postgresql://u:hush@[::1/d", "write postgresql://USER:PASSWORD@HOST/DATABASE"),
    ("ADAPTER_DATABASE_URL", "postgresql+psycopg://u:hush@h/d", "or postgresql://USER:PASSWORD@HOST/DATABASE"),
    ("ADAPTER_SECRET_KEY", "short", "at least 16 characters; make one with python3"),
    ("ADAPTER_SECRET_KEY", f"{KEY},short", "at least 16 characters"),
    ("ADAPTER_SECRET_KEY", " , ", "at least 16 characters"),
    ("ADAPTER_PUBLIC_URL", "hooks.example.com", "write the origin"),
    ("ADAPTER_PUBLIC_URL", "ftp://hooks.example.com", "write the origin"),
    ("ADAPTER_PUBLIC_URL", "https://", "write the origin"),
    ("ADAPTER_PUBLIC_URL", "https://[::1", "write the origin"),
    ("ADAPTER_PUBLIC_URL", "https://a.example:99999", "write the origin"),
    ("ADAPTER_PUBLIC_URL", "https://me@a.example", "write the origin"),
    ("ADAPTER_PUBLIC_URL", "https://a.example/?x", "write the origin"),
    ("ADAPTER_PUBLIC_URL", "https://a.example/#x", "write the origin"),
    ("ADAPTER_PUBLIC_URL", "https://a b.example", "write the origin"),
    ("ADAPTER_PUBLIC_URL", "https://b\xfccher.example", "write the origin"),
    ("ADAPTER_TRUSTED_PROXIES", "all", "a whole number from 0 to 10"),
    ("ADAPTER_MAX_BODY", "0", "more than 0"),
    ("ADAPTER_MAX_BODY", "1 megabyte", "as in 512KB or 1MB"),
    ("ADAPTER_WAIT", "10", "a duration needs its unit: write 10s"),
    ("ADAPTER_RETENTION", "0", "more than 0"),
    ("ADAPTER_RETENTION", "forever", "not a duration"),
    ("ADAPTER_BIND", "8000", "write HOST:PORT"),
    ("ADAPTER_BIND", "localhost:http", "write HOST:PORT"),
    ("ADAPTER_BIND", "localhost:0", "write HOST:PORT"),
    ("ADAPTER_BIND", "localhost:65536", "write HOST:PORT"),
    ("ADAPTER_WORKERS", "0", "a whole number from 1 to 64"),
    ("ADAPTER_THREADS", "-1", "a whole number from 1 to 256"),
]


@pytest.mark.parametrize(("name", "text", "remedy"), WRONG, ids=[f"{name}={text}" for name, text, _ in WRONG])
def test_a_wrong_setting_is_named_with_its_remedy(good: dict[str, str], name: str, text: str, remedy: str) -> None:
    (problem,) = problems({**good, name: text})
    assert problem.startswith(f"{name}: ")
    assert remedy in problem
    assert "hush" not in problem


def test_everything_that_is_wrong_is_told_at_once() -> None:
    wrong = {"ADAPTER_MAPPINGS": "/nowhere", "ADAPTER_WAIT": "10", "ADAPTER_BIND": "x", "XIMA_TOKEN_FILE": "/nowhere/t"}
    assert [problem.partition(" ")[0].rstrip(":") for problem in problems(wrong)] == [
        *("XIMA_HOST", "XIMA_TOKEN_FILE", "ADAPTER_MAPPINGS", "ADAPTER_SECRET_KEY", "ADAPTER_WAIT", "ADAPTER_BIND")
    ]


def test_what_is_missing_is_named_with_its_meaning_and_its_remedy() -> None:
    host, token, key = (one for one in problems({"ADAPTER_MAPPINGS": "/"}) if "is not set" in one)
    assert host.startswith(
        "XIMA_HOST is not set (the Xima tenant: acme.xima.cloud, or a full http(s)://host:port): write"
    )
    assert token.startswith("XIMA_TOKEN is not set (the token of the tenant's API Service User): write the token alone")
    assert key.endswith("make one with python3 -c 'import secrets; print(secrets.token_hex())'")


# NAME_FILE


@pytest.mark.parametrize("content", [TOKEN, f"{TOKEN}\n", f"{TOKEN}\r\n", f"\ufeff{TOKEN}\n\n"])
def test_a_value_may_stand_in_a_file(good: dict[str, str], tmp_path: Path, content: str) -> None:
    del good["XIMA_TOKEN"]
    (tmp_path / "token").write_text(content, encoding="utf-8", newline="")
    assert load({**good, "XIMA_TOKEN_FILE": str(tmp_path / "token")}).xima_token == TOKEN


def test_the_variable_itself_wins_over_the_file_unless_it_is_empty(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("from the file")
    file = {"X_FILE": str(tmp_path / "x")}
    assert environment("X", {"X": "itself", **file}) == ("itself", "environment")
    assert environment("X", {"X": "", **file}) == ("from the file", f"file {tmp_path / 'x'}")
    assert environment("X", {"X": ""}) == environment("X", {}) == (None, "not set")


def test_it_reads_the_environment_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTER_WAIT", "3s")
    assert environment("ADAPTER_WAIT") == ("3s", "environment")


def test_a_file_that_cannot_be_read_is_a_problem_with_its_reason(good: dict[str, str], tmp_path: Path) -> None:
    del good["XIMA_TOKEN"]
    (tmp_path / "latin").write_bytes(b"t\xf6ken")
    (tmp_path / "empty").write_bytes(b"\n")
    told = {
        "nowhere": f"XIMA_TOKEN_FILE: {tmp_path / 'nowhere'} cannot be read: No such file or directory",
        ".": f"XIMA_TOKEN_FILE: {tmp_path} cannot be read: Is a directory",
        "latin": f"XIMA_TOKEN_FILE: {tmp_path / 'latin'} is not UTF-8 text",
        "empty": "XIMA_TOKEN: write the token alone, as Xima showed it: no blanks, no line breaks, no Bearer",
    }
    for name, problem in told.items():
        assert problems({**good, "XIMA_TOKEN_FILE": str(tmp_path / name)}) == [problem]


# what is shown


def test_no_secret_is_in_any_repr_or_error(good: dict[str, str]) -> None:
    shown = repr(load(good)) + repr(found(good)) + str(problems({**good, "ADAPTER_WAIT": "x"}))
    assert not any(secret in shown for secret in (TOKEN, KEY, "hush"))
    assert {one.name for one in SETTINGS if one.secret} == {"XIMA_TOKEN", "ADAPTER_SECRET_KEY"}


def test_it_is_told_where_each_value_came_from(good: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "wait").write_text("3s\n")
    sources = {one.setting.name: one.source for one in found({**good, "ADAPTER_WAIT_FILE": str(tmp_path / "wait")})}
    assert sources["XIMA_HOST"] == "environment"
    assert sources["ADAPTER_WAIT"] == f"file {tmp_path / 'wait'}"
    assert sources["ADAPTER_BIND"] == "default"
    assert {one.setting.name: one.source for one in found({})}["XIMA_HOST"] == "not set"


def test_every_default_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mappings").mkdir()
    monkeypatch.chdir(tmp_path)
    for one in SETTINGS:
        if one.default is not None:
            one.read(one.default)


def test_the_table_and_the_record_have_the_same_fields() -> None:
    assert settings.FIELDS["ADAPTER_DATABASE_URL"] == "database_url"
    assert settings.FIELDS["ADAPTER_SECRET_KEY"] == "secret_keys"
    for name, field in settings.FIELDS.items():
        assert field.removesuffix("s") in name.lower()
    assert list(settings.FIELDS) == list(TABLE)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8000", "127.0.0.1", 8000),
        (":8000", "127.0.0.1", 8000),
        ("[::1]:80", "::1", 80),
        ("localhost:65535", "localhost", 65535),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, host: str, port: int) -> None:
    assert address(text) == (host, port)


def test_port_0_is_for_those_who_ask_for_it() -> None:
    assert address("127.0.0.1:0", least=0) == ("127.0.0.1", 0)
    with pytest.raises(TextError):
        address("127.0.0.1:0")


@pytest.mark.parametrize("form", ["text", "json", "auto", " json "])
def test_the_form_of_the_log_is_one_of_three(good: dict[str, str], form: str) -> None:
    assert load({**good, "ADAPTER_LOG": form}).log == form.strip()


def test_another_form_of_the_log_is_refused(good: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="ADAPTER_LOG: write text, json or auto"):
        load({**good, "ADAPTER_LOG": "xml"})
