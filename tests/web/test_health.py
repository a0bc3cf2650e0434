"""Is it alive, can it take work: what a load balancer and an operator are told."""

from __future__ import annotations

import socket
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sample import delivery

from adapter.model import Evidence
from adapter.policy import Verdict
from adapter.sources import Broken
from adapter.store import Store
from adapter.wsgi import clock
from web.front import WORK, Front, front


def test_a_process_that_lives_says_so_whatever_is_broken(work: Front) -> None:
    work.run("drop table deliveries")
    answer = work.client.get("/healthz")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})


def test_a_process_lives_while_its_database_says_nothing(work: Front) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://u:p@127.0.0.1:{silent.getsockname()[1]}/d?connect_timeout=120"
        with closing(Store(url)) as away:
            extensions = work.client.application.extensions
            extensions["adapter"] = replace(extensions["adapter"], store=away, clock=away.clock(clock))
            begun = time.monotonic()
            told = [work.client.get(path).status_code for path in ("/healthz", "/nothing", "/healthz")]
            assert told == [200, 404, 200]
            assert time.monotonic() - begun < 60


def test_it_is_ready_when_the_store_and_all_mappings_are_usable(tmp_path: Path) -> None:
    with front(tmp_path, {"work": WORK, "tenants.yaml": "default:\n  per_second: 5\n"}) as good:
        answer = good.client.get("/readyz")
    assert answer.status_code == 200
    assert answer.get_json() == {"status": "ready", "problems": [], "warnings": [], "alarms": []}


def test_what_wants_a_person_is_told_and_does_not_take_the_web_away(tmp_path: Path) -> None:
    now = datetime(2026, 1, 7, tzinfo=UTC)
    with front(tmp_path, {"work": WORK}) as good:
        good.store.rules.pause("", said="by Pat", now=now)
        one = delivery(tenant="acme")
        for evidence in (Evidence.UNAUTHORIZED, Evidence.ACCEPTED, Evidence.UNAUTHORIZED):
            good.store.save(
                one, Verdict(state="queued", reason="", due_at=now, expires_at=now), [], now=now, evidence=evidence
            )
        good.store.rules.block(["h"], key_id="of another", reason="", who="Pat", now=now)
        answer = good.client.get("/readyz")
    assert answer.status_code == 200
    assert [(one["part"], one["message"]) for one in answer.get_json()["alarms"]] == [
        ("all tenants", "dialling is paused by Pat"),
        (
            "tenant acme",
            "Xima does not accept the token of the tenant's Service User; since 2026-01-07T00:00:00.000Z",
        ),
        (
            "do-not-call list",
            "1 numbers were added with a key that is not in ADAPTER_SECRET_KEY: put it back at its end",
        ),
    ]


def test_a_mapping_that_cannot_be_used_is_named(work: Front) -> None:
    answer = work.client.get("/readyz")
    assert answer.status_code == 503
    told = answer.get_json()
    assert told["status"] == "not ready"
    (problem,) = told["problems"]
    assert problem["part"] == "mapping broken"
    assert problem["message"].startswith("broken.yaml:1:1: ")


def test_no_mapping_at_all_is_not_ready(tmp_path: Path) -> None:
    with front(tmp_path, {}) as empty:
        answer = empty.client.get("/readyz")
    assert (answer.status_code, answer.get_json()["problems"][0]["part"]) == (503, "mappings")


def test_a_mapping_whose_secret_is_not_set_is_named_with_its_variable(tmp_path: Path) -> None:
    with front(tmp_path, {"work": WORK, "other": WORK.replace("work", "other").replace("HOOK_", "NO_")}) as half:
        (problem,) = half.client.get("/readyz").get_json()["problems"]
    assert problem == {
        "part": "mapping other",
        "message": "other.yaml: NO_SECRET is not set: other checks its sender with it;"
        " set it where the adapter starts, then restart it",
    }


def test_a_store_of_another_version_is_not_ready(tmp_path: Path) -> None:
    with front(tmp_path, {"work": WORK}) as good:
        good.run("update alembic_version set version_num = '9999'")
        answer = good.client.get("/readyz")
        assert (answer.status_code, answer.get_json()["problems"][0]["part"]) == (503, "store")
        assert "start that release" in answer.get_json()["problems"][0]["message"]
        assert "db upgrade" not in answer.text
        good.run("drop table alembic_version")
        assert "xima-adapter db upgrade" in good.client.get("/readyz").get_json()["problems"][0]["message"]


def told(front: Front, **changes: object) -> tuple[int, list[dict[str, str]], list[dict[str, str]]]:
    """Status, problems and warnings when the mappings are others."""
    extensions = front.client.application.extensions
    found = replace(front.sources, **changes)  # type: ignore[arg-type] # fields of Sources
    extensions["adapter"] = replace(extensions["adapter"], sources=lambda: found)
    answer = front.client.get("/readyz")
    return answer.status_code, answer.get_json()["problems"], answer.get_json()["warnings"]


NEWER = Broken(file="work.yaml", problems=("work.yaml:3:1: a mistake\n   3 | x",))


def test_a_newer_file_that_is_not_used_is_a_warning_with_the_version_that_stays(tmp_path: Path) -> None:
    with front(tmp_path, {"work": WORK}) as good:
        version = good.sources.usable["work"].mapping.version
        in_force = replace(good.sources.usable["work"], since=datetime(2026, 11, 22, 10, tzinfo=UTC))
        dated = told(good, usable={"work": in_force}, waiting={"work": NEWER})
        undated = told(good, waiting={"work": NEWER})
    said = f"work.yaml:3:1: a mistake; version {version}, in force since 2026-11-22T10:00:00.000Z, stays"
    assert dated == (200, [], [{"part": "mapping work", "message": said}])
    assert undated[2][0]["message"] == f"work.yaml:3:1: a mistake; version {version} stays"


def test_what_broke_or_went_later_is_a_warning_as_long_as_anything_can_be_used(tmp_path: Path) -> None:
    later = replace(NEWER, expected=False)
    with front(tmp_path, {"work": WORK}) as good:
        some = told(good, broken={"other": later}, waiting={"work.shadow": NEWER})
        none = told(good, usable={}, broken={"work": later})
    assert some[:2] == (200, [])
    assert [one["part"] for one in some[2]] == ["mapping other", "mapping work.shadow"]
    assert (none[0], [one["part"] for one in none[1]]) == (503, ["mappings"])
