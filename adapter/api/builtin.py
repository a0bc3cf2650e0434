"""What the API asks for, as records of a mapping that is built in: so that all rules count as for any other sender."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from adapter import mapping, path, phone, sources
from adapter.mapping import Result, request_tree
from adapter.mapping.compiled import Once, Phones, Value
from adapter.mapping.dialling import Dialling, narrowed
from adapter.model import Received
from adapter.sources import Source

NAME = "api"
"""No mapping file can have it."""
TEXT = """
format: 1
name: api
about: what programs ask for through the API
receive:
  from: header-token
  header: Authorization
  secrets: [API_KEYS]
  body: json
once:
  key: ${once}
rules:
  - name: dial
    when:
      - field: do
        is: dial
    click_to_dial:
      agent: ${agent}
      number_to_dial: ${number}
      outbound_caller_id: ${caller_id}
      external_prefix: ${prefix}
  - name: dial with the selected caller id
    when:
      - field: do
        is: dial_selected
    click_to_dial:
      agent: ${agent}
      number_to_dial: ${number}
      use_selected_caller_id: yes
  - name: callback
    when:
      - field: do
        is: callback
    callback:
      skill: ${skill}
      callback_number: ${number}
  - name: caller-id
    when:
      - field: do
        is: caller_id
    select_caller_id:
      agent: ${agent}
      label: ${label}
      outbound_caller_id: ${caller_id}
"""
FIELDS: Mapping[str, str] = {
    "number_to_dial": "number",
    "callback_number": "number",
    "outbound_caller_id": "caller_id",
    "external_prefix": "prefix",
}
"""What a field of an action is called in the API, where that is another name."""


@cache
def _loaded() -> mapping.Mapping:
    """The mapping of the text, which has no tables; the API checks its keys itself, so that no proof is left to ask."""
    loaded = mapping.load(TEXT, name=NAME, presets=sources.presets(), read_file=str)
    return replace(loaded, receive=replace(loaded.receive, proofs=()))


def source(tenant: str, dialling: Dialling, region: str | None, *, remember: timedelta) -> Source:
    """The built-in mapping for a tenant; `region` is the number's own country, and home where the tenant has none.

    It must never be among the sources of /hooks, for it asks for no proof.
    """
    home = phone.Rules(region=dialling.region or region, area_code=dialling.area_code)
    once = Once(key=_loaded().once.key, remember=remember, own=True)
    phones = Phones(rules=home, region=Value(field=path.compile("region")))
    made = narrowed(replace(_loaded(), tenant=tenant, phones=phones, once=once), dialling)
    return Source(mapping=made, proofs=())


def result(source: Source, received: Received, record: Mapping[str, Any], *, now: datetime) -> Result:
    """What the rules make of one record."""
    (made,) = mapping.results(source.mapping, record, request_tree(received, record), now=now)
    return made
