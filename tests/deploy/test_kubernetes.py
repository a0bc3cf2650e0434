"""The Kubernetes manifests: kustomize builds them, and each keeps a table of rules."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapter import server
from adapter.cli import main
from adapter.settings import TABLE
from deploy.proxies import DEPLOY
from deploy.test_agreement import PUBLIC_ROUTES, defaults, loaded
from deploy.test_containers import env

FOLDER = DEPLOY / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))
Object = dict[str, Any]


def objects() -> list[Object]:
    """All that the kustomization names, before it is built."""
    texts = [(FOLDER / name).read_text(encoding="utf-8") for name in KUSTOMIZATION["resources"]]
    return [one for text in texts for one in yaml.safe_load_all(text)]


OBJECTS = objects()
VERSIONS = {
    "Namespace": "v1",
    "ServiceAccount": "v1",
    "Service": "v1",
    "Deployment": "apps/v1",
    "Job": "batch/v1",
    "PodDisruptionBudget": "policy/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "Ingress": "networking.k8s.io/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
}
"""The versions that all supported clusters serve."""

PODS = {one["metadata"]["name"]: one["spec"]["template"] for one in OBJECTS if one["kind"] in ("Deployment", "Job")}


def kind(name: str) -> list[Object]:
    return [one for one in OBJECTS if one["kind"] == name]


def settings_env() -> dict[str, str]:
    lines = (FOLDER / "settings.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line)


def container(pod: Object) -> Object:
    (only,) = pod["spec"]["containers"]
    return dict(only)


POD_RULES: dict[str, Callable[[Object], bool]] = {
    "no token of the cluster": lambda pod: pod["spec"]["automountServiceAccountToken"] is False,
    "not root": lambda pod: pod["spec"]["securityContext"]["runAsNonRoot"] is True,
    "the user of the image": lambda pod: pod["spec"]["securityContext"]["runAsUser"] == 10001,
    "seccomp": lambda pod: pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"},
    "read-only root": lambda pod: container(pod)["securityContext"]["readOnlyRootFilesystem"] is True,
    "no capabilities": lambda pod: container(pod)["securityContext"]["capabilities"] == {"drop": ["ALL"]},
    "no more rights later": lambda pod: container(pod)["securityContext"]["allowPrivilegeEscalation"] is False,
    "bounded memory": lambda pod: "memory" in container(pod)["resources"]["limits"],
    "asks for what it needs": lambda pod: set(container(pod)["resources"]["requests"]) == {"cpu", "memory"},
    "secrets are files": lambda pod: "env" not in container(pod),
    "settings from one place": lambda pod: container(pod)["envFrom"] == [{"configMapRef": {"name": "settings"}}],
    "mounts what it has": lambda pod: (
        {one["name"] for one in container(pod)["volumeMounts"]} == {one["name"] for one in pod["spec"]["volumes"]}
    ),
    "somewhere to write": lambda pod: "/tmp" in {one["mountPath"] for one in container(pod)["volumeMounts"]},
    "an image that is named": lambda pod: container(pod)["image"] == KUSTOMIZATION["images"][0]["name"],
    "a command there is": lambda pod: container(pod)["args"][0] in main.commands,
    "labelled as the policies look for it": lambda pod: (
        pod["metadata"]["labels"]["app.kubernetes.io/name"] == "xima-adapter"
    ),
    "time to end": lambda pod: (
        pod["spec"]["terminationGracePeriodSeconds"] > server.grace(defaults()) + server.STOPPING + 5
    ),
}


@pytest.mark.parametrize("rule", POD_RULES)
@pytest.mark.parametrize("name", PODS)
def test_every_pod_keeps_the_rules(name: str, rule: str) -> None:
    assert POD_RULES[rule](PODS[name])


@pytest.mark.parametrize("one", OBJECTS, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_every_object_is_of_a_version_that_is_served(one: Object) -> None:
    assert one["apiVersion"] == VERSIONS[one["kind"]]


def labels_of(name: str) -> Object:
    return dict(PODS[name]["metadata"]["labels"])


@pytest.mark.parametrize("one", kind("Deployment"), ids=lambda one: str(one["metadata"]["name"]))
def test_a_deployment_finds_its_pods_and_is_not_drained_at_once(one: Object) -> None:
    name = one["metadata"]["name"]
    assert one["spec"]["selector"]["matchLabels"] == labels_of(name)
    (budget,) = [found for found in kind("PodDisruptionBudget") if found["metadata"]["name"] == name]
    assert budget["spec"] == {"maxUnavailable": 1, "selector": {"matchLabels": labels_of(name)}}


def test_the_service_leads_to_the_web_pods() -> None:
    (service,) = kind("Service")
    assert service["spec"]["selector"] == labels_of("web")


@pytest.mark.parametrize("one", kind("Deployment"), ids=lambda one: str(one["metadata"]["name"]))
def test_a_scaler_says_how_many_pods_there_are(one: Object) -> None:
    name = one["metadata"]["name"]
    (scaler,) = [found for found in kind("HorizontalPodAutoscaler") if found["metadata"]["name"] == name]
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    assert scaler["spec"]["scaleTargetRef"] == target
    assert 1 < scaler["spec"]["minReplicas"] <= scaler["spec"]["maxReplicas"]
    assert "replicas" not in one["spec"], "an apply would undo what the scaler did"


def test_what_the_dispatchers_are_scaled_by_is_a_metric_of_ours() -> None:
    (scaler,) = [one for one in kind("HorizontalPodAutoscaler") if one["metadata"]["name"] == "dispatch"]
    (named,) = [one["external"]["metric"]["name"] for one in scaler["spec"]["metrics"]]
    watched = (DEPLOY / "observability/alerts.yaml").read_text(encoding="utf-8")  # whose names are held to be ours
    assert named in watched


def test_the_probes_ask_for_life_and_for_readiness() -> None:
    web = container(PODS["web"])
    asked = {name: web[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {name: one["path"] for name, one in asked.items()} == {
        "startupProbe": "/healthz",
        "livenessProbe": "/healthz",
        "readinessProbe": "/readyz",
    }
    assert {one["port"] for one in asked.values()} == {web["ports"][0]["name"]}


def test_only_what_is_for_senders_is_reached_from_outside_and_nothing_is_redirected() -> None:
    (ingress,) = kind("Ingress")
    (rule,) = ingress["spec"]["rules"]
    assert {one["path"].strip("/") for one in rule["http"]["paths"]} == PUBLIC_ROUTES
    notes = {key.rpartition("/")[2]: text for key, text in ingress["metadata"]["annotations"].items()}
    assert int(notes["proxy-body-size"]) == defaults().max_body
    assert int(notes["proxy-read-timeout"]) > server.grace(defaults())
    assert (notes["ssl-redirect"], notes["proxy-next-upstream"]) == ("false", "off")


def test_what_no_policy_allows_is_forbidden_both_ways() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in kind("NetworkPolicy")}
    assert policies["nothing-else"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert policies["web"]["podSelector"]["matchLabels"] == labels_of("web")
    (port,) = policies["web"]["ingress"][0]["ports"]
    assert port["port"] == container(PODS["web"])["ports"][0]["containerPort"]
    assert {one["port"] for rule in policies["outwards"]["egress"] for one in rule["ports"]} == {53, 5432, 443}


def test_the_settings_are_known_and_secrets_are_named_as_files() -> None:
    given = settings_env()
    names = {name.removesuffix("_FILE") for name in given}
    assert names - set(TABLE) == {"CALLBACK_KEY"}, "the secret of the mapping callback"
    for name, one in TABLE.items():
        assert not (one.secret and given.get(name))
    assert {name for name, one in TABLE.items() if one.default is None} <= names
    mount = next(one for one in container(PODS["web"])["volumeMounts"] if one["name"] == "secrets")
    files = {name: text for name, text in given.items() if name.endswith("_FILE")}
    assert files == {name: f"{mount['mountPath']}/{name.removesuffix('_FILE')}" for name in files}
    assert given["ADAPTER_TRUSTED_PROXIES"] == "1"


def test_the_settings_load_from_files_in_the_image(tmp_path: Path) -> None:
    given = loaded({**env(), **settings_env()}, "/run/secrets/adapter", tmp_path)
    assert given.database_url == "postgresql://adapter:pw@db/adapter"
    assert (given.xima_token, given.bind) == ("s" * 32, "0.0.0.0:8000")


def test_kustomize_builds_all_of_it() -> None:
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed")
    built = subprocess.run(
        ["kubectl", "kustomize", str(FOLDER)], capture_output=True, text=True, timeout=300, check=False
    )
    assert (built.returncode, built.stderr) == (0, "")
    made = list(yaml.safe_load_all(built.stdout))
    assert len(made) == len(OBJECTS) + len(KUSTOMIZATION["configMapGenerator"])
    assert {one["metadata"].get("namespace") for one in made if one["kind"] != "Namespace"} == {"xima-adapter"}
    images = set(chain.from_iterable(map(_images, made)))
    assert images == {"registry.example.com/xima-crm-adapter:0.1.0"}


def _images(one: Object) -> Iterator[str]:
    pod = one.get("spec", {}).get("template", {}).get("spec", {})
    yield from (each["image"] for each in pod.get("containers", []))


def test_no_secret_stands_in_a_manifest() -> None:
    assert kind("Secret") == []
    for path in FOLDER.iterdir():
        assert not re.search("[0-9a-f]{32}|BEGIN .*KEY|stringData", path.read_text(encoding="utf-8"))
