"""Which AWS operations code can call: method calls by the names of boto3's operations."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

import botocore.session
from botocore import xform_name

from tests.infra.files import INFRA, ROOT

IAM_PREFIX: Final = {
    "codedeploy": "codedeploy",
    "ecs": "ecs",
    "elbv2": "elasticloadbalancing",
    "cloudwatch": "cloudwatch",
    "secretsmanager": "secretsmanager",
    "s3": "s3",
    "ssm": "ssm",
    "sts": "sts",
    "iam": "iam",
    "lambda": "lambda",
    "events": "events",
}
"""boto3's services that the code uses, by IAM's name for them. IAM's actions have the operations' names."""

CONFIGURATION: Final = [ROOT / "app" / "aws" / "config_source.py"]
SERVICE: Final = sorted({*(ROOT / "app" / "aws").rglob("*.py")} - {*CONFIGURATION})
DOCTOR: Final = sorted((ROOT / "app" / "cli" / "doctor").glob("*.py"))
DISCOVERY: Final = [ROOT / "app" / "cli" / "discover.py"]
HOOK: Final = [ROOT / "app" / "hook_lambda" / "handler.py"]
PIPELINE: Final = sorted((INFRA / "github" / "switchgate_pipeline").glob("*.py"))

OTHER_METHODS: Final = {
    "get_paginator",
    "get_waiter",
    "can_paginate",
    "meta",
    "close",
}


@cache
def _actions_by_method(service: str) -> dict[str, str]:
    """`get_deployment` → `codedeploy:GetDeployment`."""
    operations = botocore.session.get_session().get_service_model(service).operation_names
    return {xform_name(operation): f"{IAM_PREFIX[service]}:{operation}" for operation in operations}


def calls(files: Iterable[Path]) -> set[str]:
    """IAM's names of the operations that the files call, of the services whose clients they make."""
    files = list(files)
    known = {name: action for one in services(files) for name, action in _actions_by_method(one).items()}
    return {known[name] for file in files for name in _methods(file) if name in known}


def services(files: Iterable[Path]) -> set[str]:
    """boto3's services whose clients the files make: `.client("ecs", …)`, and lists of services."""
    return {name for file in files for name in _named_services(file)}


def paginators(files: Iterable[Path]) -> set[str]:
    """Calls that hide the operation's name behind a text."""
    return {
        f"{file.name}: {name}"
        for file in files
        for name in _methods(file)
        if name in OTHER_METHODS - {"close"}
    }


def _methods(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr


def _named_services(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "client":
            yield from (one.value for one in node.args if isinstance(one, ast.Constant))  # type: ignore[misc]
        elif (
            isinstance(node, ast.Subscript)
            and isinstance(node.value, ast.Name)
            and node.value.id == "Literal"
        ):
            names = [one.value for one in ast.walk(node.slice) if isinstance(one, ast.Constant)]
            yield from (str(name) for name in names if "codedeploy" in names)
