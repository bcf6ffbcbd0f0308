"""CodeDeploy cannot be asked when the hook comes: the gate opens, but nobody judges it and nothing is told."""

from datetime import timedelta

from app.sandbox.aws.world import SandboxDomain
from app.sandbox.cast import MINA, OLU
from app.slack.action_value import Ticket
from tests.house import House

PUT = "PutLifecycleEventHookExecutionStatus"
READS = ("GetDeployment", "BatchGetDeployments")
FIRST_TRIES = timedelta(seconds=30)


def codedeploy_away(house: House) -> None:
    for read in READS:
        house.aws.faults.add(read, "access_denied", times=None)


def codedeploy_back(house: House) -> None:
    for read in READS:
        house.aws.faults.clear(read)
    house.clock.advance(seconds=FIRST_TRIES.total_seconds())


async def opened(house: House, domain: str = "order", **how: str) -> str:
    """A deployment whose gate is in the record and whose card stands."""
    deployment = await house.deploy(domain, **how)
    await house.until(lambda: house.find_card(deployment) is not None)
    return deployment


async def test_the_card_offers_nothing_until_codedeploy_has_confirmed_it(house: House) -> None:
    codedeploy_away(house)
    deployment = await opened(house)
    assert "CodeDeploy cannot be asked" in house.says(deployment)
    assert house.actions(deployment) & {"approve", "reject"} == set()

    codedeploy_back(house)
    await house.until(lambda: "approve" in house.actions(deployment))
    assert house.gate(deployment)["domain"] == "order"
    assert house.audit(deployment)[0] == "gate_opened"
    assert "gate_verified" in house.audit(deployment)
    await house.approve(MINA.id, deployment)
    assert await house.told(deployment) == ["Succeeded"]


async def test_a_forged_press_on_an_unconfirmed_gate_does_not_count(house: House) -> None:
    other, _ = await house.ask("payment")
    codedeploy_away(house)
    deployment = await opened(house)
    gate = house.gate(deployment)
    ticket = str(Ticket(gate=gate["id"], edition=gate["edition"]))

    await house.press(OLU.id, other, "approve", value=ticket)

    await house.until(lambda: "has not confirmed yet" in house.whispered(OLU.id))
    assert house.gate(deployment)["phase"] == "awaiting"
    assert house.gate(other)["phase"] == "awaiting"
    assert house.aws.calls(PUT) == []


async def test_what_turns_out_not_to_be_ours_is_withdrawn_once_and_never_reported(house: House) -> None:
    house.aws.add_domain(SandboxDomain("stranger", 7000))
    codedeploy_away(house)
    deployment = await opened(house, "stranger")

    codedeploy_back(house)
    await house.until(lambda: house.gate(deployment)["phase"] == "closed")
    assert house.gate(deployment)["verdict"] == "withdrawn"
    assert "not a configured domain" in house.gate(deployment)["reason"]
    await house.until(lambda: "not a configured domain" in house.says(deployment))
    assert "CodeDeploy did not confirm" in house.says(deployment)
    assert "ended by itself" not in house.says(deployment)

    (switch,) = house.rows("SELECT due_at, ending FROM switches")
    assert switch["due_at"] is None
    assert house.audit(deployment).count("switch_ended") == 1
    assert house.aws.calls(PUT) == []


async def test_one_that_expires_unconfirmed_is_told_only_once_it_is_confirmed(house: House) -> None:
    codedeploy_away(house)
    deployment = await opened(house)
    house.clock.advance(minutes=55)
    await house.until(lambda: house.gate(deployment)["verdict"] == "expired")
    assert house.rows("SELECT due_at FROM reports") == [{"due_at": None}]
    assert house.aws.calls(PUT) == []

    codedeploy_back(house)
    assert await house.told(deployment) == ["Failed"]
    await house.until(lambda: house.gate(deployment)["outcome"] == "told")


async def test_one_that_expires_unconfirmed_and_is_not_ours_is_never_told(house: House) -> None:
    house.aws.add_domain(SandboxDomain("stranger", 7000))
    codedeploy_away(house)
    deployment = await opened(house, "stranger")
    house.clock.advance(minutes=55)
    await house.until(lambda: house.gate(deployment)["verdict"] == "expired")

    codedeploy_back(house)
    await house.until(lambda: house.gate(deployment)["phase"] == "closed")
    assert house.gate(deployment)["outcome"] == "undeliverable"
    assert "report_undeliverable" in house.audit(deployment)
    assert house.aws.calls(PUT) == []


async def test_one_that_ended_before_it_was_confirmed_is_closed(house: House) -> None:
    codedeploy_away(house)
    deployment = await opened(house)
    house.aws.stop_deployment(deployment, rollback=False)
    house.aws.play_until(lambda: house.aws.deployment(deployment).over)

    codedeploy_back(house)
    await house.until(lambda: house.gate(deployment)["phase"] == "closed")
    assert house.gate(deployment)["verdict"] == "withdrawn"
    assert house.aws.calls(PUT) == []


async def test_a_rescue_passes_as_soon_as_it_is_known_for_one(house: House) -> None:
    codedeploy_away(house)
    deployment = await opened(house, creator="codeDeployRollback")
    assert house.gate(deployment)["phase"] == "awaiting"

    codedeploy_back(house)
    assert await house.told(deployment) == ["Succeeded"]
    assert house.gate(deployment)["basis"] == "rescue"
