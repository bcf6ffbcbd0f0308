"""Who a press counts for. Whoever it does not count for is told kindly, and nothing has changed."""

from uuid import uuid4

from app.sandbox.cast import CHANNEL, GRACE, JUN, MINA, OLU, PEOPLE, config_text
from tests.house import House
from tests.slack.play import (
    OUTSIDERS,
    Build,
    block_actions,
    heard,
    is_told,
    naming,
    opened,
    send,
    votes,
)


def unchanged(house: House, deployment: str) -> bool:
    row = house.gate(deployment)
    return (
        row["phase"] == "awaiting" and votes(house, deployment) == [] and house.aws.answers(deployment) == []
    )


async def test_only_full_members_decide_even_if_the_configuration_names_others(build: Build) -> None:
    async with build(users=(*PEOPLE, *OUTSIDERS), config=naming(*OUTSIDERS)) as house:
        deployment, _ = await house.ask("order")
        for outsider in OUTSIDERS:
            assert (await house.approve(outsider.id, deployment)).acked
            await is_told(house, outsider, "full members")
            assert unchanged(house, deployment)
        assert house.audit(deployment).count("press_refused") == len(OUTSIDERS)


async def test_only_full_members_reject(build: Build) -> None:
    async with build(users=(*PEOPLE, *OUTSIDERS), config=naming(*OUTSIDERS)) as house:
        deployment, _ = await house.ask("order")
        for outsider in OUTSIDERS:
            assert (await house.press(outsider.id, deployment, "reject")).acked
            await is_told(house, outsider, "full members")
            assert house.slack.views.top(outsider.id) is None
        assert unchanged(house, deployment)


async def test_who_is_no_approver_is_told_who_is_whichever_button_it_was(house: House) -> None:
    deployment, _ = await house.ask("order")
    for times, action in enumerate(("approve", "reject"), start=1):
        assert (await house.press(JUN.id, deployment, action)).acked
        told = (await heard(house, JUN, times))[-1]
        assert all(word in told for word in ("order", "<!subteam^S0ONCALL>", f"<@{GRACE.id}>"))
    assert house.slack.views.top(JUN.id) is None
    assert unchanged(house, deployment)
    assert house.audit(deployment).count("press_refused") == 2


async def test_who_deployed_may_reject_and_not_approve(house: House) -> None:
    deployment, _ = await house.ask("order", description="v2 github-actor=Mina-Kim")
    assert (await house.approve(MINA.id, deployment)).acked
    await is_told(house, MINA, "order")
    assert "직접" in house.whispered(MINA.id)
    assert unchanged(house, deployment)
    assert (await house.reject(MINA.id, deployment, "my own mistake")).outcome == "closed"
    assert await house.told(deployment) == ["Failed"]


async def test_who_deployed_may_approve_where_the_domain_says_so(build: Build) -> None:
    async with build(config=config_text(order="own_deployment = true\n")) as house:
        deployment, _ = await house.ask("order", description="v2 by @mina-kim")
        await house.approve(MINA.id, deployment)
        assert await house.told(deployment) == ["Succeeded"]


async def test_who_left_the_group_decides_no_more_and_who_came_does(house: House) -> None:
    deployment, _ = await house.ask("order")
    house.slack.people.alter("S0ONCALL", members=(JUN.id,))
    await house.service.slack.directory.refresh_groups(["S0ONCALL"])
    await house.approve(OLU.id, deployment)
    await is_told(house, OLU, "does not count")
    assert unchanged(house, deployment)
    await house.approve(JUN.id, deployment)
    assert await house.told(deployment) == ["Succeeded"]


async def test_a_domain_that_left_the_configuration_is_decided_by_nobody(house: House) -> None:
    deployment, _ = await house.ask("order")
    text = house.stage.config_file.read_text(encoding="utf-8")
    house.stage.config_file.write_text(text.replace("[domains.order]", "[domains.orders]"), encoding="utf-8")
    house.service.reload(house.stage.config_file)
    await house.approve(OLU.id, deployment)
    await is_told(house, OLU, "no longer in Switchgate's configuration")
    assert unchanged(house, deployment)
    await house.until(lambda: "approve" not in house.actions(deployment))


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


