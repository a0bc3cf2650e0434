"""A real adapter for tests: `xima-adapter serve` (or one half of it) as a process of its own, with real files."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from adapter import signature, sources
from adapter.cli import bodies
from adapter.model import Received
from adapter.sources import Source
from adapter.store import Store
from benchmarks import ports

SECRET = "a secret of the tests"
free_port = ports.free_port
"""A port nobody listens on."""
CLICK = """
format: 1
name: click
receive:
  from: github
  secrets: [HOOK_SECRET]
  body: json
phones:
  region: US
once:
  key: ${id}
quiet:
  same_number: no
limits:
  number_per_day: 1000
rules:
  - name: click
    when:
      - field: skill
        present: no
    click_to_dial:
      agent: ${agent}
      number_to_dial: ${phone}
  - name: lead
    callback:
      skill: ${skill}
      callback_number: ${phone}
examples:
  - name: a click
    body: |
      {"id": "1", "agent": "0101", "phone": "8015550142"}
    expect:
      - click_to_dial: {agent: 0101, number_to_dial: 8015550142}
  - name: a lead
    body: |
      {"id": "2", "skill": "Sales", "phone": "8015550142"}
    expect:
      - callback: {skill: Sales, callback_number: 8015550142}
lint:
  ignore: [missing-phone, no-hours, no-caller-id]
"""
"""A mapping for both paths: without `skill` it dials at once, with it it queues a callback; always the same number."""


def until(fact: Callable[[], Any], *, seconds: float = 180.0) -> Any:
    """What `fact` gives as soon as it is true; fails when it does not become true in time."""
    deadline = time.monotonic() + seconds
    while not (found := fact()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)
    return found


@dataclass(kw_only=True)
class Adapter:
    """A folder with mappings and a store, and the processes that serve it."""

    home: Path
    xima: str
    environ: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.mappings = self.home / "mappings"
        self.mappings.mkdir(exist_ok=True)
        self.environ = {
            "XIMA_HOST": self.xima,
            "XIMA_TOKEN": "sandbox-token",
            "ADAPTER_MAPPINGS": str(self.mappings),
            "ADAPTER_DATABASE_URL": self.database_url,
            "ADAPTER_SECRET_KEY": secrets.token_hex(),
            "ADAPTER_PUBLIC_URL": self.url,
            "ADAPTER_WORKERS": "1",
            "ADAPTER_WAIT": "60s",  # a click that is accepted is answered so, also by a slow machine
            "HOOK_SECRET": SECRET,
            "ADAPTER_LOG": "text",
            **self.environ,
        }

    @property
    def whole_environ(self) -> dict[str, str]:
        """What its processes are started with."""
        return {**os.environ, **self.environ}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database_url(self) -> str:
        return self.environ.get("ADAPTER_DATABASE_URL") or f"sqlite:///{self.home / 'adapter.db'}"

    def write(self, name: str, text: str) -> Path:
        """Write a mapping file."""
        path = self.mappings / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def source(self, name: str) -> Source:
        """A mapping with its secrets, as the server has it."""
        path = self.mappings / f"{name}.yaml"
        return sources.ready(sources.read(path), public_url=self.url, environ=self.environ)

    def store(self) -> Store:
        """The store, opened by the test itself."""
        return Store(self.database_url)

    def start(
        self, command: str = "serve", *, ready: bool = True, arguments: Sequence[str] = ()
    ) -> subprocess.Popen[bytes]:
        """Start `serve`, `web` or `dispatch`, and wait until it answers."""
        given = ["--bind", f"127.0.0.1:{self.port}"] if command in ("serve", "web") else []
        log = (self.home / f"{command}-{len(self.processes)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "adapter", command, *given, *arguments],
            env=self.whole_environ,
            stdout=log,
            stderr=log,
        )
        log.close()
        self.processes.append(process)
        if ready and command in ("serve", "web"):
            until(lambda: process.poll() is not None or self.is_ready())
            assert process.poll() is None, self.log()
        return process

    def is_ready(self) -> bool:
        """Whether /readyz answers 200."""
        with contextlib.suppress(requests.RequestException):
            return requests.get(f"{self.url}/readyz", timeout=30).ok
        return False

    def log(self) -> str:
        """Everything the processes wrote."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.home.glob("*.log")))

    def signed(self, name: str, body: bytes, *, headers: Mapping[str, str] | None = None) -> Received:
        """A request as the mapping's sender would send it."""
        request = Received(
            method="POST",
            url=f"{self.url}/hooks/{name}",
            headers={"content-type": "application/json", **(headers or {})},
            body=body,
        )
        from_sender = self.source(name)
        now = datetime.now(UTC)
        for proof in from_sender.proofs:
            request = signature.sign(proof.scheme, proof.secrets[0], request, now=now)
        return request

    def post(self, name: str, body: bytes, *, headers: Mapping[str, str] | None = None) -> requests.Response:
        """Send a signed request."""
        return bodies.post(f"{self.url}/hooks/{name}", self.signed(name, body, headers=headers))

    def stop(self) -> None:
        """Stop every process, the gentle way."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(90)


@contextlib.contextmanager
def running(home: Path, xima: str, *, start: bool = True, **environ: str) -> Iterator[Adapter]:
    """An adapter with the mapping `click`, started unless told otherwise, and stopped at the end."""
    adapter = Adapter(home=home, xima=xima, environ=environ)
    adapter.write("click", CLICK)
    try:
        if start:
            adapter.start()
        yield adapter
    finally:
        adapter.stop()
