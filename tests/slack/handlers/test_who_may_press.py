"""Whose presses count. Others get a polite reply, and nothing changes."""

from uuid import uuid4

from app.sandbox.people import CHANNEL, GRACE, JUN, MINA, OLU, PEOPLE, config_text
from tests.harness import Harness
from tests.slack.play import (
    OUTSIDERS,
    Build,
    block_actions,
    naming,
    opened,
    send,
    votes,
    wait_for_replies,
    wait_for_reply,
)


def unchanged(harness: Harness, deployment: str) -> bool:
    row = harness.gate(deployment)
    return (
        row["phase"] == "awaiting"
        and votes(harness, deployment) == []
        and harness.aws.answers(deployment) == []
    )


async def test_only_full_members_decide_even_if_the_configuration_names_others(build: Build) -> None:
    async with build(users=(*PEOPLE, *OUTSIDERS), config=naming(*OUTSIDERS)) as harness:
        deployment, _ = await harness.open_gate("order")
        for outsider in OUTSIDERS:
            assert (await harness.approve(outsider.id, deployment)).acked
            await wait_for_reply(harness, outsider, "full workspace members")
            assert unchanged(harness, deployment)
        assert harness.audit(deployment).count("vote_denied") == len(OUTSIDERS)


async def test_only_full_members_reject(build: Build) -> None:
    async with build(users=(*PEOPLE, *OUTSIDERS), config=naming(*OUTSIDERS)) as harness:
        deployment, _ = await harness.open_gate("order")
        for outsider in OUTSIDERS:
            assert (await harness.press(outsider.id, deployment, "reject")).acked
            await wait_for_reply(harness, outsider, "full workspace members")
            assert harness.slack.views.top(outsider.id) is None
        assert unchanged(harness, deployment)


