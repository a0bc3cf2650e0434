"""Secrets, keys and tokens are changed under a running adapter, and no request is lost or done twice."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from click import ClickException
from click.testing import CliRunner
from running import CLICK, SECRET, Adapter, running, until
from sqlalchemy import update

from adapter import signature
from adapter.cli import bodies, main
from adapter.model import Received
from adapter.sandbox import Sandbox
from adapter.store.engine import Database
from adapter.store.tables import deliveries, gates

NEW_SECRET = "a newer secret of the tests"
OLD_KEY, NEW_KEY = "old-key-of-links-and-lists", "new-key-of-links-and-lists"
TWO = CLICK.replace("secrets: [HOOK_SECRET]", "secrets: [HOOK_SECRET, HOOK_SECRET_OLD]")


class Sender:
    """A CRM that sends leads, one after the other, each again until it is answered 2xx; it signs with `secret`."""

    def __init__(self, adapter: Adapter) -> None:
        self.secret = SECRET
        self.answered: list[str] = []
        self.statuses: Counter[int] = Counter()
        self._adapter = adapter
        self._scheme = adapter.source("click").proofs[0].scheme  # once, for its secret is a file that changes
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Sender:
        self._thread.start()
        self.more()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Send no more."""
        self._stop.set()
        self._thread.join()

    def more(self, count: int = 10) -> None:
        """Wait until so many more events were answered."""
        before = len(self.answered)
        until(lambda: len(self.answered) >= before + count)

    def _run(self) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            body = json.dumps({"id": f"event {number}", "skill": "Sales", "phone": f"801555{number:04}"}).encode()
            while not self._accepted(body) and not self._stop.wait(0.02):
                pass

    def _accepted(self, body: bytes) -> bool:
        url = f"{self._adapter.url}/hooks/click"
        plain = Received(method="POST", url=url, headers={"content-type": "application/json"}, body=body)
        signed = signature.sign(self._scheme, self.secret, plain, now=datetime.now(UTC))
        with contextlib.suppress(ClickException):
            answer = bodies.post(url, signed)
            self.statuses[answer.status_code] += 1
            if answer.ok:
                self.answered += [one["id"] for one in answer.json()["receipts"]]
            return answer.ok
        return False


def reached(sandbox: Sandbox) -> int:
    """How many calls had an effect at the pretend Xima."""
    return sum(call["effect"] for call in sandbox.world.ledger())


def counts(adapter: Adapter) -> dict[str, int]:
    with contextlib.closing(adapter.store()) as store:
        return store.counts()


def everything_is_done_once(adapter: Adapter, sandbox: Sandbox, *answered: str) -> None:
    until(lambda: set(counts(adapter)) == {"accepted"})
    with contextlib.closing(adapter.store()) as store:
        kept = {one.id for one in store.newest(most=100_000)}
    assert set(answered) <= kept
    assert reached(sandbox) == len(kept)


# a sender's secret


@pytest.fixture
def filed(tmp_path: Path, sandbox: Sandbox) -> Iterator[Adapter]:
    """An adapter whose sender has two secrets, both in files and both the same at first."""
    for name in ("hook", "hook-old"):
        (tmp_path / name).write_text(SECRET)
    files = {"HOOK_SECRET_FILE": str(tmp_path / "hook"), "HOOK_SECRET_OLD_FILE": str(tmp_path / "hook-old")}
    with running(tmp_path, sandbox.url, start=False, HOOK_SECRET="", **files) as adapter:
        adapter.write("click", TWO)
        adapter.start()
        yield adapter


def write_secret(adapter: Adapter, name: str, secret: str) -> None:
    """As docs/rotating.md says: write the file, then touch the mapping, and it is read again."""
    (adapter.home / name).write_text(secret)
    (adapter.mappings / "click.yaml").touch()


def status(adapter: Adapter, secret: str) -> int:
    sender = Sender(adapter)
    sender.secret = secret
    sender._accepted(b'{"id": "of the test", "skill": "Sales", "phone": "8015550142"}')
    return next(iter(sender.statuses))


def test_a_senders_secret_is_changed_without_a_restart_and_without_a_refusal(filed: Adapter, sandbox: Sandbox) -> None:
    with Sender(filed) as sender:
        write_secret(filed, "hook", NEW_SECRET)
        until(lambda: status(filed, NEW_SECRET) == 200)
        sender.more()
        sender.secret = NEW_SECRET
        sender.more()
        write_secret(filed, "hook-old", NEW_SECRET)
        until(lambda: status(filed, SECRET) == 401)
        sender.more()
    assert set(sender.statuses) == {200}
    everything_is_done_once(filed, sandbox, *sender.answered)


