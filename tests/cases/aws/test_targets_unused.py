"""A target that no listener forwards to yet is unknown, not wrong; one in a zone that is not enabled is wrong."""

from pathlib import Path
from typing import Any

import pytest

from app.sandbox.aws.state.topology import SandboxDomain
from app.sandbox.people import OLU
from tests.harness import Harness, running_harness, texts_in

UNKNOWN = ":grey_question: *Green:* target health unknown: the load balancer doesn't check green before traffic moves"
OUT_OF_ZONE = "Target is in an Availability Zone that is not enabled for the load balancer"


async def test_without_a_test_listener_green_is_not_checked_before_its_first_switch(
    tmp_path: Path, database_url: str, monkeypatch: Any
) -> None:
    order = SandboxDomain("order", 8020, test_listener=False)
    async with running_harness(tmp_path, database_url, monkeypatch, domains=[order]) as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.until(lambda: UNKNOWN in harness.card_text(deployment))
        assert ":warning:" not in harness.card_text(deployment)
        await harness.press(OLU.id, deployment, "details")
        await harness.until(lambda: harness.slack.views.top(OLU.id) is not None)
        modal: Any = harness.slack.views.top(OLU.id)
        assert "2 unused: Target.NotInUse" in "\n".join(texts_in(modal.body))
        await harness.approve(OLU.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]


@pytest.mark.parametrize(
    ("state", "reason", "description", "emoji"),
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
    harness: Harness, state: str, reason: str, description: str, emoji: str
) -> None:
    deployment, _ = await harness.open_gate("order")
    await harness.until(lambda: "Healthy:" in harness.card_text(deployment))
    harness.aws.set_health("order", "green", state, reason=reason, description=description)
    harness.clock.advance(seconds=20)
    await harness.until(lambda: reason in harness.card_text(deployment))
    assert f"{emoji} *Green:* " in harness.card_text(deployment)
