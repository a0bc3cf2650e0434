"""`call_ended` in a mapping: what is read of what Xima tells, and what a mapping may not say."""

from __future__ import annotations

import pytest
from mapping_cases import DIAL, HEAD, US, loaded, run

from adapter.errors import MappingError
from adapter.mapping import told
from adapter.model import CallEnded

ENDED = """\
rules:
  - name: ended
    call_ended:
      agent: ${agent}
      number: ${number}
      outcome: ${result}
"""
PARAMETERS = """\
format: 1
name: lead
receive:
  from: xima-call-ended
  secrets: [HOOK_SECRET]
"""


@pytest.mark.parametrize(
    ("kind", "text", "wanted"),
    [
        ("agent", "0154", "0154"),
        ("agent", "John Doe (154)", "154"),
        ("agent", "Doe (Sales) (154)", "154"),
        ("agent", "John Doe", None),
        ("agent", "(154) John", None),
        ("agent", "1" * 21, None),
        ("agent", "\u0661\u0665", None),
        ("called", "+1 (801) 555-0142", "18015550142"),
        ("called", "8015550142;ext=12", "8015550142"),
        ("called", "801 555 0142 x 12", "8015550142"),
        ("called", "0102", "0102"),
        ("called", "", None),
        ("called", "8" * 33, None),
        ("word", " No  Answer ", "no_answer"),
        ("word", "no-answer", "no_answer"),
        ("word", "R\u00e9pondu", "r\u00e9pondu"),
        ("word", "\U0001f4de", None),
        ("word", "x" * 41, None),
        ("length", "0", "0"),
        ("length", "125.9", "125"),
        ("length", "2:05", "125"),
        ("length", "1:02:05", "3725"),
        ("length", "24:00:00", "86400"),
        ("length", "86401", None),
        ("length", "24:00:01", None),
        ("length", "3153600000", None),
        ("length", "-1", None),
        ("length", "1e5", None),
        ("length", "", None),
        ("moment", "2026-01-07T10:00:00-07:00", "2026-01-07T17:00:00+00:00"),
        ("moment", "1767805200", "2026-01-07T17:00:00+00:00"),
        ("moment", "1767805200000", "2026-01-07T17:00:00+00:00"),
        ("moment", "2026-01-07T10:00:00", None),
        ("moment", "9999-12-31T23:59:59-23:59", None),
        ("moment", "1969-12-31T17:00:00-07:00", "1970-01-01T00:00:00+00:00"),
        ("moment", "1969-12-31T23:59:59Z", None),
        ("moment", "17678052001", None),
    ],
)
def test_what_is_told_is_read_however_it_is_written(kind: str, text: str, wanted: str | None) -> None:
    assert told.READERS[kind](text) == wanted


def test_every_reader_says_what_is_wrong() -> None:
    assert set(told.READERS) == set(told.PROBLEMS)


def test_a_record_becomes_what_is_told_of_a_call() -> None:
    (result,) = run(loaded(HEAD, ENDED), {"agent": "Pat (0101)", "number": "+18015550142", "result": "Left a Message"})
    assert result.action == CallEnded(agent="0101", number="18015550142", outcome="left_a_message")


def test_what_nobody_tells_is_left_out() -> None:
    (result,) = run(loaded(HEAD, ENDED), {"agent": "0101", "number": "8015550142", "result": " "})
    assert result.action == CallEnded(agent="0101", number="8015550142")


@pytest.mark.parametrize("missing", ["agent", "number"])
def test_without_agent_or_number_no_call_can_be_found(missing: str) -> None:
    (result,) = run(loaded(HEAD, ENDED), {"agent": "0101", "number": "8015550142", missing: None})
    assert (result.kind, result.field) == ("reject", missing)


def test_parameters_that_anybody_can_link_to_make_no_call() -> None:
    with pytest.raises(MappingError) as caught:
        loaded(PARAMETERS, US, DIAL)
    assert "a mere link could make this call" in str(caught.value)


def test_agent_and_number_cannot_be_left_out() -> None:
    with pytest.raises(MappingError) as caught:
        loaded(HEAD, ENDED.replace("${agent}", "{field: agent, if_missing: omit}"))
    assert "a call is found by its agent: it cannot be left out" in str(caught.value)
