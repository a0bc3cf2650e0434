"""The command line in this process, in a folder of its own with two mappings."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from running import CLICK

from adapter.cli import main
from adapter.settings import SETTINGS

Run = Callable[..., Result]

SECRET = "hush-hush-of-the-tests"
FORM = """
format: 1
name: form
receive:
  from: header-token
  header: X-Form-Key
  secrets: [HOOK_SECRET]
  body: form
phones:
  region: US
hours:
  zone: America/Denver
  open:
    mon-fri: 08:00-18:00
  outside: hold
rules:
  - name: wants a call
    when:
      - field: phone
        present: yes
    callback:
      skill: Sales
      callback_number: ${phone}
examples:
  - name: an ordinary request
    at: 2026-11-24T10:15:00-07:00
    body: name=Ann&phone=801-555-0142&tag=a&tag=b
    expect:
      - callback: {skill: Sales, callback_number: 8015550142}
lint:
  ignore: [any-country, missing-phone, whole-record]
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty environment but for the secret, and a working folder with the mappings `click` and `form`."""
    names = {one.name for one in SETTINGS} | {f"{one.name}_FILE" for one in SETTINGS}
    for name in names & set(os.environ):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    monkeypatch.setenv("ACME_TOKEN", "token-of-acme")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings/click.yaml").write_text(CLICK, encoding="utf-8")
    (tmp_path / "mappings/form.yaml").write_text(FORM, encoding="utf-8")
    acme = "acme:\n  host: acme.xima.cloud\n  token: ACME_TOKEN\n"
    (tmp_path / "mappings/tenants.yaml").write_text(acme, encoding="utf-8")
    return tmp_path


@pytest.fixture
def run(home: Path) -> Run:
    """Runs a command; nothing but an exit code may come out of it, and never a secret."""

    def run(*arguments: str, **kwargs: object) -> Result:
        result = CliRunner().invoke(main, arguments, prog_name="xima-adapter", **kwargs)  # type: ignore[arg-type] # `input`
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert SECRET not in result.output
        assert "Traceback" not in result.output
        return result

    return run
