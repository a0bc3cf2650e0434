"""The Dockerfile and the compose files: each keeps a table of rules; what can be run without Docker is run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from running import free_port, running, until

from adapter import server
from adapter.cli import main
from adapter.settings import TABLE
from deploy.proxies import DEPLOY, ROOT
from deploy.test_agreement import defaults, loaded

DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
Service = dict[str, Any]


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile as its instructions, each on one line."""
    joined = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", DOCKERFILE))
    pairs = (line.partition(" ") for line in joined.splitlines() if line.strip())
    return [(word, " ".join(rest.split())) for word, _, rest in pairs]


WRITTEN = instructions()
LAST = WRITTEN[max(at for at, (word, _) in enumerate(WRITTEN) if word == "FROM") :]


def said(word: str, lines: list[tuple[str, str]] = LAST) -> list[str]:
    return [rest for one, rest in lines if one == word]


def env() -> dict[str, str]:
    return dict(part.split("=", 1) for line in said("ENV") for part in line.split())


IMAGE_RULES: dict[str, Callable[[], bool]] = {
    "two stages from one base": lambda: [one.split()[0] for one in said("FROM", WRITTEN)] == ["${BASE}"] * 2,
    "a base of a fixed version": lambda: bool(re.fullmatch(r"BASE=python:3\.\d+-slim-\w+", WRITTEN[0][1])),
    "locked by hashes": lambda: "--require-hashes" in str(said("RUN", WRITTEN)),
    "nothing is built": lambda: "--only-binary :all:" in str(said("RUN", WRITTEN)),
    "no cache of pip": lambda: "--no-cache-dir" in str(said("RUN", WRITTEN)),
    "no pip in the end": lambda: "pip" not in str(said("RUN")),
    "no shell forms": lambda: all(json.loads(one) for word in ("CMD", "ENTRYPOINT") for one in said(word)),
    "not root, by number": lambda: said("USER") == ["10001:10001"],
    "a user that is made": lambda: "--uid 10001" in said("RUN")[0],
    "no ADD, no sudo, no latest, no curl": lambda: not re.search(r"^ADD|sudo|:latest|curl|wget", DOCKERFILE, re.M),
    "no secret": lambda: not any(one.secret for name, one in TABLE.items() if name in env()),
    "settings there are": lambda: {name for name in env() if name.startswith("ADAPTER")} <= set(TABLE),
    "copies what there is": lambda: all(
        (ROOT / one.split()[0]).exists() for one in said("COPY", WRITTEN) if not one.startswith("--from")
    ),
    "a command there is": lambda: json.loads(said("CMD")[0])[0] in main.commands,
    "looks after its health": lambda: "/healthz" in said("HEALTHCHECK")[0],
    "the port it serves": lambda: said("EXPOSE") == [env()["ADAPTER_BIND"].rpartition(":")[2]],
    "a store that outlives it": lambda: f"sqlite:///{said('VOLUME')[0]}/adapter.db" == env()["ADAPTER_DATABASE_URL"],
}


@pytest.mark.parametrize("rule", IMAGE_RULES)
def test_the_image_keeps_the_rules(rule: str) -> None:
    assert IMAGE_RULES[rule]()


def test_the_builder_is_sent_nothing_but_what_the_image_is_made_of() -> None:
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    copied = {one.split()[0] for one in said("COPY", WRITTEN) if not one.startswith("--from")}
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == copied


def test_the_lock_of_the_image_brings_what_postgresql_needs() -> None:
    assert re.search(r"^psycopg-binary==", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.M)


def test_the_image_s_look_at_its_health_tells_life_from_death(tmp_path: Path) -> None:
    command = json.loads(said("HEALTHCHECK")[0].partition(" CMD ")[2])
    assert command[0] == "python"

    def healthy(port: int) -> bool:
        program = command[2].replace(":8000", f":{port}")
        ended = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=300, check=False)
        return ended.returncode == 0

    with running(tmp_path, "http://127.0.0.1:9") as adapter:
        assert until(lambda: healthy(adapter.port)), "one look of several may take too long"
    assert not healthy(free_port())


