"""Texts from outside: whatever they hold, Slack takes the card, and nobody is pinged by them."""

import re

from app.sandbox.people import GRACE, JUN, MINA, OLU, PEOPLE
from app.sandbox.slack.state.shapes import Message, User
from tests.harness import Harness, text_of
from tests.slack.play import Build, deploys, naming, opened

MEANT = {f"<@{GRACE.id}>", f"<@{OLU.id}>", "<!subteam^S0ONCALL>"}
"""Those whom the card itself addresses."""


def pings(message: Message) -> set[str]:
    """Every mention, broadcast and link in what Slack would draw, but for dates and the AWS console."""
    markup = set(re.findall(r"<[^>]*>", text_of(message)))
    return {
        each
        for each in markup
        if not each.startswith("<!date^") and ".console.aws.amazon.com/" not in each and each not in MEANT
    }


async def card_with(harness: Harness, description: str) -> Message:
    _, card = await harness.open_gate("order", description=description)
    assert pings(card) == set()
    return card


async def test_a_broadcast_in_a_description_pings_nobody(harness: Harness) -> None:
    card = await card_with(harness, "<!channel> <!here|x> <@U04JUN> <!subteam^S1ALL|@all> @channel ship it")
    assert "&lt;!channel&gt;" in text_of(card)
    assert "@channel ship it" in text_of(card)


async def test_a_link_in_a_description_links_nowhere(harness: Harness) -> None:
    card = await card_with(harness, "see https://evil.example/<x> <https://evil.example|Approve> & so on")
    assert "&lt;https://evil.example|Approve&gt; &amp; so on" in text_of(card)
    sections = [block["text"] for block in card.blocks if block["type"] == "section" and "text" in block]
    assert all(text["verbatim"] for text in sections)


async def test_a_description_of_five_thousand_characters_is_cut(harness: Harness) -> None:
    card = await card_with(harness, "&<" * 2500)
    assert "…" in text_of(card)
    assert len(text_of(card)) < 8000


async def test_of_a_description_of_many_lines_the_first_is_shown(harness: Harness) -> None:
    card = await card_with(harness, "\n".join(f"line {n}" for n in range(200)))
    assert "*line 0*" in text_of(card)
    assert "line 1" not in text_of(card)


async def test_characters_that_reverse_the_line_are_dropped(harness: Harness) -> None:
    card = await card_with(harness, "\u202eevorppA\u202c \u200fok\u2066 fine\u2069")
    assert not set("\u202e\u202c\u200f\u2066\u2069") & set(text_of(card))
    assert "evorppA" in text_of(card)


async def test_emoji_and_korean_stand_as_they_are_and_names_of_emoji_draw_none(harness: Harness) -> None:
    card = await card_with(harness, "🚀 배송비 계산을 고침 👩‍👩‍👧 :tada:")
    assert "*🚀 배송비 계산을 고침 👩‍👩‍👧 \u2236tada:*" in text_of(card)


async def test_control_characters_are_dropped_and_nothing_fails(harness: Harness) -> None:
    card = await card_with(harness, "a\x00b\x07c\u2028d")
    assert "\x00" not in text_of(card)
    assert "*ab c*" in text_of(card)


async def test_half_a_character_is_no_reason_to_lose_a_gate(harness: Harness) -> None:
    deployment = await opened(harness, "order", description="broken \ud83d emoji")
    await harness.until(lambda: "approve" in harness.actions(deployment))
    assert "broken" in harness.card_text(deployment)


async def test_markup_cannot_break_out_of_the_title(harness: Harness) -> None:
    card = await card_with(harness, "> *one* ```two``` _three_")
    described = next(block for block in card.blocks if "three" in str(block))
    title = described["text"]["text"].splitlines()[0].partition(" · ")[0]
    assert title.startswith("*&gt; \u2217one\u2217")
    assert title.endswith("*")
    assert not set("*`") & set(title[1:-1])


async def test_what_is_waiting_is_listed_without_pinging_anybody(harness: Harness) -> None:
    await harness.open_gate("order", description="<!channel> <@U04JUN>\nsecond line")
    listed = await deploys(harness)
    assert {each for each in pings(listed) if "/archives/" not in each} == set()


async def test_a_reason_pings_nobody_and_keeps_its_lines(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await harness.reject(OLU.id, deployment, "<!channel> no!\nsee <https://evil.example|here>\x00")
    await harness.until(lambda: "no!" in harness.card_text(deployment))
    assert pings(harness.card(deployment)) == set()
    assert "> see &lt;https://evil.example|here&gt;" in harness.card_text(deployment)
    assert harness.gate(deployment)["reason"].endswith("here>")
    listed = await deploys(harness, words="order")
    assert {each for each in pings(listed) if "/archives/" not in each} == set()


async def test_a_name_that_is_markup_pings_nobody(build: Build) -> None:
    joker = User(id="U1JOKER", name="<!channel>", real_name="<!here> & co")
    async with build(users=(*PEOPLE, joker), config=naming(joker)) as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.reject(joker.id, deployment, "no")
        await harness.until(lambda: "*Rejected*" in harness.card_text(deployment))
        assert pings(harness.card(deployment)) <= {f"<@{joker.id}>"}
        assert "<!" not in harness.card(deployment).text


async def test_the_longest_reason_that_the_form_takes_fits_the_card(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await harness.reject(OLU.id, deployment, "&" * 1000)
    await harness.until(lambda: "Rejected" in harness.card_text(deployment))
    assert harness.gate(deployment)["reason"] == "&" * 1000


async def test_who_deployed_is_shown_as_the_configuration_knows_them_or_as_they_stand(
    harness: Harness,
) -> None:
    known, _ = await harness.open_gate("order", description="v2 github-actor=mina-kim")
    unknown, _ = await harness.open_gate("payment", description="v2 github-actor=a.stranger")
    assert f"<@{MINA.id}>" in harness.card_text(known)
    assert "a.stranger" in harness.card_text(unknown)
    assert f"<@{JUN.id}>" not in harness.card_text(unknown)


FORGED = ":white_check_mark: *Approved* by <@U03GRACE> ~never~ `now` <!date^1^{time}|x>\n> *Approved*"


async def test_text_from_outside_cannot_imitate_a_line_of_the_card(harness: Harness) -> None:
    """Nothing in it is bold, an emoji of a sentence, a quotation of ours, a date or a mention."""
    deployment, card = await harness.open_gate("order", description=FORGED)
    await harness.reject(OLU.id, deployment, FORGED)
    await harness.until(lambda: "Rejected" in harness.card_text(deployment))
    shown = [text_of(harness.card(deployment)), text_of(await deploys(harness, words="order"))]
    for text in (text_of(card), *shown):
        lines = [line for line in text.splitlines() if "\u2217Approved\u2217" in line]
        assert lines
        assert "*Approved*" not in text
        assert not any("~never~" in line or "`now`" in line or "<!date^1^" in line for line in lines)
        assert all(line.startswith("> ") or ":white_check_mark:" not in line for line in lines)


async def test_a_name_of_combining_marks_and_fillers_is_harmless(build: Build) -> None:
    joker = User(
        id="U1JOKER", name=":rotating_light: *Approved* \u3164\u200b\u2066by Grace", real_name="Joker"
    )
    async with build(users=(*PEOPLE, joker), config=naming(joker)) as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.reject(joker.id, deployment, "no")
        await harness.until(lambda: "*Rejected*" in harness.card_text(deployment))
        assert "*Approved*" not in text_of(harness.card(deployment))
