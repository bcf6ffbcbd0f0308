"""The evidence on a card: what changes, and whether green is healthy, with problems first."""

from collections.abc import Sequence
from typing import Final

from app.flow.read_models import GateView
from app.flow.switch_progress import is_withdrawn_by_somebody
from app.gate.decision import Verdict
from app.gate.evidence.health import health_of_green
from app.gate.evidence.model import Evidence, Missing
from app.gate.evidence.revision import Image, Revision
from app.gate.rules.permits import Basis
from app.gate.state_machine import Awaiting
from app.i18n.catalog import Texts
from app.slack.action_value import ActionValue
from app.slack.blocks import Block, button, context, section, when
from app.slack.text.evidence import change_text, code, image_code, links, missing_text
from app.slack.text.health import finding_text, healthy_lines

MAX_CHANGES: Final = 4
MAX_FINDINGS: Final = 4
MAX_IMAGES: Final = 3
MAX_CHANGES_CHARS: Final = 1800
MAX_SECTION_CHARS: Final = 3000
"""Slack's limit for one section is 3,000 characters."""

DETAILS: Final = "details"


def evidence_blocks(view: GateView, *, texts: Texts) -> list[Block]:
    """The summary on the card, with a button that opens the details."""
    if view.evidence is None:
        return _nothing_yet(view, texts)
    changes = "\n".join(change_lines(view.evidence, texts))
    health = health_line(view.evidence, texts)
    # Two sections, because cutting one could remove an image's tag.
    parts = [f"{changes}\n{health}"] if len(changes) + len(health) < MAX_SECTION_CHARS else [changes, health]
    blocks = [section(parts[0], accessory=details_button(view, texts=texts)), *map(section, parts[1:])]
    if not isinstance(view.gate, Awaiting):
        blocks.append(context(evidence_time_text(view, view.evidence, texts)))
    return blocks


def evidence_time_text(view: GateView, evidence: Evidence, texts: Texts) -> str:
    """When the evidence was collected."""
    at = when(evidence.seen_at)
    if isinstance(view.gate, Awaiting):
        return texts("evidence.seen", at=at)
    by_people = view.gate.verdict in {Verdict.APPROVED, Verdict.REJECTED} or is_withdrawn_by_somebody(view)
    return texts("evidence.kept" if by_people else "evidence.kept_undecided", at=at)


def details_button(view: GateView, *, texts: Texts) -> Block:
    """Opens the details modal."""
    action_value = str(ActionValue(gate=view.id, prompt_version=view.prompt_version))
    return button(texts("details.button"), action=DETAILS, value=action_value)


def _nothing_yet(view: GateView, texts: Texts) -> list[Block]:
    if isinstance(view.gate, Awaiting):
        # Before CodeDeploy has confirmed the deployment nothing is looked up.
        return [context(texts("evidence.looking"))] if view.switch.verified else []
    nobody_asked = view.basis in {Basis.AUTO_ROLLBACK, Basis.UNDO} or not view.switch.verified
    return [] if nobody_asked else [context(texts("evidence.none_kept"))]


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
    return [" · ".join([*stays, *shown, *links(evidence.commits, texts)]), *reread_lines(evidence, texts)]


def health_line(evidence: Evidence, texts: Texts) -> str:
    """The health of green: problems, then what could not be read, then what is healthy."""
    found = health_of_green(evidence)
    against = [finding_text(finding, texts) for finding in found.findings]
    facts = [*against[:MAX_FINDINGS], *healthy_lines(evidence, texts)]
    if len(against) > MAX_FINDINGS:
        facts.append(texts.plural("evidence.more", count=len(against) - MAX_FINDINGS))
    key = "fit" if found.healthy else "wrong" if found.wrong else "unsure"
    return texts(f"evidence.fit.{key}", facts=" · ".join(facts))


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
