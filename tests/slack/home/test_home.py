"""App Home over the wire: mine first, buttons that work and answer, live while somebody looks."""

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from app.config.loader import parse_config
from app.config.runtime import LiveRules
from app.db.database import Database
from app.db.queries.home import WaitingGates
from app.db.repositories.freezes import Freezes
from app.gate.rules.policy import Roster
from app.sandbox.aws.world import SandboxDomain
from app.sandbox.cast import CHANNEL, GRACE, JUN, MINA, OLU, config_text
from app.sandbox.slack.answers import PressResult
from app.sandbox.slack.shapes import User
from app.slack.blocks import actions, button
from app.slack.client import Patience
from app.slack.home.publisher import Homes
from app.slack.replies import Replies
from app.slack.users.directory import Directory
from app.workers.foreground import Calm
from tests.db.opened import NOW
from tests.house import House, texts_in
from tests.slack.play import STRANGER, Build

CROWDED = tuple(SandboxDomain(f"d{n:02}", 9100 + n) for n in range(45))


def blocks(house: House, user: User) -> list[dict[str, Any]]:
    """What the person's Home shows; nothing before it was ever published."""
    home = house.slack.views.home(user.id)
    return home.body["blocks"] if home else []


def says(house: House, user: User) -> str:
    return "\n".join(texts_in(blocks(house, user)))


def headers(house: House, user: User) -> list[str]:
    return [block["text"]["text"] for block in blocks(house, user) if block["type"] == "header"]


def buttons(house: House, user: User, beginning: str = "mine.") -> list[list[str]]:
    """The action ids under each of the person's gates."""
    return [
        [element["action_id"] for element in block["elements"]]
        for block in blocks(house, user)
        if block["type"] == "actions" and block["block_id"].startswith(beginning)
    ]


def published(house: House, user: User) -> int:
    """How often the person's Home was sent to Slack, whatever Slack said."""
    return sum(call.params.get("user_id") == user.id for call in house.slack.calls("views.publish"))


async def look(house: House, user: User, *words: str) -> str:
    """Opens Home, and gives what it says once these words are in it."""
    assert (await house.slack.open_home_async(user.id)).acked
    await house.until(lambda: blocks(house, user) and all(word in says(house, user) for word in words))
    return says(house, user)


async def press(house: House, user: User, action: str, block_id: str | None = None) -> PressResult:
    home = house.slack.views.home(user.id)
    assert home is not None
    return await house.slack.press_in_view_async(user.id, home.id, action, block_id=block_id)


async def test_an_empty_home_says_so_in_the_readers_language(house: House) -> None:
    assert "Nothing waits for you." in await look(house, OLU, "As of <!date^")
    assert headers(house, OLU) == ["Waiting for you", "Last decisions"]
    assert "내가 결정할 전환이 없습니다." in await look(house, MINA)
    assert headers(house, MINA)[0] == "내가 결정할 전환"
    assert buttons(house, OLU, "home.") == [["home_refresh"]]


async def test_mine_come_first_with_buttons_and_the_others_without(build: Build) -> None:
    config = config_text(payment=f'approvers = ["{GRACE.id}"]\n', hub="deadline_minutes = 30\n")
    async with build(config=config) as house:
        order, _ = await house.ask("order", description="v1.4.2: delivery fee\ngithub-actor=jun-lee")
        payment, _ = await house.ask("payment")
        hub, _ = await house.ask("hub")
        said = await look(house, OLU, "Green looks fit")
        assert headers(house, OLU) == ["2 wait for you", "1 waits for others", "Last decisions"]
        places = [said.index(deployment) for deployment in (hub, order, payment)]
        assert places == sorted(places)
        assert buttons(house, OLU) == [["approve", "reject", "details"]] * 2
        assert "v1.4.2: delivery fee" in said
        assert f"deployed by <@{JUN.id}>" in said
        assert f"Who may decide: <@{GRACE.id}>" in said
        await look(house, JUN)
        assert headers(house, JUN)[:2] == ["내가 결정할 전환", "다른 사람이 결정할 전환 3건"]
        assert buttons(house, JUN) == []


async def test_a_press_in_home_decides_and_home_says_so(house: House) -> None:
    deployment, _ = await house.ask("order")
    await look(house, OLU, deployment)
    assert (await press(house, OLU, "approve")).acked
    assert await house.told(deployment) == ["Succeeded"]
    await house.until(lambda: "Your approval of order is recorded" in says(house, OLU))
    await house.until(lambda: "Nothing waits for you." in says(house, OLU))
    assert "*order*  :white_check_mark:" in says(house, OLU)
    assert f"approved by <@{OLU.id}>" in says(house, OLU)
    assert house.whispered(OLU.id) == ""


