"""The same task definition may start with other values: secrets without a version, files of variables, moving tags."""

from typing import Any, Final

import pytest

from app.aws.task_definitions import is_pinned_secret, reading_of
from app.i18n.catalog import Texts
from app.slack.text.changes import change_lines
from tests.gate.seen import evidence, side
from tests.harness import Harness

SECRET: Final = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:order/db-AbCdEf"
PARAMETER: Final = "arn:aws:ssm:ap-northeast-2:123456789012:parameter/order/db"
VERSION: Final = "7c9b8a76-1111-4e8c-9f3a-0123456789ab"
SOURCES: Final = {
    SECRET: False,
    f"{SECRET}:password::": False,
    f"{SECRET}:password:AWSCURRENT:": False,
    f"{SECRET}::AWSPREVIOUS:": False,
    f"{SECRET}:::{VERSION}": True,
    f"{SECRET}:password::{VERSION}": True,
    f"{SECRET}::release-7:": False,
    f"{SECRET}:password:release-7:": False,
    f"{SECRET}::AWSCURRENT:{VERSION}": True,
    PARAMETER: False,
    f"{PARAMETER}:3": True,
    "order-db": False,
    "/order/db:3": True,
    f"{PARAMETER}:prod": False,
    f"{PARAMETER}:v3": False,
    "order-db:prod": False,
    "": False,
}


@pytest.mark.parametrize(("source", "pinned"), SOURCES.items(), ids=SOURCES)
def test_a_secret_is_pinned_by_a_version_of_its_own(source: str, pinned: bool) -> None:
    assert is_pinned_secret(source) is pinned


def lines(**container: Any) -> str:
    definition = {
        "taskDefinitionArn": "arn:aws:ecs:ap-northeast-2:123456789012:task-definition/order:41",
        "family": "order",
        "revision": 41,
        "containerDefinitions": [{"name": "app", "image": "shop:1.2.0", **container}],
    }
    revision = reading_of({"taskDefinition": definition}).revision
    seen = evidence(blue=side(41, revision=revision), green=side(41, revision=revision))
    return "\n".join(change_lines(seen, Texts.of("en")))


NOTHING: Final = "*No changes:* blue and green both run `order:41`."
FILE: Final = {"type": "s3", "value": "arn:aws:s3:::order-env/prod.env"}
SHOWN: Final[list[tuple[dict[str, Any], str]]] = [
    ({}, ""),
    ({"secrets": [{"name": "A", "valueFrom": f"{SECRET}:::{VERSION}"}]}, ""),
    (
        {"secrets": [{"name": "A", "valueFrom": SECRET}]},
        "1 secret is read when tasks start; its value may have changed (AWS doesn't report it).",
    ),
    (
        {"secrets": [{"name": "A", "valueFrom": SECRET}], "environmentFiles": [FILE]},
        "1 secret and 1 environment file are read when tasks start; their values may have changed"
        " (AWS doesn't report it).",
    ),
    (
        {"logConfiguration": {"secretOptions": [{"name": "splunk-token", "valueFrom": PARAMETER}]}},
        "1 secret is read when tasks start; its value may have changed (AWS doesn't report it).",
    ),
    (
        {"firelensConfiguration": {"type": "fluentbit", "options": {"config-file-type": "s3"}}},
        "1 environment file is read when tasks start; its value may have changed (AWS doesn't report it).",
    ),
    ({"image": "shop"}, "Mutable tag, may point to a different build: `shop:latest`."),
    ({"image": "shop:stable"}, "Mutable tag, may point to a different build: `shop:stable`."),
    (
        {"image": "shop:latest-arm64"},
        "Mutable tag, may point to a different build: `shop:latest-arm64`.",
    ),
    ({"image": "shop:v1"}, "Mutable tag, may point to a different build: `shop:v1`."),
    ({"image": "shop:main-9f3c2ab"}, ""),
    (
        {"secrets": [{"name": "A", "valueFrom": f"{PARAMETER}:prod"}]},
        "1 secret is read when tasks start; its value may have changed (AWS doesn't report it).",
    ),
    ({"image": "shop:latest@sha256:" + "0a" * 32}, ""),
]


@pytest.mark.parametrize(("container", "said"), SHOWN, ids=range(len(SHOWN)))
def test_what_is_read_anew_is_shown_where_nothing_changes(container: dict[str, Any], said: str) -> None:
    assert lines(**container) == "\n".join([NOTHING, *([said] if said else [])])


async def test_the_card_says_it_and_shows_no_address(harness: Harness) -> None:
    harness.aws.register_revision(
        "order", "1.41.0", secrets={"DB_PASSWORD": SECRET}, container={"environmentFiles": [FILE]}
    )
    first, _ = await harness.open_gate("order")
    await harness.approve("U02OLU", first)
    await harness.reported(first)
    harness.aws.advance_until(lambda: harness.aws.deployment(first).over)
    second, _ = await harness.open_gate("order", image_tag="1.41.0")
    await harness.until(lambda: "No changes" in harness.card_text(second))
    assert "1 secret and 1 environment file are read when tasks start" in harness.card_text(second)
    assert "order-env" not in harness.slack.traffic()
