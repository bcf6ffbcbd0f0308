"""The OpenAPI document: valid, shown, kept to, and nothing in it can be asked into an error of ours."""

from collections.abc import Iterator
from typing import Any

from fastapi.openapi.models import OpenAPI
from jsonschema import Draft202012Validator

from tests.docs.test_glossary import ENGLISH, found_in
from tests.web.api.asking import Asker

NASTY = (
    *(
        "",
        " ",
        "\x00",
        "\x1b[31m",
        "%00",
        "%",
        "../../etc/passwd",
        "'; DROP TABLE gates; --",
        "{{7*7}}",
        "null",
    ),
    *(
        "[]",
        "{}",
        "true",
        "-1",
        "0",
        "1e309",
        "9" * 30,
        "NaN",
        "0x10",
        "١٢",
        "한국어",
        "\U0001f600",
        "\u202etfel",
    ),
    *(
        "2026-11-24T14:05:00+09:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "99999999999999999",
    ),
    *("WyIiLCAxXQ==", "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwgMV0=", "x" * 200, "x" * 5000),
)


async def test_the_document_is_valid_and_shown(asker: Asker) -> None:
    document = (await asker.get("/api/openapi.json")).body
    page = await asker.get("/api/docs")

    OpenAPI.model_validate(document)
    assert found_in("\n".join(_prose(document)), ENGLISH) == []
    assert page.headers["content-type"].startswith("text/html")
    assert "/api/openapi.json" in page.text
    assert {"/api/v1/audit", "/api/v1/switches", "/api/v1/gates", "/hooks/codedeploy"} <= set(
        document["paths"]
    )
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation.get("description") or operation.get("summary"), path


async def test_answers_are_as_the_document_says(afternoon: Asker) -> None:
    document = (await afternoon.get("/api/openapi.json")).body

    for path in ("/api/v1/audit", "/api/v1/switches", "/api/v1/gates"):
        answer = await afternoon.get(path)
        schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        problems = list(_validator(document, schema).iter_errors(answer.body))
        assert problems == []
        assert len(answer.body["items"]) >= 3


async def test_refusals_are_as_the_document_says(asker: Asker) -> None:
    document = (await asker.get("/api/openapi.json")).body
    refused = {"$ref": "#/components/schemas/Problem"}

    for operation in _operations(document):
        assert operation["responses"]["422"]["content"]["application/problem+json"]["schema"] == refused
    answer = await asker.get("/api/v1/audit", limit="0")
    assert list(_validator(document, refused).iter_errors(answer.body)) == []
    assert "HTTPValidationError" not in str(document)


async def test_every_parameter_says_what_to_write_and_its_examples_are_taken(asker: Asker) -> None:
    document = (await asker.get("/api/openapi.json")).body

    for operation in _operations(document):
        for parameter in operation.get("parameters", []):
            assert parameter["description"].endswith("."), parameter
            assert parameter["name"] == "cursor" or parameter["schema"]["examples"], parameter
    for path in ("/api/v1/audit", "/api/v1/switches", "/api/v1/gates"):
        for parameter in document["paths"][path]["get"]["parameters"]:
            for example in parameter["schema"].get("examples", []):
                assert (await asker.get(path, **{parameter["name"]: example})).status == 200


async def test_no_value_of_any_parameter_causes_an_internal_error(afternoon: Asker) -> None:
    document = (await afternoon.get("/api/openapi.json")).body
    asked = 0
    for path in ("/api/v1/audit", "/api/v1/switches", "/api/v1/gates"):
        operation = document["paths"][path]["get"]
        for parameter in operation["parameters"]:
            for value in NASTY:
                answer = await afternoon.get(path, **{parameter["name"]: value})
                assert answer.status in {200, 422}, (path, parameter["name"], value, answer.text)
                assert str(answer.status) in operation["responses"]
                asked += 1
    assert asked > 300


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Everything under /api/v1."""
    own = [operations for path, operations in document["paths"].items() if path.startswith("/api/v1/")]
    return [operation for operations in own for operation in operations.values()]


def _validator(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": document["components"]})


def _prose(node: object) -> Iterator[str]:
    """What the document says in words."""
    if isinstance(node, dict):
        yield from (
            node[name] for name in ("title", "summary", "description") if isinstance(node.get(name), str)
        )
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from _prose(child)
