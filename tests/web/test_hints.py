"""Why a signature was refused stands in the log, and nowhere else."""

from __future__ import annotations

import hmac
import io
import json
from dataclasses import replace
from datetime import timedelta

from freezegun import freeze_time
from running import SECRET

from adapter import signature
from adapter.model import Received
from adapter.proofs import Ready
from adapter.wsgi import clock
from web.front import CLICK, JSON, ORIGIN, Front

BODY = json.dumps(CLICK).encode()
SIGNED = "sha256=" + hmac.digest(SECRET.encode(), BODY, "sha256").hex()


def refused(work: Front, body: bytes) -> str:
    answer = work.client.post("/hooks/work", data=body, headers={**JSON, "X-Hub-Signature-256": SIGNED})
    assert answer.status_code == 401
    return answer.text


def test_the_log_names_the_mistake_and_the_answer_does_not(work: Front, log: io.StringIO) -> None:
    answer = refused(work, json.dumps(CLICK, separators=(",", ":")).encode())
    (line,) = log.getvalue().splitlines()
    assert (
        'reason="signature mismatch" hints="it would match for the JSON written spaced: the body looks re-seri' in line
    )
    assert "; checked: hmac sha256 in hex, header X-Hub-Signature-256, over {body}; a body of 46 bytes" in line
    assert not any(hidden in line for hidden in (SECRET, SIGNED, CLICK["phone"]))
    assert "re-serialised" not in answer
    assert "signature" not in answer


def test_a_flood_is_explained_three_times_a_second_and_counted_all_the_same(work: Front, log: io.StringIO) -> None:
    with freeze_time("2026-01-01T10:00:00Z") as frozen:
        for _ in range(10):
            refused(work, b"{}")
        assert log.getvalue().count("hints=") == 3
        frozen.tick(timedelta(seconds=1))
        refused(work, b"{}")
    assert log.getvalue().count("hints=") == 4
    assert [one["count"] for one in work.refusals()] == [11]


def test_a_large_body_is_not_explained(work: Front, log: io.StringIO) -> None:
    refused(work, b" " * 16 * 1024)
    refused(work, b" " * (16 * 1024 + 1))
    assert [" hints=" in line for line in log.getvalue().splitlines()] == [True, False]


def test_other_refusals_have_no_hints(work: Front, log: io.StringIO) -> None:
    work.client.post("/hooks/nowhere", data=BODY, headers=JSON)
    work.post("work", b"no JSON")  # signed
    assert "hints=" not in log.getvalue()


def test_the_proof_that_failed_is_the_one_that_is_explained(work: Front) -> None:
    source = work.sources.usable["work"]
    key = signature.scheme({"scheme": "query_token", "name": "key"})
    both = replace(source, proofs=(*source.proofs, Ready(key, ("sesame",))))
    request = Received(
        method="POST", url=f"{ORIGIN}/hooks/work?key=other", headers={"x-hub-signature-256": SIGNED}, body=BODY
    )
    (said, checked) = both.explain(request, now=clock())
    assert said.startswith("no usual mistake explains it")
    assert checked.startswith("checked: the secret in the query parameter key")
    assert source.explain(request, now=clock()) == ()
