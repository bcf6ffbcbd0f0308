"""Full-width and decomposed characters, zero-width marks and controls that reorder text, in commands and forms."""

import unicodedata

import pytest

from app.sandbox.people import GRACE
from tests.cases.slack.commands import frozen, in_seoul, say
from tests.harness import Harness
from tests.slack.play import form_of

DECOMPOSED = unicodedata.normalize("NFD", "월요일 09:00 결제 장애")


@pytest.mark.parametrize(
    ("words", "local", "reason"),
    [
        ("18：00 장애", "18:00", "장애"),
        ("１８：００ 장애", "18:00", "장애"),
        ("월 09:00 장애", "Mon 09:00", "장애"),
        (DECOMPOSED, "Mon 09:00", "결제 장애"),
        ("18:\u200b00\u2060 장\u200c애\ufeff", "18:00", "장애"),
        ("\u202e18:00\u202c incident", "18:00", "incident"),
        ("６ｐｍ　ｉｎｃｉｄｅｎｔ", "18:00", "incident"),
        ("18:00 👩‍👩‍👧 🏳️‍🌈 장애", "18:00", "👩‍👩‍👧 🏳️‍🌈 장애"),
    ],
)
async def test_a_freeze(harness: Harness, words: str, local: str, reason: str) -> None:
    said, row = await frozen(harness, f"ｏｒｄｅｒ，payment、auth until {words}")
    assert row is not None, said
    assert in_seoul(row["ends_at"]).endswith(local)
    assert (row["reason"], row["domains"]) == (reason, ["order", "payment", "auth"])


async def test_domains(harness: Harness) -> None:
    for name in ("ｏｒｄｅｒ", "order\u200b", "\u2066order\u2069", "ＯＲＤＥＲ", "or\u00adder"):
        assert "order" in await say(harness, name)
        assert "neither a command nor a domain" not in await say(harness, name), name
    for names in ("order，payment", "order、 payment", "order payment"):
        said = await say(harness, names)
        assert "`/deploys order`, `/deploys payment`" in said, names
    assert "Who can approve" in await say(harness, "ｗｈｏ order\u200b")


async def test_a_form(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    form = await form_of(harness, GRACE, deployment, "reject")
    await harness.slack.submit_async(GRACE.id, form.id, {"reason": f"{DECOMPOSED}\u200b\u202e１"})
    await harness.until(lambda: "Rejected" in harness.card_text(deployment))
    assert harness.gate(deployment)["reason"] == "월요일 09:00 결제 장애1"
