"""Local presence: which caller id looks nearest, when it is asked for, and what is shown when there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from running import CLICK as MAPPING
from running import running
from sample import CALLBACK, CLICK, NOW, SECOND, delivery

from adapter import sources
from adapter.dispatcher import Presence
from adapter.errors import MappingError, Unavailable
from adapter.model import Delivery
from adapter.policy.nearest import nearest
from adapter.sandbox import Sandbox
from adapter.xima import CallerId, CallerIds

LISTED = ("8015550100", "18015550199", "+1 385 555 0100", "442079460000", "Reception", "2125550100")


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        pytest.param("+18015550142", "8015550100", id="the longest beginning"),
        pytest.param("+18015550191", "18015550199", id="written another way"),
        pytest.param("+13855559999", "+1 385 555 0100", id="copied as it is listed"),
        pytest.param("+12125559999", "2125550100", id="another town"),
        pytest.param("+13055550142", "+1 385 555 0100", id="the same country at least"),
        pytest.param("+442079461111", "442079460000", id="abroad"),
        pytest.param("+4930123456", None, id="nothing of that country"),
        pytest.param("+14165550142", None, id="Canada shares the code and not the country"),
        pytest.param("0101", None, id="an extension"),
    ],
)
def test_the_nearest_of_the_same_country_is_shown_as_it_is_listed(number: str, expected: str | None) -> None:
    assert nearest(number, LISTED, home="US") == expected
    assert nearest(number, (), home="US") is None


@pytest.mark.parametrize("home", [None, "GB", "FR"])
def test_elsewhere_a_caller_id_is_read_with_its_country_code(home: str | None) -> None:
    assert nearest("+442079461111", LISTED, home=home) == "442079460000"
    assert nearest("+18015550142", ("18015550199",), home=home) == "18015550199"


class Lists:
    """Counts what is asked of Xima."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.broken = False
        self.now = NOW

    def __call__(self, extension: str) -> CallerIds:
        self.asked.append(extension)
        if self.broken:
            raise Unavailable("503: Xima is overloaded")
        ids = tuple(CallerId(label="x", outbound_caller_id=number) for number in LISTED)
        return CallerIds(selected=None, available=ids)

    def presence(self) -> Presence:
        return Presence({"default": self}, lambda: self.now)


def near(number: str = "+442079461111") -> Delivery:
    return delivery(terms={"fresh_for": 60.0, "nearest_to": [number, "US"]})


def shown(presence: Presence, one: Delivery) -> object:
    return presence.chosen(one).as_dict().get("outbound_caller_id")


def test_the_list_of_an_agent_is_asked_for_once_a_minute() -> None:
    lists = Lists()
    presence = lists.presence()
    for seconds, asked in ((0, 1), (59, 1), (60, 2), (30, 3)):  # and anew when the clock was set back
        lists.now = NOW + seconds * SECOND
        assert shown(presence, near()) == "442079460000"
        assert len(lists.asked) == asked, seconds


def test_nothing_is_asked_for_what_does_not_need_it() -> None:
    lists = Lists()
    for one in (delivery(CLICK), delivery(CALLBACK, terms={"fresh_for": 60.0, "nearest_to": ["+18015550142", "US"]})):
        assert lists.presence().chosen(one) is one.action
    assert lists.asked == []


def test_without_a_list_or_a_near_one_the_call_is_placed_as_the_mapping_says() -> None:
    lists = Lists()
    assert shown(lists.presence(), near("+4930123456")) is None
    lists.broken = True
    presence = lists.presence()
    for _ in range(2):  # a failure is not kept
        assert presence.chosen(near()) == CLICK
    assert len(lists.asked) == 3


def test_many_agents_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapter.dispatcher.presence.MOST_KEPT", 2)
    lists = Lists()
    presence = lists.presence()
    for agent in ("1", "2", "3", "3", "1"):
        one = near()
        presence._listed("default", agent)
        assert shown(presence, one) == "442079460000"
    assert len(presence._kept) <= 2


# in a mapping

NEAREST = MAPPING.replace("number_to_dial: ${phone}", "number_to_dial: ${phone}\n      outbound_caller_id: {CHOICE}")


def test_xima_is_told_the_caller_id_it_lists_itself(tmp_path: Path, sandbox: Sandbox) -> None:
    mapping = NEAREST.replace("{CHOICE}", "{nearest_to: number, default: 8015550100}")
    mapping = mapping.replace(
        "number_to_dial: 8015550142}", "number_to_dial: 8015550142, outbound_caller_id: 8015550100}"
    )
    with running(tmp_path, sandbox.url, start=False) as adapter:
        adapter.write("click", mapping)
        adapter.start()
        for number, phone in enumerate(("+44 20 7946 0958", "+49 30 23125000")):
            body = json.dumps({"id": str(number), "agent": "0101", "phone": phone}).encode()
            (receipt,) = adapter.post("click", body).json()["receipts"]
            assert receipt["state"] == "accepted", receipt
    dials = [
        call["json"]["outboundCallerId"] for call in sandbox.world.ledger() if call["operation"] == "click_to_dial"
    ]
    assert dials == ["442079460000", "8015550100"]
    asked = [call["operation"] for call in sandbox.world.ledger()]
    assert asked.count("outbound_caller_ids") == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            NEAREST.replace("{CHOICE}", "{nearest_to: me}"), "'me' is not one of number", id="nearest to whom"
        ),
        pytest.param(
            NEAREST.replace("outbound_caller_id: {CHOICE}", "external_prefix: {nearest_to: number}"),
            "nearest_to chooses an outbound_caller_id",
            id="another field",
        ),
        pytest.param(
            MAPPING.replace("rules:\n", "let:\n  x: {nearest_to: number}\nrules:\n"),
            "nearest_to belongs into outbound_caller_id",
            id="let",
        ),
        pytest.param(
            NEAREST.replace("{CHOICE}", "{choose: [{use: {nearest_to: number}}]}"),
            "nearest_to belongs into outbound_caller_id",
            id="choose",
        ),
    ],
)
def test_it_stands_for_a_whole_caller_id_only(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "click.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MappingError) as caught:
        sources.read(path)
    assert said in "\n".join(sources.rendered(path, caught.value))


def test_without_a_default_it_is_left_to_xima(tmp_path: Path) -> None:
    path = tmp_path / "click.yaml"
    path.write_text(NEAREST.replace("{CHOICE}", "{nearest_to: number}"), encoding="utf-8")
    sources.read(path)  # its example expects a dial without a caller id