async def test_who_is_no_approver_is_answered_with_who_is_whichever_button_it_was(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    for times, action in enumerate(("approve", "reject"), start=1):
        assert (await harness.press(JUN.id, deployment, action)).acked
        told = (await wait_for_replies(harness, JUN, times))[-1]
        assert all(word in told for word in ("order", "<!subteam^S0ONCALL>", f"<@{GRACE.id}>"))
    assert harness.slack.views.top(JUN.id) is None
    assert unchanged(harness, deployment)
    assert harness.audit(deployment).count("vote_denied") == 2


async def test_who_deployed_may_reject_and_not_approve(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order", description="v2 github-actor=Mina-Kim")
    assert (await harness.approve(MINA.id, deployment)).acked
    await wait_for_reply(harness, MINA, "order")
    assert "본인이 배포한" in harness.ephemerals(MINA.id)
    assert unchanged(harness, deployment)
    assert (await harness.reject(MINA.id, deployment, "my own mistake")).outcome == "closed"
    assert await harness.reported(deployment) == ["Failed"]


async def test_who_deployed_may_approve_where_the_domain_says_so(build: Build) -> None:
    async with build(config=config_text(order="own_deployment = true\n")) as harness:
        deployment, _ = await harness.open_gate("order", description="v2 by @mina-kim")
        await harness.approve(MINA.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_who_left_the_group_decides_no_more_and_who_came_does(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.slack.people.alter("S0ONCALL", members=(JUN.id,))
    await harness.service.slack.directory.refresh_groups(["S0ONCALL"])
    await harness.approve(OLU.id, deployment)
    await wait_for_reply(harness, OLU, "You can't approve or reject")
    assert unchanged(harness, deployment)
    await harness.approve(JUN.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]


async def test_a_domain_that_left_the_configuration_is_decided_by_nobody(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    text = harness.fakes.config_file.read_text(encoding="utf-8")
    harness.fakes.config_file.write_text(
        text.replace("[domains.order]", "[domains.orders]"), encoding="utf-8"
    )
    harness.reload_config()
    await harness.approve(OLU.id, deployment)
    await wait_for_reply(harness, OLU, "removed from Switchgate's configuration")
    assert unchanged(harness, deployment)
    await harness.until(lambda: "approve" not in harness.actions(deployment))


FORGED = [
    "",
    "x",
    "0" * 2000,
    "'; DROP TABLE gates; --",
    "<@U01MINA>",
    str(uuid4()),
    f"{uuid4()}.1",
    f"{uuid4()}.x",
]


async def test_a_button_whose_value_names_no_gate_does_nothing(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    for value in FORGED:
        assert (await harness.press(OLU.id, deployment, "approve", value=value)).acked
        assert (await harness.press(GRACE.id, deployment, "reject", value=value)).acked
    for person in (OLU, GRACE):
        said = await wait_for_replies(harness, person, len(FORGED))
        assert all("doesn't match any known deployment" in told for told in said)
    assert harness.slack.views.top(GRACE.id) is None
    assert unchanged(harness, deployment)


async def test_a_button_of_another_prompt_version_asks_to_look_again(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    value = f"{harness.gate(deployment)['id']}.99"
    await harness.press(OLU.id, deployment, "approve", value=value)
    await wait_for_reply(harness, OLU, "Check the card and try again")
    assert unchanged(harness, deployment)


async def test_another_domains_value_decides_that_domain_by_that_domains_rules(build: Build) -> None:
    async with build(config=config_text(payment=f'approvers = ["{GRACE.id}"]\n')) as harness:
        order, _ = await harness.open_gate("order")
        payment, card = await harness.open_gate("payment")
        value = next(b["elements"][0]["value"] for b in card.blocks if b["type"] == "actions")
        await harness.press(OLU.id, order, "approve", value=value)
        await wait_for_reply(harness, OLU, "payment", f"<@{GRACE.id}>")
        assert unchanged(harness, order)
        assert unchanged(harness, payment)


async def test_what_codedeploy_has_not_confirmed_is_decided_by_nobody(build: Build) -> None:
    async with build(socket_mode=False) as harness:
        for operation in ("GetDeployment", "BatchGetDeployments"):
            harness.aws.faults.add(operation, "throttle", times=None)
        deployment = await opened(harness, "order")
        value = f"{harness.gate(deployment)['id']}.1"
        await send(harness, block_actions({"action_id": "approve", "value": value}))
        await wait_for_reply(harness, OLU, "t confirmed this deployment")
        assert unchanged(harness, deployment)
        harness.aws.faults.clear()
        harness.clock.advance(minutes=1)
        await harness.until(lambda: "approve" in harness.actions(deployment))


async def test_who_pressed_is_taken_from_the_signed_payload_alone(build: Build) -> None:
    async with build(socket_mode=False) as harness:
        deployment, card = await harness.open_gate("order")
        press = block_actions(
            {"action_id": "approve", "value": f"{harness.gate(deployment)['id']}.1", "user": OLU.id},
            user={"id": JUN.id, "name": OLU.name, "username": OLU.name, "team_id": JUN.team_id},
            message={"user": OLU.id, "ts": card.ts},
        )
        assert (await send(harness, press))[0] == 200
        await wait_for_reply(harness, JUN, "승인·거절 권한이 없습니다")
        assert unchanged(harness, deployment)
        assert (await send(harness, press, secret="another"))[0] == 401


async def test_a_payload_that_names_no_team_of_the_person_is_judged_by_its_own_team(build: Build) -> None:
    async with build(socket_mode=False) as harness:
        deployment, _ = await harness.open_gate("order")
        press = block_actions(
            {"action_id": "approve", "value": f"{harness.gate(deployment)['id']}.1"},
            user={"id": OLU.id, "name": OLU.name},
            team={"id": "T9OTHER"},
        )
        await send(harness, press)
        await wait_for_reply(harness, OLU, "full workspace members")
        assert unchanged(harness, deployment)


async def test_a_press_in_a_channel_that_we_are_not_in_is_answered_all_the_same(harness: Harness) -> None:
    await harness.open_gate("order")
    listed = await harness.slack.slash_async(JUN.id, CHANNEL.id, "/deploys")
    assert listed.message is not None
    harness.slack.people.alter(CHANNEL.id, is_member=False)
    await harness.slack.press_async(JUN.id, CHANNEL.id, listed.message.ts, "approve")
    await wait_for_reply(harness, JUN, "승인·거절 권한이 없습니다")
