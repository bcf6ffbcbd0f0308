"""What a domain asks with the approval: ticked in the form, recorded with the vote."""

from typing import Any

from aiohttp import ClientSession

from app.config.loader import parse_config
from app.sandbox.people import CHANNEL, GRACE, MINA, OLU, config_text
from app.sandbox.slack.delivery.answers import SubmitResult
from app.sandbox.slack.state.shapes import User, View
from tests.harness import Harness, text_of, texts_in
from tests.slack.home.test_home import look, press
from tests.slack.play import Build, deploys, votes
from tests.web.api.asking import Asker

ORDERED = "Was a test order placed on green?"
MIGRATED = "Does the old version run on the new schema?"
ASK = f'[[domains.order.ask]]\nquestion = "{ORDERED}"\n'
OPTIONAL = f'[[domains.order.ask]]\nquestion = "{MIGRATED}"\nrequired = false\n'


async def form(harness: Harness, deployment: str, user: User = OLU) -> View:
    """The form that Approve opens."""
    assert (await harness.approve(user.id, deployment)).acked
    return await top(harness, user)


async def top(harness: Harness, user: User) -> View:
    await harness.until(lambda: harness.slack.views.top(user.id))
    view = harness.slack.views.top(user.id)
    assert view is not None
    return view


def fields(view: View) -> dict[str, str]:
    """The block id of each field, by its label."""
    blocks = view.body["blocks"]
    return {block["label"]["text"]: block["block_id"] for block in blocks if block["type"] == "input"}


async def submit(harness: Harness, user: User, view: View, *ticked: str, **more: str) -> SubmitResult:
    """Ticks these questions and submits."""
    boxes = {fields(view)[question]: ["yes"] for question in ticked}
    return await harness.slack.submit_async(user.id, view.id, {**boxes, **more})


def answers(harness: Harness) -> list[Any]:
    return [row["answers"] for row in harness.rows("SELECT answers FROM votes ORDER BY voted_at")]


def reload(harness: Harness, config: str) -> None:
    """As SIGHUP does."""
    harness.service.rules.config = parse_config(config, file="test")


async def test_approve_opens_the_form_and_the_answers_are_recorded(build: Build) -> None:
    async with build(config=config_text(order=ASK + OPTIONAL)) as harness:
        deployment, _ = await harness.open_gate("order")
        shown = await form(harness, deployment)
        assert list(fields(shown)) == [ORDERED, MIGRATED]
        assert harness.gate(deployment)["phase"] == "awaiting"
        assert votes(harness, deployment) == []
        await submit(harness, OLU, shown, ORDERED)
        assert await harness.reported(deployment) == ["Succeeded"]
        assert answers(harness) == [
            [{"question": ORDERED, "confirmed": True}, {"question": MIGRATED, "confirmed": False}]
        ]
        (event,) = harness.rows("SELECT detail FROM audit_events WHERE kind = 'vote_cast'")
        assert event["detail"]["answers"] == f"{ORDERED} yes; {MIGRATED} no"
        assert "vote_denied" not in harness.audit(deployment)


async def test_a_required_question_that_is_not_ticked_is_an_error_of_its_field(build: Build) -> None:
    async with build(config=config_text(order=ASK + OPTIONAL)) as harness:
        deployment, _ = await harness.open_gate("order")
        shown = await form(harness, deployment)
        result = await submit(harness, OLU, shown, MIGRATED)
        assert result.errors.keys() == {fields(shown)[ORDERED]}
        # Slack's client stops that; the service does not rely on it.
        for block in shown.body["blocks"]:
            block["optional"] = True
        result = await submit(harness, OLU, shown, MIGRATED)
        assert result.errors == {fields(shown)[ORDERED]: "Tick this to approve."}
        assert harness.gate(deployment)["phase"] == "awaiting"
        await submit(harness, OLU, shown, ORDERED)
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_each_of_two_approvers_answers(build: Build) -> None:
    async with build(config=config_text(order="approvals = 2\n" + ASK)) as harness:
        deployment, _ = await harness.open_gate("order")
        for user in (OLU, MINA):
            await submit(harness, user, await form(harness, deployment, user), ORDERED)
        assert await harness.reported(deployment) == ["Succeeded"]
        assert answers(harness) == [[{"question": ORDERED, "confirmed": True}]] * 2