COMPOSE = {name: yaml.safe_load((DEPLOY / name).read_text()) for name in ("compose.yaml", "compose.sqlite.yaml")}
SERVICES = {(file, name): one for file, found in COMPOSE.items() for name, one in found["services"].items()}
OURS = {key: one for key, one in SERVICES.items() if one["image"] == "xima-crm-adapter"}
EVERY_RULE: dict[str, Callable[[Service], bool]] = {
    "no capabilities but named ones": lambda one: one["cap_drop"] == ["ALL"],
    "no more rights later": lambda one: one["security_opt"] == ["no-new-privileges:true"],
    "a version": lambda one: one["image"] == "xima-crm-adapter" or ":" in one["image"],
    "no secret in the environment": lambda one: (
        not any(name.endswith(("TOKEN", "PASSWORD", "KEY")) for name in one.get("environment", {}))
    ),
}
OUR_RULES: dict[str, Callable[[Service], bool]] = {
    "read-only root": lambda one: one["read_only"] is True,
    "somewhere to write": lambda one: one["tmpfs"] == ["/tmp"],
    "mappings are read only": lambda one: "./mappings:/mappings:ro" in one["volumes"],
    "built from our Dockerfile": lambda one: one["build"] == {"context": "..", "dockerfile": "deploy/Dockerfile"},
    "a command there is": lambda one: one["command"][0] in main.commands,
    "time to end": lambda one: (
        int(one["stop_grace_period"].removesuffix("s")) > server.grace(defaults()) + server.STOPPING
    ),
    "one proxy before it": lambda one: one["environment"]["ADAPTER_TRUSTED_PROXIES"] == "1",
    "reads the secrets it is given": lambda one: (
        {Path(text).name for name, text in one["environment"].items() if name.endswith("_FILE")} == set(one["secrets"])
    ),
    "bounded logs": lambda one: "max-size" in one["logging"]["options"],
}


def names(keys: dict[tuple[str, str], Service]) -> list[Any]:
    return [pytest.param(one, id="-".join(key)) for key, one in keys.items()]


@pytest.mark.parametrize("rule", EVERY_RULE)
@pytest.mark.parametrize("service", names(SERVICES))
def test_every_service_keeps_the_rules(service: Service, rule: str) -> None:
    assert EVERY_RULE[rule](service)


@pytest.mark.parametrize("rule", OUR_RULES)
@pytest.mark.parametrize("service", names(OURS))
def test_our_services_keep_the_rules(service: Service, rule: str) -> None:
    assert OUR_RULES[rule](service)


@pytest.mark.parametrize("file", COMPOSE)
def test_whatever_a_compose_file_refers_to_is_declared(file: str) -> None:
    found = COMPOSE[file]
    for one in found["services"].values():
        assert set(one.get("secrets", [])) <= set(found["secrets"])
        assert set(one.get("networks", [])) <= set(found.get("networks", {}))
        assert set(one.get("depends_on", {})) <= set(found["services"])
        volumes = {text.split(":")[0] for text in one.get("volumes", [])}
        assert {name for name in volumes if not name.startswith(".")} <= set(found["volumes"])
    for name, one in found["secrets"].items():
        assert one == {"file": f"./secrets/{name}"}


def test_the_database_is_reached_by_the_adapter_only_and_by_nobody_outside() -> None:
    services = COMPOSE["compose.yaml"]["services"]
    assert COMPOSE["compose.yaml"]["networks"]["store"] == {"internal": True}
    assert {name for name, one in services.items() if "store" in one["networks"]} == {
        *("web", "dispatch", "migrate", "postgres")
    }
    assert {name for name, one in services.items() if "ports" in one} == {"proxy"}
    assert COMPOSE["compose.sqlite.yaml"]["services"]["adapter"]["ports"] == ["127.0.0.1:8000:8000"]


@pytest.mark.parametrize(("file", "service"), [("compose.yaml", "web"), ("compose.sqlite.yaml", "adapter")])
def test_the_settings_load_from_the_secrets_in_the_image(file: str, service: str, tmp_path: Path) -> None:
    written = dict(COMPOSE[file]["services"][service]["environment"])
    if file == "compose.yaml":
        written["ADAPTER_PUBLIC_URL"] = "https://hooks.example.com"
    else:
        written["ADAPTER_DATABASE_URL"] = written["ADAPTER_DATABASE_URL"].replace("/data", str(tmp_path))
    given = loaded({**env(), "XIMA_HOST": "acme.xima.cloud", **written}, "/run/secrets", tmp_path)
    assert given.database_url.startswith("postgresql:" if file == "compose.yaml" else "sqlite:")
    assert (given.xima_token, given.trusted_proxies) == ("s" * 32, 1)


def test_web_and_dispatch_start_on_a_store_that_is_up_to_date() -> None:
    services = COMPOSE["compose.yaml"]["services"]
    for name in ("web", "dispatch"):
        assert services[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert services["migrate"]["command"] == ["db", "upgrade"]
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


@pytest.mark.parametrize("file", COMPOSE)
def test_docker_accepts_the_compose_file(file: str, tmp_path: Path) -> None:
    has_compose = (
        shutil.which("docker")
        and not subprocess.run(
            ["docker", "compose", "version"], capture_output=True, timeout=300, check=False
        ).returncode
    )
    if not has_compose:
        pytest.skip("docker compose is not installed")
    shutil.copy(DEPLOY / file, tmp_path)
    shutil.copy(DEPLOY / "adapter.env.example", tmp_path / "adapter.env")
    environ = {**os.environ, "ADAPTER_HOST": "hooks.example.com"}
    command = ["docker", "compose", "-f", file, "config", "--quiet"]
    ended = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=300, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
