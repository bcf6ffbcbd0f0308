"""The files of the container, read."""

import json
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"


@dataclass(frozen=True)
class Instruction:
    """One instruction of the Dockerfile, its continuation lines joined."""

    name: str
    text: str

    def words(self) -> list[str]:
        return self.text.split()

    def command(self) -> list[str]:
        """The exec form's list, whatever options precede it."""
        found: list[str] = json.loads(self.text[self.text.index("[") :])
        return found


def dockerfile() -> list[list[Instruction]]:
    """The stages of the Dockerfile; what precedes the first FROM is left out."""
    text = "\n".join(
        line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.strip().startswith("#")
    )
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    stages: list[list[Instruction]] = []
    for line in filter(None, lines):
        name, _, rest = line.partition(" ")
        if name == "FROM":
            stages.append([])
        if stages:
            stages[-1].append(Instruction(name, rest.strip()))
    return stages


def last_stage(name: str) -> list[Instruction]:
    """The instructions of that name in the stage that is shipped."""
    return [instruction for instruction in dockerfile()[-1] if instruction.name == name]


def is_sent_to_the_builder(path: str) -> bool:
    """Whether .dockerignore lets a path through: of the patterns that match it or a parent, the last one wins."""
    sent = True
    parts = path.split("/")
    parents = ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        if any(_matches(parent, pattern.removeprefix("!")) for parent in parents):
            sent = pattern.startswith("!")
    return sent


def _matches(path: str, pattern: str) -> bool:
    tail = pattern.removeprefix("**/")
    if tail != pattern:
        return fnmatchcase(path.rsplit("/", 1)[-1], tail)
    return path.count("/") == pattern.count("/") and fnmatchcase(path, pattern)


def compose() -> dict[str, Any]:
    """compose.yaml."""
    loaded: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    return loaded


def contract() -> set[str]:
    """The variables that docs/configuration.md describes."""
    return set(re.findall(r"`([A-Z][A-Z_]+)`", _table((ROOT / "docs" / "configuration.md").read_text())))


def _table(text: str) -> str:
    """The first columns of the page's tables: a cell of names in backticks."""
    return "\n".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))


def example_env() -> dict[str, str]:
    """docker/.env.example."""
    lines = (line.strip() for line in (DOCKER / ".env.example").read_text().splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
