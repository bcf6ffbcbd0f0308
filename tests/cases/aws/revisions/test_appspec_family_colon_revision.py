"""An AppSpec may name its task definition `family:revision`, as AWS's own template does."""

import pytest

from tests.cases.aws.revisions.test_getdeployment_content_null import YAML
from tests.cases.aws.undoing import FAMILY, image, inline, take_back, to_the_end
from tests.harness import Harness


@pytest.mark.parametrize("written", ["{name}", '"{name}"'], ids=["plain", "quoted"])
async def test_undo_names_and_deploys_it(harness: Harness, written: str) -> None:
    name = written.format(name=f"{FAMILY}:41")
    harness.aws.deployed_before("order", inline(YAML.format(name=name)))
    deployment = await to_the_end(harness)
    assert f"redeploys {FAMILY}:41" in harness.card_text(deployment)
    await take_back(harness, deployment)
    again = harness.table("interventions")[0]["deployment_id"]
    assert image(harness, again) == "1.41.0"
