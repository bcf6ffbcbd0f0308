"""The traffic guard, as plays: nobody approves while live traffic is not what the deployment expects."""

from pathlib import Path
from typing import Any

import pytest

from app.sandbox.aws.world import SandboxDomain
from app.sandbox.cast import GRACE, OLU
from tests.house import House, living_house, texts_in

ORDER = SandboxDomain("order", 8020)
BLUE, GREEN = ORDER.target_groups
SERVES = "The listener on port 8020 already sends 30 % of production traffic to green"
ELSEWHERE = (
    "The listener on port 8020 sends 40 % of production traffic to `legacy`, which is neither blue nor green."
)
UNHEALTHY = "Green has no healthy target: 2 of 2 are unhealthy."


async def asked(house: House) -> str:
    """A deployment waits, and its evidence is on the card."""
    deployment, _ = await house.ask("order")
    await house.until(lambda: "Green looks fit" in house.says(deployment))
    return deployment


async def look_again(house: House, deployment: str, words: str, *, there: bool = True) -> None:
    """The next look has come, and the card says `words` (or no longer)."""
    house.clock.advance(seconds=20)
    await house.until(lambda: (words in house.says(deployment)) is there)


def home_of(house: House, user: str) -> str:
    home = house.slack.views.home(user)
    return "\n".join(texts_in(home.body)) if home else ""


@pytest.mark.parametrize(
    ("weights", "said"),
    [({BLUE: 70, GREEN: 30}, SERVES), ({BLUE: 60, "legacy": 40}, ELSEWHERE)],
    ids=["green serves already", "traffic goes elsewhere"],
)
async def test_a_listener_that_somebody_changed_holds_the_approval(
    house: House, weights: dict[str, int], said: str
) -> None:
    deployment = await asked(house)
    house.aws.write_listener("order", weights)
    await look_again(house, deployment, said)
    assert "break_glass" in house.actions(deployment)
    await house.approve(OLU.id, deployment)
    await house.until(lambda: said in house.whispered(OLU.id))
    assert house.gate(deployment)["phase"] == "awaiting"
    [refused] = house.rows("SELECT detail FROM audit_events WHERE kind = 'press_refused'")
    assert refused["detail"]["why"] == "HeldBack"
    assert refused["detail"]["rules"].startswith(("green_serves 8020", "traffic_elsewhere 8020 legacy"))

    house.aws.write_listener("order", {})
    await look_again(house, deployment, said, there=False)
    await house.approve(OLU.id, deployment)
    assert await house.told(deployment) == ["Succeeded"]
    blockers = [
        row["detail"]["blockers"]
        for row in house.rows("SELECT detail FROM audit_events WHERE kind = 'evidence_seen' ORDER BY link")
    ]
    assert blockers[0] == blockers[-1] == ""
    assert any(blockers), "the audit trail tells when it was held"


async def test_green_without_a_healthy_target_holds_it_and_a_rejection_passes(house: House) -> None:
    deployment = await asked(house)
    house.aws.set_health("order", "green", "unhealthy", reason="Target.Timeout")
    await look_again(house, deployment, UNHEALTHY)
    await house.approve(OLU.id, deployment)
    await house.until(lambda: UNHEALTHY in house.whispered(OLU.id))
    await house.reject(OLU.id, deployment, "green is down")
    assert await house.told(deployment) == ["Failed"]


async def test_every_list_says_it(house: House) -> None:
    deployment = await asked(house)
    house.aws.write_listener("order", {BLUE: 70, GREEN: 30})
    await look_again(house, deployment, SERVES)
    for words in ("", "order"):
        await house.slack.slash_async(OLU.id, "C01DEPLOY", "/deploys", words)
        await house.until(lambda: SERVES in house.whispered(OLU.id))
    await house.slack.slash_async(GRACE.id, "C01DEPLOY", "/deploys", "rules order")
    await house.until(lambda: "while production traffic is not on blue alone" in house.whispered(GRACE.id))
    await house.slack.slash_async(OLU.id, "C01DEPLOY", "/deploys", "approve order")
    await house.until(lambda: house.slack.views.top(OLU.id) is not None)
    form: Any = house.slack.views.top(OLU.id)
    assert SERVES in "\n".join(texts_in(form.body))
    assert "submit" not in form.body, "there is nothing to tick"
    await house.slack.open_home_async(OLU.id)
    await house.until(lambda: SERVES in home_of(house, OLU.id))


async def test_an_admin_passes_it_in_the_open(house: House) -> None:
    deployment = await asked(house)
    house.aws.write_listener("order", {BLUE: 70, GREEN: 30})
    await look_again(house, deployment, SERVES)
    await house.press(GRACE.id, deployment, "break_glass")
    await house.until(lambda: house.slack.views.top(GRACE.id) is not None)
    form = house.slack.views.top(GRACE.id)
    assert form is not None
    assert SERVES in "\n".join(texts_in(form.body))
    await house.slack.submit_async(GRACE.id, form.id, {"glass_reason": "the load test sends it there"})
    assert await house.told(deployment) == ["Succeeded"]
    [rule] = house.gate(deployment)["broken"]
    assert rule == {"rule": "green_serves", "port": 8020, "percent": 30}
    await house.until(lambda: "already sent 30 % of production traffic to green" in house.says(deployment))


async def test_what_cannot_be_read_holds_nothing(house: House) -> None:
    house.aws.faults.add("DescribeListeners", "access_denied", times=None)
    house.aws.faults.add("DescribeTargetHealth", "access_denied", times=None)
    house.aws.write_listener("order", {BLUE: 70, GREEN: 30})
    deployment, _ = await house.ask("order")
    await house.until(lambda: "target health: not allowed to read" in house.says(deployment))
    await house.approve(OLU.id, deployment)
    assert await house.told(deployment) == ["Succeeded"]


@pytest.mark.parametrize(
    ("rules", "held"), [((GREEN,), True), ((BLUE,), False), ((), True)], ids=["green", "blue", "neither"]
)
async def test_a_listener_that_moves_traffic_by_its_rules(
    tmp_path: Path, record_url: str, monkeypatch: Any, rules: tuple[str, ...], held: bool
) -> None:
    """The default action knows neither of the two, so the rules are read."""
    async with living_house(tmp_path, record_url, monkeypatch, domains=[ORDER]) as house:
        house.aws.write_listener("order", {"not-found-page": 100}, rules=rules)
        deployment, _ = await house.ask("order")
        await house.until(lambda: "tasks running" in house.says(deployment))
        assert ("The listener on port 8020" in house.says(deployment)) is held
        assert house.aws.calls("DescribeRules")


async def test_a_rollback_is_not_held(house: House) -> None:
    """Its green is what served before, with all of the traffic on the other side and nothing healthy."""
    house.aws.write_listener("order", {GREEN: 100})
    deployment = house.aws.deploy("order", creator="codeDeployRollback")
    assert await house.told(deployment) == ["Succeeded"]
