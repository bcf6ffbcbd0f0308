"""App Home over the wire: the person's own gates first, working buttons, updates while somebody looks."""

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from app.config.loader import parse_config
from app.config.runtime import RuntimeConfig
from app.db.database import Database
from app.db.queries.home import HomeQueries
from app.db.repositories.freezes import Freezes
from app.gate.rules.policy import Roster
from app.sandbox.aws.state.topology import SandboxDomain
from app.sandbox.people import CHANNEL, GRACE, JUN, MINA, OLU, config_text
from app.sandbox.slack.delivery.answers import PressResult
from app.sandbox.slack.state.shapes import User
from app.slack.background import BackgroundTasks
from app.slack.blocks import actions, button
from app.slack.client import RetryAfterTracker
from app.slack.home.publisher import HomePublisher
from app.slack.replies import Replies
from app.slack.users.directory import Directory
from app.workers.foreground import ForegroundTracker
from app.workers.wakeups import Wakeups
from tests.db.gate_builders import NOW
from tests.harness import Harness, texts_in
from tests.slack.play import STRANGER, Build

CROWDED = tuple(SandboxDomain(f"d{n:02}", 9100 + n) for n in range(45))


def blocks(harness: Harness, user: User) -> list[dict[str, Any]]:
    """What the person's Home shows; nothing before it was ever published."""
    home = harness.slack.views.home(user.id)
    return home.body["blocks"] if home else []


def says(harness: Harness, user: User) -> str:
    return "\n".join(texts_in(blocks(harness, user)))


def headers(harness: Harness, user: User) -> list[str]:
    return [block["text"]["text"] for block in blocks(harness, user) if block["type"] == "header"]


def buttons(harness: Harness, user: User, beginning: str = "mine.") -> list[list[str]]:
    """The action ids under each of the person's gates."""
    return [
        [element["action_id"] for element in block["elements"]]
        for block in blocks(harness, user)
        if block["type"] == "actions" and block["block_id"].startswith(beginning)
    ]


def published(harness: Harness, user: User) -> int:
    """How often the person's Home was sent to Slack, whatever Slack said."""
    return sum(call.params.get("user_id") == user.id for call in harness.slack.calls("views.publish"))


async def look(harness: Harness, user: User, *words: str) -> str:
    """Opens Home, and gives what it says once these words are in it."""
    assert (await harness.slack.open_home_async(user.id)).acked
    await harness.until(lambda: blocks(harness, user) and all(word in says(harness, user) for word in words))
    return says(harness, user)


async def press(harness: Harness, user: User, action: str, block_id: str | None = None) -> PressResult:
    home = harness.slack.views.home(user.id)
    assert home is not None
    return await harness.slack.press_in_view_async(user.id, home.id, action, block_id=block_id)


async def test_an_empty_home_says_so_in_the_readers_language(harness: Harness) -> None:
    assert "Nothing is waiting for you." in await look(harness, OLU, "As of <!date^")
    assert headers(harness, OLU) == ["Waiting for you", "Recent decisions"]
    assert "지금 승인할 배포가 없습니다." in await look(harness, MINA)
    assert headers(harness, MINA)[0] == "승인할 배포"
    assert buttons(harness, OLU, "home.") == [["home_refresh"]]


async def test_mine_come_first_with_buttons_and_the_others_without(build: Build) -> None:
    config = config_text(payment=f'approvers = ["{GRACE.id}"]\n', hub="deadline_minutes = 30\n")
    async with build(config=config) as harness:
        order, _ = await harness.open_gate("order", description="v1.4.2: delivery fee\ngithub-actor=jun-lee")
        payment, _ = await harness.open_gate("payment")
        hub, _ = await harness.open_gate("hub")
        said = await look(harness, OLU, "Healthy:")
        assert headers(harness, OLU) == ["2 waiting for you", "1 waiting for others", "Recent decisions"]
        places = [said.index(deployment) for deployment in (hub, order, payment)]
        assert places == sorted(places)
        assert buttons(harness, OLU) == [["approve", "reject", "details"]] * 2
        assert "v1.4.2: delivery fee" in said
        assert f"deployed by <@{JUN.id}>" in said
        assert f"Approvers: <@{GRACE.id}>" in said
        await look(harness, JUN)
        assert headers(harness, JUN)[:2] == ["승인할 배포", "다른 승인자가 승인할 배포 3건"]
        assert buttons(harness, JUN) == []


