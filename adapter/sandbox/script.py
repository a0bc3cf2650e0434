"""The script of the pretend Xima: who works there, how it answers what Xima leaves open, what goes wrong.

A script is YAML (so JSON too) whose scalars are all read as text: extension 0101 stays 0101. Every field
below is a key of it. What no key changes is as documented: https://guide.xima.cloud/docs/api-enablement-action-apis
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from marshmallow import ValidationError
from marshmallow import fields as read
from marshmallow.validate import Length, Range

from adapter.sandbox.schema import FILLED, Part, as_read, choice, duration, flag, integer, load, unique

OPERATIONS = ("click_to_dial", "outbound_caller_ids", "select_caller_id", "callback", "agents", "skills")
ENDS = ("status", "rate_limit", "close_before_answer", "drop_after_effect", "reset", "garbage")
"""Keys of a fault that replace the answer."""


def _name(**rest: Any) -> dict[str, Any]:
    return as_read(read.String(required=True, validate=FILLED, **rest))


@dataclass(frozen=True, kw_only=True, slots=True)
class CallerId:
    """A number an agent may show to the called party."""

    label: str = field(metadata=_name())
    number: str = field(metadata=_name(data_key="outboundCallerId"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Agent:
    """Somebody with an extension: type UC has a desk phone, XIMA a softphone."""

    name: str = field(metadata=_name())
    extension: str = field(metadata=_name())
    type: str = choice("UC", "XIMA", "Xima")
    caller_ids: Sequence[CallerId] = field(default=(), metadata=as_read(read.List(Part(CallerId))))
    selected: str = field(default="", metadata=as_read(read.String()))
    logged_in: bool = flag(default=True)
    busy: bool = flag()

    @property
    def has_desk_phone(self) -> bool:
        """Two-step dialling: this phone rings first, the customer is called once it is answered."""
        return self.type == "UC"

    @property
    def selection(self) -> CallerId | None:
        """The caller id selected when the script starts."""
        return next((one for one in self.caller_ids if one.label == self.selected), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Skill:
    """A queue for callbacks, and its callback strategy."""

    name: str = field(metadata=_name())
    strategy: str = choice("reserve_agent", "wait_in_queue", "disabled")


@dataclass(frozen=True, kw_only=True, slots=True)
class Switches:
    """What Xima's pages leave open, with the answers it might give; the first one is in force."""

    agent_offline: str = choice("409", "400", "403", "404", "500", "204-silent")
    unknown_extension: str = choice("404", "400", "403")
    agent_busy: str = choice("ring", "409", "400", "204-silent")
    delay_before_204: float = duration()
    uc_wait: float = duration()
    duplicate_callback: str = choice("enqueue", "merge", "409")
    unknown_skill: str = choice("404", "400", "204-silent")
    skill_callback_disabled: str = choice("409", "400", "404", "204-queued", "204-dropped")
    number_policy: str = choice("lax", "digits", "nanp10")
    both_caller_ids: str = choice("400", "explicit", "selected")
    default_caller_id: str = choice("first", "selected", "none")
    prefix_with_selected: str = choice("ignore", "honour", "400")
    bad_caller_id: str = choice("400", "403", "404", "other")
    label_mismatch: str = choice("400", "404", "number")
    caller_id_format: str = choice("same", "plus")
    no_selection: str = choice("null", "missing", "empty")
    empty_optional: str = choice("ignore", "400")
    extra_fields: str = choice("ignore", "400")
    error_body: str = choice("json", "empty", "html")
    rate_limit: float = duration()
    odd_2xx: str = choice("204", "200", "202")
    redirect: str = choice("no", "301", "302", "303", "307", "308")
    token_revoked: bool = flag()
    forbidden_agents: Sequence[str] = field(default=(), metadata=as_read(read.List(read.String())))
    max_concurrency: int = integer(0, 0)
    egress_cap: bool = flag()


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """Something that goes wrong with calls of an operation; with no key set, nothing does."""

    operation: str = choice("any", *OPERATIONS)
    status: int | None = integer(None, 200, 599)
    rate_limit: bool = flag()
    close_before_answer: bool = flag()
    drop_after_effect: bool = flag()
    reset: str = choice("no", "false", "yes", "true", "after")
    garbage: bool = flag()
    after_effect: bool = flag()
    retry_after: int | None = integer(None, 0)
    delay: float = duration()
    delay_answer: float = duration()
    times: int | None = integer(None, 1)
    share: float = field(default=1.0, metadata=as_read(read.Float(validate=Range(0, 1))))
    seed: int | None = integer(None, 0)

    @property
    def ends(self) -> list[str]:
        """The keys that replace the answer; a sound fault has one at most."""
        return [name for name in ENDS if getattr(self, name) not in (None, False, "no", "false")]

    @property
    def word(self) -> str | None:
        """What the ledger calls this fault."""
        delays = [name for name in ("delay", "delay_answer") if getattr(self, name)]
        return next(iter(self.ends + delays), None)

    @property
    def wait(self) -> int | None:
        """The seconds of Retry-After; None where the answer does not say when to come back."""
        return 1 if self.rate_limit and self.retry_after is None else self.retry_after

    @property
    def acts(self) -> bool:
        """Whether the call is carried out before its answer is spoilt."""
        return not self.ends or self.drop_after_effect or self.after_effect or self.reset == "after"