def test_a_senders_secret_is_changed_by_a_restart_and_a_list(tmp_path: Path, sandbox: Sandbox) -> None:
    with running(tmp_path, sandbox.url) as adapter, Sender(adapter) as sender:
        adapter.environ |= {"HOOK_SECRET": NEW_SECRET, "HOOK_SECRET_OLD": SECRET}
        adapter.write("click", TWO)
        adapter.stop()
        adapter.start()
        sender.more()
        sender.secret = NEW_SECRET
        sender.more()
        sender.end()
        assert set(sender.statuses) <= {200, 503}
        everything_is_done_once(adapter, sandbox, *sender.answered)


# ADAPTER_SECRET_KEY


def command(adapter: Adapter, *words: str) -> str:
    given = {name: adapter.environ[name] for name in ("ADAPTER_DATABASE_URL", "ADAPTER_SECRET_KEY")}
    result = CliRunner(env=given).invoke(main, words)
    assert result.exit_code == 0, result.output
    return result.stdout


def post(adapter: Adapter, **fields: str) -> dict[str, Any]:
    (receipt,) = adapter.post("click", json.dumps(fields).encode()).json()["receipts"]
    assert isinstance(receipt, dict)
    return receipt


def alarms(adapter: Adapter) -> list[str]:
    found = requests.get(f"{adapter.url}/readyz", timeout=30).json()["alarms"]
    return [one["part"] for one in found]


def restart(adapter: Adapter, **environ: str) -> None:
    adapter.stop()
    adapter.environ |= environ
    adapter.start()


def test_links_and_the_list_of_an_older_key_count_as_long_as_it_stands_behind(tmp_path: Path, sandbox: Sandbox) -> None:
    asked = {"skill": "Sales", "phone": "8015550142"}
    with running(tmp_path, sandbox.url, ADAPTER_SECRET_KEY=OLD_KEY) as adapter:
        command(adapter, "suppress", "add", "+18015550142", "--reason", "asked us to stop")
        link = post(adapter, id="1", **asked)["status_url"]
        restart(adapter, ADAPTER_SECRET_KEY=f"{NEW_KEY},{OLD_KEY}")
        assert requests.get(link, timeout=30).status_code == 200
        assert post(adapter, id="2", **asked)["policy"] == "do_not_call"
        assert alarms(adapter) == []
        restart(adapter, ADAPTER_SECRET_KEY=NEW_KEY)
        assert requests.get(link, timeout=30).status_code == 401
        assert alarms(adapter) == ["do-not-call list"]
        restart(adapter, ADAPTER_SECRET_KEY=f"{NEW_KEY},{OLD_KEY}")
        assert (alarms(adapter), post(adapter, id="3", **asked)["policy"]) == ([], "do_not_call")
    assert reached(sandbox) == 0


def test_a_number_that_is_put_on_the_list_after_a_rotation_stops_what_waited_through_it(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    with running(tmp_path, sandbox.url, ADAPTER_SECRET_KEY=OLD_KEY) as adapter:
        command(adapter, "pause")
        waits = post(adapter, id="1", skill="Sales", phone="8015550142")["id"]
        restart(adapter, ADAPTER_SECRET_KEY=f"{NEW_KEY},{OLD_KEY}")
        command(adapter, "suppress", "add", "+18015550142", "--reason", "asked us to stop")
        command(adapter, "resume")
        until(lambda: json.loads(command(adapter, "deliveries", "show", waits, "--json"))["policy"] == "do_not_call")
    assert reached(sandbox) == 0


# the token of Xima


def let_it_be_tried(adapter: Adapter) -> None:
    """The half minute is over after which one delivery looks whether the token counts again."""
    with contextlib.closing(Database(adapter.database_url)) as database, database.writing() as connection:
        connection.execute(update(gates).values(probe_at=datetime.now(UTC)))
        connection.execute(update(deliveries).where(deliveries.c.state == "held").values(due_at=datetime.now(UTC)))


def tried_again(adapter: Adapter) -> set[str]:
    """The states there are, after another moment at which one was tried."""
    let_it_be_tried(adapter)
    return set(counts(adapter))


def test_a_token_that_ended_too_soon_holds_callbacks_until_the_new_one_is_there(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    with running(tmp_path, sandbox.url) as adapter, Sender(adapter) as sender:
        sandbox.world.load("token: the-second-service-user\n")
        until(lambda: alarms(adapter) == ["tenant default"])
        sender.more()
        sender.end()
        until(lambda: counts(adapter).get("held", 0) >= 10)
        restart(adapter, XIMA_TOKEN="the-second-service-user")
        until(lambda: tried_again(adapter) == {"accepted"})
        everything_is_done_once(adapter, sandbox, *sender.answered)
        assert alarms(adapter) == []


def test_a_token_is_changed_while_both_count(tmp_path: Path, sandbox: Sandbox) -> None:
    with running(tmp_path, sandbox.url) as adapter, Sender(adapter) as sender:
        restart(adapter, XIMA_TOKEN="sandbox-token")
        sender.more()
        sender.end()
        everything_is_done_once(adapter, sandbox, *sender.answered)
