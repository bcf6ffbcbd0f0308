"""The templates, modules and workflows, read."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import hcl2
import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
INFRA: Final = ROOT / "infra"
TEMPLATES: Final = sorted([*(INFRA / "cloudformation").glob("*.yaml"), INFRA / "github" / "role.yaml"])
TERRAFORM: Final = INFRA / "terraform"
MODULES: Final = sorted(TERRAFORM.rglob("*.tf"))
WORKFLOWS: Final = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTION: Final = INFRA / "github" / "action.yml"
MARKS: Final = frozenset({"__is_block__", "__comments__", "__inline_comments__"})
"""What the parser of Terraform adds to what is in a file."""


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """CloudFormation's short forms (`!Ref x`) become their long ones (`{"Ref": x}`)."""


def _intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    match node:
        case yaml.ScalarNode():
            value = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case _:
            value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _intrinsic)


@cache
def template(name: str) -> dict[str, Any]:
    """A CloudFormation template by its file's name."""
    (path,) = [path for path in TEMPLATES if path.name == name]
    loaded: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506
    return loaded


def resources(name: str, type_: str = "") -> dict[str, dict[str, Any]]:
    """A template's resources by logical id; those of a type, if one is named."""
    found: dict[str, dict[str, Any]] = template(name)["Resources"]
    return {id_: one for id_, one in found.items() if not type_ or one["Type"] == type_}


def workflow(path: Path) -> dict[str, Any]:
    """A workflow or an action. YAML's `on` is True."""
    loaded: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"on" if key is True else str(key): value for key, value in loaded.items()}


@cache
def terraform(path: Path) -> dict[str, Any]:
    """A .tf file, without the parser's quotes and marks."""
    with path.open(encoding="utf-8") as file:
        found: dict[str, Any] = _plain(hcl2.load(file))
    return found


def blocks(folder: Path, kind: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The `resource` or `data` blocks of a module: type, name, body."""
    for path in sorted(folder.glob("*.tf")):
        for block in terraform(path).get(kind, []):
            for type_, named in block.items():
                for name, body in named.items():
                    yield type_, name, body


def block(folder: Path, type_: str, name: str) -> dict[str, Any]:
    """One resource of a module."""
    (found,) = [body for t, n, body in blocks(folder, "resource") if (t, n) == (type_, name)]
    return found


def statements(document: object) -> Iterator[Mapping[str, Any]]:
    """The statements of every policy document inside: mappings that have an Action."""
    if isinstance(document, Mapping):
        if "Action" in document and "Effect" in document:
            yield document
        for value in document.values():
            yield from statements(value)
    elif isinstance(document, list):
        for value in document:
            yield from statements(value)


def actions(document: object) -> set[str]:
    """What the policies inside allow. Trust policies (sts:AssumeRole…) are left out."""
    found: set[str] = set()
    for statement in statements(document):
        if "Principal" not in statement:
            named = statement["Action"]
            found.update([named] if isinstance(named, str) else named)
    return found


def _plain(value: object) -> Any:
    if isinstance(value, dict):
        return {_unquoted(str(key)): _plain(one) for key, one in value.items() if key not in MARKS}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return _unquoted(value) if isinstance(value, str) else value


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) >= 2 and text[0] == text[-1] == '"' else text