async def test_of_two_presses_one_after_the_other_both_answers_are_told(house: House) -> None:
    await look(house, OLU)
    pressed = {"user": {"id": OLU.id}, "view": {"type": "home"}}
    offers = [actions("offers", button("Break glass", action="break_glass", value="x"))]
    house.service.slack.replies.answer(pressed, "order: no", offers)
    house.service.slack.replies.answer(pressed, "payment: no", offers)
    await house.until(lambda: "payment: no" in says(house, OLU))
    assert "order: no" in says(house, OLU)
    assert buttons(house, OLU, "home.notice") == [["break_glass"], ["break_glass"]]


async def test_reject_in_home_asks_why_and_home_follows(house: House) -> None:
    deployment, _ = await house.ask("order")
    await look(house, OLU, deployment)
    await press(house, OLU, "reject")
    await house.until(lambda: house.slack.views.top(OLU.id))
    form = house.slack.views.top(OLU.id)
    assert form is not None
    await house.slack.submit_async(OLU.id, form.id, {"reason": "it charges twice"})
    assert await house.told(deployment) == ["Failed"]
    await house.until(lambda: f"rejected by <@{OLU.id}>: it charges twice" in says(house, OLU))


async def test_details_open_over_home(house: House) -> None:
    deployment, _ = await house.ask("order")
    await look(house, JUN, deployment)
    await press(house, JUN, "details")
    await house.until(lambda: house.slack.views.top(JUN.id))
    form = house.slack.views.top(JUN.id)
    assert form is not None
    assert deployment in str(form.body)


async def test_a_refused_press_is_answered_on_top_of_home(house: House) -> None:
    deployment, _ = await house.ask("order")
    await look(house, OLU, deployment)
    with_button = house.slack.views.home(OLU.id)
    assert with_button is not None
    await house.approve(GRACE.id, deployment)
    await press(house, OLU, "approve")
    await house.until(lambda: f"already approved by <@{GRACE.id}>" in says(house, OLU))
    assert blocks(house, OLU)[0]["type"] == "section"
    house.clock.advance(seconds=61)
    await press(house, OLU, "home_refresh")
    await house.until(lambda: "already approved" not in says(house, OLU))


async def test_ones_own_deployment_and_a_frozen_one_say_why_and_have_no_approve(build: Build) -> None:
    async with build() as house:
        own, _ = await house.ask("order", description="x\ngithub-actor=mina-kim")
        await look(house, MINA, own, "직접 배포했으므로 승인은 세지 않습니다.")
        assert buttons(house, MINA) == [["reject", "details"]]
        await house.slack.slash_async(GRACE.id, CHANNEL.id, "/deploys", "freeze order for 1h inventory")
        said = await look(house, GRACE, "Your approval would not be counted now:", "inventory")
        assert buttons(house, GRACE) == [["reject", "details", "break_glass"]]
        assert headers(house, GRACE) == ["1 waits for you", "Frozen", "Last decisions"]
        assert "*order*: " in said


async def test_an_approval_that_would_not_be_counted_is_not_counted_among_those_owed(build: Build) -> None:
    async with build(config=config_text(order="approvals = 2\n")) as house:
        await house.ask("order")
        await house.slack.slash_async(GRACE.id, CHANNEL.id, "/deploys", "freeze order for 1h inventory")
        said = await look(house, OLU, "Your approval would not be counted now:", "inventory")
        assert "more person has to approve" not in said


async def test_what_is_owed_after_ones_approval_is_said_and_a_vote_can_be_taken_back(build: Build) -> None:
    async with build(config=config_text(order="approvals = 2\n")) as house:
        deployment, _ = await house.ask("order")
        await look(house, OLU, "Still needed after it:", "1 more person has to approve")
        await press(house, OLU, "approve")
        await house.until(lambda: buttons(house, OLU) == [["reject", "details", "take_back"]])
        assert "Your approval is recorded." in says(house, OLU)
        house.clock.advance(seconds=2)
        await press(house, OLU, "take_back", "home.notice.0")
        await house.until(lambda: "is taken back" in says(house, OLU))
        await house.until(lambda: buttons(house, OLU) == [["approve", "reject", "details"]])
        assert house.gate(deployment)["phase"] == "awaiting"


async def test_home_follows_by_itself_while_somebody_looks_and_not_for_ever(house: House) -> None:
    await look(house, OLU)
    first, _ = await house.ask("order")
    house.clock.advance(seconds=15)
    await house.until(lambda: first in says(house, OLU))
    house.clock.advance(minutes=11)
    before = published(house, OLU)
    second, _ = await house.ask("payment")
    await look(house, GRACE, second)
    house.clock.advance(seconds=15)
    await house.approve(MINA.id, second)
    await house.until(lambda: "*payment*  :white_check_mark:" in says(house, GRACE))
    assert second not in says(house, OLU)
    assert published(house, OLU) == before


