"""A thousand requests that nobody in his right mind would send: refused, counted, forgotten, and never a 500."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from running import Adapter, running, until
from web.wire import Answer, ask, request

from adapter.sandbox import Sandbox

NOT_KEPT = {400, 401, 404, 405, 413, 414, 415, 431, None}
"""What garbage may be answered with; None is a connection that is just closed."""
CODES = {"unauthorized", "not_found", "body_too_large", "bad_request", "unsupported_body"}
SIGNED_TWICE = 4
METHODS = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW", "post", "P\xd6ST", "")
TYPES = ("application/json", "text/xml", "multipart/form-data; boundary=\xff", "x/y; charset=nope", "\xff", "", "json")
PATHS = ("/hooks/click", "/hooks/token", "/hooks/%ff", "/hooks/..%2f..", "/hooks/" + "a" * 300, "/deliveries/x", "/x")
ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1e308,
    "",
    "\x00",
    "\ud800",
    "a" * 5000,
    [],
    {},
    [[]],
    {"": None},
    [None] * 50,
)
TOKEN = """
format: 1
name: token
receive:
  from: header-token
  header: X-Form-Key
  secrets: [HOOK_SECRET]
phones:
  region: US
rules:
  - name: lead
    callback:
      skill: ${skill}
      callback_number: ${phone}
