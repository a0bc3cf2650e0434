"""Mappings without any server: a thousand of them loaded, one record mapped beside jmespath, hostile texts."""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import jmespath
import phonenumbers

from adapter import sources
from adapter.errors import MappingError, PayloadError
from adapter.mapping import examples, request_tree, results, text
from adapter.model import Received
from benchmarks import bodies

FILE = Path(__file__).with_name("bench.yaml")
MAPPINGS = 1_000
TIMES = 2_000
REPEATS = 3


def thousand() -> tuple[float, float]:
    """Seconds of processor time to load a thousand mappings, examples run, and megabytes of the process that did it."""
    with tempfile.TemporaryDirectory() as folder, multiprocessing.get_context("spawn").Pool(1) as pool:
        written = FILE.read_text(encoding="utf-8")
        for number in range(MAPPINGS):
            name = f"bench{number}"
            Path(folder, f"{name}.yaml").write_text(written.replace("name: bench", f"name: {name}", 1))
        return pool.apply(_loaded, (folder,))


def _loaded(folder: str) -> tuple[float, float]:
    begun = time.process_time()
    kept = [sources.read(path) for path in sources.mapping_files(Path(folder))]
    seconds = time.process_time() - begun
    assert len(kept) == MAPPINGS
    unit = 1024 if sys.platform == "linux" else 1024**2
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def record() -> tuple[float, float]:
    """Milliseconds of processor time of one parsed record by the mapping, and by jmespath and phonenumbers."""
    mapping, now = sources.read(FILE), datetime.now(UTC)
    received = Received(method="POST", url="https://e.com/", headers={}, body=b"")
    records = [json.loads(bodies.body("click", number)) for number in range(TIMES)]

    def ours() -> None:
        for one in records:
            (made,) = results(mapping, one, request_tree(received, one), now=now)
            assert made.action is not None

    return _milliseconds(ours), _milliseconds(lambda: _plain(records))


_SEARCHES = {
    "source": jmespath.compile("properties.hs_lead_source.value"),
    "agent": jmespath.compile("properties.hubspot_owner_email.value"),
    "phone": jmespath.compile("properties.mobilephone.value || properties.phone.value"),
    "key": jmespath.compile('join(`-`, [to_string("portal-id"), to_string(vid)])'),
}
_AGENTS = {"pat.owner@example.com": "0101", "lee.owner@example.com": "0102"}


def _plain(records: list[dict[str, object]]) -> None:
    """The same by hand: five searches, a table, the number parsed and checked."""
    for one in records:
        found = {name: search.search(one) for name, search in _SEARCHES.items()}
        number = phonenumbers.parse(found["phone"], "US")
        assert phonenumbers.is_valid_number(number)
        assert found["source"].lower() == "web"
        made = (_AGENTS[found["agent"].strip().lower()], phonenumbers.national_significant_number(number), found["key"])
        assert all(made)


def _milliseconds(work: Callable[[], None]) -> float:
    begun = time.process_time()
    work()
    return (time.process_time() - begun) / TIMES * 1e3


FILES = {
    "2 MB": "a: b\n" * 400_000,
    "100,000 keys": "{" + ",".join(f"k{number}" for number in range(100_000)) + "}",
    "lists 100,000 deep": "[" * 100_000,
    "aliases": "a: &a [x, x]\nb: [*a, *a]\n",
    "tags": "a: !!python/object:os.system x\n",
    "half a megabyte of quotes": "'" * 500_001,
    "binary": "\x00\x01" * 100_000,
}
BODIES = {
    "JSON 100,000 deep": b"[" * 100_000,
    "a number of 1 MB": b'{"properties": {"phone": {"value": "%s"}}}' % (b"8" * 1_000_000),
    "many numbers in 1 MB": b'{"properties": {"phone": {"value": "%s"}}}' % (b"801-555-0142 / " * 66_000),
    "a list of 19,000": b'{"properties": {"phone": {"value": [%s]}}}' % b",".join([b'"8"'] * 19_000),
    "60,000 keys": b"{%s}" % b",".join(b'"k%d": 1' % number for number in range(60_000)),
}


def hostile() -> tuple[tuple[str, float], tuple[str, float]]:
    """The file and the body that take longest to be refused, or mapped, in milliseconds of processor time."""
    mapping, now = sources.read(FILE), datetime.now(UTC)

    def read(content: str) -> None:
        try:
            text.read(content)
        except MappingError:
            return
        raise AssertionError("it was not refused")

    def taken(body: bytes) -> None:
        received = Received(method="POST", url="https://e.com/", headers={}, body=body)
        try:
            document, records = examples.records(mapping, received)
        except PayloadError:
            return
        for one in records:
            results(mapping, one, request_tree(received, document), now=now)

    files = {name: partial(read, content) for name, content in FILES.items()}
    return _longest(files), _longest({name: partial(taken, body) for name, body in BODIES.items()})


def _longest(works: Mapping[str, Callable[[], None]]) -> tuple[str, float]:
    took = {name: min(_once(work) for _ in range(REPEATS)) for name, work in works.items()}
    name = max(took, key=lambda one: took[one])
    return name, took[name]


def _once(work: Callable[[], None]) -> float:
    begun = time.process_time()
    work()
    return (time.process_time() - begun) * 1e3