async def test_what_another_replica_published_since_is_not_overwritten(house: House) -> None:
    await look(house, OLU)
    theirs = {"type": "section", "text": {"type": "mrkdwn", "text": "by another replica"}}
    house.slack.views.publish(OLU.id, {"type": "home", "blocks": [theirs]})
    await house.ask("order")
    house.clock.advance(seconds=15)
    await house.until(
        lambda: [call.outcome for call in house.slack.calls("views.publish")][-1] == "hash_conflict"
    )
    assert says(house, OLU) == "by another replica"
    await look(house, OLU, "1 waits for you")


async def test_a_publication_that_was_given_out_is_not_given_out_again_before_it_began(
    database: Database,
) -> None:
    client = AsyncWebClient()
    rules = LiveRules(
        parse_config(config_text(), file="switchgate.toml"),
        roster=Roster,
        heard=lambda _: NOW,
        clock=lambda: NOW,
    )
    homes = Homes(
        client,
        questions=WaitingGates(database),
        freezes=Freezes(database),
        rules=rules,
        directory=Directory(client, clock=lambda: NOW, locale="en"),
        replies=Replies(client, calm=Calm()),
        patience=Patience(lambda: NOW),
        workspace_url=lambda: None,
        nudge=lambda: None,
        clock=lambda: NOW,
    )
    homes.opened({"user": {"id": OLU.id}})
    given = await homes.step(4)
    assert len(given) == 1
    assert await homes.step(4) == []
    for piece in given:
        piece.close()


async def test_the_conversations_tab_publishes_nothing(house: House) -> None:
    assert (await house.slack.open_home_async(OLU.id, tab="messages")).acked
    await look(house, MINA)
    assert house.slack.views.home(OLU.id) is None


async def test_people_from_outside_see_nothing_of_what_waits(build: Build) -> None:
    async with build(users=(OLU, STRANGER)) as house:
        deployment, _ = await house.ask("order")
        said = await look(house, STRANGER, "Only full members of this workspace")
        assert deployment not in said


async def test_somebody_whom_slack_cannot_name_is_told_so_and_sees_nothing(house: House) -> None:
    deployment, _ = await house.ask("order")
    house.slack.faults.error("users.info", "internal_error")
    said = await look(house, OLU, "could not tell me who you are")
    assert deployment not in said
    assert buttons(house, OLU) == []
    house.clock.advance(seconds=5)
    await press(house, OLU, "home_refresh")
    await house.until(lambda: buttons(house, OLU) == [["approve", "reject", "details"]])


async def test_an_answer_reaches_the_person_although_slack_takes_no_home(house: House) -> None:
    deployment, _ = await house.ask("order")
    await look(house, OLU, deployment)
    house.slack.faults.error("views.publish", "internal_error", times=None)
    await press(house, OLU, "approve")
    assert await house.told(deployment) == ["Succeeded"]
    direct = house.slack.people.direct_channel(OLU).id
    await house.until(
        lambda: any(
            "Your approval of order is recorded" in message.text
            for message in house.slack.messages.in_channel(direct)
        )
    )
    house.clock.advance(seconds=15)
    await house.until(lambda: published(house, OLU) == 3)
    house.clock.advance(seconds=25)
    await house.until(lambda: published(house, OLU) == 4)
    house.slack.faults.clear("views.publish")
    house.clock.advance(minutes=2)
    await look(house, MINA)
    assert published(house, OLU) == 4


async def test_slacks_retry_after_is_kept(house: House) -> None:
    house.slack.faults.ratelimit("views.publish", retry_after=30)
    assert (await house.slack.open_home_async(OLU.id)).acked
    await house.until(lambda: len(house.slack.calls("views.publish")) == 1)
    await house.slack.open_home_async(OLU.id)
    await house.slack.open_home_async(MINA.id)
    house.clock.advance(seconds=29)
    assert len(house.slack.calls("views.publish")) == 1
    house.clock.advance(seconds=2)
    await house.until(lambda: blocks(house, OLU) and blocks(house, MINA))


async def test_more_than_fit_are_counted(build: Build) -> None:
    async with build(domains=CROWDED) as house:
        for domain in CROWDED:
            house.aws.deploy(domain.name)
        await house.until(lambda: len(house.rows("SELECT 1 FROM gates g")) == len(CROWDED))
        await look(house, OLU, "45 wait for you", "25 more wait that do not fit here")
        assert len(buttons(house, OLU)) == 20
        await look(house, JUN, "다른 사람이 결정할 전환 45건", "전환이 30건 더")


async def test_home_works_over_http_as_it_does_over_the_socket(build: Build) -> None:
    async with build(socket_mode=False) as house:
        deployment, _ = await house.ask("order")
        await look(house, OLU, deployment)
        assert (await press(house, OLU, "approve")).acked
        assert await house.told(deployment) == ["Succeeded"]
        await house.until(lambda: "Your approval of order is recorded" in says(house, OLU))
