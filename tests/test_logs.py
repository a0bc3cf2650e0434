"""One line an event; nothing that was sent to us can forge one; no secret and no number in full."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from collections.abc import Iterator

import pytest

from adapter import logs
from adapter.logs import Lines, Seldom, event, masked

SECRET = "hush-hush"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged after `set_up`."""
    loggers = [logs.log, *map(logging.getLogger, logs.OTHERS)]
    before = [(one, list(one.handlers), one.propagate, one.level) for one in loggers]
    stream = io.StringIO()
    logs.set_up([SECRET, "hush", "abc"], stream)
    yield stream
    for one, handlers, propagate, level in before:
        one.handlers[:], one.propagate = handlers, propagate
        one.setLevel(level)


def line(log: io.StringIO) -> str:
    """The only line, without its time."""
    (written,) = log.getvalue().splitlines()
    at, _, rest = written.partition(" ")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", at)
    return rest


def test_an_event_is_one_line_of_level_name_and_fields(log: io.StringIO) -> None:
    event("delivery.accepted", mapping="callback", id="1a2b", tries=1, reason=None)
    assert line(log) == "info delivery.accepted mapping=callback id=1a2b tries=1"


def test_what_fails_again_and_again_is_said_once_a_minute(log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    tell = Seldom("dispatcher.store")
    for second in (0, 1, 59.9, 60, 61):
        monkeypatch.setattr("adapter.logs.time.monotonic", lambda now=second: now)
        tell("away")
        tell(f"full at {second}")
    said = [written.partition("reason=")[2].strip('"') for written in log.getvalue().splitlines()]
    assert said == ["away", "full at 0", "full at 1", "full at 59.9", "away", "full at 60", "full at 61"]
    assert len(tell._silent_until) < 6  # what is over is forgotten


def test_the_level_is_a_word(log: io.StringIO) -> None:
    event("store.failed", level=logging.ERROR)
    assert line(log) == "error store.failed"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain-text_1.2/3", "plain-text_1.2/3"),
        ("two words", '"two words"'),
        ("", '""'),
        ('say "no"', r'"say \"no\""'),
        ("a=b", '"a=b"'),
        ("back\\slash", r'"back\\slash"'),
        ("Jörg", "Jörg"),
        ("a\nb", r'"a\nb"'),
        ("a\r\n2026 info forged=1", r'"a\r\n2026 info forged=1"'),
        ("\x1b[31mred\x00\x7f\x85\u2028\u202e", r'"\u001b[31mred\u0000\u007f\u0085\u2028\u202e"'),
        ("\ud800", r'"\ud800"'),
        (12345678901, "12345678901"),
        (1.5, "1.5"),
        (True, "True"),
        (ValueError("no such"), '"no such"'),
    ],
    ids=repr,
)
def test_a_value_cannot_leave_its_field(log: io.StringIO, value: object, shown: str) -> None:
    event("x", mapping=value, last=1)
    assert line(log) == f"info x mapping={shown} last=1"


NUMBERS = [
    ("8015550142", "***0142"),
    ("+18015550142", "***0142"),
    ("+1 (801) 555-0142", "***0142"),
    ("(801) 555-0142", "***0142"),
    ("801.555.0142", "***0142"),
    ("555-0142", "***0142"),
    ("+44 (0)20 7946 0958", "***0958"),
    ("tel:8015550142", "tel:***0142"),
    ("sip:8015550142@x", "sip:***0142@x"),
    ("sip:+18015550142:5060", "sip:***0142:5060"),
    ('{"numberToDial":8015550142}', '{"numberToDial":***0142}'),
    ("Invalid callbackNumber:18015550142.", "Invalid callbackNumber:***0142."),
    ("801\u2013555\u20130142", "***0142"),
    ("801\u00a0555\u00a00142", "***0142"),
    ("{'numberToDial': '8015550142'}", "{'numberToDial': '***0142'}"),
    ("8015550142x12", "***0142x12"),
    ("8015550142 ext. 12, 8015550143", "***0142 ext. 12, ***0143"),
    ("called 8015550142: no", "called ***0142: no"),
]
NO_NUMBERS = [
    "0101",
    "line 12 column 345",
    "1,048,576 bytes",
    "2026-12-26",
    "2026-12-26T09:00:00.123456-07:00",
    "26 December 2026 at 09:00",
    "10.20.30.40",
    "09:00:00.1234567",
    "12:12345678",
    "20261126T09:00",
    "http://127.0.0.1:8000",
    "1a2044ed0aa564432e257fd80",
    "12345678e1a2b3c4",
    "",
]


@pytest.mark.parametrize(("text", "shown"), NUMBERS)
def test_a_telephone_number_is_reduced_to_its_last_four_digits(log: io.StringIO, text: str, shown: str) -> None:
    assert masked(text) == shown
    event("x", reason=text)
    assert "801" not in line(log)


