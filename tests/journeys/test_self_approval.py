"""Nobody approves their own deployment, whatever they write into it: an attacker's attempts, over the wire.

Mina deploys, and Olu and Grace are colleagues who may approve too.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from app.sandbox.cast import GRACE, MINA, OLU, config_text
from tests.house import House, living_house
from tests.slack.play import votes

Build = Callable[[], AbstractAsyncContextManager[House]]

TWO = "Nobody knows who deployed this"
ROLE = "arn:aws:sts::123456789012:assumed-role/deploy/"


@pytest.fixture
def build(tmp_path: Path, record_url: str, monkeypatch: pytest.MonkeyPatch) -> Build:
    """A house whose file says nothing of unknown deployers."""

    def built() -> AbstractAsyncContextManager[House]:
        config = config_text(unknown_deployer="ask-two").replace('unknown_deployer = "ask-two"\n', "")
        config = config.replace("[people]\n", f'[people]\n"mina@example.com" = "{MINA.id}"\n')
        return living_house(tmp_path, record_url, monkeypatch, config=config)

    return built


async def deployed(house: House, *, tag: str | None, description: str, creator: str) -> str:
    """Mina's deployment, once its evidence and the people whom it names are known."""
    tags = {} if tag is None else {"github-actor": tag}
    house.aws.register_revision("order", "v2", tags=tags)
    deployment, _ = await house.ask("order", description=description, creator=creator)
    await house.until(lambda: "evidence_seen" in house.audit(deployment))
    return deployment


def people(house: House) -> tuple[str | None, set[str]]:
    (row,) = house.rows("SELECT deployer, named_deployers FROM switches")
    return row["deployer"], set(row["named_deployers"])


@pytest.mark.parametrize(
    ("tag", "description", "creator", "named"),
    [
        ("mina-kim", "actor: olu-ade", "user", {MINA.id, OLU.id}),
        ("MINA-KIM", "v2 by @Olu-Ade", "user", {MINA.id, OLU.id}),
        ("Mina@Example.com", "github-actor=olu-ade", "user", {MINA.id, OLU.id}),
        ("olu-ade", "GITHUB_ACTOR=mina-kim", "user", {MINA.id, OLU.id}),
        ("olu-ade", "Deployed by mina-kim", "user", {MINA.id, OLU.id}),
        ("olu-ade", "v2 by mina@example.com", "user", {MINA.id, OLU.id}),
        ("olu-ade", f"v2 by <@{MINA.id}>", "user", {MINA.id, OLU.id}),
        (None, "deployed-by=MINA@example.com actor: olu-ade", "user", {MINA.id, OLU.id}),
        (None, "actor: olu-ade", ROLE + "Mina-Kim", {MINA.id, OLU.id}),
    ],
)
async def test_whoever_is_named_by_any_source_does_not_approve_and_two_others_must(
    build: Build, tag: str | None, description: str, creator: str, named: set[str]
) -> None:
    async with build() as house:
        deployment = await deployed(house, tag=tag, description=description, creator=creator)
        await house.until(lambda: people(house) == (None, named))
        await house.until(lambda: TWO in house.says(deployment))
        await house.approve(MINA.id, deployment)
        await house.until(lambda: house.audit(deployment).count("press_refused") == 1)
        await house.approve(OLU.id, deployment)
        await house.until(lambda: house.audit(deployment).count("press_refused") == 2)
        await house.approve(GRACE.id, deployment)
        await house.until(lambda: TWO in house.whispered(GRACE.id))
        assert house.gate(deployment)["phase"] == "awaiting"
        assert house.aws.answers(deployment) == []


async def test_a_colleague_in_the_description_alone_approves_nothing_for_the_attacker(build: Build) -> None:
    async with build() as house:
        deployment = await deployed(house, tag=None, description="actor: olu-ade", creator="user")
        await house.approve(MINA.id, deployment)
        await house.until(lambda: votes(house, deployment) == [MINA.id])
        await house.approve(OLU.id, deployment)
        await house.until(lambda: "press_refused" in house.audit(deployment))
        assert house.gate(deployment)["phase"] == "awaiting"
        await house.approve(GRACE.id, deployment)
        assert await house.told(deployment) == ["Succeeded"]


