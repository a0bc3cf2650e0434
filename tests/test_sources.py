"""The mapping files of a folder with their secrets: what is usable, what is broken and why."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from counted import counted

from adapter import proofs, signature, sources, texts
from adapter.errors import MappingError, SettingsError, SignatureError
from adapter.mapping import preset
from adapter.mapping.text import MOST_BYTES
from adapter.model import Received

NOW = datetime(2026, 11, 24, 17, 15, tzinfo=UTC)
GOOD = """\
format: 1
name: good
receive:
  from: github
  secrets: [HOOK_SECRET]
  body: json
rules:
  - callback: {skill: Sales, callback_number: 0102}
"""
TABLE = GOOD + "tables:\n  agents: {file: agents.csv, key: user, value: extension}\n"
HUBSPOT = GOOD.replace("from: github", "from: hubspot-v3")
STANDARD = GOOD.replace("from: github", "from: standard-webhooks")
ENVIRON = {"HOOK_SECRET": "a secret of the tests"}


def put(folder: Path, text: str, name: str = "good") -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(text.replace("name: good", f"name: {name}"), encoding="utf-8")
    return file


def load(folder: Path, environ: Mapping[str, str] = ENVIRON, public_url: str = "") -> sources.Sources:
    return sources.load(folder, public_url=public_url, environ=environ)


def broken(folder: Path, environ: Mapping[str, str] = ENVIRON, public_url: str = "") -> str:
    """What is said of the only file, which is broken."""
    found = load(folder, environ, public_url)
    assert not found.usable
    (one,) = found.broken.values()
    return "\n".join(one.problems)


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    assert load(tmp_path) == sources.Sources(usable={}, broken={})
    assert load(tmp_path / "nowhere") == sources.Sources(usable={}, broken={})


def test_a_broken_file_never_hides_the_others(tmp_path: Path) -> None:
    put(tmp_path, GOOD, "first")
    put(tmp_path, "a: [", "bad-yaml")
    put(tmp_path, GOOD.replace("format: 1", "format: 2"), "bad-format")
    put(tmp_path, GOOD.replace("HOOK_SECRET", "OTHER_SECRET"), "bad-secret")
    put(tmp_path, GOOD + "examples: [{name: a, body: '{}', expect: {skip: x}}]\n", "bad-example")
    (tmp_path / "bad-bytes.yaml").write_bytes(b"caf\xe9")
    (tmp_path / "bad-folder.yaml").mkdir()
    put(tmp_path, "a: b\n" * 400_000, "bad-size")
    put(tmp_path, GOOD, "last")
    found = load(tmp_path)
    assert sorted(found.usable) == ["first", "last"]
    assert {name: (one.file, one.problems[0].splitlines()[0]) for name, one in found.broken.items()} == {
        "bad-bytes": ("bad-bytes.yaml", "bad-bytes.yaml:1:4: the file is not UTF-8 text"),
        "bad-example": (
            "bad-example.yaml",
            "bad-example.yaml:9:42: example 'a': expected skip, but the mapping gives callback",
        ),
        "bad-folder": ("bad-folder.yaml", "bad-folder.yaml:1:1: the file cannot be read: Is a directory"),
        "bad-format": (
            "bad-format.yaml",
            "bad-format.yaml:1:9: this version of the adapter reads format 1 (in format)",
        ),
        "bad-secret": (
            "bad-secret.yaml",
            f"bad-secret.yaml: OTHER_SECRET is not set: bad-secret checks its sender with it; {proofs.THERE}",
        ),
        "bad-size": ("bad-size.yaml", "bad-size.yaml:1:1: the file is larger than 512 KB"),
        "bad-yaml": ("bad-yaml.yaml", "bad-yaml.yaml:1:5: something is missing here"),
    }


def test_only_mapping_files_are_looked_at(tmp_path: Path) -> None:
    put(tmp_path, GOOD)
    put(tmp_path, "acme: {host: acme.xima.cloud, token: T}", "tenants")
    (tmp_path / ".good.yaml").write_text("an editor's own")
    (tmp_path / ".#good.yaml").symlink_to("nobody@nowhere:1")
    (tmp_path / "mapping.schema.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("x")
    assert [file.name for file in sources.mapping_files(tmp_path)] == ["good.yaml"]
    assert list(load(tmp_path).usable) == ["good"]


def test_a_good_file_is_in_force_with_its_secrets(tmp_path: Path) -> None:
    put(tmp_path, GOOD.replace("[HOOK_SECRET]", "[NEW, OLD]"))
    source = load(tmp_path, {"NEW": "newer secret", "OLD": "older secret"}).usable["good"]
    assert source.mapping.name == "good"
    assert [proof.secrets for proof in source.proofs] == [("newer secret", "older secret")]
    assert "newer secret" not in repr(source)
    assert not any(one.scheme.covers_url for one in source.proofs)


def test_every_proof_must_hold(tmp_path: Path) -> None:
    also = "  also:\n    - {query_token: key, secrets: [KEY]}\n"
    put(tmp_path, GOOD.replace("  body: json\n", f"  body: json\n{also}"))
    source = load(tmp_path, {**ENVIRON, "KEY": "the second secret"}).usable["good"]
    plain = Received(method="POST", url="https://h.example.com/hooks/good", headers={}, body=b"{}")
    first = signature.sign(source.proofs[0].scheme, source.proofs[0].secrets[0], plain, now=NOW)
    both = signature.sign(source.proofs[1].scheme, source.proofs[1].secrets[0], first, now=NOW)
    source.verify(both, now=NOW)
    for request in (plain, first, Received(method="POST", url=both.url, headers={}, body=b"{}")):
        with pytest.raises(SignatureError):
            source.verify(request, now=NOW)


def test_a_body_is_parsed_only_for_those_whom_no_cheaper_proof_refuses(tmp_path: Path) -> None:
    also = "  organization: 00Dxx0000000001\n  also:\n    - {query_token: key, secrets: [HOOK_SECRET]}\n"
    put(
        tmp_path,
        GOOD.replace("github", "salesforce-outbound").replace("  secrets: [HOOK_SECRET]\n  body: json\n", also),
    )
    source = load(tmp_path).usable["good"]
    body = b"<a><OrganizationId>00Dxx0000000001</OrganizationId></a>"
    stranger = Received(method="POST", url="https://h.example.com/hooks/good", headers={}, body=body)

    def refused(request: Received) -> str:
        with pytest.raises(SignatureError) as exc:
            source.admit(request, now=NOW)
        return exc.value.reason

    work = counted(lambda: refused(stranger))
    assert "query parameter key" in work.given
    assert not work.by_c["ParserCreate"]
    assert "parameter key" in source.explain(stranger, now=NOW)[-1]
    known = signature.sign(source.proofs[1].scheme, ENVIRON["HOOK_SECRET"], stranger, now=NOW)
    source.verify(known, now=NOW)
    work = counted(lambda: refused(replace(known, body=b"<a/>")))
    assert "OrganizationId" in work.given
    assert work.by_c["ParserCreate"] == 1


@pytest.mark.parametrize("environ", [{}, {"HOOK_SECRET": ""}, {"HOOK_SECRET": "  "}], ids=["unset", "empty", "blank"])
def test_a_missing_secret_is_named(tmp_path: Path, environ: Mapping[str, str]) -> None:
    file = put(tmp_path, GOOD)
    assert (
        broken(tmp_path, environ)
        == f"good.yaml: HOOK_SECRET is not set: good checks its sender with it; {proofs.THERE}"
    )
    assert proofs.missing_secrets(sources.read(file), environ) == ["HOOK_SECRET is not set"]
    assert proofs.missing_secrets(sources.read(file), ENVIRON) == []


def test_every_missing_secret_is_named_at_once(tmp_path: Path) -> None:
    put(tmp_path, HUBSPOT.replace("[HOOK_SECRET]", "[NEW, OLD]"))
    new, old, url = broken(tmp_path, {"OLD_FILE": str(tmp_path / "gone")}).splitlines()
    assert new == f"good.yaml: NEW is not set: good checks its sender with it; {proofs.THERE}"
    assert old.startswith(f"good.yaml: OLD_FILE: {tmp_path / 'gone'} cannot be read")
    assert url == "good.yaml: ADAPTER_PUBLIC_URL is not set: the signature good checks covers the URL"


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    put(tmp_path, GOOD)
    secret = tmp_path / "secret"
    secret.write_text("a secret in a file\n")
    environ = {"HOOK_SECRET_FILE": str(secret)}
    assert load(tmp_path, environ).usable["good"].proofs[0].secrets == ("a secret in a file",)
    secret.write_text("\n")
    assert f"HOOK_SECRET_FILE: {secret} is empty: good checks its sender" in broken(tmp_path, environ)


@pytest.mark.parametrize(
    ("text", "secret", "said"),
    [
        (STANDARD, "whsec_not base64!", "HOOK_SECRET cannot be used: the secret is not base64 text"),
        (
            GOOD.replace("from: github", "from: basic"),
            "no colon",
            "HOOK_SECRET cannot be used: Basic needs user:password",
        ),
        (
            GOOD.replace("from: github", "from: header-token\n  header: X-Key"),
            "two\nlines",
            "HOOK_SECRET cannot be used: the secret has a line break",
        ),
        (
            GOOD.replace(
                "from: github\n  secrets: [HOOK_SECRET]",
                "from: salesforce-outbound\n  organization: acme\n  also: {query_token: key, secrets: [HOOK_SECRET]}",
            ),
            "a secret",
            "'acme' cannot be used: an organisation id has 15 or 18 letters and digits",
        ),
    ],
    ids=["not base64", "not a password", "two lines", "not an id"],
)
def test_a_secret_that_cannot_serve_is_named_but_not_shown(tmp_path: Path, text: str, secret: str, said: str) -> None:
    put(tmp_path, text)
    told = broken(tmp_path, {"HOOK_SECRET": secret})
    assert said in told
    assert secret not in told


def test_a_signature_over_the_url_needs_the_public_url(tmp_path: Path) -> None:
    put(tmp_path, HUBSPOT)
    assert "ADAPTER_PUBLIC_URL is not set" in broken(tmp_path)
    source = load(tmp_path, public_url="https://h.example.com").usable["good"]
    assert any(one.scheme.covers_url for one in source.proofs)


def test_a_loaded_mapping_is_made_ready_by_itself(tmp_path: Path) -> None:
    loaded = sources.read(put(tmp_path, GOOD))
    assert sources.ready(loaded, public_url="", environ=ENVIRON).proofs[0].secrets == ("a secret of the tests",)
    with pytest.raises(SettingsError) as caught:
        sources.ready(loaded, public_url="", environ={})
    assert caught.value.problems == [
        "HOOK_SECRET is not set: good checks its sender with it; set it here to what the adapter has"
    ]


def test_the_environment_is_the_process_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, GOOD)
    monkeypatch.setenv("HOOK_SECRET", "of the process")
    assert sources.load(tmp_path, public_url="").usable["good"].proofs[0].secrets == ("of the process",)


def test_a_secret_written_into_the_file_is_not_repeated(tmp_path: Path) -> None:
    put(tmp_path, GOOD.replace("HOOK_SECRET", "s3cr3t-of-mine"))
    assert "the secret itself must never stand in a mapping" in broken(tmp_path)
    assert "s3cr3t-of-mine" not in broken(tmp_path)


# --- tables beside the mapping ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"user,extension\npat,0101\n", b"\xef\xbb\xbfuser,extension\r\npat,0101\r\n"])
def test_a_table_is_read_beside_the_mapping(tmp_path: Path, content: bytes) -> None:
    put(tmp_path, TABLE)
    (tmp_path / "agents.csv").write_bytes(content)
    assert load(tmp_path).usable["good"].mapping.tables == {"agents": {"pat": "0101"}}


def test_a_table_may_be_a_link_as_mounted_volumes_have_them(tmp_path: Path) -> None:
    folder, data = tmp_path / "mappings", tmp_path / "data"
    folder.mkdir()
    data.mkdir()
    (data / "good.yaml").write_text(TABLE)
    (data / "agents.csv").write_text("user,extension\npat,0101\n")
    for name in ("good.yaml", "agents.csv"):
        (folder / name).symlink_to(data / name)
    assert list(load(folder).usable) == ["good"]


@pytest.mark.parametrize(
    "name",
    ["../agents.csv", "{tmp}/agents.csv", "below/agents.csv", "..", ".", "agents", ".env", "C:agents.csv", r"a\b.csv"],
)
def test_a_table_is_never_read_from_elsewhere(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "mappings"
    (folder / "below").mkdir(parents=True)
    for place in (tmp_path, folder, folder / "below"):
        for file in ("agents.csv", "agents", ".env"):
            (place / file).write_text("user,extension\npat,0101\n")
    put(folder, TABLE.replace("agents.csv", name.replace("{tmp}", str(tmp_path))))
    told = broken(folder)
    assert "cannot be read: a table is a .csv file in the folder of the mapping, named without a path" in told


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "the file agents.csv cannot be read: No such file or directory"),
        (b"user,extension\ncaf\xe9,1", "the file agents.csv cannot be read: it is not UTF-8"),
        (b"name,extension\npat,1", "the file agents.csv has no column 'user'"),
        (b"user,extension\n" + b"x" * 140_000 + b",1", "agents.csv cannot be read as CSV"),
        (b'user,extension\n"pat,0101\nlee,0102\n', "unexpected end of data (read as far as line 3)"),
        ("user,extension\n".encode("utf-16"), "save it once more: Excel calls it CSV UTF-8"),
    ],
    ids=["missing", "not UTF-8", "other columns", "not CSV", "a quote left open", "UTF-16"],
)
def test_a_table_that_cannot_be_read_is_told(tmp_path: Path, content: bytes | None, said: str) -> None:
    put(tmp_path, TABLE)
    if content is not None:
        (tmp_path / "agents.csv").write_bytes(content)
    told = broken(tmp_path)
    assert told.startswith("good.yaml:10:")
    assert said in told


@pytest.mark.parametrize(
    "content",
    [
        "user\textension\npat@x.org\t0101\n",
        "sep=;\r\nuser;extension\r\npat@x.org;0101\r\n",
        '"sep=,"\nuser,extension\npat@x.org,0101\n',
        "\ufeffsep=\t\nuser\textension\npat@x.org\t0101\n",
    ],
    ids=["tabs", "says semicolon", "says comma", "says tab after a mark"],
)
def test_a_table_is_read_as_a_spreadsheet_saves_it(tmp_path: Path, content: str) -> None:
    put(tmp_path, TABLE)
    (tmp_path / "agents.csv").write_text(content, encoding="utf-8", newline="")
    (table,) = load(tmp_path).usable["good"].mapping.tables.values()
    assert table == {"pat@x.org": "0101"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GOOD.encode("utf-16"), "good.yaml:1:1: the file is UTF-16 text\n         = save it as UTF-8 (Notepad"),
        (GOOD.encode("utf-16-be").join([b"\xfe\xff", b""]), "good.yaml:1:1: the file is UTF-16 text\n"),
        (b"# one\n# caf\xe9\n" + GOOD.encode(), "good.yaml:2:6: the file is not UTF-8 text\n       2 | # caf"),
    ],
    ids=["UTF-16", "UTF-16 the other way round", "Windows-1252"],
)
def test_a_file_in_another_encoding_is_told_where_and_how_to_save_it(tmp_path: Path, content: bytes, said: str) -> None:
    put(tmp_path, GOOD)
    (tmp_path / "good.yaml").write_bytes(content)
    assert said in broken(tmp_path)


def test_a_table_of_any_size_is_not_read(tmp_path: Path) -> None:
    put(tmp_path, TABLE)
    with (tmp_path / "agents.csv").open("wb") as file:
        os.truncate(file.fileno(), texts.LARGEST_TABLE + 1)
    assert "the file agents.csv cannot be read: it is larger than 8 MB" in broken(tmp_path)


# --- reading files ---------------------------------------------------------------------------------------------------


def test_a_byte_order_mark_and_windows_lines_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert list(load(tmp_path).usable) == ["good"]
    text = GOOD.replace("format: 1", "format: 2").replace("\n", "\r\n")
    (tmp_path / "good.yaml").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert broken(tmp_path).splitlines()[1:] == ["       1 | format: 2", "         |         ^"]


def test_a_file_of_any_size_is_refused_without_reading_it(tmp_path: Path) -> None:
    with (tmp_path / "good.yaml").open("wb") as file:
        os.truncate(file.fileno(), 10 * 1024**3)
    start = time.perf_counter()
    assert "the file is larger than 512 KB" in broken(tmp_path)
    assert time.perf_counter() - start < 10


def test_a_file_of_the_greatest_size_is_read(tmp_path: Path) -> None:
    put(tmp_path, GOOD + "#" + "x" * (MOST_BYTES - len(GOOD) - 1))
    assert list(load(tmp_path).usable) == ["good"]


def test_a_file_that_went_away_is_told(tmp_path: Path) -> None:
    with pytest.raises(MappingError) as caught:
        sources.read(tmp_path / "gone.yaml")
    (told,) = sources.rendered(tmp_path / "gone.yaml", caught.value)
    assert told == "gone.yaml:1:1: the file cannot be read: No such file or directory"


def test_the_shipped_mappings_load_with_their_secrets(tmp_path: Path) -> None:
    folder = tmp_path / "mappings"
    shutil.copytree(Path(__file__).parents[1] / "mappings", folder)
    names = {
        name
        for file in sources.mapping_files(folder)
        for proof in sources.read(file).receive.proofs
        for name in proof.secrets
    }
    found = load(folder, dict.fromkeys(names, "a secret of the tests"), "https://h.example.com")
    assert not found.broken
    assert sorted(found.usable) == [file.stem for file in sources.mapping_files(folder)]


# --- presets ---------------------------------------------------------------------------------------------------------


def test_presets_are_known_by_their_names() -> None:
    found = sources.presets()
    assert list(found) == sorted(found)
    assert all(name == one.name for name, one in found.items())
    assert found["salesforce-outbound"].also_required


PRESET = "name: x\ntitle: X\nabout: A sender.\nverify: {scheme: basic}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PRESET.replace("title: X\n", ""), "this key is missing"),
        (PRESET + "color: red\n", "unknown key 'color'"),
        (PRESET.replace("basic", "bsic"), "unknown word"),
        (PRESET + "parameters: {header: {sets: name}}\n", "this key is missing"),
        (PRESET + "answer: tea\n", "'tea' is not one of receipts"),
        ("- x", "a group of keys is expected here"),
        ("a: [", "something is missing here"),
    ],
)
def test_a_preset_that_is_wrong_is_refused(text: str, said: str) -> None:
    with pytest.raises(MappingError, match=said):
        preset.load(text)


def test_a_preset_is_read() -> None:
    one = preset.load(PRESET + "parameters: {user: {sets: secret, required: no, help: A name.}}\nsetup: [Do it.]\n")
    assert (one.name, one.setup, one.max_records, one.answer) == ("x", ("Do it.",), 1000, "receipts")
    assert one.parameters["user"] == preset.Parameter(sets="secret", help="A name.", required=False)
