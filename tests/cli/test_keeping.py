"""`example add`: a real request becomes an example, without the person who sent it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapter import sources
from adapter.store import Arrival, Store
from cli.conftest import Run

NOW = datetime(2026, 11, 24, 17, 15, 0, 123456, tzinfo=UTC)
Keep = Callable[..., str]


@pytest.fixture
def keep(home: Path) -> Iterator[Keep]:
    """Keeps a request in the store the commands find, and gives its id."""
    store = Store("sqlite:///adapter.db")
    store.upgrade()

    def keep(mapping: str, body: bytes, *, query: str = "", **headers: str) -> str:
        arrival = Arrival(
            id=f"r{len(body)}",
            mapping=mapping,
            version="v",
            received_at=NOW,
            method="POST",
            url=f"https://hooks.example.com/hooks/{mapping}?{query}",
            headers={"content-type": "application/x-www-form-urlencoded", **headers},
            body=body,
        )
        store.add(arrival, [])
        return arrival.id

    yield keep
    store.close()


def test_a_request_becomes_an_example_that_comes_true(run: Run, home: Path, keep: Keep) -> None:
    path = home / "mappings/form.yaml"
    before = path.read_text()
    request = keep("form", b"name=Zaphod+Beeblebrox&phone=%28415%29+867-5309&email=zaphod%40heart-of-gold.org")
    result = run("example", "add", "form", request)
    assert (result.exit_code, "example 'as it came on 2026-11-24 17:15:00' added" in result.stdout) == (0, True)
    after = path.read_text()
    at = after.index('  - name: "as it came')
    end = after.index("lint:")
    assert after[:at] + after[end:] == before
    assert "415" in after[at:end]
    for personal in ("Zaphod", "Beeble", "867-5309", "8675309", "heart-of-gold"):
        assert personal.lower() not in after.lower()
    assert len(sources.read(path).examples) == 2
    assert run("check", "mappings/form.yaml").exit_code == 0


def test_it_may_have_a_name_and_come_first(run: Run, home: Path, keep: Keep) -> None:
    path = home / "mappings/form.yaml"
    text = path.read_text()
    path.write_text(text[: text.index("examples:")])
    assert run("example", "add", "form", keep("form", b"phone=4158675309"), "--name", "the first: ever").exit_code == 0
    assert [one.name for one in sources.read(path).examples] == ["the first: ever"]


def test_headers_and_query_are_kept_as_far_as_the_mapping_looks_at_them(run: Run, home: Path, keep: Keep) -> None:
    path = home / "mappings/form.yaml"
    text = (
        path.read_text()
        .replace("  body: form\n", "")
        .replace("skill: Sales\n", "skill: ${request.query.skill} ${request.headers.x-team}\n", 1)
    )
    path.write_text(text[: text.index("examples:")])
    request = keep(
        "form", b"phone=4158675309", query="skill=Sales&secret=s3", **{"x-team": "West", "x-ip": "203.0.113.9"}
    )
    assert run("example", "add", "form", request).exit_code == 0
    (example,) = sources.read(path).examples
    assert example.query == "skill=Sales"
    assert example.headers == {"content-type": "application/x-www-form-urlencoded", "x-team": "West"}


@pytest.mark.parametrize(
    ("mapping", "body", "code", "said"),
    [
        ("form", None, 2, "there is no request nothing"),
        ("click", b"phone=1", 2, "came to form, not to click"),
        ("form", b"\xff=1", 1, "not UTF-8"),
    ],
    ids=["no such request", "another mapping", "no text"],
)
def test_what_cannot_become_an_example_is_said(
    run: Run, home: Path, keep: Keep, mapping: str, body: bytes | None, code: int, said: str
) -> None:
    keep("form", b"phone=12345")
    before = {path: path.read_bytes() for path in home.glob("mappings/*")}
    result = run("example", "add", mapping, keep("form", body) if body else "nothing")
    assert (result.exit_code, said in result.output) == (code, True), result.output
    assert {path: path.read_bytes() for path in home.glob("mappings/*")} == before


def test_a_file_that_would_not_load_stays_as_it_was(run: Run, home: Path, keep: Keep) -> None:
    path = home / "mappings/form.yaml"
    text = path.read_text()
    path.write_text(
        text[: text.index("examples:")] + "examples: [{name: x, body: phone=1, expect: {reject: callback_number}}]\n"
    )
    before = path.read_bytes()
    result = run("example", "add", "form", keep("form", b"phone=4158675309"))
    assert result.exit_code == 1
    assert "none can be added" in result.stderr
    assert result.stderr.endswith("so it stays as it was\n")
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_named(
    run: Run, home: Path, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    request = keep("form", b"phone=4158675309")
    monkeypatch.setattr("adapter.cli.keeping.os.fsync", full)
    result = run("example", "add", "form", request)
    assert (result.exit_code, "form.yaml cannot be written: No space left on device" in result.stderr) == (1, True)


def test_check_warns_of_what_nobody_has_sent(run: Run, keep: Keep) -> None:
    keep("form", b"name=Ann&phone_number=8015550142")
    result = run("check", "--history", "mappings/form.yaml")
    assert result.exit_code == 0
    assert "warning: nobody has sent phone in the last request [never-sent]" in result.stdout
    assert run("check", "--history", "--strict", "mappings/form.yaml").exit_code == 1
    assert "never-sent" not in run("check", "mappings/form.yaml").stdout


def test_the_country_a_record_names_is_the_country_of_its_numbers(run: Run, home: Path, keep: Keep) -> None:
    path = home / "mappings/form.yaml"
    text = path.read_text().replace("  region: US\n", "  region: US\n  region_field: country\n")
    path.write_text(text)
    assert run("example", "add", "form", keep("form", b"country=GB&q=020+7123+4567&phone=020+7123+4567")).exit_code == 0
    after = path.read_text()
    assert "7123" not in after
    assert "callback_number: 011442079460" in after


def test_an_example_that_comes_out_otherwise_than_the_request_says_so(run: Run, home: Path, keep: Keep) -> None:
    file = home / "mappings/form.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace("        present: yes\n", "        present: yes\n      - {field: note, is: vip}\n").replace(
            "body: name=Ann&", "body: note=vip&name=Ann&"
        ),
        encoding="utf-8",
    )
    result = run("example", "add", "form", keep("form", b"phone=801-867-5309&note=vip"))
    assert result.exit_code == 0
    assert "comes out otherwise than it did" in result.stderr
    assert "otherwise" not in run("example", "add", "form", keep("form", b"phone=801-867-5309")).stderr


def test_a_request_becomes_one_example_only(run: Run, home: Path, keep: Keep) -> None:
    came = keep("form", b"phone=801-867-5309&x=1")
    run("example", "add", "form", came)
    text = (home / "mappings/form.yaml").read_text(encoding="utf-8")
    again = run("example", "add", "form", came, "--name", "once more")
    assert (again.exit_code, "shows this request already" in again.stderr) == (1, True)
    assert (home / "mappings/form.yaml").read_text(encoding="utf-8") == text
