"""Backups while the adapter is at work, and what is dialled after a restore; the pretend Xima says what was."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from running import Adapter, running, until

from adapter.sandbox import Sandbox
from adapter.store import Store
from benchmarks import postgres
from cli.conftest import Run


def post(adapter: Adapter, number: int, **fields: str) -> dict[str, Any]:
    given = {"id": f"event {number}", "skill": "Sales", "phone": "8015550142", **fields}
    (receipt,) = adapter.post("click", json.dumps(given).encode()).json()["receipts"]
    assert isinstance(receipt, dict)
    return receipt


def state(run: Run, delivery_id: str) -> object:
    return json.loads(run("deliveries", "show", delivery_id, "--json").stdout)["state"]


def reached(sandbox: Sandbox) -> list[str]:
    return [call["operation"] for call in sandbox.world.ledger() if call["effect"]]


def known(url: str) -> set[str]:
    with closing(Store(url)) as store:
        store.check()
        return {one.id for one in store.newest(most=100_000)}


class Load:
    """Leads that come one after the other; `answered` are those that were promised to be on disk."""

    def __init__(self, adapter: Adapter) -> None:
        self.answered: list[str] = []
        self._adapter = adapter
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        number = 1000
        while not self._stop.is_set():
            self.answered.append(post(self._adapter, number := number + 1)["id"])

    def __enter__(self) -> Load:
        self._thread.start()
        until(lambda: len(self.answered) > 5)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture
def served(tmp_path: Path, sandbox: Sandbox, run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Adapter]:
    """A running adapter, and the command line on its store."""
    with running(tmp_path, sandbox.url) as adapter:
        monkeypatch.setenv("ADAPTER_DATABASE_URL", adapter.environ["ADAPTER_DATABASE_URL"])
        yield adapter


@pytest.fixture
def served_by_postgres(
    postgres_url: str, tmp_path: Path, sandbox: Sandbox, run: Run, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Adapter]:
    """The same with its store in PostgreSQL."""
    with running(tmp_path, sandbox.url, ADAPTER_DATABASE_URL=postgres_url) as adapter:
        monkeypatch.setenv("ADAPTER_DATABASE_URL", postgres_url)
        yield adapter


def test_a_backup_under_load_has_everything_that_was_promised_before_it(served: Adapter, run: Run) -> None:
    with Load(served) as load:
        for number in range(3):
            promised = set(load.answered)
            result = run("db", "backup", f"copy-{number}.db")
            assert result.exit_code == 0, result.output
            assert promised <= known(f"sqlite:///copy-{number}.db")
    assert set(load.answered) <= known(served.database_url)
    assert "store cannot be used" not in served.log()


def test_a_dump_of_postgresql_under_load_has_it_too(
    served_by_postgres: Adapter, run: Run, postgres_server: postgres.Server
) -> None:
    with Load(served_by_postgres) as load:
        promised = set(load.answered)
        restored = dumped_and_restored(postgres_server, served_by_postgres.database_url)
    assert promised <= known(restored)
    postgres_server.drop_database(restored)


def dumped_and_restored(server: postgres.Server, url: str) -> str:
    """By the commands of docs/backup.md: the address of a database made of the dump of another."""
    file, new = f"{url.rpartition('/')[2]}.dump", server.new_database()
    server.run("pg_dump", "--format=custom", f"--file={file}", f"--dbname={url}")
    server.run("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={new}", file)
    return new


def come_and_gone(adapter: Adapter, run: Run, sandbox: Sandbox, backup: Callable[[], Any]) -> tuple[str, str]:
    """A lead waits, a backup is taken, the lead is sent and a click comes and is made; gives their ids."""
    run("pause")
    lead = post(adapter, 1)["id"]
    backup()
    run("resume")
    click = post(adapter, 2, skill="", agent="0101")
    until(lambda: sorted(reached(sandbox)) == ["callback", "click_to_dial"])
    adapter.stop()
    assert click["state"] == "accepted"
    return lead, click["id"]


def put_away(adapter: Adapter) -> None:
    """The store, with the journal that a process may leave behind: it would be written into whatever comes."""
    for file in adapter.home.glob("adapter.db*"):
        file.rename(adapter.home / f"lost-{file.name}")


def then_nothing_is_dialled_twice(adapter: Adapter, run: Run, sandbox: Sandbox, lead: str) -> None:
    """What the dispatcher does on the restored store, with the pause that was in the backup ended."""
    adapter.start()
    run("resume")
    late = post(adapter, 3)["id"]
    until(lambda: state(run, late) == "accepted")
    assert state(run, lead) == "held"
    assert sorted(reached(sandbox)) == ["callback", "callback", "click_to_dial"]
    assert "1 callback held" in run("recover").stdout
    run("deliveries", "cancel", lead, "--reason", "it was made after the backup")
    assert run("recover").stdout == "Nothing is held after an outage.\n"


def test_what_was_sent_after_the_backup_is_not_sent_again(served: Adapter, run: Run, sandbox: Sandbox) -> None:
    lead, click = come_and_gone(served, run, sandbox, lambda: run("db", "backup", "copy.db"))
    refused = run("db", "restore", "copy.db")
    assert (refused.exit_code, "move it away" in refused.stderr) == (1, True), refused.output
    put_away(served)
    said = run("db", "restore", "copy.db").stdout
    assert said.startswith("Restored; 1 delivery held")
    assert run("deliveries", "show", click).exit_code == 1
    then_nothing_is_dialled_twice(served, run, sandbox, lead)


def test_a_backup_that_is_just_copied_into_place_is_as_safe(served: Adapter, run: Run, sandbox: Sandbox) -> None:
    lead, _ = come_and_gone(served, run, sandbox, lambda: run("db", "backup", "copy.db"))
    put_away(served)
    (served.home / "copy.db").rename(served.home / "adapter.db")
    then_nothing_is_dialled_twice(served, run, sandbox, lead)


def test_nor_is_it_from_a_dump_of_postgresql(
    served_by_postgres: Adapter,
    run: Run,
    sandbox: Sandbox,
    postgres_server: postgres.Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    adapter, made = served_by_postgres, []
    lead, _ = come_and_gone(
        adapter, run, sandbox, lambda: made.append(dumped_and_restored(postgres_server, adapter.database_url))
    )
    adapter.environ["ADAPTER_DATABASE_URL"] = made[0]
    monkeypatch.setenv("ADAPTER_DATABASE_URL", made[0])
    assert run("db", "restored").stdout.startswith("Restored; 1 delivery held")
    then_nothing_is_dialled_twice(adapter, run, sandbox, lead)
    adapter.stop()
    postgres_server.drop_database(made[0])


def test_an_event_that_came_after_the_backup_is_new_to_it(served: Adapter, run: Run, sandbox: Sandbox) -> None:
    """What docs/backup.md says of it: the store cannot know."""
    run("db", "backup", "copy.db")
    post(served, 1)
    until(lambda: reached(sandbox) == ["callback"])
    served.stop()
    put_away(served)
    (served.home / "copy.db").rename(served.home / "adapter.db")
    served.start()
    assert post(served, 1)["duplicate_of"] is None


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_postgresql_has_its_own_ways(run: Run, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("ADAPTER_DATABASE_URL", "postgresql://adapter@localhost/adapter")
    result = run("db", command, "copy.db")
    assert (result.exit_code, "its own way: pg_" in result.stderr) == (1, True), result.output


def test_a_store_that_is_not_there_is_not_backed_up(run: Run) -> None:
    result = run("db", "backup", "copy.db")
    assert (result.exit_code, "there is no store adapter.db yet" in result.stderr) == (1, True)


def test_a_backup_that_is_there_is_not_written_over(run: Run, home: Path) -> None:
    run("db", "upgrade")
    (home / "copy.db").write_text("of last night")
    result = run("db", "backup", "copy.db")
    assert (result.exit_code, "copy.db is there already" in result.stderr) == (1, True)
    assert (home / "copy.db").read_text() == "of last night"
