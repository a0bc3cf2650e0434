"""Pages that are printed from tables, so that they cannot disagree with the code (a test compares them)."""

from __future__ import annotations

import json

from adapter import sources
from adapter.mapping.editor import json_schema
from adapter.mapping.lint import LINTS
from adapter.model import TRANSITIONS
from adapter.settings import SETTINGS

STATES = {
    "held": "waits for a time: calling hours, or trouble with the tenant's token",
    "queued": "waits for the dispatcher",
    "sending": "the request is on its way to Xima",
    "accepted": "Xima took it; nobody knows more than that",
    "refused": "Xima said no",
    "unknown": "it may have happened; a person decides",
    "failed": "given up, certainly not done",
    "expired": "too old to be wanted",
    "suppressed": "stopped by a rule of ours",
    "cancelled": "stopped by a person",
}


def settings_markdown() -> str:
    """The README's table of settings."""
    lines = ["| name | default | meaning |", "|---|---|---|"]
    for one in SETTINGS:
        default = "required" if one.default is None else f"`{one.default}`" if one.default else "none"
        lines.append(f"| `{one.name}` | {default} | {one.help} |")
    return "\n".join(lines)


def env_example() -> str:
    """The text of `deploy/adapter.env.example`."""
    lines = ["# Settings of the adapter. Copy to adapter.env and fill in; NAME_FILE=/path reads a value from a file."]
    for one in SETTINGS:
        lines += ["", f"# {one.help}" + (" (required)" if one.default is None else "")]
        required = one.default is None
        lines.append(f"{one.name}={one.example}" if required else f"#{one.name}={one.default or one.example}")
    return "\n".join(lines) + "\n"


def states_markdown() -> str:
    """The life of a delivery as a table."""
    lines = ["| state | means | can become |", "|---|---|---|"]
    for state, after in TRANSITIONS.items():
        lines.append(f"| `{state}` | {STATES[state]} | {', '.join(f'`{one}`' for one in after) or 'nothing: an end'} |")
    return "\n".join(lines)


def states_mermaid() -> str:
    """The life of a delivery as a diagram: from state to state, as the table of moves allows it."""
    moves = [f"    {state} --> {one}" for state, after in TRANSITIONS.items() for one in after]
    ends = [f"    {state} --> [*]" for state, after in TRANSITIONS.items() if not after]
    return "\n".join(["stateDiagram-v2", "    [*] --> queued", "    [*] --> sending", *moves, *ends])


def warnings_markdown() -> str:
    """The warnings of `check`, by the words that silence them."""
    lines = ["| word | what is warned of |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{word}` | {lint.about} |" for word, lint in LINTS.items())])


def mapping_schema() -> str:
    """The text of `mappings/mapping.schema.json`."""
    return json.dumps(json_schema(sources.presets()), indent=1) + "\n"
