"""Small mappings for the tests, and how to load and run them."""

from __future__ import annotations

from collections.abc import Mapping as ReadOnly
from datetime import UTC, datetime
from typing import Any

from adapter import mapping, sources
from adapter.errors import MappingError
from adapter.mapping import Mapping, Problem, Result, Trace, examples

NOW = datetime(2026, 11, 24, 17, 15, tzinfo=UTC)
"""A Tuesday, 10:15 in Denver."""

HEAD = """\
format: 1
name: lead
receive:
  from: github
  secrets: [HOOK_SECRET]
  body: json
"""
US = """\
phones:
  region: US
"""
DIAL = """\
rules:
  - name: dial
    click_to_dial:
      agent: 0101
      number_to_dial: ${phone}
"""
LEAD = """\
rules:
  - name: lead
    callback:
      skill: ${skill}
      callback_number: 801-555-0142
"""


def loaded(*parts: str, files: ReadOnly[str, str] | None = None, name: str = "lead") -> Mapping:
    """The mapping of the texts put together; `files` stand beside it."""
    return mapping.load("".join(parts), name=name, presets=sources.presets(), read_file=_reader(files or {}))


def _reader(files: ReadOnly[str, str]) -> Any:
    def read(name: str) -> str:
        if name not in files:
            raise FileNotFoundError(2, "No such file or directory")
        return files[name]

    return read


def run(of: Mapping, record: Any, *, now: datetime = NOW, trace: Trace | None = None, **request: Any) -> list[Result]:
    """What the mapping makes of one record."""
    return mapping.results(of, record, {"body": record, **request}, now=now, trace=trace)


def result(of: Mapping, record: Any, *, now: datetime = NOW, **request: Any) -> Result:
    """The only result of one record."""
    (found,) = run(of, record, now=now, **request)
    return found


def action(of: Mapping, record: Any) -> dict[str, Any]:
    """The fields of the action that one record gives."""
    found = result(of, record)
    assert found.action is not None, found.reason
    return found.action.as_dict()


def problems(text: str, *, name: str = "lead", files: ReadOnly[str, str] | None = None) -> list[Problem]:
    """Everything that is wrong with a mapping's text, its examples run."""
    try:
        return list(examples.problems(loaded(text, name=name, files=files)))
    except MappingError as exc:
        return [one for one in exc.problems if isinstance(one, Problem)]


def told(text: str, *, name: str = "lead", files: ReadOnly[str, str] | None = None) -> str:
    """The same as an admin sees it."""
    found = problems(text, name=name, files=files)
    return "\n".join(mapping.render(f"{name}.yaml", text.splitlines(), one) for one in found)


HUBSPOT = """\
format: 1
name: hubspot-click-to-dial
about: A new web lead rings its owner's desk phone, then the lead.

receive:
  from: hubspot-v2            # a sender preset: how the signature is checked, what the body is
  secrets: [HUBSPOT_CLIENT_SECRET]   # names of variables, newest first; never the secret itself
  body: json

phones:
  region: US                  # used when a number carries no country code
  dial_as: dialled            # as an agent here would key it: ten digits at home, 011... abroad
  allow_regions: [US, CA]

tables:
  agents:                     # owner e-mail -> agent extension
    pat.owner@example.com: 0101
    lee.owner@example.com: 0102

let:
  owner:
    field: properties.hubspot_owner_email.value
    clean: [trim, lower]
  phone:
    first_of:
      - properties.mobilephone.value
      - properties.phone.value

once:
  key: ${portal-id}-${vid}-${properties.lastmodifieddate.value}
  for: 4d                       # HubSpot may retry for three days

rules:
  - name: web lead with a phone
    when:
      - field: properties.hs_lead_source.value
        is: Web
      - field: let.phone
        present: yes
    click_to_dial:
      agent:
        lookup: agents
        key: ${let.owner}
      number_to_dial: ${let.phone}
      external_prefix: 9

examples:
  - name: mobile is empty, so the desk phone is used
    body: |
      {"vid": 3234574, "portal-id": 62515, "properties": {
        "mobilephone": {"value": ""}, "phone": {"value": "(801) 555-0142"},
        "hs_lead_source": {"value": "Web"},
        "hubspot_owner_email": {"value": "Pat.Owner@Example.com "},
        "lastmodifieddate": {"value": "1763800123456"}}}
    expect:
      - click_to_dial:
          agent: 0101
          number_to_dial: 8015550142
          external_prefix: 9
        once: 62515-3234574-1763800123456
  - name: a lead from a trade show is left alone
    body: |
      {"vid": 1, "portal-id": 62515, "properties": {
        "phone": {"value": "8015550142"}, "hs_lead_source": {"value": "Event"},
        "lastmodifieddate": {"value": "1"}}}
    expect:
      - skip: no rule matched
  - name: an owner nobody has listed
    body: |
      {"vid": 2, "portal-id": 62515, "properties": {
        "phone": {"value": "8015550142"}, "hs_lead_source": {"value": "web"},
        "hubspot_owner_email": {"value": "new.hire@example.com"},
        "lastmodifieddate": {"value": "1"}}}
    expect:
      - reject: agent
"""
"""The example of the documentation, a HubSpot workflow that rings the owner of a lead."""
