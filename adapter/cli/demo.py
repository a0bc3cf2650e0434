"""The demo: everything on this machine, one signed click and one lead, told in words."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import requests

from adapter import sources, wsgi
from adapter.cli import bodies
from adapter.cli.shown import plainly
from adapter.errors import SettingsError
from adapter.sandbox import Sandbox

PATIENCE_SECONDS = 60.0
LOG = "adapter.log"
JSON = {"Accept": "application/json"}
CLICK = {"vid": "{stamp}"}
LEAD = {"email": "ann.{stamp}@example.com", "mobile": "801-555-0142", "product": "Repair"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Demo:
    """A running demo: where the adapter and the pretend Xima are, and the environment of the adapter."""

    url: str
    sandbox: Sandbox
    environ: Mapping[str, str]


@click.command()
@click.option("--once", is_flag=True, help="Leave after the round trip; exit code 0 only if Xima accepted both.")
@plainly
def demo(once: bool) -> None:
    """Show the whole way on this machine.

    A signed HubSpot click and a web-form lead, to a pretend Xima and back; nobody is called. Then it stays up
    until Ctrl-C.

    \b
    Example:
      xima-adapter demo --once
    """
    folder = _mappings()
    signal.signal(signal.SIGTERM, _leave)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # a closed terminal, but for nohup
        signal.signal(signal.SIGHUP, _leave)
    with (
        tempfile.TemporaryDirectory(prefix="xima-adapter-demo-") as home,
        _running(folder, Path(home)) as running,
    ):
        good = _round_trip(running, folder)
        if not good:
            click.echo(f"\nThe adapter's log:\n{_log(Path(home))}", err=True)
        if not once:
            _stay(running)
    raise SystemExit(0 if good else 1)


def _leave(number: int, frame: object) -> None:
    """Stop as Ctrl-C does, so that what was started is stopped too."""
    raise SystemExit(128 + number)


def _mappings() -> Path:
    folder = Path(os.environ.get("ADAPTER_MAPPINGS") or "mappings")
    if not (folder / "hubspot-click-to-dial.yaml").is_file():
        where = "run it in the project's folder, or name that of the shipped mappings with ADAPTER_MAPPINGS"
        raise SettingsError([f"the demo needs the shipped mappings, and they are not in {folder.resolve()}: {where}"])
    return folder


@contextlib.contextmanager
def _running(folder: Path, home: Path) -> Iterator[Demo]:
    """The pretend Xima and the adapter, started and stopped."""
    sandbox = Sandbox.start()
    port = _free_port()
    environ = _environment(folder, home, f"http://127.0.0.1:{port}", sandbox.url)
    started = time.monotonic()
    command = [sys.executable, "-m", "adapter", "serve", "--bind", f"127.0.0.1:{port}", "--parent", str(os.getpid())]
    log = (home / LOG).open("wb")
    adapter = subprocess.Popen(command, env={**os.environ, **environ}, stdout=log, stderr=log)
    try:
        url = environ["ADAPTER_PUBLIC_URL"]
        _until_ready(adapter, url, home)
        click.echo(f"Pretend Xima and the adapter are up ({time.monotonic() - started:.1f} s).\n")
        yield Demo(url=url, sandbox=sandbox, environ=environ)
    finally:
        adapter.send_signal(signal.SIGTERM)
        adapter.wait(PATIENCE_SECONDS)
        log.close()
        sandbox.stop()


def _environment(folder: Path, home: Path, url: str, xima: str) -> dict[str, str]:
    """The settings of the demo: random secrets, a store in a temporary folder."""
    made = {
        "XIMA_HOST": xima,
        "XIMA_TOKEN": "sandbox-token",
        "ADAPTER_MAPPINGS": str(folder),
        "ADAPTER_DATABASE_URL": f"sqlite:///{home / 'adapter.db'}",
        "ADAPTER_SECRET_KEY": secrets.token_hex(),
        "ADAPTER_PUBLIC_URL": url,
    }
    for path in sources.mapping_files(folder):
        named = [name for proof in sources.read(path).receive.proofs for name in proof.secrets]
        made |= {name: secrets.token_hex() for name in named}
    return made


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_ready(adapter: subprocess.Popen[bytes], url: str, home: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and adapter.poll() is None:
        with contextlib.suppress(requests.RequestException):
            if requests.get(f"{url}/readyz", timeout=PATIENCE_SECONDS).ok:
                return
        time.sleep(0.05)
    raise SettingsError([f"the adapter did not start; it said:\n{_log(home)}"])


def _log(home: Path) -> str:
    return (home / LOG).read_text(errors="replace")[-3000:].strip()


def _round_trip(running: Demo, folder: Path) -> bool:
    """Send the click and the lead; whether Xima accepted both."""
    stamp = f"{time.time_ns() // 1000}"
    click.echo("A HubSpot workflow, signed as HubSpot signs, asks to ring an agent:")
    dialled = _send(running, folder / "hubspot-click-to-dial.yaml", CLICK, stamp)
    click.echo("\nA lead fills in the web form and asks for a call:")
    called = _send(running, folder / "callback.yaml", {"phone": LEAD["mobile"]}, stamp)
    click.echo("\nWhat arrived at Xima:")
    for call in _effects(running):
        click.echo(f"  {call['method']} {call['path']}  {json.dumps(call['json'])}  -> {call['status']}")
    return dialled and called


def _send(running: Demo, path: Path, changes: Mapping[str, str], stamp: str) -> bool:
    """One signed request; prints its receipt, follows it to its end, and tells whether Xima accepted it."""
    source = sources.ready(sources.read(path), public_url=running.url, environ=running.environ)
    given = [f"{where}={value.format(stamp=stamp)}" for where, value in changes.items()]
    request = bodies.signed(source, None, given, origin=running.url, now=wsgi.clock())
    started = time.monotonic()
    answer = bodies.post(request.url, request)
    taken = (time.monotonic() - started) * 1000
    if not answer.ok:
        click.echo(f"  {answer.status_code}: {answer.text[:500]}")
        return False
    receipt = answer.json()["receipts"][0]
    click.echo(f"  answered in {taken:.0f} ms: {receipt['state']}. {receipt['message']}")
    if receipt["state"] == "queued":
        receipt = _followed(receipt)
        taken = (time.monotonic() - started) * 1000
        click.echo(f"  {taken:.0f} ms after it was sent: {receipt['state']}. {receipt['message']}")
    click.echo(f"  receipt: {receipt['status_url']}")
    return bool(receipt["state"] == "accepted")


def _followed(receipt: dict[str, Any]) -> dict[str, Any]:
    """The receipt once it waits no more, or as it is when patience ends."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while receipt["state"] in ("queued", "sending") and time.monotonic() < deadline:
        time.sleep(0.02)
        receipt = requests.get(receipt["status_url"], headers=JSON, timeout=PATIENCE_SECONDS).json()
    return receipt


def _effects(running: Demo) -> list[dict[str, Any]]:
    calls = requests.get(f"{running.sandbox.url}/_sandbox/calls", timeout=PATIENCE_SECONDS).json()["calls"]
    return [call for call in calls if call["effect"]]


def _stay(running: Demo) -> None:
    """Print what to look at and wait for Ctrl-C."""
    click.echo(f"\nPhones and queues of the pretend Xima: {running.sandbox.url}/")
    click.echo(f"Is the adapter ready:                  {running.url}/readyz")
    click.echo("\nSend more, and look at it, from a second terminal:\n")
    for name in ("ADAPTER_PUBLIC_URL", "ADAPTER_DATABASE_URL", "CALLBACK_KEY"):
        click.echo(f"  export {name}={running.environ[name]}")
    click.echo(f"  {_program()} send callback --set phone=801-555-0143")
    click.echo(f"  {_program()} deliveries")
    click.echo("\nCtrl-C stops everything and removes its files.")
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    click.echo("\nStopping.")


def _program() -> str:
    """How this program was called, so that it can be called again."""
    return sys.argv[0] if Path(sys.argv[0]).name == "xima-adapter" else "xima-adapter"