async def test_the_tag_makes_the_deployer_known_and_one_colleague_is_enough(build: Build) -> None:
    async with build() as house:
        deployment = await deployed(house, tag="mina-kim", description="v2 by @mina-kim", creator="user")
        await house.until(lambda: people(house) == (MINA.id, {MINA.id}))
        await house.until(lambda: TWO not in house.says(deployment))
        await house.approve(MINA.id, deployment)
        await house.until(lambda: "직접" in house.whispered(MINA.id))
        assert house.gate(deployment)["phase"] == "awaiting"
        await house.approve(OLU.id, deployment)
        assert await house.told(deployment) == ["Succeeded"]


async def test_while_the_tag_cannot_be_read_nobody_is_known(build: Build) -> None:
    async with build() as house:
        house.aws.faults.add("DescribeTaskDefinition", "throttle", times=None)
        house.aws.register_revision("order", "v2", tags={"github-actor": "mina-kim"})
        deployment, _ = await house.ask("order", description="v2")
        await house.approve(MINA.id, deployment)
        await house.until(lambda: votes(house, deployment) == [MINA.id])
        house.aws.faults.clear()
        house.clock.advance(minutes=1)
        await house.until(lambda: people(house) == (MINA.id, {MINA.id}))
        # What Mina had approved before anybody knew counts no more.
        await house.until(lambda: "1 more person has to approve" in house.says(deployment))
        assert house.gate(deployment)["phase"] == "awaiting"
        await house.approve(GRACE.id, deployment)
        assert await house.told(deployment) == ["Succeeded"]


async def test_approvals_that_became_enough_are_pressed_once_more(build: Build) -> None:
    async with build() as house:
        house.aws.faults.add("DescribeTaskDefinition", "throttle", times=None)
        house.aws.register_revision("order", "v2", tags={"github-actor": "mina-kim"})
        deployment, _ = await house.ask("order", description="v2")
        await house.approve(OLU.id, deployment)
        await house.until(lambda: TWO in house.whispered(OLU.id))
        house.aws.faults.clear()
        house.clock.advance(minutes=1)
        await house.until(lambda: "Press Approve again to switch" in house.says(deployment))
        await house.approve(OLU.id, deployment)
        assert await house.told(deployment) == ["Succeeded"]


@pytest.mark.parametrize(("tag", "decides"), [("jun-lee", True), ("olu-ade", False)])
async def test_an_approval_before_the_tag_is_read_decides_once_it_names_somebody_else(
    build: Build, tag: str, *, decides: bool
) -> None:
    async with build() as house:
        house.aws.faults.slow("DescribeTaskDefinition", 2_000)
        house.aws.register_revision("order", "v2", tags={"github-actor": tag})
        deployment, _ = await house.ask("order")
        await house.approve(OLU.id, deployment)
        await house.until(lambda: votes(house, deployment) == [OLU.id])
        assert "gate_decided" not in house.audit(deployment)

        await house.until(lambda: people(house)[0] is not None)
        if decides:
            assert await house.told(deployment) == ["Succeeded"]
            assert house.gate(deployment)["decided_by"] == OLU.id
            assert house.audit(deployment).count("vote_cast") == 1
        else:
            await house.until(lambda: "approve" in house.actions(deployment))
            house.clock.advance(seconds=5)
            await house.until(lambda: house.table("rule_marks"))
            assert house.gate(deployment)["phase"] == "awaiting"
            assert house.aws.answers(deployment) == []


async def test_an_approval_of_long_ago_does_not_move_traffic_by_itself(build: Build) -> None:
    async with build() as house:
        house.aws.faults.add("DescribeTaskDefinition", "access_denied", times=None)
        house.aws.register_revision("order", "v2", tags={"github-actor": "jun-lee"})
        deployment, _ = await house.ask("order")
        await house.approve(OLU.id, deployment)
        await house.until(lambda: votes(house, deployment) == [OLU.id])
        house.clock.advance(minutes=2)
        house.aws.faults.clear("DescribeTaskDefinition")
        # Evidence is looked at again by the service's own time.
        while people(house)[0] is None:
            house.clock.advance(seconds=5)
            await asyncio.sleep(0.2)

        await house.approve(OLU.id, deployment)
        assert await house.told(deployment) == ["Succeeded"]
        assert house.audit(deployment).count("vote_cast") == 2
