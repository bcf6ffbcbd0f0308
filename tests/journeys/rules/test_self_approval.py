"""Nobody approves their own deployment, whatever they write into it: an attacker's attempts, over the wire.

Mina deploys, and Olu and Grace are colleagues who may approve too.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from app.sandbox.people import GRACE, MINA, OLU, config_text
from tests.harness import Harness, running_harness
from tests.slack.play import votes

Build = Callable[[], AbstractAsyncContextManager[Harness]]

TWO = "Deployer unknown"
ROLE = "arn:aws:sts::123456789012:assumed-role/deploy/"


@pytest.fixture
def build(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Build:
    """A harness whose file says nothing of unknown deployers."""

    def built() -> AbstractAsyncContextManager[Harness]:
        config = config_text(unknown_deployer="ask-two").replace('unknown_deployer = "ask-two"\n', "")
        config = config.replace("[people]\n", f'[people]\n"mina@example.com" = "{MINA.id}"\n')
        return running_harness(tmp_path, database_url, monkeypatch, config=config)

    return built


async def deployed(harness: Harness, *, tag: str | None, description: str, creator: str) -> str:
    """Mina's deployment, once its evidence and the people whom it names are known."""
    tags = {} if tag is None else {"github-actor": tag}
    harness.aws.register_revision("order", "v2", tags=tags)
    deployment, _ = await harness.open_gate("order", description=description, creator=creator)
    await harness.until(lambda: "evidence_collected" in harness.audit(deployment))
    return deployment


def people(harness: Harness) -> tuple[str | None, set[str]]:
    (row,) = harness.rows("SELECT deployer, named_deployers FROM switches")
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
    async with build() as harness:
        deployment = await deployed(harness, tag=tag, description=description, creator=creator)
        await harness.until(lambda: people(harness) == (None, named))
        await harness.until(lambda: TWO in harness.card_text(deployment))
        await harness.approve(MINA.id, deployment)
        await harness.until(lambda: harness.audit(deployment).count("vote_denied") == 1)
        await harness.approve(OLU.id, deployment)
        await harness.until(lambda: harness.audit(deployment).count("vote_denied") == 2)
        await harness.approve(GRACE.id, deployment)
        await harness.until(lambda: TWO in harness.ephemerals(GRACE.id))
        assert harness.gate(deployment)["phase"] == "awaiting"
        assert harness.aws.answers(deployment) == []


async def test_a_colleague_in_the_description_alone_approves_nothing_for_the_attacker(build: Build) -> None:
    async with build() as harness:
        deployment = await deployed(harness, tag=None, description="actor: olu-ade", creator="user")
        await harness.approve(MINA.id, deployment)
        await harness.until(lambda: votes(harness, deployment) == [MINA.id])
        await harness.approve(OLU.id, deployment)
        await harness.until(lambda: "vote_denied" in harness.audit(deployment))
        assert harness.gate(deployment)["phase"] == "awaiting"
        await harness.approve(GRACE.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_the_tag_makes_the_deployer_known_and_one_colleague_is_enough(build: Build) -> None:
    async with build() as harness:
        deployment = await deployed(harness, tag="mina-kim", description="v2 by @mina-kim", creator="user")
        await harness.until(lambda: people(harness) == (MINA.id, {MINA.id}))
        await harness.until(lambda: TWO not in harness.card_text(deployment))
        await harness.approve(MINA.id, deployment)
        await harness.until(lambda: "본인이 배포한" in harness.ephemerals(MINA.id))
        assert harness.gate(deployment)["phase"] == "awaiting"
        await harness.approve(OLU.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_while_the_tag_cannot_be_read_nobody_is_known(build: Build) -> None:
    async with build() as harness:
        harness.aws.faults.add("DescribeTaskDefinition", "throttle", times=None)
        harness.aws.register_revision("order", "v2", tags={"github-actor": "mina-kim"})
        deployment, _ = await harness.open_gate("order", description="v2")
        await harness.approve(MINA.id, deployment)
        await harness.until(lambda: votes(harness, deployment) == [MINA.id])
        harness.aws.faults.clear()
        harness.clock.advance(minutes=1)
        await harness.until(lambda: people(harness) == (MINA.id, {MINA.id}))
        # What Mina had approved before anybody knew counts no more.
        await harness.until(lambda: "1 more approval needed" in harness.card_text(deployment))
        assert harness.gate(deployment)["phase"] == "awaiting"
        await harness.approve(GRACE.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_approvals_that_became_enough_are_pressed_once_more(build: Build) -> None:
    async with build() as harness:
        harness.aws.faults.add("DescribeTaskDefinition", "throttle", times=None)
        harness.aws.register_revision("order", "v2", tags={"github-actor": "mina-kim"})
        deployment, _ = await harness.open_gate("order", description="v2")
        await harness.approve(OLU.id, deployment)
        await harness.until(lambda: TWO in harness.ephemerals(OLU.id))
        harness.aws.faults.clear()
        harness.clock.advance(minutes=1)
        await harness.until(lambda: "Enough approvals are recorded" in harness.card_text(deployment))
        await harness.approve(OLU.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]


@pytest.mark.parametrize(("tag", "decides"), [("jun-lee", True), ("olu-ade", False)])
async def test_an_approval_before_the_tag_is_read_decides_once_it_names_somebody_else(
    build: Build, tag: str, *, decides: bool
) -> None:
    async with build() as harness:
        harness.aws.faults.slow("DescribeTaskDefinition", 2_000)
        harness.aws.register_revision("order", "v2", tags={"github-actor": tag})
        deployment, _ = await harness.open_gate("order")
        await harness.approve(OLU.id, deployment)
        await harness.until(lambda: votes(harness, deployment) == [OLU.id])
        assert "gate_decided" not in harness.audit(deployment)

        await harness.until(lambda: people(harness)[0] is not None)
        if decides:
            assert await harness.reported(deployment) == ["Succeeded"]
            assert harness.gate(deployment)["decided_by"] == OLU.id
            assert harness.audit(deployment).count("vote_cast") == 1
        else:
            await harness.until(lambda: "approve" in harness.actions(deployment))
            harness.clock.advance(seconds=5)
            await harness.until(lambda: harness.table("gate_rule_snapshots"))
            assert harness.gate(deployment)["phase"] == "awaiting"
            assert harness.aws.answers(deployment) == []


async def test_an_approval_of_long_ago_does_not_move_traffic_by_itself(build: Build) -> None:
    async with build() as harness:
        harness.aws.faults.add("DescribeTaskDefinition", "access_denied", times=None)
        harness.aws.register_revision("order", "v2", tags={"github-actor": "jun-lee"})
        deployment, _ = await harness.open_gate("order")
        await harness.approve(OLU.id, deployment)
        await harness.until(lambda: votes(harness, deployment) == [OLU.id])
        harness.clock.advance(minutes=2)
        harness.aws.faults.clear("DescribeTaskDefinition")
        # Evidence is looked at again by the service's own time.
        while people(harness)[0] is None:
            harness.clock.advance(seconds=5)
            await asyncio.sleep(0.2)

        await harness.approve(OLU.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]
        assert harness.audit(deployment).count("vote_cast") == 2
