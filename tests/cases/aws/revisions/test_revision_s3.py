"""Revisions that are stored elsewhere are deployed again as they are, and named by their key or commit."""

from typing import Any

import pytest

from tests.cases.aws.undoing import FAMILY, image, take_back, to_the_end
from tests.harness import Harness


def s3(number: int, **more: str) -> dict[str, Any]:
    location = {"bucket": "deploy-artifacts", "key": f"order/{number}/appspec.yaml", "bundleType": "YAML"}
    return {"revisionType": "S3", "s3Location": {**location, **more}}


def git_hub(commit: str) -> dict[str, Any]:
    return {"revisionType": "GitHub", "gitHubLocation": {"repository": "klp/order", "commitId": commit}}


@pytest.mark.parametrize(
    ("before", "now", "name"),
    [
        (s3(41, eTag="e41"), s3(42, eTag="e42"), "s3://deploy-artifacts/order/41/appspec.yaml"),
        (s3(41, version="v1"), s3(41, version="v2"), "s3://deploy-artifacts/order/41/appspec.yaml@v1"),
        (git_hub("41a41a41"), git_hub("42b42b42"), "klp/order@41a41a4"),
    ],
    ids=["eTag", "version", "GitHub"],
)
async def test_undo_deploys_the_object_that_was_deployed_before(
    harness: Harness, before: dict[str, Any], now: dict[str, Any], name: str
) -> None:
    harness.aws.store_appspec(
        "deploy-artifacts", "order/42/appspec.yaml", harness.aws.appspec(f"{FAMILY}:42")
    )
    harness.aws.store_appspec("klp/order", "42b42b42", harness.aws.appspec(f"{FAMILY}:42"))
    harness.aws.store_appspec(
        "deploy-artifacts", "order/41/appspec.yaml", harness.aws.appspec(f"{FAMILY}:41")
    )
    harness.aws.store_appspec("klp/order", "41a41a41", harness.aws.appspec(f"{FAMILY}:41"))
    harness.aws.deployed_before("order", before)
    deployment = await to_the_end(harness, revision=now)

    assert "undo" in harness.actions(deployment)
    assert f"redeploys {name}" in harness.card_text(deployment)
    asked = await take_back(harness, deployment)

    assert asked["revision"] == before
    again = harness.table("interventions")[0]["deployment_id"]
    assert image(harness, again) == "1.41.0"


async def test_an_object_that_was_deployed_twice_takes_nothing_back(harness: Harness) -> None:
    """The same key without a version: whatever stood there before is overwritten."""
    harness.aws.deployed_before("order", s3(41))
    deployment = await to_the_end(harness, revision=s3(41))
    assert "undo" not in harness.actions(deployment)
    assert "is the one that is live now" in harness.card_text(deployment)
