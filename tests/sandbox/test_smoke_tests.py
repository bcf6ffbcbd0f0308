"""The pipelines' smoke tests, as the real service hears of them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.sandbox.cast import PAYMENT_RULES, SMOKE_TEST, config_text
from app.sandbox.pipeline import Pipeline
from app.sandbox.replica import free_port
from app.sandbox.smoke_tests import SmokeTests
from tests.house import House, living_house

TOKEN = "a-token-of-the-pipeline"


class Ci:
    """A pipeline with smoke tests; `service` is where it looks for the API."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.service = house.url
        self.smoke_tests = SmokeTests(house.aws, service=lambda: self.service, token=TOKEN)
        self.pipeline = Pipeline(house.aws, smoke_tests=self.smoke_tests)

    def states(self) -> list[str]:
        """What the service was told, in order."""
        rows = self.house.rows("SELECT detail FROM audit_events WHERE kind = 'check_told' ORDER BY id")
        return [_told(row["detail"])["state"] for row in rows]

    async def told(self, *states: str) -> None:
        """Until the service was told these and no other."""
        await self.house.until(lambda: self.states() == list(states))


def _told(detail: dict[str, Any]) -> dict[str, Any]:
    assert detail["name"] == SMOKE_TEST
    return detail


@pytest.fixture
async def ci(tmp_path: Path, record_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ci]:
    """Time at AWS moves by hand."""
    tokens = {"SWITCHGATE_API_TOKENS": f"ci:{TOKEN}:checks"}
    config = config_text(payment=PAYMENT_RULES)
    async with living_house(tmp_path, record_url, monkeypatch, config=config, environment=tokens) as house:
        ci = Ci(house)
        with ci.smoke_tests:
            yield ci


async def test_a_deployment_is_tested_once_it_is_up(ci: Ci) -> None:
    deployment = ci.pipeline.push("payment")
    await ci.told("pending")

    await ci.house.until(lambda: ci.house.aws.deployment(deployment).waits_for)
    await ci.house.play(lambda: ci.states() == ["pending", "passed"])

    await ci.house.until(lambda: "3 of 3 test cards" in ci.house.says(deployment))
    assert "klp-logistics/payment/actions/runs/" in ci.house.says(deployment)


async def test_what_waits_is_tested_again_when_it_is_to_fail_and_to_pass(ci: Ci) -> None:
    deployment = ci.pipeline.push("payment")
    await ci.house.play(lambda: ci.states() == ["pending", "passed"])

    ci.smoke_tests.find("payment", passes=False)
    await ci.house.play(lambda: ci.states() == ["pending", "passed", "pending", "failed"])
    await ci.house.until(lambda: "charged twice" in ci.house.says(deployment))

    ci.smoke_tests.find("payment", passes=True)
    await ci.house.play(lambda: ci.states()[4:] == ["pending", "passed"])


async def test_what_is_over_is_not_tested_again(ci: Ci) -> None:
    deployment = ci.pipeline.push("payment")
    await ci.told("pending")
    await ci.house.until(lambda: ci.house.aws.deployment(deployment).waits_for)
    ci.house.aws.stop_deployment(deployment)
    await ci.house.play(lambda: all(one.over for one in ci.house.aws.deployments("payment")))

    ci.smoke_tests.find("payment", passes=False)
    later = ci.pipeline.push("payment")

    await ci.house.play(lambda: "charged twice" in ci.house.says(later))
    assert ci.states() == ["pending", "pending", "failed"]


async def test_a_service_that_is_away_is_told_when_it_is_back(ci: Ci) -> None:
    ci.service = f"http://127.0.0.1:{free_port()}"
    deployment = ci.pipeline.push("payment")
    await ci.house.until(lambda: "approve" in ci.house.actions(deployment))
    assert ci.states() == []

    ci.service = ci.house.url

    await ci.told("pending")


async def test_a_domain_without_a_test_is_left_alone(ci: Ci) -> None:
    deployment = ci.pipeline.push("order")
    await ci.house.until(lambda: "approve" in ci.house.actions(deployment))

    with pytest.raises(LookupError, match="order has no smoke test"):
        ci.smoke_tests.find("order", passes=False)
    assert ci.states() == []
