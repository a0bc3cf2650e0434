"""`receive.also`: where a request comes from, and what the proxy found in its certificate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from running import SECRET
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import TestResponse

from adapter import signature
from adapter.errors import SchemeError, SignatureError
from adapter.mapping import examples
from adapter.model import Received
from adapter.signature.guards import GUARDS
from web.front import CLICK, WORK, Front, front

RULES = "\n".join(WORK.splitlines()[6:])
NETWORKS = "[192.0.2.0/24, 198.51.100.7, 2001:db8::/32]"


def mapping(name: str, also: str) -> str:
    """The mapping `work` with a further proof."""
    return f"format: 1\nname: {name}\nreceive:\n  from: github\n  secrets: [HOOK_SECRET]\n  also: {also}\n{RULES}\n"


FILES = {
    "near": mapping("near", f"{{ip_allow: {NETWORKS}}}"),
    "shown": mapping("shown", "{client_certificate: X-Client-Verify}"),
    "named": mapping("named", '{client_certificate: X-Client-Subject, accept: ["CN=a", "CN=b"]}'),
    "all": mapping("all", f"[{{ip_allow: {NETWORKS}}}, {{client_certificate: X-Client-Verify}}]"),
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """The application behind two trusted proxies."""
    with front(tmp_path_factory.mktemp("guarded"), FILES, ADAPTER_TRUSTED_PROXIES="2") as made:
        assert not made.sources.broken
        app = made.client.application
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=2, x_proto=0, x_host=0)  # type: ignore[method-assign]
        yield made


def sent(guarded: Front, name: str, **headers: str) -> TestResponse:
    """A signed request, behind what the proxies say of it."""
    found = {key.replace("_", "-"): text for key, text in headers.items()}
    return guarded.post(name, {**CLICK, "id": str(headers)}, headers={"Content-Type": "application/json", **found})


@pytest.mark.parametrize(
    "chain",
    [
        "192.0.2.9, 10.0.0.1",
        "203.0.113.1, 192.0.2.9, 10.0.0.1",
        "198.51.100.7, 10.0.0.1",
        "198.51.100.7:4711, 10.0.0.1",
        "2001:db8::1, 10.0.0.1",
        "[2001:db8::1]:443, 10.0.0.1",
        "::ffff:192.0.2.9, 10.0.0.1",
    ],
)
def test_the_address_is_the_one_the_outermost_trusted_proxy_tells(guarded: Front, chain: str) -> None:
    assert sent(guarded, "near", X_Forwarded_For=chain).status_code == 200


@pytest.mark.parametrize(
    "chain",
    [
        "203.0.113.1, 10.0.0.1",
        "192.0.2.9, 203.0.113.1, 10.0.0.1",  # written by the client itself
        "192.0.2.9, 10.0.0.1, 10.0.0.2",
        "192.0.2.9",  # one proxy is missing: the address is that of the last one
        "198.51.100.8, 10.0.0.1",
        "2001:db9::1, 10.0.0.1",
        "unknown, 10.0.0.1",
        "",
    ],
)
def test_every_other_address_is_refused(guarded: Front, chain: str) -> None:
    answer = sent(guarded, "near", X_Forwarded_For=chain)
    assert answer.status_code == 401
    assert {row["reason"] for row in guarded.rows("refusals")} <= {
        *("address not allowed", "the client's address is not known", "client certificate not accepted"),
        *("missing header X-Client-Verify", "missing header X-Client-Subject"),
    }


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("shown", "SUCCESS", 200),
        ("shown", "FAILED:unable to verify", 401),
        ("shown", "NONE", 401),
        ("shown", "SUCCESS, NONE", 401),
        ("shown", "", 401),
        ("named", "CN=b", 200),
        ("named", "CN=c", 401),
        ("named", "SUCCESS", 401),
    ],
)
def test_the_certificate_is_what_the_proxy_says(guarded: Front, name: str, value: str, status: int) -> None:
    header = {"shown": "X-Client-Verify", "named": "X-Client-Subject"}[name]
    raw = guarded.client.application.json.dumps({**CLICK, "id": value}).encode()
    proof = guarded.sources.usable[name].proofs[0]
    request = signature.sign(proof.scheme, SECRET, _plain(raw), now=NOW)
    answer = guarded.client.post(f"/hooks/{name}", data=raw, headers={**request.headers, header: value})
    assert answer.status_code == status


NOW = examples.NOW


def _plain(body: bytes) -> Received:
    return Received(method="POST", url="", headers={"content-type": "application/json"}, body=body)


def test_all_further_proofs_must_hold(guarded: Front) -> None:
    near = {"X_Forwarded_For": "192.0.2.9, 10.0.0.1"}
    assert sent(guarded, "all", **near).status_code == 200
    assert sent(guarded, "all").status_code == 401


def test_without_a_trusted_proxy_a_certificate_is_never_believed(tmp_path: Path) -> None:
    with front(tmp_path, FILES) as made:
        assert set(made.sources.usable) == {"near"}
        (problem,) = made.sources.broken["shown"].problems
        assert problem.startswith("shown.yaml: ADAPTER_TRUSTED_PROXIES is 0: anybody could send the header")


def test_without_proxies_the_address_is_that_of_the_connection(tmp_path: Path) -> None:
    with front(tmp_path, {"near": mapping("near", "{ip_allow: 127.0.0.1}")}) as made:
        assert sent(made, "near", X_Forwarded_For="203.0.113.1").status_code == 200


WRONG = {
    "host-bits": ("{ip_allow: 192.0.2.1/24}", "'192.0.2.1/24' is no network"),
    "name": ("{ip_allow: example.com}", "'example.com' is no network"),
    "everything": ("{ip_allow: 0.0.0.0/0}", "0.0.0.0/0 is the whole internet"),
    "everything-6": ('{ip_allow: "::/0"}', "is the whole internet"),
    "secret": ("{ip_allow: 192.0.2.1, secrets: [A]}", "there is no secret in ip_allow"),
    "accept": ("{ip_allow: 192.0.2.1, accept: A}", "accept belongs to client_certificate"),
    "header": ("{client_certificate: X Verify}", "is no name of a header"),
    "value": ('{client_certificate: X-Verify, accept: [" a"]}', "characters that no header can hold"),
    "both": ("{ip_allow: 192.0.2.1, client_certificate: X-Verify}", "exclude each other"),
    "no-secret": ("{query_token: key}", "secrets: this key is missing"),
    "nothing": ("{secrets: [A]}", "the kind of proof is missing"),
}


@pytest.mark.parametrize(("also", "said"), WRONG.values(), ids=WRONG)
def test_a_guard_that_is_written_wrongly_is_told(tmp_path: Path, also: str, said: str) -> None:
    with front(tmp_path, {"wrong": mapping("wrong", also)}) as made:
        assert said in "".join(made.sources.broken["wrong"].problems)


def test_an_address_is_no_proof_for_a_sender_without_a_secret(tmp_path: Path) -> None:
    text = (
        "format: 1\nname: soap\nreceive: {from: salesforce-outbound, organization: 00D000000000001, "
        "also: {ip_allow: 192.0.2.0/24}}\nrules:\n  - callback: {skill: Sales, callback_number: 8015550142}\n"
    )
    with front(tmp_path, {"soap": text}) as made:
        assert "a second proof is needed" in made.sources.broken["soap"].problems[0]


@pytest.mark.parametrize("word", GUARDS)
def test_a_guard_is_never_the_only_proof(word: str) -> None:
    with pytest.raises(SchemeError):
        signature.scheme({"scheme": word, "networks": ["192.0.2.1"], "name": "X-A"})


def test_a_guard_has_no_secret_and_an_unknown_address_is_refused() -> None:
    guard = signature.guard({"scheme": "ip_allow", "networks": ["192.0.2.1"]})
    with pytest.raises(SchemeError):
        signature.check_secret(guard, "s")
    with pytest.raises(SignatureError, match="not known"):
        signature.verify(guard, [], _plain(b""), now=NOW)
    assert signature.sign(guard, "", _plain(b""), now=NOW) == _plain(b"")
    with pytest.raises(SchemeError):
        signature.guard({"scheme": "ip_allow"})
