"""An AppSpec is YAML, in whatever form its author writes it: the card and undo read the same as CodeDeploy does."""

from typing import Final

import pytest
import yaml

from app.sandbox.people import GRACE
from tests.cases.aws.revisions.test_getdeployment_content_null import ARN, YAML
from tests.cases.aws.undoing import FAMILY, image, inline, take_back, to_the_end
from tests.harness import Harness
from tests.journeys.undo.test_undo import finished
from tests.slack.play import deploys

FORMS: Final = {
    "folded": ">-\n          {name}",
    "literal": "|\n          {name}",
    "on the next line": "\n          {name}",
    "tagged": "!!str '{name}'",
}
MERGED: Final = YAML.replace("Properties:", "Properties:\n        <<: &base").replace(
    "        TaskDefinition", "          TaskDefinition"
)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
async def test_a_family_without_a_number_is_deployed_as_blue_ran_it(harness: Harness, form: str) -> None:
    unpinned = inline(YAML.format(name=form.format(name=FAMILY)))
    harness.aws.deployed_before("order", unpinned)
    deployment = await to_the_end(harness, revision=unpinned)
    assert "redeploys klp-logistics-order:41" in harness.card_text(deployment)

    asked = await take_back(harness, deployment)

    content = asked["revision"]["appSpecContent"]["content"]
    assert yaml.safe_load(content) == yaml.safe_load(YAML.format(name=ARN))
    assert image(harness, harness.table("interventions")[0]["deployment_id"]) == "1.41.0"


async def test_the_card_names_what_green_runs(harness: Harness) -> None:
    harness.aws.faults.add("DescribeServices", "access_denied", times=None)
    name = FORMS["folded"].format(name=f"{FAMILY}:42")
    deployment = await harness.deploy("order", revision=inline(YAML.format(name=name)))
    await harness.until(lambda: "1.42.0" in harness.card_text(deployment))


async def test_what_cannot_be_read_is_refused_in_words(harness: Harness) -> None:
    unread = inline(MERGED.format(name=FAMILY))
    harness.aws.deployed_before("order", unread)
    deployment = await finished(harness)

    assert "undo" not in harness.actions(deployment)
    assert "The task definition can't be read from the AppSpec" in harness.card_text(deployment)
    assert "be read from the AppSpec" in str(await deploys(harness, GRACE, "undo order"))
    assert harness.table("interventions") == []