@dataclass(frozen=True, kw_only=True, slots=True)
class CallEnded:
    """Where it is told that a dialled call ended, how long after it began, and with which word for its outcome."""

    url: str = field(metadata=as_read(read.Url(required=True, schemes={"http", "https"}, require_tld=False)))
    method: str = choice("POST", "GET")
    after: float = duration()
    outcome: str = field(default="Answered", metadata=as_read(read.String(validate=FILLED)))


def _sound_agent(agent: Agent) -> None:
    """Raise `ValidationError` unless the agent can be dialled and has the caller id that is selected."""
    if not re.fullmatch("[0-9]+", agent.extension):
        raise ValidationError({"extension": "Must be digits."})
    if agent.selected and agent.selection is None:
        raise ValidationError({"selected": "Not a label of this agent's caller_ids."})


def _sound_fault(fault: Fault) -> None:
    """Raise `ValidationError` unless the keys of a fault fit together."""
    end = fault.ends[0] if fault.ends else ""
    if len(fault.ends) > 1:
        raise ValidationError({fault.ends[1]: f"Cannot be joined with {end}."})
    if fault.word is None:
        raise ValidationError(f"No fault: set one of {', '.join(ENDS)}, delay or delay_answer.")
    if fault.retry_after is not None and end not in ("status", "rate_limit"):
        raise ValidationError({"retry_after": "Belongs to status or rate_limit."})
    if fault.after_effect and end not in ("status", "rate_limit", "garbage"):
        raise ValidationError({"after_effect": "Belongs to status, rate_limit or garbage."})


_CALLER_IDS = (
    CallerId(label="Main", number="8015550100"),
    CallerId(label="Local", number="18015550100"),
    CallerId(label="London", number="442079460000"),
)
_AGENTS = tuple(
    Agent(extension=extension, name=name, type=kind, caller_ids=_CALLER_IDS, selected="Main")
    for extension, name, kind in (
        ("0100", "Hunt Desk", "UC"),
        ("0101", "Pat Owner", "UC"),
        ("0102", "Lee Owner", "XIMA"),
        ("0207", "Sam Field", "XIMA"),
    )
)
_SKILLS = tuple(
    Skill(name=name)
    for name in (
        "General Sales",
        "Widget Sales",
        "Field Service",
        "Sales",
        "Support",
        "Priority Support",
        "Order Desk",
        "Billing",
    )
)
_TOKENS = read.List(read.String(validate=FILLED), validate=Length(min=1))
_AGENT_LIST = read.List(Part(Agent, validate=_sound_agent), validate=unique("extension"))
_SKILL_LIST = read.List(Part(Skill), validate=unique("name"))
_FAULT_LIST = read.List(Part(Fault, validate=_sound_fault))


@dataclass(frozen=True, kw_only=True, slots=True)
class Script:
    """Everything a script says; what it leaves out is a small office where nothing goes wrong."""

    tokens: Sequence[str] = field(default=("sandbox-token",), metadata=as_read(_TOKENS))
    agents: Sequence[Agent] = field(default=_AGENTS, metadata=as_read(_AGENT_LIST))
    skills: Sequence[Skill] = field(default=_SKILLS, metadata=as_read(_SKILL_LIST))
    switches: Switches = field(default=Switches(), metadata=as_read(Part(Switches)))
    faults: Sequence[Fault] = field(default=(), metadata=as_read(_FAULT_LIST))
    seed: int = integer(0, 0)
    call_ended: CallEnded | None = field(default=None, metadata=as_read(Part(CallEnded, allow_none=True)))

    def as_dict(self) -> dict[str, Any]:
        """The script as plain values, which can be given back as a script."""
        return Part(Script).plain(self)


def parse(text: str | bytes, base: Script) -> Script:
    """The script in `text`; raise `SettingsError` with every wrong key.

    Tokens, agents and skills it does not name are those of `base`, so that it may be a list of faults alone;
    switches and faults are never kept.
    """
    raw = load(text)
    if "token" in raw and "tokens" not in raw:
        raw["tokens"] = [raw.pop("token")]
    kept = {name: getattr(base, name) for name in ("tokens", "agents", "skills") if name not in raw}
    script: Script = replace(Part(Script).parse(raw), **kept)
    return script
