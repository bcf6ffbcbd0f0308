"""The pipelines' smoke tests, as reported to the real service."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.sandbox.people import DOMAIN_RULES, OLU, SMOKE_TEST, config_text
from app.sandbox.pipeline import Pipeline
from app.sandbox.replica import free_port
from app.sandbox.smoke_tests import SmokeTests
from tests.harness import Harness, running_harness, texts_in

TOKEN = "a-token-of-the-pipeline"


class Ci:
    """A pipeline with smoke tests; `service` is where it looks for the API."""

    def __init__(self, harness: Harness) -> None:
        self.harness = harness
        self.service = harness.url
        self.smoke_tests = SmokeTests(harness.aws, service=lambda: self.service, token=TOKEN)
        self.pipeline = Pipeline(harness.aws, smoke_tests=self.smoke_tests)

    def states(self) -> list[str]:
        """The states reported to the service, in order."""
        rows = self.harness.rows("SELECT detail FROM audit_events WHERE kind = 'check_reported' ORDER BY id")
        return [_check(row["detail"])["state"] for row in rows]

    async def reported(self, *states: str) -> None:
        """Waits until exactly these states were reported."""
        await self.harness.until(lambda: self.states() == list(states))

    async def details(self, deployment: str) -> str:
        """The text of the view that Details opens."""
        await self.harness.press(OLU.id, deployment, "details")
        await self.harness.until(lambda: self.harness.slack.views.top(OLU.id) is not None)
        view: Any = self.harness.slack.views.top(OLU.id)
        return "\n".join(texts_in(view.body))


def _check(detail: dict[str, Any]) -> dict[str, Any]:
    assert detail["name"] == SMOKE_TEST
    return detail


@pytest.fixture
async def ci(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ci]:
    """Time at AWS moves by hand."""
    tokens = {"SWITCHGATE_API_TOKENS": f"ci:{TOKEN}:checks"}
    config = config_text(payment=DOMAIN_RULES["payment"])
    async with running_harness(
        tmp_path, database_url, monkeypatch, config=config, environment=tokens
    ) as harness:
        ci = Ci(harness)
        with ci.smoke_tests:
            yield ci


async def test_a_deployment_is_tested_once_it_is_up(ci: Ci) -> None:
    deployment = ci.pipeline.push("payment")
    await ci.reported("pending")

    await ci.harness.until(lambda: ci.harness.aws.deployment(deployment).waits_for)
    await ci.harness.advance_until(lambda: ci.states() == ["pending", "passed"])

    await ci.harness.until(lambda: "checks 1/1" in ci.harness.card_text(deployment))
    details = await ci.details(deployment)
    assert "3 of 3 test cards" in details
    assert "klp-logistics/payment/actions/runs/" in details


async def test_what_waits_is_tested_again_when_it_is_to_fail_and_to_pass(ci: Ci) -> None:
    deployment = ci.pipeline.push("payment")
    await ci.harness.advance_until(lambda: ci.states() == ["pending", "passed"])

    ci.smoke_tests.find("payment", passes=False)
    await ci.harness.advance_until(lambda: ci.states() == ["pending", "passed", "pending", "failed"])
    await ci.harness.until(lambda: "charged twice" in ci.harness.card_text(deployment))

    ci.smoke_tests.find("payment", passes=True)
    await ci.harness.advance_until(lambda: ci.states()[4:] == ["pending", "passed"])


async def test_what_is_over_is_not_tested_again(ci: Ci) -> None:
    deployment = ci.pipeline.push("payment")
    await ci.reported("pending")
    await ci.harness.until(lambda: ci.harness.aws.deployment(deployment).waits_for)
    ci.harness.aws.stop_deployment(deployment)
    await ci.harness.advance_until(lambda: all(one.over for one in ci.harness.aws.deployments("payment")))

    ci.smoke_tests.find("payment", passes=False)
    later = ci.pipeline.push("payment")

    await ci.harness.advance_until(lambda: "charged twice" in ci.harness.card_text(later))
    assert ci.states() == ["pending", "pending", "failed"]


async def test_a_check_is_reported_once_the_service_is_back(ci: Ci) -> None:
    ci.service = f"http://127.0.0.1:{free_port()}"
    deployment = ci.pipeline.push("payment")
    await ci.harness.until(lambda: "reject" in ci.harness.actions(deployment))
    assert ci.states() == []

    ci.service = ci.harness.url

    await ci.reported("pending")


async def test_a_domain_without_a_test_is_left_alone(ci: Ci) -> None:
    deployment = ci.pipeline.push("order")
    await ci.harness.until(lambda: "approve" in ci.harness.actions(deployment))

    with pytest.raises(LookupError, match="order has no smoke test"):
        ci.smoke_tests.find("order", passes=False)
    assert ci.states() == []