"""


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adapter]:
    with Sandbox.start() as xima, running(tmp_path_factory.mktemp("garbage"), xima.url, start=False) as made:
        made.write("token", TOKEN)
        made.environ["ADAPTER_MAX_BODY"] = "100KB"
        made.start()
        yield made


def anything(chance: random.Random, most: int = 400) -> bytes:
    return chance.randbytes(chance.randrange(most))


def visible(chance: random.Random) -> bytes:
    """Bytes that may stand in a header: everything but the control characters."""
    return bytes(byte for byte in anything(chance) if byte >= 32 and byte != 127)


def raw_noise(chance: random.Random) -> bytes:
    return anything(chance) + b"\r\n\r\n"


def random_body(chance: random.Random) -> bytes:
    headers: dict[str, str | bytes] = {"Content-Type": chance.choice(TYPES), "X-Hub-Signature-256": visible(chance)}
    return request(chance.choice(PATHS), anything(chance, 5000), headers=headers)


def odd_method(chance: random.Random) -> bytes:
    return request(chance.choice(PATHS), b"{}", method=chance.choice(METHODS))


def odd_headers(chance: random.Random) -> bytes:
    names = (
        "Content-Length",
        "Transfer-Encoding",
        "Host",
        "Expect",
        "Content-Encoding",
        "Connection",
        "Accept",
        "Range",
    )
    headers = {name: visible(chance)[:60] for name in chance.sample(names, 3)}
    return request(chance.choice(PATHS), b"{}", headers=headers)


def odd_signature(chance: random.Random) -> bytes:
    near = b"sha256=" + visible(chance)[: chance.choice((0, 1, 64, 64, 200))]
    return request("/hooks/click", b"{}", headers={"Content-Type": "application/json", "X-Hub-Signature-256": near})


def huge_header(chance: random.Random) -> bytes:
    return request("/hooks/click", b"{}", headers={"X-Hub-Signature-256": b"a" * chance.choice((7000, 9000, 70_000))})


def bad_chunks(chance: random.Random) -> bytes:
    head = b"POST /hooks/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    sizes = (b"%x" % chance.randrange(2**40), b"ffffffffffffffffffff", b"-1", b"g", b"", b"5 5", b"0x5")
    return head + chance.choice(sizes) + b"\r\n" + anything(chance)


def truncated(chance: random.Random) -> bytes:
    longer = str(chance.choice((500, 90_000)))
    whole = request(chance.choice(PATHS), anything(chance), headers={"Content-Length": longer})
    return whole[: chance.randrange(20, len(whole))]


def too_large(chance: random.Random) -> bytes:
    return request("/hooks/" + chance.choice(("click", "token", f"x{chance.random()}")), b"x" * 150_000)


KINDS: tuple[Callable[[random.Random], bytes], ...] = (
    *(raw_noise, random_body, odd_method, odd_headers, odd_signature, huge_header, bad_chunks, truncated, too_large),
)


def counted(adapter: Adapter) -> tuple[list[Mapping[str, Any]], dict[str, int]]:
    """The refusals, and the deliveries by state."""
    store = adapter.store()
    found = store.refusals(most=1000), store.counts()
    store.close()
    return found


def check_shape(answer: Answer) -> None:
    if answer.body and answer.status is not None and answer.status >= 400:
        assert set(answer.json()["error"]) == {"code", "message"}
        assert answer.headers["x-request-id"]


def test_a_thousand_garbage_requests_are_refused_and_the_adapter_is_as_ready_as_before(adapter: Adapter) -> None:
    chance = random.Random(20261122)
    sent = [KINDS[number % len(KINDS)](chance) for number in range(1000)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda one: ask(adapter.port, one, hang_up=True), sent))
    for asked, answer in zip(sent, answers, strict=True):
        here = asked.startswith((b"HEAD /hooks/click ", b"HEAD /hooks/token "))
        allowed = {200} if here or asked.startswith((b"OPTIONS", b"GET /healthz")) else NOT_KEPT
        assert answer.status in allowed, (asked[:200], answer)
        check_shape(answer)
    refused = until(lambda: _written(adapter))
    assert {one["code"] for one in refused} == CODES
    assert len(refused) < 60, "the reasons are a few words, whatever was sent"
    assert counted(adapter)[1] == {}
    assert_unharmed(adapter)


def _written(adapter: Adapter) -> list[Mapping[str, Any]]:
    """The refusals, once some of every kind are there: they are written within a second, one after the other."""
    refused = counted(adapter)[0]
    codes, mappings = ({one[name] for one in refused} for name in ("code", "mapping"))
    return refused if codes >= CODES and mappings == {"click", "token", ""} else []


def test_signed_garbage_is_refused_or_set_aside_and_nothing_crashes(adapter: Adapter) -> None:
    chance = random.Random(42)
    bodies = [json.dumps(_odd_record(chance)).encode() for _ in range(150)]
    bodies += [anything(chance, 2000) for _ in range(60)]
    bodies += [
        b'{"id": "1", "phone": ' + tail for tail in (b"NaN}", b"1e999}", b"9" * 5000 + b"}", b'"a", "phone": "b"}')
    ]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: adapter.post("click", body), bodies))
    for body, answer in zip(bodies, answers, strict=True):
        assert answer.status_code in (200, 400), (body[:200], answer.text)
        states = {one["state"] for one in answer.json().get("receipts", [])}
        assert states <= {"reject", "skip", "accepted", "refused", "queued"}, answer.text
    types = (
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/xml",
        "a/b",
    )
    for number in range(80):
        headers = {"content-type": types[number % len(types)]}
        assert adapter.post("token", anything(chance), headers=headers).status_code in (200, 400, 415)
    assert_unharmed(adapter)


def _odd_record(chance: random.Random) -> Any:
    usual = {"id": str(chance.random()), "agent": "0101", "phone": "8015550142", "skill": "Sales"}
    record = {name: chance.choice((*ODD, *[good] * 15)) for name, good in usual.items()}
    return chance.choice([record, [record] * SIGNED_TWICE, chance.choice(ODD), {"a": record}])


def assert_unharmed(adapter: Adapter) -> None:
    """Ready, nothing crashed, nobody was restarted."""
    assert adapter.is_ready()
    log = adapter.log()
    bad = ("Traceback", "request.crashed", "Z error ", "Z critical ", ".died", "Error handling")
    assert [line for line in log.splitlines() if any(word in line for word in bad)] == []
    assert adapter.processes[0].poll() is None
    click = b'{"id": "sound", "agent": "0101", "phone": "8015550142"}'
    assert adapter.post("click", click).json()["receipts"][0]["state"] == "accepted"