def test_an_id_of_ours_is_never_masked(log: io.StringIO) -> None:
    event("x", id="8015550142", request="7990765702185093", reason="7990765702185093")
    assert line(log) == "info x id=8015550142 request=7990765702185093 reason=***5093"


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_telephone_number_is_left_alone(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize("text", ["1" * 50_000 + "a", "1 " * 50_000, "(" * 50_000 + "1 - " * 9, "1." * 50_000])
def test_masking_takes_no_longer_for_a_text_made_to_hurt(text: str) -> None:
    masked(text)  # quadratic work would take minutes


def test_secrets_are_struck_out_of_everything(log: io.StringIO) -> None:
    event("x", reason=f"token {SECRET} and hush", mapping=f"a{SECRET}b")
    logging.getLogger("gunicorn.error").warning("GET /?key=%s", SECRET)
    written = log.getvalue()
    assert "hush" not in written
    assert 'reason="token *** and ***" mapping=a***b' in written


def test_what_is_too_short_for_a_secret_is_no_secret(log: io.StringIO) -> None:
    event("x", reason="abcdef")
    assert line(log) == "info x reason=abcdef"


def test_a_secret_that_would_be_quoted_is_struck_too() -> None:
    record = logging.makeLogRecord({"msg": "x", "fields": {"reason": 'it is a"b\\c d'}})
    assert Lines(['a"b\\c d']).format(record).endswith('reason="it is ***"')


def test_a_traceback_stands_below_its_event_indented_and_cleaned(log: io.StringIO) -> None:
    try:
        raise ValueError(f"{SECRET} +18015550142 \x1b[31m\n2026 info delivery.accepted id=1")
    except ValueError:
        event("request.crashed", level=logging.ERROR, failure=True, request="1d")
    first, *below = log.getvalue().splitlines()
    assert first.endswith("error request.crashed request=1d")
    assert below[0] == "  Traceback (most recent call last):"
    assert below[-2:] == [r"  ValueError: *** ***0142 \x1b[31m", "  2026 info delivery.accepted id=1"]
    assert all(text.startswith("  ") for text in below)


@pytest.mark.parametrize("name", ["gunicorn.error", "urllib3.connectionpool"])
def test_others_speak_in_the_same_place_and_shape(log: io.StringIO, name: str) -> None:
    logging.getLogger(name).warning("Worker (pid:%s) says\n%s", 7, "8015550142")
    assert line(log) == f'warning {name} message="Worker (pid:7) says\\n***0142"'


def test_what_is_set_up_again_writes_each_event_once(capsys: pytest.CaptureFixture[str], log: io.StringIO) -> None:
    logs.set_up([])
    logs.set_up([SECRET])
    event("x", reason=SECRET)
    assert capsys.readouterr().err.splitlines()[0].endswith(" info x reason=***")
    assert log.getvalue() == ""
    assert logs.log.handlers[0].stream is sys.stderr  # type: ignore[attr-defined] # a StreamHandler


# as JSON


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged as JSON."""
    before = [(one, list(one.handlers), one.propagate, one.level) for one in (logs.log,)]
    stream = io.StringIO()
    logs.set_up([SECRET], stream, "json")
    yield stream
    for one, handlers, propagate, level in before:
        one.handlers[:], one.propagate = handlers, propagate
        one.setLevel(level)


def test_an_event_is_one_json_object_with_its_ids(lines: io.StringIO) -> None:
    event("delivery.accepted", mapping="lead", request="7990765702185093", id="1a2b", tries=1, reason=None)
    written = json.loads(lines.getvalue())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", written.pop("at"))
    assert written == {
        "level": "info",
        "event": "delivery.accepted",
        "mapping": "lead",
        "request": "7990765702185093",
        "delivery": "1a2b",
        "tries": 1,
    }


def test_secrets_and_numbers_are_struck_out_of_json_too(lines: io.StringIO) -> None:
    try:
        raise RuntimeError(f"8015550142 and {SECRET}")
    except RuntimeError:
        event("request.crashed", failure=True, reason=f'call 8015550142 with "{SECRET}"\n')
    assert len(lines.getvalue().splitlines()) == 1
    written = json.loads(lines.getvalue())
    assert written["reason"] == 'call ***0142 with "***"\n'
    assert written["traceback"].endswith("RuntimeError: ***0142 and ***")
    assert SECRET not in lines.getvalue()


def test_others_speak_json_too(lines: io.StringIO) -> None:
    logging.getLogger("gunicorn.error").warning("worker %s called 8015550142", 7)
    written = json.loads(lines.getvalue())
    assert (written["event"], written["message"]) == ("gunicorn.error", "worker 7 called ***0142")


class Terminal(io.StringIO):
    """A stream that somebody watches."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("form", "stream", "is_json"),
    [
        ("auto", Terminal(), False),
        ("auto", io.StringIO(), True),
        ("text", io.StringIO(), False),
        ("json", Terminal(), True),
    ],
    ids=["terminal", "file", "text", "json"],
)
def test_people_read_text_and_programs_json(log: io.StringIO, form: str, stream: io.StringIO, is_json: bool) -> None:
    logs.set_up([], stream, form)
    event("x")
    assert stream.getvalue().startswith("{") is is_json
