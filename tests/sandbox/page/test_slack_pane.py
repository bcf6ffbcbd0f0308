"""Actions in the Slack pane reach the real service, as from Slack's client."""

from app.sandbox.people import CHANNEL, GRACE, JUN, MINA, OLU
from app.sandbox.slack.state.shapes import Shown
from tests.sandbox.page.conftest import Browser


async def test_a_press_on_the_page_approves(browser: Browser) -> None:
    deployment, card = await browser.harness.open_gate("order")

    assert await browser.do("press", OLU.id, channel=card.channel, ts=card.ts, action_id="approve") == (
        200,
        {"words": "", "trouble": False},
    )

    assert await browser.harness.reported(deployment) == ["Succeeded"]
    await browser.harness.until(lambda: "approved by" in browser.harness.card_text(deployment))
    page = await browser.reads(OLU.id)  # whose card may already say that traffic is on green
    assert "approved by" in page
    assert 'data-action-id="approve"' not in page


async def test_an_ephemeral_is_seen_by_one_person(browser: Browser) -> None:
    _, card = await browser.harness.open_gate("order")

    await browser.do("press", JUN.id, channel=card.channel, ts=card.ts, action_id="approve")

    await browser.harness.until(lambda: browser.harness.slack.messages.ephemerals(JUN.id))
    assert "sl-message--whisper" in await browser.reads(JUN.id)
    assert "sl-message--whisper" not in await browser.reads(OLU.id)


async def test_a_form_opens_is_filled_in_and_closes(browser: Browser) -> None:
    deployment, card = await browser.harness.open_gate("payment")
    await browser.do("press", OLU.id, channel=card.channel, ts=card.ts, action_id="reject")
    await browser.harness.until(lambda: browser.harness.slack.views.top(OLU.id))
    modal = (await browser.sees(OLU.id))["modal"]
    assert 'data-modal="submit"' in modal["html"]

    await browser.do("submit", OLU.id, view_id=modal["id"], values={"reason": ""})
    assert "sl-error" in (await browser.sees(OLU.id))["modal"]["html"]

    await browser.do("submit", OLU.id, view_id=modal["id"], values={"reason": "checkout fails"})
    assert "modal" not in await browser.sees(OLU.id)
    assert await browser.harness.reported(deployment) == ["Failed"]


async def test_a_form_can_be_left(browser: Browser) -> None:
    deployment, card = await browser.harness.open_gate("payment")
    await browser.do("press", MINA.id, channel=card.channel, ts=card.ts, action_id="reject")
    await browser.harness.until(lambda: browser.harness.slack.views.top(MINA.id))
    modal = (await browser.sees(MINA.id))["modal"]
    assert "modal" not in await browser.sees(OLU.id)

    await browser.do("close", MINA.id, view_id=modal["id"])

    assert "modal" not in await browser.sees(MINA.id)
    assert browser.harness.aws.answers(deployment) == []


async def test_deploys_is_answered_and_an_unknown_command_is_not_sent(browser: Browser) -> None:
    await browser.harness.open_gate("order")

    assert (await browser.do("say", OLU.id, channel=CHANNEL.id, text="/deploys"))[0] == 200
    await browser.harness.until(lambda: "1 deployment waiting" in browser.harness.ephemerals(OLU.id))
    assert "1 deployment waiting" in await browser.reads(OLU.id)

    _, result = await browser.do("say", OLU.id, channel=CHANNEL.id, text="/remind me")
    assert result == {"words": "/remind is not a valid command. Try /deploys help.", "trouble": True}


async def test_what_people_say_is_there_for_everybody(browser: Browser) -> None:
    await browser.do("say", GRACE.id, channel=CHANNEL.id, text="<b>looking</b> at payment")

    assert "&lt;b&gt;looking&lt;/b&gt; at payment" in await browser.reads(OLU.id)


async def test_an_app_that_does_not_answer_is_named(browser: Browser) -> None:
    _, card = await browser.harness.open_gate("order")
    await browser.harness.service.stop()

    _, result = await browser.do("press", OLU.id, channel=card.channel, ts=card.ts, action_id="approve")

    assert result == {"words": "Switchgate can't be reached (dispatch_failed).", "trouble": True}


async def test_somebody_unknown_sees_and_does_nothing(browser: Browser) -> None:
    assert (await browser.get("/state?who=U09NOBODY")).status == 404
    assert (await browser.get("/live?who=U09NOBODY")).status == 404
    assert (await browser.do("say", "U09NOBODY", channel=CHANNEL.id, text="/deploys"))[0] == 404
    assert (await browser.do("close", OLU.id, view_id="V0NONE"))[0] == 404


async def test_a_direct_conversation_is_its_owners_alone(browser: Browser) -> None:
    await browser.sees(MINA.id)  # opens it
    browser.harness.slack.place("D01MINA", "only for Mina")

    assert "only for Mina" in await browser.reads(MINA.id)
    assert "only for Mina" not in await browser.reads(OLU.id)


async def test_a_broadcast_reply_is_shown_in_its_thread_and_in_the_channel(browser: Browser) -> None:
    _, card = await browser.harness.open_gate("order")
    said = Shown("the freeze is over")
    reply = browser.harness.slack.messages.post(card.channel, said, thread_ts=card.ts, broadcast=True)

    pieces = await browser.sees(OLU.id)

    key = f"message:{card.channel}:{reply.ts}"
    in_thread, in_channel = pieces[key], pieces[f"{key}:channel"]
    assert (in_thread["thread"], in_channel["thread"]) == (card.ts, None)
    assert "the freeze is over" in in_thread["html"]
    assert "the freeze is over" in in_channel["html"]
    assert ("sl-replied" in in_thread["html"], "sl-replied" in in_channel["html"]) == (False, True)

    browser.harness.slack.messages.delete(card.channel, card.ts)  # no thread is left to be named
    assert f"{key}:channel" not in await browser.sees(OLU.id)
