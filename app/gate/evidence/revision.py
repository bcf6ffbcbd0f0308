"""The task definition that blue or green runs, as far as it may be stored and shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from app.gate.evidence.image_tags import names_one_build

_DOCKER_HUB: Final = "docker.io/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """A container image's name, taken apart. `repository` includes the registry, as it is written."""

    repository: str
    tag: str | None
    digest: str | None

    @classmethod
    def parse(cls, name: str) -> "Image":
        """`registry/path:tag@algorithm:digest`, of which only the path must be there."""
        name, _, digest = name.partition("@")
        folder, slash, last = name.rpartition("/")
        last, _, tag = last.partition(":")
        return cls(repository=f"{folder}{slash}{last}", tag=tag or None, digest=digest or None)

    @property
    def path(self) -> str:
        """The repository without its registry."""
        registry, slash, path = self.repository.partition("/")
        is_registry = slash and ("." in registry or ":" in registry or registry == "localhost")
        return path if is_registry else self.repository

    @property
    def version(self) -> str:
        """What distinguishes two builds: the tag, the digest, or both, never shortened."""
        return "@".join(part for part in (self.tag, self.digest) if part) or "latest"

    @property
    def reference(self) -> str:
        """The whole name, with the version that Docker would assume."""
        return self._named(self.repository)

    @property
    def short_reference(self) -> str:
        """The name without its registry."""
        return self._named(self.path)

    @property
    def moves(self) -> bool:
        """Whether the same name may mean another build tomorrow: no digest, and a tag that names no single build."""
        return self.digest is None and not (self.tag and names_one_build(self.tag))

    def same_as(self, other: "Image") -> bool:
        """Whether both names mean the same: Docker assumes `docker.io`, `library` and `latest`."""
        return self._assumed() == other._assumed()

    def _named(self, repository: str) -> str:
        return f"{repository}{'@' if self.digest and not self.tag else ':'}{self.version}"

    def _assumed(self) -> tuple[str, str]:
        short = self.repository.removeprefix(_DOCKER_HUB)
        return short.removeprefix("library/"), self.version


@dataclass(frozen=True, kw_only=True, slots=True)
class Container:
    """One container definition: of variables and secrets only the names, of its command nothing."""

    name: str
    image: Image
    cpu: str
    memory: str
    ports: tuple[str, ...]
    variables: tuple[str, ...]
    secrets: tuple[str, ...]
    unpinned_secrets: int = 0
    """Secrets without a version: whatever they hold when a task starts."""
    environment_files: int = 0
    """Files of variables, which have no version: read when a task starts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """One revision of a task definition. It holds no value that could be secret, so it may be kept."""

    arn: str
    family: str
    number: int
    cpu: str
    memory: str
    task_role: str
    registered_at: datetime | None
    registered_by: str
    containers: tuple[Container, ...]
    tags: tuple[tuple[str, str], ...]
    active: bool = True
    """Whether ECS starts new tasks from it; False once it is deregistered."""

    @property
    def name(self) -> str:
        """`family:number`"""
        return f"{self.family}:{self.number}"


class FieldPath(NamedTuple):
    """A place in a task definition: `container` is empty for the definition itself."""

    container: str
    kind: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RevisionReading:
    """A revision that was just read, with a digest of everything whose value must not be stored.

    Two digests of one process are equal if the values are. They are keyed, and never leave the process.
    """

    revision: Revision
    digests: Mapping[FieldPath, bytes]

    def __repr__(self) -> str:
        return f"Reading({self.revision.name})"
