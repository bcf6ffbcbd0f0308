"""Finds where an AppSpec's text names its task definition, and its hooks.

CodeDeploy reads AppSpecs as YAML, of which JSON is a part. The text is parsed to nodes only: no values are built, so
aliases are not expanded, and a replacement leaves everything around it unchanged, comments included.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

MAX_CHARACTERS: Final = 65_536
"""AWS names no limit. An AppSpec of ECS has less than a hundred lines."""

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PATH: Final = ("resources", None, None, "properties", "taskdefinition")
"""The keys down to the task definition, in whatever case; None: any item of a list, any key."""
_HOOKS: Final = ("hooks", None, None)
"""The keys down to the hooks: each item of the list has one, or several."""

_PROPERTIES: Final = re.compile(r"(?:[&!]\S*\s+)*")
_ALIAS: Final = re.compile(r"""["']?\s*:\s*(?P<name>\*[^\s,\]}]+)""")


@dataclass(frozen=True, kw_only=True, slots=True)
class Scalar:
    """A value and where its text stands, without anchor and tag. An alias has the value that it stands for."""

    value: str
    start: int
    end: int


def task_definition_nodes(content: str) -> tuple[str, list[Scalar]]:
    """The text as it was parsed, and the task definitions in it; none where it cannot be read."""
    text, root = _parsed(content)
    return text, [_scalar(text, key, value) for key, value in _pairs(root, _PATH)]


def hook_functions(content: str) -> dict[str, str] | None:
    """The Lambda function of each lifecycle event, by name or ARN; None: the AppSpec cannot be read."""
    _, root = _parsed(content)
    if not isinstance(root, yaml.MappingNode):
        return None
    return {key.value: value.value for key, value in _pairs(root, _HOOKS) if isinstance(key, yaml.ScalarNode)}


def _parsed(content: str) -> tuple[str, Any]:
    """The text as it was parsed, and its root; None: it cannot be read."""
    if len(content) > MAX_CHARACTERS:
        return content, None
    text = _as_yaml(content.removeprefix("\ufeff"))
    try:
        return text, yaml.compose(text, Loader=_LOADER)
    except (yaml.YAMLError, RecursionError, UnicodeError):
        return text, None


def replace_scalar(text: str, scalar: Scalar, value: str) -> str:
    """The text with another value, quoted as the old one was. `value`: needs no quotes in YAML."""
    old = text[scalar.start : scalar.end]
    quote = old[:1] if old[:1] in {"'", '"'} else ""
    block_end = "\n" if old[:1] in {">", "|"} else ""
    return f"{text[: scalar.start]}{quote}{value}{quote}{block_end}{text[scalar.end :]}"


def _as_yaml(content: str) -> str:
    """JSON without what YAML does not know: tabs for indentation, escapes of its own."""
    try:
        return json.dumps(json.loads(content), ensure_ascii=False)
    except (ValueError, RecursionError):
        return content


def _pairs(root: Any, path: tuple[str | None, ...]) -> Iterator[tuple[Any, Any]]:
    """The keys and values at the end of the path. Its length is fixed, so aliases lead into no circle."""
    found = [(None, root)]
    for step in path:
        nodes = {id(node): node for _, node in found}.values()  # each once, however many aliases name it
        found = [pair for node in nodes for pair in _children(node, step)]
    return (pair for pair in found if isinstance(pair[1], yaml.ScalarNode))


def _children(node: Any, step: str | None) -> Iterator[tuple[Any, Any]]:
    if isinstance(node, yaml.SequenceNode):
        yield from ((None, item) for item in node.value if step is None)
    elif isinstance(node, yaml.MappingNode):
        yield from (pair for pair in node.value if step is None or _is_named(pair[0], step))


def _is_named(key: Any, name: str) -> bool:
    return isinstance(key, yaml.ScalarNode) and key.value.casefold() == name


def _scalar(text: str, key: Any, node: Any) -> Scalar:
    start, end = node.start_mark.index, node.end_mark.index
    alias = _ALIAS.match(text, key.end_mark.index)
    if alias is not None:
        start, end = alias.span("name")
    else:
        properties = _PROPERTIES.match(text, start)
        start = properties.end() if properties is not None else start
    return Scalar(value=node.value.strip(), start=start, end=end)
