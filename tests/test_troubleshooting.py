"""docs/troubleshooting.md leaves nothing out that the product can say."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import ROOT
from test_docs import between

from adapter import receipt
from adapter.cli import printed
from adapter.errors import AdapterError, MappingError, SchemeError, SettingsError, TextError
from adapter.patience import BAD, MALFORMED
from adapter.policy.gate import HOLDS

PAGE = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "adapter").rglob("*.py"))}
NEVER_ANSWERED = {SettingsError, MappingError, TextError, SchemeError}
SAID_BY_FLASK = {(405, "method_not_allowed")}


def kinds(of: type[AdapterError]) -> Iterator[type[AdapterError]]:
    """An error and all its children."""
    yield of
    for child in of.__subclasses__():
        yield from kinds(child)


def calls(*names: str) -> Iterator[tuple[Path, ast.Call]]:
    """Every call of a function in the product, by its last name."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in names:
                yield path, node


def literal(node: ast.expr | None) -> Iterator[str]:
    """The text of a node, if it is one."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def policies() -> set[str]:
    """Every name that can stand in `policy`."""
    found = {*receipt.OPEN_END, *HOLDS}
    for _, call in calls("suppressed", "parked"):
        found.update(name for given in call.args[1:2] for name in literal(given))
    for _, call in calls("Verdict"):
        found.update(name for word in call.keywords if word.arg == "policy" for name in literal(word.value))
    return found


def loud_events() -> set[str]:
    """The events that are logged at the level warning or above."""
    return {
        name
        for _, call in calls("event")
        if any(word.arg == "level" for word in call.keywords)
        for name in literal(call.args[0])
    }


def codes() -> set[tuple[int, str]]:
    """Every status that a sender can hear, with its code."""
    ours = {(kind.status, kind.code) for kind in kinds(AdapterError) if kind not in NEVER_ANSWERED}
    return {*ours, BAD, *MALFORMED.values(), *SAID_BY_FLASK}


@pytest.mark.parametrize("state", sorted(printed.STATES))
def test_every_state_has_a_remedy(state: str) -> None:
    assert re.search(rf"^\| `{state}` \| .+ \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("policy", sorted(policies()))
def test_every_rule_that_can_stop_a_delivery_has_a_remedy(policy: str) -> None:
    assert re.search(rf"^\| `{re.escape(policy)}` \| .+ \| .+ \|$", PAGE, re.MULTILINE)


def test_the_rules_were_found_in_the_code() -> None:
    assert {"fresh_for", "hours", "do_not_call", "agent.in_flight", "recover", "token"} <= policies()
    assert {"delivery.not_saved", "backlog.held", "store.unsafe"} <= loud_events()


@pytest.mark.parametrize(("status", "code"), sorted(codes()), ids=str)
def test_every_code_of_an_error_has_a_remedy(status: int, code: str) -> None:
    rows = [row for row in PAGE.splitlines() if row.startswith("|") and f"`{code}`" in row]
    assert any(re.search(rf"^\| [\d, ]*{status}[\d, ]* \|", row) for row in rows)


@pytest.mark.parametrize("name", sorted(loud_events()))
def test_every_line_of_the_log_that_wants_a_person_says_what_to_do(name: str) -> None:
    assert re.search(rf"^\|.*`{re.escape(name)}`.* \| .+ \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("result", ["skip", "reject", "duplicate"])
def test_every_result_that_makes_no_delivery_is_explained(result: str) -> None:
    assert f"| `{result}` |" in PAGE


def test_the_policies_page_names_the_same_rules() -> None:
    page = (ROOT / "docs/policies.md").read_text(encoding="utf-8")
    assert {name for name in policies() if f"`{name}`" not in page} == set()


def test_the_markers_of_the_installation_hold_commands() -> None:
    install = (ROOT / "docs/install.md").read_text(encoding="utf-8")
    assert "pip" in between(install, "venv")
    assert "systemctl" in between(install, "uninstall")
