"""Every starter in a running adapter: copied as the pages say, signed as its sender signs, and taken."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from running import Adapter, running, until
from sender_cases import ROOT, STARTERS, secrets_of, starter

from adapter.cli import main
from adapter.sandbox import Sandbox

CALLING = [name for name in STARTERS if not starter(name).tells]
"""Xima itself makes no call; see test_whole_loop.py."""
MUCH = "\nquiet:\n  same_number: no\nlimits:\n  number_per_day: 1000\n"
"""Most samples have the same number."""


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adapter]:
    """An adapter that serves all of them."""
    home = tmp_path_factory.mktemp("senders")
    with Sandbox.start() as xima, running(home, xima.url, start=False) as made:
        for name, file in STARTERS.items():
            made.write(name, file.read_text(encoding="utf-8") + MUCH)
            made.environ |= secrets_of(starter(name))
        made.start()
        yield made


def _states(adapter: Adapter, name: str) -> list[str]:
    store = adapter.store()
    states: list[str] = [one.state for one in store.newest() if one.mapping == name]
    store.close()
    return states


@pytest.mark.parametrize("name", CALLING)
def test_a_request_of_the_sender_is_taken_and_becomes_a_call(
    adapter: Adapter, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in adapter.environ.items():
        monkeypatch.setenv(variable, value)
    result = CliRunner().invoke(main, ["send", name])
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"200 from {adapter.url}/hooks/{name}\n")
    states = until(lambda: [] if {"queued", "sending"} & {*(now := _states(adapter, name))} else now)
    assert set(states) == {"accepted"}


@pytest.mark.parametrize("folder", ["adapter/starters", "mappings"])
def test_whoever_a_starter_names_works_in_the_office_of_the_pretend_xima(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox.start() as xima:
        monkeypatch.setenv("XIMA_HOST", xima.url)
        monkeypatch.setenv("XIMA_TOKEN", "sandbox-token")
        result = CliRunner().invoke(main, ["check", "--live", str(ROOT / folder)])
    assert (result.exit_code, "Xima has no" in result.output) == (0, False), result.output