async def test_a_press_in_home_decides_and_home_says_so(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await look(harness, OLU, deployment)
    assert (await press(harness, OLU, "approve")).acked
    assert await harness.reported(deployment) == ["Succeeded"]
    await harness.until(lambda: "order approved. Sending to CodeDeploy" in says(harness, OLU))
    await harness.until(lambda: "Nothing is waiting for you." in says(harness, OLU))
    assert "*order*  :white_check_mark:" in says(harness, OLU)
    assert f"approved by <@{OLU.id}>" in says(harness, OLU)
    assert harness.ephemerals(OLU.id) == ""


async def test_of_two_presses_one_after_the_other_both_answers_are_shown(harness: Harness) -> None:
    await look(harness, OLU)
    pressed = {"user": {"id": OLU.id}, "view": {"type": "home"}}
    secondary_buttons = [actions("offers", button("Break glass", action="break_glass", value="x"))]
    harness.service.slack.replies.answer(pressed, "order: no", secondary_buttons)
    harness.service.slack.replies.answer(pressed, "payment: no", secondary_buttons)
    await harness.until(lambda: "payment: no" in says(harness, OLU))
    assert "order: no" in says(harness, OLU)
    assert buttons(harness, OLU, "home.notice") == [["break_glass"], ["break_glass"]]


async def test_reject_in_home_asks_why_and_home_follows(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await look(harness, OLU, deployment)
    await press(harness, OLU, "reject")
    await harness.until(lambda: harness.slack.views.top(OLU.id))
    form = harness.slack.views.top(OLU.id)
    assert form is not None
    await harness.slack.submit_async(OLU.id, form.id, {"reason": "it charges twice"})
    assert await harness.reported(deployment) == ["Failed"]
    await harness.until(lambda: f"rejected by <@{OLU.id}>: it charges twice" in says(harness, OLU))


async def test_details_open_over_home(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await look(harness, JUN, deployment)
    await press(harness, JUN, "details")
    await harness.until(lambda: harness.slack.views.top(JUN.id))
    form = harness.slack.views.top(JUN.id)
    assert form is not None
    assert deployment in str(form.body)


async def test_a_refused_press_is_answered_on_top_of_home(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await look(harness, OLU, deployment)
    with_button = harness.slack.views.home(OLU.id)
    assert with_button is not None
    await harness.approve(GRACE.id, deployment)
    await press(harness, OLU, "approve")
    await harness.until(lambda: f"<@{GRACE.id}> already approved" in says(harness, OLU))
    assert blocks(harness, OLU)[0]["type"] == "section"
    harness.clock.advance(seconds=61)
    await press(harness, OLU, "home_refresh")
    await harness.until(lambda: "already approved" not in says(harness, OLU))


async def test_ones_own_deployment_and_a_frozen_one_say_why_and_have_no_approve(build: Build) -> None:
    async with build() as harness:
        own, _ = await harness.open_gate("order", description="x\ngithub-actor=mina-kim")
        await look(harness, MINA, own, "본인이 배포한 건은 승인할 수 없습니다.")
        assert buttons(harness, MINA) == [["reject", "details", "withdraw"]]
        await harness.slack.slash_async(GRACE.id, CHANNEL.id, "/deploys", "freeze order for 1h inventory")
        said = await look(harness, GRACE, "You can't approve this now:", "inventory")
        assert buttons(harness, GRACE) == [["reject", "details", "break_glass"]]
        assert headers(harness, GRACE) == ["1 waiting for you", "Frozen", "Recent decisions"]
        assert "*order*: " in said


async def test_an_approval_that_would_not_be_counted_is_not_counted_among_those_owed(build: Build) -> None:
    async with build(config=config_text(order="approvals = 2\n")) as harness:
        await harness.open_gate("order")
        await harness.slack.slash_async(GRACE.id, CHANNEL.id, "/deploys", "freeze order for 1h inventory")
        said = await look(harness, OLU, "You can't approve this now:", "inventory")
        assert "more approval needed" not in said


async def test_missing_approvals_are_shown_after_ones_approval_and_a_vote_can_be_retracted(
    build: Build,
) -> None:
    async with build(config=config_text(order="approvals = 2\n")) as harness:
        deployment, _ = await harness.open_gate("order")
        await look(harness, OLU, "Also needed:", "1 more approval needed")
        await press(harness, OLU, "approve")
        await harness.until(
            lambda: buttons(harness, OLU, "approved.") == [["reject", "details", "take_back"]]
        )
        assert headers(harness, OLU)[:2] == ["Waiting for you", "1 approved by you, waiting for others"]
        assert buttons(harness, OLU) == []
        assert "Your approval is recorded." in says(harness, OLU)
        harness.clock.advance(seconds=2)
        await press(harness, OLU, "take_back", "home.notice.0")
        await harness.until(lambda: "was withdrawn" in says(harness, OLU))
        await harness.until(lambda: buttons(harness, OLU) == [["approve", "reject", "details"]])
        assert harness.gate(deployment)["phase"] == "awaiting"


async def test_who_deployed_withdraws_it_in_home(build: Build) -> None:
    async with build() as harness:
        own, _ = await harness.open_gate("order", description="x\ngithub-actor=jun-lee")
        other, _ = await harness.open_gate("payment")
        await look(harness, JUN, own, other)
        accessories = [
            block["accessory"]["action_id"] for block in blocks(harness, JUN) if "accessory" in block
        ]
        assert sorted(accessories) == ["details", "withdraw"]
        await press(harness, JUN, "withdraw")
        await harness.until(lambda: harness.slack.views.top(JUN.id))
        form = harness.slack.views.top(JUN.id)
        assert form is not None
        await harness.slack.submit_async(JUN.id, form.id, {"reason": "wrong build"})
        assert await harness.reported(own) == ["Failed"]
        await harness.until(lambda: f"<@{JUN.id}>" in says(harness, JUN))


async def test_each_gate_shows_versions_health_and_checks(build: Build) -> None:
    async with build(config=config_text(order='required_checks = ["smoke"]\n')) as harness:
        await harness.open_gate("payment")
        order = await harness.deploy("order")
        said = await look(harness, OLU, order, "1.41.0 → 1.42.0", "2/2")
        assert said.count("1.41.0 → 1.42.0") >= 2
        assert buttons(harness, OLU) == [["approve", "reject", "details"], ["reject", "details"]]


async def test_home_updates_itself_while_somebody_looks_and_not_for_ever(harness: Harness) -> None:
    await look(harness, OLU)
    first, _ = await harness.open_gate("order")
    harness.clock.advance(seconds=15)
    await harness.until(lambda: first in says(harness, OLU))
    harness.clock.advance(minutes=11)
    before = published(harness, OLU)
    second, _ = await harness.open_gate("payment")
    await look(harness, GRACE, second)
    harness.clock.advance(seconds=15)
    await harness.approve(MINA.id, second)
    await harness.until(lambda: "*payment*  :white_check_mark:" in says(harness, GRACE))
    assert second not in says(harness, OLU)
    assert published(harness, OLU) == before


async def test_what_another_replica_published_since_is_not_overwritten(harness: Harness) -> None:
    await look(harness, OLU)
    theirs = {"type": "section", "text": {"type": "mrkdwn", "text": "by another replica"}}
    harness.slack.views.publish(OLU.id, {"type": "home", "blocks": [theirs]})
    await harness.open_gate("order")
    harness.clock.advance(seconds=15)
    await harness.until(
        lambda: [call.outcome for call in harness.slack.calls("views.publish")][-1] == "hash_conflict"
    )
    assert says(harness, OLU) == "by another replica"
    await look(harness, OLU, "1 waiting for you")


async def test_a_publication_that_was_given_out_is_not_given_out_again_before_it_began(
    database: Database,
) -> None:
    client = AsyncWebClient()
    rules = RuntimeConfig(
        parse_config(config_text(), file="switchgate.toml"),
        roster=Roster,
        last_synced_at=lambda _: NOW,
        clock=lambda: NOW,
    )
    homes = HomePublisher(
        client,
        queries=HomeQueries(database),
        freezes=Freezes(database),
        rules=rules,
        directory=Directory(client, clock=lambda: NOW, locale="en"),
        replies=Replies(client, background=BackgroundTasks(ForegroundTracker())),
        retry_after_tracker=RetryAfterTracker(lambda: NOW),
        workspace_url=lambda: None,
        wakeups=Wakeups(),
        clock=lambda: NOW,
    )
    homes.opened({"user": {"id": OLU.id}})
    given = await homes.step(4)
    assert len(given) == 1
    assert await homes.step(4) == []
    for piece in given:
        piece.close()


async def test_the_conversations_tab_publishes_nothing(harness: Harness) -> None:
    assert (await harness.slack.open_home_async(OLU.id, tab="messages")).acked
    await look(harness, MINA)
    assert harness.slack.views.home(OLU.id) is None


async def test_people_from_outside_see_nothing_of_what_waits(build: Build) -> None:
    async with build(users=(OLU, STRANGER)) as harness:
        deployment, _ = await harness.open_gate("order")
        said = await look(harness, STRANGER, "Only full workspace members")
        assert deployment not in said


async def test_somebody_whom_slack_cannot_name_is_answered_so_and_sees_nothing(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.slack.faults.error("users.info", "internal_error")
    said = await look(harness, OLU, "couldn't identify you")
    assert deployment not in said
    assert buttons(harness, OLU) == []
    harness.clock.advance(seconds=5)
    await press(harness, OLU, "home_refresh")
    await harness.until(lambda: buttons(harness, OLU) == [["approve", "reject", "details"]])


async def test_an_answer_reaches_the_person_although_slack_takes_no_home(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await look(harness, OLU, deployment)
    harness.slack.faults.error("views.publish", "internal_error", times=None)
    await press(harness, OLU, "approve")
    assert await harness.reported(deployment) == ["Succeeded"]
    direct = harness.slack.people.direct_channel(OLU).id
    await harness.until(
        lambda: any(
            "order approved. Sending to CodeDeploy" in message.text
            for message in harness.slack.messages.in_channel(direct)
        )
    )
    harness.clock.advance(seconds=15)
    await harness.until(lambda: published(harness, OLU) == 3)
    harness.clock.advance(seconds=25)
    await harness.until(lambda: published(harness, OLU) == 4)
    harness.slack.faults.clear("views.publish")
    harness.clock.advance(minutes=2)
    await look(harness, MINA)
    assert published(harness, OLU) == 4


async def test_slacks_retry_after_is_kept(harness: Harness) -> None:
    harness.slack.faults.ratelimit("views.publish", retry_after=30)
    assert (await harness.slack.open_home_async(OLU.id)).acked
    await harness.until(lambda: len(harness.slack.calls("views.publish")) == 1)
    await harness.slack.open_home_async(OLU.id)
    await harness.slack.open_home_async(MINA.id)
    harness.clock.advance(seconds=29)
    assert len(harness.slack.calls("views.publish")) == 1
    harness.clock.advance(seconds=2)
    await harness.until(lambda: blocks(harness, OLU) and blocks(harness, MINA))


async def test_more_than_fit_are_counted(build: Build) -> None:
    async with build(domains=CROWDED) as harness:
        for domain in CROWDED:
            harness.aws.deploy(domain.name)
        await harness.until(lambda: len(harness.rows("SELECT 1 FROM gates g")) == len(CROWDED))
        await look(harness, OLU, "45 waiting for you", "25 more not shown here")
        assert len(buttons(harness, OLU)) == 20
        await look(harness, JUN, "다른 승인자가 승인할 배포 45건", "30건이 더 있습니다")


async def test_home_works_over_http_as_it_does_over_the_socket(build: Build) -> None:
    async with build(socket_mode=False) as harness:
        deployment, _ = await harness.open_gate("order")
        await look(harness, OLU, deployment)
        assert (await press(harness, OLU, "approve")).acked
        assert await harness.reported(deployment) == ["Succeeded"]
        await harness.until(lambda: "order approved. Sending to CodeDeploy" in says(harness, OLU))
