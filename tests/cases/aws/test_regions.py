"""Regions of every partition: hooks, state changes and links to the console.

After hashicorp/terraform-provider-aws#45894.
"""

import json
from pathlib import Path

import pytest

from app.sandbox.people import MINA
from tests.harness import running_harness
from tests.web.hooks.hook_sender import hook_sender
from tests.web.hooks.test_state_changes import state_change

REGIONS = {
    "ap-northeast-2": "ap-northeast-2.console.aws.amazon.com",
    "ap-southeast-10": "ap-southeast-10.console.aws.amazon.com",
    "cn-north-1": "cn-north-1.console.amazonaws.cn",
    "us-gov-west-1": "us-gov-west-1.console.amazonaws-us-gov.com",
    "eusc-de-east-1": "eusc-de-east-1.console.amazonaws-eusc.eu",
    "us-isob-east-1": None,  # its console's address is not public: no link is better than a wrong one
}


@pytest.mark.parametrize(("region", "console"), REGIONS.items())
async def test_a_deployment_of_any_region_is_held_shown_and_answered(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, region: str, console: str | None
) -> None:
    async with (
        running_harness(tmp_path, database_url, monkeypatch, region=region) as harness,
        hook_sender(harness) as endpoint,
    ):
        deployment, card = await harness.open_gate("order")
        assert harness.rows("SELECT region FROM switches") == [{"region": region}]
        shown = json.dumps(list(card.shown.blocks))
        path = f"/codesuite/codedeploy/deployments/{deployment}"
        assert (f"https://{console}{path}?region={region}" in shown) == (console is not None)
        assert (path in shown) == (console is not None)

        hint = await endpoint.send_hook(
            state_change(deployment, region=region),
            path="/events/codedeploy",
            signed_path="/events/codedeploy",
        )
        assert (hint.status, hint.body) == (202, {"known": True})

        await harness.approve(MINA.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]
