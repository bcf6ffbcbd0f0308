"""The text of what changes from blue to green, for cards, lists and details."""

from collections.abc import Sequence
from typing import Final

from app.flow.read_models import GateView
from app.flow.switch_progress import is_withdrawn_by_somebody
from app.gate.decision import Verdict
from app.gate.evidence.model import Evidence, Missing
from app.gate.evidence.revision import Image, Revision
from app.gate.state_machine import Awaiting
from app.i18n.catalog import Texts
from app.slack.blocks import when
from app.slack.text.evidence import change_text, code, commit_code, image_code, links, missing_text

MAX_CHANGES: Final = 4
MAX_IMAGES: Final = 3
MAX_CHANGES_CHARS: Final = 1800


def evidence_time_text(view: GateView, evidence: Evidence, texts: Texts) -> str:
    """When the evidence was collected."""
    at = when(evidence.collected_at)
    if isinstance(view.gate, Awaiting):
        return texts("evidence.seen", at=at)
    by_people = view.gate.verdict in {Verdict.APPROVED, Verdict.REJECTED} or is_withdrawn_by_somebody(view)
    return texts("evidence.kept" if by_people else "evidence.kept_undecided", at=at)


def change_lines(evidence: Evidence, texts: Texts, *, max_chars: int = MAX_CHANGES_CHARS) -> list[str]:
    """The changes, one line each. Never empty; lines that do not fit are counted."""
    changes = evidence.differences
    if isinstance(changes, Missing):
        return [unknown_text(evidence, changes, texts)]
    if not changes:
        return no_change_lines(evidence, texts)
    several = has_several_containers(evidence)
    shown: list[str] = []
    for change in changes[:MAX_CHANGES]:
        words = change_text(change, texts, several=several)
        if shown and sum(map(len, shown)) + len(words) > max_chars:
            break
        shown.append(words)
    if len(changes) > len(shown):
        shown.append(texts.plural("evidence.more", count=len(changes) - len(shown)))
    stays = _stays(evidence, texts)
    origin = [*commit_code(evidence.commits), *links(evidence.commits, texts)]
    return [" · ".join([*stays, *shown, *origin]), *reread_lines(evidence, texts)]


def no_change_lines(evidence: Evidence, texts: Texts) -> list[str]:
    """For a switch without changes. Names movable tags, because the image behind them may change."""
    blue, green = evidence.blue.revision, evidence.green.revision
    if isinstance(blue, Missing) or isinstance(green, Missing):
        raise TypeError("revisions that were not read cannot be known to be equal")
    if blue.arn == green.arn:
        said = texts("evidence.same_revision", revision=code(green.name))
    else:
        said = texts("evidence.same_content", blue=code(blue.name), green=code(green.name))
    return [said, *reread_lines(evidence, texts)]


def reread_lines(evidence: Evidence, texts: Texts) -> list[str]:
    """What tasks read at start and may have changed although the task definition did not."""
    green = evidence.green.revision
    if evidence.changes or isinstance(green, Missing):
        return []
    moving = [container.image for container in green.containers if container.image.moves]
    said = [texts("evidence.moving", image=_image_names(moving, texts))] if moving else []
    counts = {
        "secrets": sum(container.unpinned_secrets for container in green.containers),
        "variable_files": sum(container.environment_files for container in green.containers),
    }
    what = [texts.plural(f"evidence.{kind}", count=count) for kind, count in counts.items() if count]
    if what:
        both = texts("evidence.and", first=what[0], second=what[1]) if len(what) == 2 else what[0]
        said.append(texts.plural("evidence.read_anew", count=sum(counts.values()), what=both))
    return said


def _stays(evidence: Evidence, texts: Texts) -> list[str]:
    blue, green = evidence.blue.revision, evidence.green.revision
    if isinstance(blue, Missing) or isinstance(green, Missing) or blue.arn != green.arn:
        return []
    return [texts("evidence.stays", revision=code(green.name))]


def unknown_text(evidence: Evidence, missing: Missing, texts: Texts) -> str:
    """Why the changes are unknown, and what green runs if that is known."""
    why = missing_text(missing, texts)
    green = evidence.green.revision
    if isinstance(green, Missing):
        return texts("evidence.unknown_all", why=why)
    images = _image_names([container.image for container in green.containers], texts)
    return texts("evidence.unknown_changes", why=why, images=images)


def has_several_containers(evidence: Evidence) -> bool:
    """Whether a change must name its container."""
    revisions = (evidence.blue.revision, evidence.green.revision)
    return any(isinstance(one, Revision) and len(one.containers) > 1 for one in revisions)


def _image_names(images: Sequence[Image], texts: Texts) -> str:
    """The first names, and the number of the rest."""
    shown = [image_code(image.short_reference) for image in images[:MAX_IMAGES]]
    more = [texts.plural("evidence.more", count=len(images) - MAX_IMAGES)] if images[MAX_IMAGES:] else []
    return ", ".join([*shown, *more])
