"""The names of blue's and green's versions: the tag of the image that changes, a short digest, or the revision."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.gate.evidence.revision import Container, Image, Revision

SHORT_HASH_CHARS: Final = 7
MAX_VERSION_CHARS: Final = 20
_HEAD_CHARS: Final = 9
_HASH: Final = re.compile(r"(?<![0-9A-Za-z])(?=[0-9]*[a-f])[0-9a-f]{12,64}(?![0-9A-Za-z])")


@dataclass(frozen=True, kw_only=True, slots=True)
class Versions:
    """`before` is blue's version and `after` green's; None: not known.

    `container`: whose image they are, where it is not the main container. `others`: how many more images change.
    """

    before: str | None
    after: str | None
    container: str = ""
    others: int = 0


def versions_of(blue: Revision | None, green: Revision | None) -> Versions:
    """A revision that was not read is None."""
    if blue is None or green is None:
        return Versions(before=_alone(blue), after=_alone(green))
    changing = _changing(blue, green)
    if not changing:
        before, after = (_number(blue), _number(green)) if blue.arn != green.arn else (_alone(blue),) * 2
        return Versions(before=before, after=after)
    one, other = changing[0]
    before, after = _different(one.image, other.image) or (_number(blue), _number(green))
    main = _main(green)
    return Versions(
        before=before,
        after=after,
        container="" if main is None or other.name == main.name else other.name,
        others=len(changing) - 1,
    )


def short_version(version: str) -> str:
    """Commit hashes are shortened as Git does it; what is still too long loses its middle."""
    short = _HASH.sub(lambda found: found[0][:SHORT_HASH_CHARS], version)
    if len(short) <= MAX_VERSION_CHARS:
        return short
    return f"{short[:_HEAD_CHARS]}…{short[len(short) - (MAX_VERSION_CHARS - _HEAD_CHARS - 1) :]}"


def _changing(blue: Revision, green: Revision) -> list[tuple[Container, Container]]:
    """Containers of both whose image changes, the main one first."""
    before = {container.name: container for container in blue.containers}
    main = _main(green)
    pairs = [(before[one.name], one) for one in green.containers if one.name in before]
    changing = [(one, other) for one, other in pairs if not one.image.same_as(other.image)]
    return sorted(changing, key=lambda pair: pair[1] is not main)


def _main(revision: Revision) -> Container | None:
    """The first container that listens; without one, the first."""
    listening = (container for container in revision.containers if container.ports)
    return next(listening, next(iter(revision.containers), None))


def _different(one: Image, other: Image) -> tuple[str, str] | None:
    """The first kind of name in which the two images differ."""
    kinds: tuple[Callable[[Image], str | None], ...] = (_tag, _digest, _name)
    for name in kinds:
        before, after = name(one), name(other)
        if before and after and before != after:
            return before, after
    return None


def _alone(revision: Revision | None) -> str | None:
    """The version of a revision that is compared with nothing."""
    if revision is None:
        return None
    main = _main(revision)
    return (_name(main.image) if main else None) or _number(revision)


def _name(image: Image) -> str | None:
    return _tag(image) or _digest(image)


def _tag(image: Image) -> str | None:
    return short_version(image.tag) if image.tag else None


def _digest(image: Image) -> str | None:
    return image.digest.rpartition(":")[2][:SHORT_HASH_CHARS] if image.digest else None


def _number(revision: Revision) -> str:
    return f"rev {revision.number}"
