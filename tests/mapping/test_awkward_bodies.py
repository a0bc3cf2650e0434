"""Bodies of senders of forms that a path language finds hard, each as recorded, through the mapping to start from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapter import mapping, sources
from adapter.mapping import Result, examples
from adapter.mapping.examples import NOW
from adapter.model import Received

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests/samples"
TYPES = {one["file"]: one["content_type"] for one in json.loads((SAMPLES / "index.json").read_text(encoding="utf-8"))}


def result(starter: str, file: str, *, was: bytes = b"", becomes: bytes = b"") -> Result:
    """What the starter makes of a recorded body, in which `was` stands for something else."""
    of = sources.read(ROOT / f"adapter/starters/{starter}.yaml")
    body = (SAMPLES / file).read_bytes()
    assert was in body
    headers = {"content-type": TYPES[file]}
    url = f"https://hooks.example.com/hooks/{starter}"
    request = Received(method="POST", url=url, headers=headers, body=body.replace(was, becomes) if was else body)
    document, (record,) = examples.records(of, request)
    (made,) = mapping.results(of, record, mapping.request_tree(request, document), now=NOW)
    return made


@pytest.mark.parametrize(
    ("starter", "file"),
    [
        ("unbounce", "unbounce.json"),
        ("unbounce", "unbounce.form"),
        ("jotform", "jotform-submission.multipart"),
        ("gravityforms", "gravityforms-all-fields.json"),
        ("elementor", "elementor-simple.form"),
        ("elementor", "elementor-advanced.form"),
        ("activecampaign", "activecampaign-subscribe.form"),
        ("cognito-forms", "cognito-entry.json"),
        ("fillout", "fillout-submission.json"),
        ("tally", "tally-form-response.json"),
    ],
    ids=[
        *("every value is a list", "JSON of lists in a field with a dot", "JSON in a part of a multipart form"),
        *("names that are numbers", "labels with blanks", "names with brackets", "names with brackets and an id"),
        *("labels without their blanks", "a list of questions", "a list of fields by their type"),
    ],
)
def test_the_number_is_found(starter: str, file: str) -> None:
    made = result(starter, file)
    assert made.action, made.reason
    assert made.action.as_dict() == {"skill": "General Sales", "callback_number": "2025550143"}


def test_a_number_that_is_a_json_number_is_read_and_judged_like_a_text() -> None:
    file = "webflow-form-submission.json"
    assert result("webflow", file).reason == "callback_number: not valid in US"
    made = result("webflow", file, was=b"15550000000", becomes=b"12025550143")
    assert made.action
    assert made.action.as_dict()["callback_number"] == "2025550143"


def test_a_multipart_form_is_read_with_the_line_ends_of_the_wire() -> None:
    file = "jotform-submission.multipart"
    assert b'name="submissionID"\r\n\r\n' in (SAMPLES / file).read_bytes()
    assert result("jotform", file).key == "5123456789012345678"
    assert result("jotform", file, was=b'"(202) 555-0143"}', becomes=b'""}').reason == "no rule matched"


def test_json_that_breaks_off_in_a_field_is_no_number_and_no_error() -> None:
    made = result("jotform", "jotform-submission.multipart", was=b'AbCdEfG"}', becomes=b"AbCdEfG")
    assert (made.kind, made.reason) == ("skip", "no rule matched")
