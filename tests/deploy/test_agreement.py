"""Numbers and names that stand in several files of deploy/ and in the code are the same everywhere."""

from __future__ import annotations

import logging
import re
import resource
import runpy
from collections.abc import Iterator, Mapping
from inspect import signature
from pathlib import Path

import pytest
from running import CLICK
from web.front import WORK, front

from adapter import logs, server, settings
from adapter.cli import printed
from adapter.settings import TABLE, Settings
from adapter.xima import Client
from deploy.proxies import DEPLOY

WAITS = ("10s", "55s")
PUBLIC_ROUTES = {"hooks", "deliveries", "api"}
INSIDE_ROUTES = {"healthz", "readyz", "metrics", "static"}


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that are complete."""
    (tmp_path / "click.yaml").write_text(CLICK, encoding="utf-8")
    given = {
        "XIMA_HOST": "xima.invalid",
        "XIMA_TOKEN": "token",
        "ADAPTER_SECRET_KEY": "k" * 16,
        "ADAPTER_MAPPINGS": str(tmp_path),
        "ADAPTER_DATABASE_URL": f"sqlite:///{tmp_path / 'a.db'}",
        "HOOK_SECRET": "a secret of the tests",
    }
    for name in TABLE:
        monkeypatch.delenv(name, raising=False)
    for name, text in given.items():
        monkeypatch.setenv(name, text)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    loggers = [logs.log, *map(logging.getLogger, logs.OTHERS)]
    before = [(one, list(one.handlers), one.propagate, one.level) for one in loggers]
    yield
    for one, handlers, propagate, level in before:
        one.handlers[:], one.propagate = handlers, propagate
        one.setLevel(level)


def text(name: str) -> str:
    """A file of deploy/."""
    return (DEPLOY / name).read_text(encoding="utf-8")


def numbers(name: str, pattern: str) -> list[int]:
    """Every number that the pattern finds in the file; there is one at least."""
    found = [int(one) for one in re.findall(pattern, text(name))]
    assert found, f"{name} has no {pattern}"
    return found


@pytest.mark.usefixtures("environ")
@pytest.mark.parametrize("wait", WAITS)
def test_a_gunicorn_of_one_s_own_has_the_options_of_ours(wait: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTER_WAIT", wait)
    found = runpy.run_path(str(DEPLOY / "gunicorn.conf.py"))
    options = server.options(settings.load())
    assert {name: found[name] for name in options} == options
    assert found["wsgi_app"] == "adapter.wsgi:create()"


@pytest.mark.usefixtures("environ")
def test_a_gunicorn_of_one_s_own_leaves_no_core_file_either() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if not hard:
        pytest.skip("this machine lets nobody write core files")
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        runpy.run_path(str(DEPLOY / "gunicorn.conf.py"))
        assert resource.getrlimit(resource.RLIMIT_CORE) == (0, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


@pytest.mark.usefixtures("environ")
def test_a_gunicorn_of_one_s_own_names_what_is_wrong_and_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XIMA_TOKEN")
    with pytest.raises(SystemExit, match="XIMA_TOKEN is not set"):
        runpy.run_path(str(DEPLOY / "gunicorn.conf.py"))


@pytest.mark.usefixtures("environ")
@pytest.mark.parametrize("wait", WAITS)
def test_what_is_under_way_may_end_at_a_stop_however_long_a_click_waits(
    wait: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADAPTER_WAIT", wait)
    given = settings.load()
    assert server.grace(given) > given.wait.total_seconds()
    given_up = signature(Client.__init__).parameters
    addresses = 2  # of Xima's host, each tried for so long
    longest = given_up["connect_timeout"].default * addresses + given_up["read_timeout"].default
    assert server.grace(given) > longest
    assert server.options(given)["graceful_timeout"] == server.grace(given)


def defaults() -> Settings:
    """The settings nobody has changed."""
    given = {"XIMA_HOST": "xima.invalid", "XIMA_TOKEN": "token", "ADAPTER_SECRET_KEY": "k" * 16}
    return settings.load({**given, "ADAPTER_MAPPINGS": str(DEPLOY)})


def loaded(environ: Mapping[str, str], mount: str, folder: Path) -> Settings:
    """The settings a container makes of its environment, with a file for each secret that it names below `mount`."""
    for path in environ.values():
        if path.startswith(f"{mount}/"):
            content = "postgresql://adapter:pw@db/adapter" if "database_url" in path.lower() else "s" * 32
            (folder / Path(path).name).write_text(f"{content}\n", encoding="utf-8")
    here = {name: text.replace(mount, str(folder)) for name, text in environ.items()}
    return settings.load({**here, "ADAPTER_MAPPINGS": str(folder)})


def test_the_proxies_let_through_the_largest_body_the_adapter_takes() -> None:
    most = defaults().max_body
    assert set(numbers("nginx.conf", r"client_max_body_size +(\d+);")) == {most}
    assert set(numbers("Caddyfile", r"(?:max_size|> ) ?(\d+)")) == {most}


def test_the_proxies_wait_longer_than_the_adapter_and_let_go_of_idle_connections_sooner() -> None:
    least, keepalive = server.grace(defaults()), server.options(defaults())["keepalive"]
    assert min(numbers("nginx.conf", r"proxy_read_timeout (\d+)s")) > least
    assert min(numbers("Caddyfile", r"(?:response_header_timeout|write) (\d+)s")) > least
    assert max(numbers("nginx.conf", r" keepalive_timeout (\d+)s")) < keepalive
    assert max(numbers("Caddyfile", r"keepalive (\d+)s")) < keepalive


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_no_proxy_redirects(name: str) -> None:
    assert not re.search(r"\b30[12378]\b|^\s*(rewrite|redir)\b", text(name), re.MULTILINE)


def test_every_route_is_either_for_senders_or_for_the_inside(tmp_path: Path) -> None:
    with front(tmp_path, {"work": WORK}) as made:
        rules = made.client.application.url_map.iter_rules()
        roots = {rule.rule.split("/")[1] for rule in rules}
    assert roots <= PUBLIC_ROUTES | INSIDE_ROUTES, "decide who may reach it, in nginx.conf and Caddyfile, then here"
    (in_nginx,) = re.findall(r"location ~ \^/\(([a-z|]+)\)/", text("nginx.conf"))
    (in_caddy,) = re.findall(r"@public path (.+)", text("Caddyfile"))
    assert set(in_nginx.split("|")) == PUBLIC_ROUTES
    assert {one.strip("/*") for one in in_caddy.split()} == PUBLIC_ROUTES


def test_the_settings_of_the_example_are_those_of_the_program() -> None:
    assert text("adapter.env.example") == printed.env_example()
