"""The differences between blue and green; of what may be secret, only that it changes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Final

from app.gate.evidence.revision import Container, RevisionReading


class ChangedPart(StrEnum):
    """In the order of interest to a reader."""

    IMAGE = "image"
    CONTAINER = "container"
    VARIABLE = "variable"
    SECRET = "secret"  # noqa: S105 - the name of a kind
    COMMAND = "command"
    PORTS = "ports"
    CPU = "cpu"
    MEMORY = "memory"
    ROLE = "role"
    TASKS = "tasks"
    CAPACITY = "capacity"
    PLATFORM = "platform"
    NETWORK = "network"
    ROUTE = "route"
    OTHER = "other"


class ChangeKind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


HIDDEN: Final = frozenset({ChangedPart.VARIABLE, ChangedPart.SECRET, ChangedPart.COMMAND, ChangedPart.OTHER})
"""Kinds of which only the name is shown, never a value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One difference. `name` is the variable's, secret's or container's, or the part's own. `before` and `after`
    are for display; None: absent, or not to be shown."""

    part: ChangedPart
    kind: ChangeKind
    name: str
    container: str = ""
    before: str | None = None
    after: str | None = None

    def __post_init__(self) -> None:
        if self.part in HIDDEN and (self.before is not None or self.after is not None):
            raise ValueError(f"a {self.part} never tells its value")


def diff(blue: RevisionReading, green: RevisionReading) -> tuple[Change, ...]:
    """All that differs between two revisions; nothing when green runs what blue runs."""
    before = {container.name: container for container in blue.revision.containers}
    after = {container.name: container for container in green.revision.containers}
    changes = chain(
        _task(blue, green),
        _names(ChangedPart.CONTAINER, before, after),
        *(_container(before[name], after[name]) for name in before if name in after),
        _hidden(blue, green, both={""} | (before.keys() & after.keys())),
    )
    order = list(ChangedPart)
    return tuple(sorted(changes, key=lambda change: order.index(change.part)))


def changed(
    part: ChangedPart, name: str, before: str, after: str, *, container: str = ""
) -> Iterator[Change]:
    """The change of a plain value; an empty one is none."""
    if before == after:
        return
    kind = ChangeKind.ADDED if not before else ChangeKind.CHANGED if after else ChangeKind.REMOVED
    yield Change(
        part=part, kind=kind, name=name, container=container, before=before or None, after=after or None
    )


def _task(blue: RevisionReading, green: RevisionReading) -> Iterator[Change]:
    one, other = blue.revision, green.revision
    yield from changed(ChangedPart.CPU, "cpu", one.cpu, other.cpu)
    yield from changed(ChangedPart.MEMORY, "memory", one.memory, other.memory)
    yield from changed(ChangedPart.ROLE, "taskRole", one.task_role, other.task_role)


def _container(blue: Container, green: Container) -> Iterator[Change]:
    name = green.name
    if not blue.image.same_as(green.image):
        one, other = _image_words(blue, green)
        yield Change(
            part=ChangedPart.IMAGE,
            kind=ChangeKind.CHANGED,
            name=green.image.path,
            container=name,
            before=one,
            after=other,
        )
    yield from changed(ChangedPart.CPU, "cpu", blue.cpu, green.cpu, container=name)
    yield from changed(ChangedPart.MEMORY, "memory", blue.memory, green.memory, container=name)
    yield from changed(
        ChangedPart.PORTS, "ports", ", ".join(blue.ports), ", ".join(green.ports), container=name
    )
    yield from _names(ChangedPart.VARIABLE, blue.variables, green.variables, container=name)
    yield from _names(ChangedPart.SECRET, blue.secrets, green.secrets, container=name)


def _image_words(blue: Container, green: Container) -> tuple[str, str]:
    """The versions alone where the repository stays, else the whole names."""
    one, other = blue.image, green.image
    if one.repository == other.repository:
        return one.version, other.version
    return one.reference, other.reference


def _names(
    part: ChangedPart, before: Iterable[str], after: Iterable[str], *, container: str = ""
) -> list[Change]:
    """Added and removed names; names in both are compared by their digests."""
    old, new = list(before), list(after)
    return [
        *(_named(part, ChangeKind.ADDED, name, container) for name in new if name not in old),
        *(_named(part, ChangeKind.REMOVED, name, container) for name in old if name not in new),
    ]


_KINDS: Final = {
    "variable": ChangedPart.VARIABLE,
    "secret": ChangedPart.SECRET,
    "command": ChangedPart.COMMAND,
    "ports": ChangedPart.PORTS,
}


def _hidden(blue: RevisionReading, green: RevisionReading, *, both: set[str]) -> Iterator[Change]:
    """Differences by digest, in the containers that both revisions have."""
    visible = _visible(blue, green)
    for spot in sorted(blue.digests.keys() | green.digests.keys()):
        if spot.container not in both or blue.digests.get(spot) == green.digests.get(spot):
            continue
        if (spot.container, spot.kind) in visible:
            continue
        part = _KINDS.get(spot.kind, ChangedPart.OTHER)
        stayed = spot in blue.digests and spot in green.digests
        if stayed or part is ChangedPart.OTHER:
            yield _named(part, ChangeKind.CHANGED, spot.name, spot.container)


def _visible(blue: RevisionReading, green: RevisionReading) -> set[tuple[str, str]]:
    """Ports that differ in their displayed form; their digest adds nothing."""
    before = {container.name: container for container in blue.revision.containers}
    return {
        (after.name, "ports")
        for after in green.revision.containers
        if before.get(after.name, after).ports != after.ports
    }


def _named(part: ChangedPart, kind: ChangeKind, name: str, container: str) -> Change:
    return Change(part=part, kind=kind, name=name, container=container)
