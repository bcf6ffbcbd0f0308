"""The traffic guard: no approval while live traffic is not what the deployment expects."""

from pathlib import Path
from typing import Any

import pytest

from app.sandbox.aws.state.topology import SandboxDomain
from app.sandbox.people import GRACE, OLU
from tests.harness import Harness, running_harness, texts_in

ORDER = SandboxDomain("order", 8020)
BLUE, GREEN = ORDER.target_groups
SERVES = "The listener on port 8020 already sends 30% of production traffic to green"
ELSEWHERE = (
    "The listener on port 8020 sends 40% of production traffic to `legacy`, which is neither blue nor green."
)
UNHEALTHY = "Green has no healthy target: 2 of 2 are unhealthy."


async def asked(harness: Harness) -> str:
    """A deployment waits, and its evidence is on the card."""
    deployment, _ = await harness.open_gate("order")
    await harness.until(lambda: "Healthy:" in harness.card_text(deployment))
    return deployment


async def poll_again(harness: Harness, deployment: str, words: str, *, there: bool = True) -> None:
    """Waits for the next evidence read, after which the card shows `words` (or no longer)."""
    harness.clock.advance(seconds=20)
    await harness.until(lambda: (words in harness.card_text(deployment)) is there)


def home_of(harness: Harness, user: str) -> str:
    home = harness.slack.views.home(user)
    return "\n".join(texts_in(home.body)) if home else ""


@pytest.mark.parametrize(
    ("weights", "said"),
    [({BLUE: 70, GREEN: 30}, SERVES), ({BLUE: 60, "legacy": 40}, ELSEWHERE)],
    ids=["green serves already", "traffic goes elsewhere"],
)
async def test_a_listener_that_somebody_changed_holds_the_approval(
    harness: Harness, weights: dict[str, int], said: str
) -> None:
    deployment = await asked(harness)
    harness.aws.write_listener("order", weights)
    await poll_again(harness, deployment, said)
    assert "break_glass" in harness.actions(deployment)
    await harness.approve(OLU.id, deployment)
    await harness.until(lambda: said in harness.ephemerals(OLU.id))
    assert harness.gate(deployment)["phase"] == "awaiting"
    [refused] = harness.rows("SELECT detail FROM audit_events WHERE kind = 'vote_denied'")
    assert refused["detail"]["code"] == "approval_blocked"
    assert refused["detail"]["rules"].startswith(("green_serves 8020", "traffic_elsewhere 8020 legacy"))

    harness.aws.write_listener("order", {})
    await poll_again(harness, deployment, said, there=False)
    await harness.approve(OLU.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]
    blockers = [
        row["detail"]["blockers"]
        for row in harness.rows(
            "SELECT detail FROM audit_events WHERE kind = 'evidence_collected' ORDER BY seq"
        )
    ]
    assert blockers[0] == blockers[-1] == ""
    assert any(blockers), "the audit trail tells when it was held"


async def test_green_without_a_healthy_target_holds_it_and_a_rejection_passes(harness: Harness) -> None:
    deployment = await asked(harness)
    harness.aws.set_health("order", "green", "unhealthy", reason="Target.Timeout")
    await poll_again(harness, deployment, UNHEALTHY)
    await harness.approve(OLU.id, deployment)
    await harness.until(lambda: UNHEALTHY in harness.ephemerals(OLU.id))
    await harness.reject(OLU.id, deployment, "green is down")
    assert await harness.reported(deployment) == ["Failed"]


async def test_every_list_says_it(harness: Harness) -> None:
    deployment = await asked(harness)
    harness.aws.write_listener("order", {BLUE: 70, GREEN: 30})
    await poll_again(harness, deployment, SERVES)
    for words in ("", "order"):
        await harness.slack.slash_async(OLU.id, "C01DEPLOY", "/deploys", words)
        await harness.until(lambda: SERVES in harness.ephemerals(OLU.id))
    await harness.slack.slash_async(GRACE.id, "C01DEPLOY", "/deploys", "rules order")
    await harness.until(lambda: "while production traffic is not all on blue" in harness.ephemerals(GRACE.id))
    await harness.slack.slash_async(OLU.id, "C01DEPLOY", "/deploys", "approve order")
    await harness.until(lambda: harness.slack.views.top(OLU.id) is not None)
    form: Any = harness.slack.views.top(OLU.id)
    assert SERVES in "\n".join(texts_in(form.body))
    assert "submit" not in form.body, "there is nothing to tick"
    await harness.slack.open_home_async(OLU.id)
    await harness.until(lambda: SERVES in home_of(harness, OLU.id))


async def test_an_admin_passes_it_in_the_open(harness: Harness) -> None:
    deployment = await asked(harness)
    harness.aws.write_listener("order", {BLUE: 70, GREEN: 30})
    await poll_again(harness, deployment, SERVES)
    await harness.press(GRACE.id, deployment, "break_glass")
    await harness.until(lambda: harness.slack.views.top(GRACE.id) is not None)
    form = harness.slack.views.top(GRACE.id)
    assert form is not None
    assert SERVES in "\n".join(texts_in(form.body))
    await harness.slack.submit_async(GRACE.id, form.id, {"glass_reason": "the load test sends it there"})
    assert await harness.reported(deployment) == ["Succeeded"]
    [rule] = harness.gate(deployment)["overridden_rules"]
    assert rule == {"rule": "green_receives_traffic", "port": 8020, "percent": 30}
    await harness.until(
        lambda: "already sent 30% of production traffic to green" in harness.card_text(deployment)
    )


async def test_unreadable_traffic_blocks_nothing(harness: Harness) -> None:
    harness.aws.faults.add("DescribeListeners", "access_denied", times=None)
    harness.aws.faults.add("DescribeTargetHealth", "access_denied", times=None)
    harness.aws.write_listener("order", {BLUE: 70, GREEN: 30})
    deployment, _ = await harness.open_gate("order")
    await harness.until(lambda: "target health: no permission to read" in harness.card_text(deployment))
    await harness.approve(OLU.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]


@pytest.mark.parametrize(
    ("rules", "held"), [((GREEN,), True), ((BLUE,), False), ((), True)], ids=["green", "blue", "neither"]
)
async def test_a_listener_that_moves_traffic_by_its_rules(
    tmp_path: Path, database_url: str, monkeypatch: Any, rules: tuple[str, ...], held: bool
) -> None:
    """The default action knows neither of the two, so the rules are read."""
    async with running_harness(tmp_path, database_url, monkeypatch, domains=[ORDER]) as harness:
        harness.aws.write_listener("order", {"not-found-page": 100}, rules=rules)
        deployment, _ = await harness.open_gate("order")
        await harness.until(lambda: "2/2 tasks" in harness.card_text(deployment))
        assert ("The listener on port 8020" in harness.card_text(deployment)) is held
        assert harness.aws.calls("DescribeRules")


async def test_a_rollback_is_not_held(harness: Harness) -> None:
    """Its green is what served before, with all of the traffic on the other side and nothing healthy."""
    harness.aws.write_listener("order", {GREEN: 100})
    deployment = harness.aws.deploy("order", creator="codeDeployRollback")
    assert await harness.reported(deployment) == ["Succeeded"]
