"""What Xima lists: an agent's caller ids, the agents, the skills.

Names and numbers are copied as they stand: no trimming, no folding. What is missing or has another shape is
left out, because Xima does not document what it sends when there is nothing to list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapter.errors import Unavailable

_AGENT = re.compile(r"(.*)\(([0-9]+)\)\s*", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class CallerId:
    """A number an agent may show, and the label it has in Xima; the two are only sent as a pair."""

    label: str
    outbound_caller_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CallerIds:
    """The caller ids of one agent."""

    selected: CallerId | None
    available: tuple[CallerId, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Agent:
    """Somebody who can be rung; a softphone dials at once, other phones ring their agent first."""

    name: str
    extension: str
    softphone: bool


def parsed(body: bytes) -> Mapping[str, Any]:
    """The JSON object in an answer's body; raises `Unavailable` for anything else."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise Unavailable("the list Xima sent is not JSON") from exc
    if not isinstance(answer, dict):
        raise Unavailable("the list Xima sent is not a JSON object")
    return answer


def caller_ids(answer: Mapping[str, Any]) -> CallerIds:
    """The caller ids in Xima's answer; no selection is None, in whatever way Xima says so."""
    entries = _entries(answer, "outboundCallerIds")
    available = tuple(found for entry in entries if (found := _caller_id(entry)))
    return CallerIds(selected=_caller_id(answer.get("selectedOutboundCallerId")), available=available)


def agents(answer: Mapping[str, Any]) -> tuple[Agent, ...]:
    """The agents in Xima's answer who have an extension: it stands in brackets behind the name."""
    return tuple(found for entry in _entries(answer, "agents") if (found := _agent(entry)))


def skills(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the skills in Xima's answer."""
    return tuple(name for entry in _entries(answer, "skills") if (name := _text(entry, "name")))


def _entries(answer: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    entries = answer.get(name)
    return (entry for entry in (entries if isinstance(entries, list) else ()) if isinstance(entry, dict))


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""


def _caller_id(entry: Any) -> CallerId | None:
    number = _text(entry, "outboundCallerId") if isinstance(entry, dict) else ""
    return CallerId(label=_text(entry, "label"), outbound_caller_id=number) if number else None


def _agent(entry: Mapping[str, Any]) -> Agent | None:
    found = _AGENT.fullmatch(_text(entry, "agent"))
    # Xima's page writes the type both as XIMA and as Xima.
    softphone = _text(entry, "type").casefold() == "xima"
    return Agent(name=found[1], extension=found[2], softphone=softphone) if found else None
