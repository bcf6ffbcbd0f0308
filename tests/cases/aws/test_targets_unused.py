"""A target that no listener forwards to yet is unknown, not wrong; one in a zone that is not enabled is wrong."""

from pathlib import Path
from typing import Any

import pytest

from app.sandbox.aws.world import SandboxDomain
from app.sandbox.cast import OLU
from tests.house import House, living_house, texts_in

UNKNOWN = ":grey_question: Green: target health unknown: the load balancer does not check green before traffic moves"
OUT_OF_ZONE = "Target is in an Availability Zone that is not enabled for the load balancer"


async def test_without_a_test_listener_green_is_not_checked_before_its_first_switch(
    tmp_path: Path, record_url: str, monkeypatch: Any
) -> None:
    order = SandboxDomain("order", 8020, test_listener=False)
    async with living_house(tmp_path, record_url, monkeypatch, domains=[order]) as house:
        deployment, _ = await house.ask("order")
        await house.until(lambda: UNKNOWN in house.says(deployment))
        assert ":warning:" not in house.says(deployment)
        await house.press(OLU.id, deployment, "details")
        await house.until(lambda: house.slack.views.top(OLU.id) is not None)
        modal: Any = house.slack.views.top(OLU.id)
        assert "2 unused: Target.NotInUse" in "\n".join(texts_in(modal.body))
        await house.approve(OLU.id, deployment)
        assert await house.told(deployment) == ["Succeeded"]


@pytest.mark.parametrize(
    ("state", "reason", "description", "mark"),
    [
        ("initial", "Elb.RegistrationInProgress", "Target registration is in progress", ":grey_question:"),
        ("initial", "Elb.InitialHealthChecking", "Initial health checks in progress", ":grey_question:"),
        ("unavailable", "Target.HealthCheckDisabled", "Health checks are disabled", ":grey_question:"),
        ("unused", "Target.NotInUse", OUT_OF_ZONE, ":warning:"),
        ("unused", "Target.InvalidState", "Target is in the stopped state", ":warning:"),
        ("unused", "Target.IpUnusable", "The target IP address is reserved", ":warning:"),
        ("unhealthy", "Target.Timeout", "Request timed out", ":warning:"),
    ],
)
async def test_other_states_of_a_target(
    house: House, state: str, reason: str, description: str, mark: str
) -> None:
    deployment, _ = await house.ask("order")
    await house.until(lambda: "Green looks fit" in house.says(deployment))
    house.aws.set_health("order", "green", state, reason=reason, description=description)
    house.clock.advance(seconds=20)
    await house.until(lambda: reason in house.says(deployment))
    assert f"{mark} Green: " in house.says(deployment)
