"""The dashboard and the alerts ask for metrics that exist, and each alert says what to do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, Histogram
from web.front import CLICK, WORK, front

from adapter.metrics import COUNTED

HERE = Path(__file__).parent.parent / "deploy" / "observability"
DASHBOARD = json.loads((HERE / "grafana.json").read_text())
RULES = [rule for group in yaml.safe_load((HERE / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def asked_for(text: str) -> set[str]:
    """The metrics a query names."""
    return set(re.findall(r"\bxima_adapter_\w+", text))


def family(metric: Counter | Histogram) -> str:
    """Its name without what samples have behind it."""
    (one,) = metric.describe()
    return one.name


def queries() -> Iterator[Any]:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield pytest.param(target["expr"], id=panel["title"])
    for rule in RULES:
        yield pytest.param(rule["expr"], id=rule["alert"])


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The metrics that a real application shows, and those that are shown once there is anything to count."""
    with front(tmp_path_factory.mktemp("shown"), {"work": WORK, "broken": "format: 1\n"}) as made:
        made.post("work", CLICK)
        text = made.client.get("/metrics").text
    described = set(re.findall("# TYPE (xima_adapter_[a-z_]+)", text))
    counted = {f"{family(one)}{end}" for one in COUNTED for end in ("_total", "_bucket", "_count", "_sum")}
    return described | counted


@pytest.mark.parametrize("query", [*queries()])
def test_every_query_names_metrics_that_exist(query: str, shown: set[str]) -> None:
    assert asked_for(query) - shown == set()
    assert asked_for(query) or query.startswith("up")


def test_every_metric_is_in_the_dashboard(shown: set[str]) -> None:
    asked = {name for panel in DASHBOARD["panels"] for target in panel["targets"] for name in asked_for(target["expr"])}
    known = {family(one) for one in COUNTED}
    assert {name for name in known if not any(one.startswith(name) for one in asked)} == set()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_says_in_a_line_what_to_do(rule: dict[str, Any]) -> None:
    assert re.fullmatch(r"[^\n]{20,160}[.?]", rule["annotations"]["do"])
    assert rule["labels"]["severity"] in ("page", "ticket")


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed (Debian: prometheus)")
@pytest.mark.parametrize("asked", [("rules", "alerts.yaml"), ("config", "prometheus.yaml")], ids="-".join)
def test_prometheus_takes_the_files(asked: tuple[str, str]) -> None:
    said = subprocess.run(["promtool", "check", asked[0], HERE / asked[1]], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr


GIVEN_UP = 'xima_adapter_reports_total{mapping="form",result="given_up"}'
BROKEN = "xima_adapter_mapping_broken"
REFUSED = 'xima_adapter_attempts_total{tenant="acme",action="callback",outcome="refused",status="404"}'
FIRES = {
    "the first callback that is refused": ("AdapterCallbackRefused", REFUSED, "_x30 1x30", "50m", ["acme", "1"]),
    "no other one": ("AdapterCallbackRefused", REFUSED, "3x150", "150m", None),
    "a click that is refused": (
        "AdapterCallbackRefused",
        REFUSED.replace("callback", "click"),
        "_x30 1x30",
        "50m",
        None,
    ),
    "the first that is given up": ("AdapterReportsGivenUp", GIVEN_UP, "_x30 1x30", "50m", ["form", "1"]),
    "one more": ("AdapterReportsGivenUp", GIVEN_UP, "3x119 4x30", "130m", ["form", "1"]),
    "none anew": ("AdapterReportsGivenUp", GIVEN_UP, "3x150", "150m", None),
    "long ago": ("AdapterReportsGivenUp", GIVEN_UP, "_x30 1x150", "150m", None),
    "broken": ("AdapterMappingUnusable", BROKEN + '{mapping="form",served="no"}', "1x30", "20m", ["form", "form"]),
    "removed": ("AdapterMappingUnusable", BROKEN + '{mapping="form",served="removed"}', "1x30", "20m", None),
}


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed (Debian: prometheus)")
@pytest.mark.parametrize(("alert", "series", "values", "at", "names"), FIRES.values(), ids=FIRES)
def test_an_alert_fires_when_it_should(
    tmp_path: Path, alert: str, series: str, values: str, at: str, names: list[str] | None
) -> None:
    (rule,) = [rule for rule in RULES if rule["alert"] == alert]
    label = series.partition("{")[2].partition("=")[0]
    shown = {"exp_labels": {**rule["labels"]}, "exp_annotations": dict(rule["annotations"])}
    if names:
        shown["exp_labels"][label] = names[0]
        said = shown["exp_annotations"]["summary"].replace(f"{{{{ $labels.{label} }}}}", names[0])
        shown["exp_annotations"]["summary"] = said.replace("{{ $value }}", names[1])
    wanted = {"eval_time": at, "alertname": alert, "exp_alerts": [shown] if names else []}
    test = {
        "interval": "1m",
        "input_series": [{"series": series, "values": values}],
        "alert_rule_test": [wanted],
    }
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(HERE / "alerts.yaml")], "tests": [test]}))
    said = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed (Debian: prometheus)")
def test_prometheus_can_read_what_we_show(tmp_path: Path) -> None:
    with front(tmp_path, {"work": WORK}) as made:
        made.post("work", CLICK)
        text = made.client.get("/metrics").text
    said = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert said.stdout + said.stderr == ""
