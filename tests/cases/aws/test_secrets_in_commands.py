"""A changed command or variable is shown only as changed; no other value of a task definition leaves the service."""

from typing import Any, Final

import pytest

from app.aws.task_definitions import reading_of
from app.db.mapping.evidence_json import evidence_to_json
from app.gate.evidence.model import Evidence
from app.gate.evidence.revision_diff import diff
from app.i18n.catalog import LOCALES, Texts
from app.sandbox.people import GRACE, MINA
from app.slack.cards.card import render_card
from app.slack.modals.details import details_modal
from app.web.api.schemas import evidence_out
from tests.cases.aws.task_definition_shape import AT, CONTAINER, TASK_DEFINITION, filled, planted, strings
from tests.gate.seen import evidence, side
from tests.harness import Harness
from tests.journeys.test_secrets import everything_recorded, fetched, written
from tests.logs import captured_logs
from tests.slack.modals.test_details import view_of

SHOWN: Final = frozenset(
    {
        "taskDefinitionArn",
        "family",
        "cpu",
        "memory",
        "taskRoleArn",
        "registeredBy",
        "containerDefinitions[].name",
        "containerDefinitions[].image",
        "containerDefinitions[].environment[].name",
        "containerDefinitions[].secrets[].name",
    }
)
"""The only strings of a task definition whose values are kept and shown. Whatever AWS adds is not among them."""

COMMANDS: Final[list[list[str]]] = [
    ["redis-server", "--requirepass", "S3cr3t"],
    ["sh", "-c", "curl -H 'Authorization: Bearer S3cr3t' https://license.example.com"],
    ["sh", "-c", "curl -u app:S3cr3t https://example.com && java -jar app.jar"],
    ["java", "-Dspring.datasource.password=S3cr3t", "-jar", "app.jar"],
    ["mysql", "-pS3cr3t", "-h", "db"],
    ["sh", "-c", "echo S3cr3t | docker login --password-stdin"],
    ["node", "server.js", '{"stripe":{"key":"S3cr3t"}}'],
    ["S3cr3t"],
]


def looked_at(blue: dict[str, Any], green: dict[str, Any]) -> Evidence:
    before, after = reading_of(blue), reading_of(green)
    return evidence(
        blue=side(41, revision=before.revision),
        green=side(42, revision=after.revision, task_definition=after.revision.arn),
        changes=diff(before, after),
    )


def all_that_is_shown(seen: Evidence) -> str:
    """Everything that is made of evidence: the record's JSON, the API's, the card and Details in each language."""
    shown = [
        str([details_modal(view_of(seen), texts=texts), render_card(view_of(seen), texts=texts, domain=None)])
        for texts in map(Texts.of, LOCALES)
    ]
    return "\n".join([evidence_to_json(seen), evidence_out(seen).model_dump_json(), *shown])


def test_only_the_fields_of_a_short_list_are_ever_shown() -> None:
    blue = {
        "taskDefinition": filled(TASK_DEFINITION, "S3cr3tA"),
        "tags": [{"key": "owner", "value": "S3cr3tATag"}],
    }
    green = {
        "taskDefinition": filled(TASK_DEFINITION, "S3cr3tB"),
        "tags": [{"key": "owner", "value": "S3cr3tBTag"}],
    }
    planted_strings = {text for text in strings([blue, green]) if text.startswith("S3cr3t")}
    assert len(planted_strings) > 150

    shown = all_that_is_shown(looked_at(blue, green))

    allowed = {planted(secret, path) for secret in ("S3cr3tA", "S3cr3tB") for path in SHOWN}
    assert allowed <= planted_strings
    found = {text for text in planted_strings - allowed if text in shown}
    assert found == set(), "a value that may be secret is shown"


def test_every_field_that_differs_is_a_change() -> None:
    blue = filled(TASK_DEFINITION, "S3cr3tA")
    one = filled(CONTAINER, "S3cr3tA", "containerDefinitions[]")
    other = filled(CONTAINER, "S3cr3tB", "containerDefinitions[]")
    own = {"name", "image", "cpu", "memory"}
    for field in one.keys() - own:
        if one[field] == other[field]:
            continue  # a number or a truth value: the same in both
        changed = one | {field: other[field]}
        seen = looked_at(
            {"taskDefinition": blue | {"containerDefinitions": [one]}},
            {"taskDefinition": blue | {"containerDefinitions": [changed]}},
        )
        assert isinstance(seen.changes, tuple)
        assert seen.changes, f"{field} differs and nothing is said"


@pytest.mark.parametrize("part", ["command", "entryPoint"])
@pytest.mark.parametrize("words", COMMANDS, ids=range(len(COMMANDS)))
def test_a_changed_command_is_shown_as_changed_without_its_text(part: str, words: list[str]) -> None:
    one = {"name": "web", "image": "shop:1"}
    definition = {"taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop:1"}
    seen = looked_at(
        {"taskDefinition": definition | {"containerDefinitions": [one]}},
        {"taskDefinition": definition | {"containerDefinitions": [one | {part: words}]}},
    )
    shown = all_that_is_shown(seen)
    assert "S3cr3t" not in shown
    assert {"command": "command changed", "entryPoint": "entry point changed"}[part] in shown


async def test_none_of_them_is_anywhere_in_the_service(harness: Harness) -> None:
    """Blue has secrets in every field, green has others; a person opens every page of it."""
    with captured_logs() as log:
        await _deploy(harness, "S3cr3tA", COMMANDS[0], passes=True)
        deployment = await _deploy(harness, "S3cr3tB", COMMANDS[1], passes=False)
        await harness.until(lambda: "more" in harness.card_text(deployment))
        await harness.press(MINA.id, deployment, "details")
        await harness.until(lambda: harness.slack.views.top(MINA.id) is not None)
        await harness.reject(GRACE.id, deployment, "not today")
        await harness.reported(deployment)
        places = {
            "Slack": harness.slack.traffic(),
            "the record": everything_recorded(harness.database_url),
            "the log": log.getvalue(),
            "HTTP": await fetched(harness),
        }
    assert "command changed" in places["Slack"] or "명령 변경" in places["Slack"]
    assert [
        (place, form) for place, text in places.items() for form in written("S3cr3t") if form in text
    ] == []


async def _deploy(harness: Harness, secret: str, command: list[str], *, passes: bool) -> str:
    whole = filled(TASK_DEFINITION, secret)
    [container] = whole.pop("containerDefinitions")
    named = {"name", "image", "cpu", "memory", "environment", "secrets", "portMappings"}
    kept = {
        "taskDefinitionArn",
        "family",
        "revision",
        "cpu",
        "memory",
        "taskRoleArn",
        "registeredBy",
        "status",
    }
    harness.aws.register_revision(
        "order",
        definition={name: value for name, value in whole.items() if name not in kept and value != AT},
        container={name: value for name, value in container.items() if name not in named}
        | {"command": command},
        environment={"DB_PASSWORD": secret},
        secrets={"API_KEY": f"arn:aws:ssm:{secret}"},
    )
    deployment, _ = await harness.open_gate("order")
    await harness.until(
        lambda: "DB_PASSWORD" in harness.card_text(deployment) or "more" in harness.card_text(deployment)
    )
    if passes:
        await harness.approve(MINA.id, deployment)
        await harness.reported(deployment)
        harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)
    return deployment