async def test_the_same_form_asks_for_the_reason(build: Build) -> None:
    async with build(config=config_text(order='reason = "always"\n' + ASK)) as harness:
        deployment, _ = await harness.open_gate("order")
        shown = await form(harness, deployment)
        assert len(fields(shown)) == 2
        await submit(harness, OLU, shown, ORDERED, reason="smoke is green")
        assert await harness.reported(deployment) == ["Succeeded"]
        assert harness.rows("SELECT reason FROM votes") == [{"reason": "smoke is green"}]


async def test_a_question_that_is_new_since_the_form_opened_is_asked(build: Build) -> None:
    config = 'reason = "always"\n' + ASK
    async with build(config=config_text(order=config)) as harness:
        deployment, _ = await harness.open_gate("order")
        shown = await form(harness, deployment)
        reload(harness, config_text(order=config + OPTIONAL))
        result = await submit(harness, OLU, shown, ORDERED, reason="smoke is green")
        assert (result.outcome, votes(harness, deployment)) == ("updated", [])
        again = await top(harness, OLU)
        assert list(fields(again))[:2] == [ORDERED, MIGRATED]
        await harness.slack.submit_async(OLU.id, again.id, {})  # what was filled in is kept
        assert await harness.reported(deployment) == ["Succeeded"]
        assert answers(harness)[0][1] == {"question": MIGRATED, "confirmed": False}


async def test_a_button_alone_never_counts(build: Build) -> None:
    """Also one of a card that was drawn before the question was configured."""
    async with build() as harness:
        deployment, _ = await harness.open_gate("order")
        reload(harness, config_text(order=ASK))
        await form(harness, deployment)
        assert harness.gate(deployment)["phase"] == "awaiting"


async def test_home_asks_and_several_at_once_leave_it_out_with_the_reason(build: Build) -> None:
    async with build(config=config_text(order=ASK)) as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.open_gate("payment")
        said = await harness.slack.slash_async(OLU.id, CHANNEL.id, "/deploys", "approve order payment")
        assert said.ack.acked
        shown = await top(harness, OLU)
        options = [
            option["text"]["text"]
            for block in shown.body["blocks"]
            for option in block.get("element", {}).get("options", [])
        ]
        assert [option.split(" ")[0] for option in options] == ["payment"]
        assert "It asks questions: approve it on its card." in "\n".join(texts_in(shown.body["blocks"]))
        await look(harness, GRACE, deployment)
        block_id = f"mine.{harness.gate(deployment)['id']}"
        await press(harness, GRACE, "approve", block_id=block_id)
        await submit(harness, GRACE, await top(harness, GRACE), ORDERED)
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_rules_card_details_and_the_api_show_them(build: Build) -> None:
    async with build(config=config_text(order=ASK + OPTIONAL)) as harness:
        said = text_of(await deploys(harness, words="rules order"))
        assert f"Asked with each approval: “{ORDERED}”" in said
        assert f"Asked with each approval, optional: “{MIGRATED}”" in said
        deployment, _ = await harness.open_gate("order")
        await submit(harness, OLU, await form(harness, deployment), ORDERED)
        await harness.until(lambda: f"<@{OLU.id}> confirmed: “{ORDERED}”" in harness.card_text(deployment))
        async with ClientSession() as session:
            (gate,) = await Asker(harness, session).items("/api/v1/gates", deployment=deployment)
        assert gate["votes"][0]["answers"] == [
            {"question": ORDERED, "confirmed": True},
            {"question": MIGRATED, "confirmed": False},
        ]
        await harness.press(GRACE.id, deployment, "details")
        details = "\n".join(texts_in((await top(harness, GRACE)).body["blocks"]))
        assert f":white_check_mark: {ORDERED} Yes, <@{OLU.id}>" in details
        assert f":white_large_square: {MIGRATED} Not ticked, <@{OLU.id}>" in details
