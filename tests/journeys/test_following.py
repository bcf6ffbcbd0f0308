"""After the yes: the card follows the switch to its end, whoever ends it."""

from typing import Final

from app.sandbox.aws.world import SandboxDomain
from app.sandbox.cast import MINA
from tests.house import House

CANARY: Final = "CodeDeployDefault.ECSCanary10Percent5Minutes"


async def approved(house: House, domain: str = "order", **how: str) -> str:
    """A switch that Mina let through."""
    deployment, _ = await house.ask(domain, **how)
    await house.approve(MINA.id, deployment)
    assert await house.told(deployment) == ["Succeeded"]
    return deployment


async def test_a_canary_walks_from_ten_percent_to_the_end_of_blue(house: House) -> None:
    deployment = await approved(house, config=CANARY)

    house.aws.play_until(lambda: house.aws.share("order")["green"] == 10)
    await house.until(lambda: "10 % of the traffic" in house.says(deployment))
    assert "100 % from about" in house.says(deployment)
    house.aws.clock.advance(5 * 60)
    await house.until(lambda: "All traffic is on green" in house.says(deployment))
    assert "Undo takes seconds until" in house.says(deployment)
    house.aws.clock.advance(6 * 60)
    house.clock.advance(minutes=6)
    await house.until(lambda: "Finished" in house.says(deployment))
    assert "takes minutes" in house.says(deployment)
    assert house.audit(deployment)[-4:] == ["report_told", "traffic_moved", "switched", "switch_ended"]


async def test_a_stop_in_the_console_closes_a_waiting_card_and_says_so(house: House) -> None:
    deployment, _ = await house.ask("order")

    house.aws.stop_deployment(deployment)
    house.aws.clock.advance(5)
    house.clock.advance(seconds=30)
    await house.until(lambda: house.gate(deployment)["phase"] == "closed")

    assert house.gate(deployment)["verdict"] == "withdrawn"
    await house.until(lambda: "stopped by a user" in house.says(deployment))
    assert house.actions(deployment) & {"approve", "reject", "undo"} == set()


async def test_an_alarm_after_the_switch_shows_its_rollback_until_blue_serves_again(house: House) -> None:
    deployment = await approved(house, config=CANARY)
    house.aws.play_until(lambda: house.aws.share("order")["green"] == 10)
    await house.until(lambda: "10 % of the traffic" in house.says(deployment))

    house.aws.set_alarm("order", "ALARM")
    house.aws.clock.advance(5)
    house.clock.advance(seconds=30)
    await house.until(lambda: "rollback" in house.says(deployment))
    rollback = house.aws.deployment(deployment).rollback_id
    assert rollback is not None
    assert await house.told(rollback) == ["Succeeded"]
    house.aws.play_until(lambda: house.aws.deployment(rollback).over)

    await house.until(lambda: "Blue serves again" in house.says(deployment))
    assert house.aws.share("order") == {"blue": 100, "green": 0}
    assert "undo" not in house.actions(deployment)


async def test_a_rollback_without_hooks_is_followed_all_the_same(house: House) -> None:
    house.aws.add_domain(SandboxDomain("bare", 7000, rollback_runs_hooks=False))
    house.stage.config_file.write_text(
        house.stage.config_file.read_text()
        + '\n[domains.bare]\napplication = "klp-logistics-bare-app"\n'
        + 'deployment_group = "klp-logistics-bare-dg"\n'
    )
    house.service.reload(house.stage.config_file)
    deployment = await approved(house, "bare", config=CANARY)
    house.aws.play_until(lambda: house.aws.share("bare")["green"] == 10)

    house.aws.stop_deployment(deployment)
    house.aws.play_until(lambda: house.aws.share("bare")["green"] == 0)
    house.clock.advance(seconds=30)

    await house.until(lambda: "Blue serves again" in house.says(deployment))
