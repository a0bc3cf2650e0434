"""The mappings in force: a change counts when it is good and at rest, and nothing done to a file breaks them."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from running import CLICK

from adapter import sources
from adapter.folder import REST, Folder
from adapter.inforce import GONE_FOR, GRACE, InForce
from adapter.mapping import Mapping
from adapter.sources import Sources
from adapter.store import Store
from adapter.watching import Watching

BETTER = CLICK.replace("name: click\n", "name: click\nabout: better\n", 1)
WORSE = CLICK.replace("number_to_dial: 8015550142", "number_to_dial: 1", 1)
"""Its example fails."""
TABLE = """\
format: 1
name: table
receive:
  from: github
  secrets: [HOOK_SECRET]
  body: json
phones:
  region: US
tables:
  agents: {file: agents.csv, key: name, value: extension}
rules:
  - click_to_dial:
      agent: {lookup: agents, key: "${who}"}
      number_to_dial: 801-555-0142
"""
SECONDS = timedelta(seconds=1)


@dataclass
class Office:
    """A folder of mappings, a store, a clock, and the mappings in force in one process."""

    folder: Path
    store: Store
    environ: dict[str, str] = field(default_factory=lambda: {"HOOK_SECRET": "s3cr3t"})
    now: datetime = field(default_factory=lambda: datetime.now(UTC) + timedelta(minutes=1))

    def begin(self, *, expected: Collection[str] | None = None) -> Sources:
        """Start a process."""
        self.process = self.another(expected=expected)
        return self.process.found

    def another(self, *, expected: Collection[str] | None = None) -> InForce:
        """A process beside."""
        made = InForce(
            self.folder, self.store, lambda: self.now, public_url="", environ=self.environ, expected=expected
        )
        made.begin()
        return made

    def write(self, text: str, file: str = "click.yaml") -> Path:
        path = self.folder / file
        path.write_text(text, encoding="utf-8")
        return path

    def look(self, *, after: timedelta = SECONDS) -> Sources:
        """One look, a while later."""
        self.now += after
        self.process.look()
        return self.process.found

    def rest(self) -> Sources:
        """The looks after which a change counts."""
        self.look()
        return self.look()

    @property
    def about(self) -> str:
        return self.process.found.usable["click"].mapping.about

    def history(self, name: str = "click") -> list[str]:
        return [one.version for one in self.store.history(name)]


@pytest.fixture
def office(tmp_path: Path, store: Store) -> Office:
    folder = tmp_path / "mappings"
    folder.mkdir()
    office = Office(folder, store)
    office.write(CLICK)
    return office


# changes


def test_at_the_start_every_good_file_is_in_force_and_kept(office: Office) -> None:
    found = office.begin()
    source = found.usable["click"]
    assert source.since == office.now
    (kept,) = office.store.history("click")
    assert (kept.version, kept.content, kept.file) == (
        source.mapping.version,
        CLICK,
        str(office.folder / "click.yaml"),
    )


def test_a_change_counts_once_it_was_seen_twice_the_same(office: Office) -> None:
    before = office.begin().usable["click"]
    office.write(BETTER)
    assert office.look().usable["click"] == before
    after = office.look().usable["click"]
    assert (after.mapping.about, after.since) == ("better", office.now)
    assert office.history() == [after.mapping.version, before.mapping.version]


def test_a_file_that_does_not_change_is_not_read_again(office: Office) -> None:
    found = office.begin()
    later = office.rest()
    assert later.usable["click"] is found.usable["click"]


def test_a_file_that_is_still_being_written_does_not_count_yet(office: Office) -> None:
    office.begin()
    for length in (0, 200, 400, 600):
        office.write(BETTER[:length])
        assert office.look().waiting == {}
    office.write(BETTER)
    assert office.rest().usable["click"].mapping.about == "better"
    assert len(office.history()) == 2


def test_a_file_that_changes_while_it_is_read_is_read_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.begin()
    office.write(BETTER)
    office.look()
    reader = office.process._read

    def slow(path: Path) -> object:
        got = reader(path)
        office.write(BETTER.replace("better", "best"))
        return got

    monkeypatch.setattr(office.process, "_read", slow)
    office.look()
    assert office.about == ""
    monkeypatch.undo()
    office.rest()
    assert office.about == "best"


@pytest.mark.parametrize("known", [True, False], ids=["in force before", "never in force"])
def test_a_file_that_goes_while_a_process_starts_is_not_unknown(
    office: Office, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if known:
        office.begin()
    look = Folder.look

    def slow(folder: Folder) -> list[Path]:
        found = look(folder)
        (office.folder / "click.yaml").unlink()
        return found

    monkeypatch.setattr(Folder, "look", slow)
    found = office.begin()
    assert (list(found.usable), list(found.broken)) == ((["click"], []) if known else ([], ["click"]))
    assert list(found.waiting) == (["click"] if known else [])


def test_a_file_put_in_place_by_renaming_counts(office: Office) -> None:
    office.begin()
    office.write(BETTER, ".click.yaml.swp").rename(office.folder / "click.yaml")
    assert office.rest().usable["click"].mapping.about == "better"


def test_a_new_file_is_a_new_mapping(office: Office) -> None:
    office.begin()
    office.write(CLICK.replace("name: click", "name: dial", 1), "dial.yaml")
    assert set(office.rest().usable) == {"click", "dial"}


def test_a_change_of_a_table_is_a_change_of_the_mapping(office: Office) -> None:
    office.write("name,extension\nann,0101\n", "agents.csv")
    office.write(TABLE, "table.yaml")
    office.begin()
    office.write("name,extension\nann,0102\n", "agents.csv")
    assert office.rest().usable["table"].mapping.tables["agents"] == {"ann": "0102"}
    assert [one.beside["agents.csv"] for one in office.store.history("table")] == [
        "name,extension\nann,0102\n",
        "name,extension\nann,0101\n",
    ]
    assert len(office.history("click")) == 1


def test_a_table_that_breaks_leaves_the_mapping_as_it_was(office: Office) -> None:
    table = office.write("name,extension\nann,0101\n", "agents.csv")
    office.write(TABLE, "table.yaml")
    office.begin()
    table.unlink()
    assert "agents.csv cannot be read" in office.rest().waiting["table"].problems[0]
    assert office.another().found.usable["table"].mapping.tables["agents"] == {"ann": "0101"}


def test_all_processes_agree_since_when_a_version_is_in_force(office: Office) -> None:
    office.begin()
    since = office.now
    office.now += 60 * SECONDS
    assert office.another().found.usable["click"].since == since


def test_what_is_said_to_be_in_force_counts_already(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.begin()
    watching, counts = Watching(office.process, lambda _: None), []
    monkeypatch.setattr("adapter.watching.tell", lambda _, found: counts.append(watching._found is found))
    office.write(BETTER)
    for _ in range(2):
        office.now += SECONDS
        watching.look()
    assert counts == [True]


# bad versions


BAD = {
    "its example fails": WORSE,
    "empty": "",
    "half of it": CLICK[:300],
    "not YAML": "a: [",
    "another name": CLICK.replace("name: click", "name: dial", 1),
    "a secret nobody has": CLICK.replace("HOOK_SECRET", "NOBODYS_SECRET"),
    "not text": "\x00",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_a_bad_version_never_takes_effect(office: Office, text: str) -> None:
    before = office.begin().usable["click"]
    office.write(text)
    found = office.rest()
    assert found.usable["click"] is before
    assert found.waiting["click"].file == "click.yaml"
    assert found.broken == {}
    assert office.history() == [before.mapping.version]


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_after_a_restart_the_version_before_a_bad_one_is_in_force(office: Office, text: str) -> None:
    before = office.begin().usable["click"]
    office.write(text)
    found = office.begin()
    assert found.usable["click"] == before
    assert list(found.waiting) == ["click"]
    assert found.broken == {}


def test_a_bad_version_that_is_mended_counts(office: Office) -> None:
    office.begin()
    office.write(WORSE)
    office.rest()
    office.write(BETTER)
    found = office.rest()
    assert (found.waiting, found.usable["click"].mapping.about) == ({}, "better")


def test_a_bad_version_that_is_taken_back_leaves_no_trace(office: Office) -> None:
    before = office.begin().usable["click"]
    office.write(WORSE)
    office.rest()
    office.write(CLICK)
    assert office.rest().waiting == {}
    assert office.rest().usable["click"] == before
    assert len(office.history()) == 1


def test_two_files_with_one_name_are_two_mappings_of_which_one_is_bad(office: Office) -> None:
    before = office.begin().usable["click"]
    shutil.copy(office.folder / "click.yaml", office.folder / "click-copy.yaml")
    found = office.rest()
    assert found.usable == {"click": before}
    (problem,) = found.broken["click-copy"].problems
    assert "the name is 'click' but the file is click-copy.yaml" in problem


def test_a_bad_file_that_was_there_at_the_start_is_missed_until_it_is_good_or_gone(office: Office) -> None:
    office.write(WORSE.replace("name: click", "name: dial", 1), "dial.yaml")
    assert office.begin().broken["dial"].expected
    office.write("", "dial.yaml")
    assert office.rest().broken["dial"].expected
    (office.folder / "dial.yaml").unlink()
    assert office.look().broken == {}


def test_a_bad_file_that_comes_later_is_not_missed(office: Office) -> None:
    office.begin()
    office.write(WORSE, "dial.yaml")
    assert not office.rest().broken["dial"].expected
    assert not office.another(expected={"click"}).found.broken["dial"].expected


def test_a_process_that_starts_while_a_file_is_being_written_waits_for_the_rest(office: Office) -> None:
    office.begin()
    office.now = datetime.now(UTC)
    office.write(BETTER)
    assert office.begin().usable["click"].mapping.about == ""
    office.now += REST
    assert office.rest().usable["click"].mapping.about == "better"


def test_at_the_very_first_start_nothing_is_waited_for(office: Office) -> None:
    office.now = datetime.now(UTC)
    assert list(office.begin().usable) == ["click"]


def test_a_version_that_cannot_be_used_any_more_is_not_brought_back(office: Office) -> None:
    office.begin()
    office.write(WORSE)
    office.environ.clear()
    found = office.begin()
    assert found.usable == {}
    assert found.broken["click"].expected


def test_a_text_that_the_history_lost_is_not_brought_back(office: Office, tmp_path: Path) -> None:
    office.write("name,extension\nann,0101\n", "agents.csv")
    path = office.write(TABLE, "table.yaml")
    office.begin()
    with closing(sqlite3.connect(tmp_path / "store.db")) as other:
        other.execute("UPDATE mapping_versions SET beside = '{}'")
        other.commit()
    path.unlink()
    found = office.begin()
    assert "the last in force, cannot be used here" in found.broken["table"].problems[0]


def cleared(path: Path) -> Path:
    """The path, with nothing there any more."""
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    return path


def mangle(path: Path, dice: random.Random) -> None:
    """Do something to a file that a person, an editor or a script may do."""
    whole = dice.choice((CLICK, BETTER, WORSE, TABLE)).encode()
    aside = path.with_name("aside")
    aside.write_bytes(whole)
    acts: list[Callable[[Path], object]] = [
        lambda path: path.write_bytes(whole),
        lambda path: path.write_bytes(whole[: dice.randrange(len(whole))]),
        lambda path: path.write_bytes(dice.randbytes(300)),
        lambda path: path.write_bytes(b""),
        lambda path: path.symlink_to(path.name),
        lambda path: aside.rename(path),
        lambda path: path.unlink(missing_ok=True),
        Path.mkdir,
        os.mkfifo,
    ]
    dice.choice(acts)(cleared(path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_done_to_a_file_a_good_version_is_in_force(office: Office, seed: int) -> None:
    dice, path = random.Random(seed), office.folder / "click.yaml"
    good = {sources.compiled(text, name="click", read_file=lambda _: "").version for text in (CLICK, BETTER)}
    office.begin()
    away = timedelta()
    for _ in range(60):
        mangle(path, dice)
        for _ in range(dice.randrange(3)):
            found = office.begin() if dice.random() < 0.1 else office.look()
            away = timedelta() if os.path.lexists(path) else away + SECONDS
            if away < GRACE - SECONDS:
                assert found.usable["click"].mapping.version in good
    assert set(office.history()) <= {*good, ""}
    cleared(path).write_text(BETTER, encoding="utf-8")
    office.rest()
    assert office.about == "better"


# files that go away


def test_a_file_that_is_deleted_and_written_anew_never_ends(office: Office) -> None:
    before = office.begin().usable["click"]
    (office.folder / "click.yaml").unlink()
    office.look()
    assert office.look(after=GRACE - 2 * SECONDS).usable["click"] is before
    office.write(BETTER)
    found = office.rest()
    assert (found.usable["click"].mapping.about, found.broken) == ("better", {})
    assert "" not in office.history()


def remove(office: Office) -> Sources:
    (office.folder / "click.yaml").unlink()
    office.look()
    return office.look(after=GRACE)


def test_a_file_that_stays_away_ends_its_mapping_and_its_senders_try_again(office: Office) -> None:
    office.begin()
    found = remove(office)
    assert found.usable == {}
    assert (found.broken["click"].expected, found.broken["click"].removed) == (False, True)
    assert "click.yaml was removed" in found.broken["click"].problems[0]
    assert office.history()[0] == ""


def test_after_a_day_a_removed_mapping_is_unknown(office: Office) -> None:
    office.begin()
    remove(office)
    assert list(office.look(after=GONE_FOR).broken) == ["click"]
    assert office.look().broken == {}
    assert office.begin().broken == {}


def test_a_restart_remembers_what_was_removed(office: Office) -> None:
    office.begin()
    remove(office)
    found = office.begin()
    assert (found.usable, list(found.broken)) == ({}, ["click"])
    assert not found.broken["click"].expected


def test_a_file_that_went_while_nothing_ran_has_its_time_too(office: Office) -> None:
    before = office.begin().usable["click"]
    (office.folder / "click.yaml").unlink()
    assert office.begin().usable["click"] == before
    assert office.look(after=GRACE).usable == {}


def test_a_removed_mapping_comes_back_with_its_file(office: Office) -> None:
    office.begin()
    remove(office)
    office.write(CLICK)
    found = office.rest()
    assert (list(found.usable), found.broken) == (["click"], {})
    assert len(office.history()) == 3


def test_a_removed_mapping_does_not_come_back_with_a_bad_file(office: Office) -> None:
    office.begin()
    remove(office)
    office.write(WORSE)
    found = office.rest()
    assert (found.usable, list(found.broken)) == ({}, ["click"])


def test_a_folder_that_is_away_changes_nothing(office: Office, tmp_path: Path) -> None:
    before = office.begin().usable["click"]
    office.folder.rename(tmp_path / "elsewhere")
    found = office.look(after=GONE_FOR)
    assert found.usable["click"] is before
    (problem,) = found.waiting[str(office.folder)].problems
    assert "everything stays as it is" in problem
    assert office.another().found.usable["click"] == before
    (tmp_path / "elsewhere").rename(office.folder)
    assert office.rest().waiting == {}


def test_a_file_that_nobody_may_read_leaves_the_version_before(office: Office) -> None:
    if os.getuid() == 0:  # who may read everything
        (office.folder / "click.yaml").unlink()
        (office.folder / "click.yaml").mkdir()
    else:
        (office.folder / "click.yaml").chmod(0)
    office.begin()
    assert "cannot be read" in office.process.found.broken["click"].problems[0]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_in_place_of_a_file_holds_nobody_up(office: Office) -> None:
    office.write(TABLE, "table.yaml")
    os.mkfifo(office.folder / "agents.csv")
    os.mkfifo(office.folder / "pipe.yaml")
    found = office.begin()
    assert "it is a pipe" in found.broken["pipe"].problems[0]
    assert "it is not an ordinary file" in found.broken["table"].problems[0]
    assert list(found.usable) == ["click"]


# the store


def test_without_a_store_the_files_count_and_are_kept_later(office: Office, tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    office.store.close()
    hidden = store.rename(tmp_path / "hidden.db")
    assert list(office.begin().usable) == ["click"]
    office.store.close()
    for file in tmp_path.glob("store.db*"):
        file.unlink()
    hidden.rename(store)
    office.look()
    assert len(office.history()) == 1


# shadows


def shadows(office: Office) -> dict[str, Mapping]:
    return dict(office.process.found.shadows)


def test_a_shadow_is_no_mapping_of_its_own(office: Office) -> None:
    office.write(BETTER.replace("HOOK_SECRET", "NOBODYS_SECRET"), "click.shadow.yaml")
    found = office.begin()
    assert list(found.usable) == ["click"]
    assert shadows(office)["click"].about == "better"
    assert len(office.history()) == 1


def test_a_shadow_comes_and_goes_with_its_file(office: Office) -> None:
    office.begin()
    path = office.write(BETTER, "click.shadow.yaml")
    office.rest()
    assert list(shadows(office)) == ["click"]
    path.unlink()
    office.look()
    assert shadows(office) == {}


def test_a_bad_shadow_is_told_and_missed_by_nobody(office: Office) -> None:
    office.write(WORSE, "click.shadow.yaml")
    found = office.begin()
    assert (found.broken, list(found.waiting), shadows(office)) == ({}, ["click.shadow"], {})
    office.write(BETTER, "click.shadow.yaml")
    assert office.rest().waiting == {}
    office.write(WORSE, "click.shadow.yaml")
    assert list(office.rest().waiting) == ["click.shadow"]
    assert shadows(office)["click"].about == "better"
    (office.folder / "click.shadow.yaml").unlink()
    assert office.look().waiting == {}


def test_a_draft_is_not_looked_at(office: Office) -> None:
    office.write("nonsense", "click.draft.yaml")
    found = office.begin()
    assert (found.broken, found.waiting, list(found.usable)) == ({}, {}, ["click"])


def test_what_a_tenant_lets_be_dialled_counts_at_once_and_for_a_mapping_that_waits_to_be_mended(office: Office) -> None:
    office.write(BETTER)
    assert office.begin().usable["click"].mapping.phones.rules.allow_regions is None
    office.write(WORSE)
    office.rest()
    office.write("default: {phones: {allow_regions: US}}", "tenants.yaml")
    found = office.rest()
    assert found.usable["click"].mapping.about == "better"
    assert found.usable["click"].mapping.phones.rules.allow_regions == frozenset({"US"})
    assert list(found.waiting) == ["click"]
    assert office.another().found.usable["click"].mapping.phones.rules.allow_regions == frozenset({"US"})


def test_a_mistake_in_the_tenants_leaves_their_rules_as_they_were(office: Office) -> None:
    office.write("default: {phones: {allow_regions: US}}", "tenants.yaml")
    office.begin()
    office.write("default: {phones: {}, odd: yes}", "tenants.yaml")
    found = office.rest()
    assert found.usable["click"].mapping.phones.rules.allow_regions == frozenset({"US"})
    assert "tenants.yaml cannot be used" in found.waiting["click"].problems[0]
    assert found.broken == {}
    assert office.another().found.usable == {}