async def test_a_button_whose_value_names_no_gate_does_nothing(house: House) -> None:
    deployment, _ = await house.ask("order")
    for value in FORGED:
        assert (await house.press(OLU.id, deployment, "approve", value=value)).acked
        assert (await house.press(GRACE.id, deployment, "reject", value=value)).acked
    for person in (OLU, GRACE):
        said = await heard(house, person, len(FORGED))
        assert all("belongs to no switch that I know" in told for told in said)
    assert house.slack.views.top(GRACE.id) is None
    assert unchanged(house, deployment)


async def test_a_button_of_another_edition_asks_to_look_again(house: House) -> None:
    deployment, _ = await house.ask("order")
    value = f"{house.gate(deployment)['id']}.99"
    await house.press(OLU.id, deployment, "approve", value=value)
    await is_told(house, OLU, "look at the card again")
    assert unchanged(house, deployment)


async def test_another_domains_value_decides_that_domain_by_that_domains_rules(build: Build) -> None:
    async with build(config=config_text(payment=f'approvers = ["{GRACE.id}"]\n')) as house:
        order, _ = await house.ask("order")
        payment, card = await house.ask("payment")
        value = next(b["elements"][0]["value"] for b in card.blocks if b["type"] == "actions")
        await house.press(OLU.id, order, "approve", value=value)
        await is_told(house, OLU, "payment", f"<@{GRACE.id}>")
        assert unchanged(house, order)
        assert unchanged(house, payment)


async def test_what_codedeploy_has_not_confirmed_is_decided_by_nobody(build: Build) -> None:
    async with build(socket_mode=False) as house:
        for operation in ("GetDeployment", "BatchGetDeployments"):
            house.aws.faults.add(operation, "throttle", times=None)
        deployment = await opened(house, "order")
        value = f"{house.gate(deployment)['id']}.1"
        await send(house, block_actions({"action_id": "approve", "value": value}))
        await is_told(house, OLU, "not confirmed")
        assert unchanged(house, deployment)
        house.aws.faults.clear()
        house.clock.advance(minutes=1)
        await house.until(lambda: "approve" in house.actions(deployment))


async def test_who_pressed_is_taken_from_the_signed_payload_alone(build: Build) -> None:
    async with build(socket_mode=False) as house:
        deployment, card = await house.ask("order")
        press = block_actions(
            {"action_id": "approve", "value": f"{house.gate(deployment)['id']}.1", "user": OLU.id},
            user={"id": JUN.id, "name": OLU.name, "username": OLU.name, "team_id": JUN.team_id},
            message={"user": OLU.id, "ts": card.ts},
        )
        assert (await send(house, press))[0] == 200
        await is_told(house, JUN, "세지 않습니다")
        assert unchanged(house, deployment)
        assert (await send(house, press, secret="another"))[0] == 401


async def test_a_payload_that_names_no_team_of_the_person_is_judged_by_its_own_team(build: Build) -> None:
    async with build(socket_mode=False) as house:
        deployment, _ = await house.ask("order")
        press = block_actions(
            {"action_id": "approve", "value": f"{house.gate(deployment)['id']}.1"},
            user={"id": OLU.id, "name": OLU.name},
            team={"id": "T9OTHER"},
        )
        await send(house, press)
        await is_told(house, OLU, "full members")
        assert unchanged(house, deployment)


async def test_a_press_in_a_channel_that_we_are_not_in_is_answered_all_the_same(house: House) -> None:
    await house.ask("order")
    listed = await house.slack.slash_async(JUN.id, CHANNEL.id, "/deploys")
    assert listed.message is not None
    house.slack.people.alter(CHANNEL.id, is_member=False)
    await house.slack.press_async(JUN.id, CHANNEL.id, listed.message.ts, "approve")
    await is_told(house, JUN, "세지 않습니다")
