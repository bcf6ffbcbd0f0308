"""The text of announcements."""

from collections.abc import Callable, Mapping
from typing import Final

from app.flow.notify.announcement import DueAnnouncement
from app.flow.notify.announcement_kinds import AnnouncementKind
from app.flow.notify.announcement_status import is_rolling_back
from app.flow.notify.people_to_call import people_to_call
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.flow.switch_progress import is_undone, may_be_on_green
from app.gate.decision import Verdict
from app.gate.state_machine import Awaiting
from app.i18n.catalog import Texts
from app.slack.blocks import Block, mention, section
from app.slack.cards.list_item import card_link
from app.slack.text.escape import escaped, inline, quoted
from app.slack.text.switch import domain_name, ending_text, failure_text
from app.slack.text.violations import mentions, rule_lines


def announcement_blocks(
    due: DueAnnouncement, *, texts: Texts, rules: Rules, base: str | None
) -> tuple[str, list[Block]]:
    """The text of the notification, and the message. `base`: the workspace's URL, for the link to the card."""
    view = due.view
    match due.kind:
        case AnnouncementKind.BREAK_GLASS:
            said = texts("announce.break_glass", **_names(view, texts), who=mention(view.decided_by or ""))
            lines = rule_lines(view.overridden_rules, texts=texts, tense="broken")
            return said, [section(said), section(lines), section(quoted(view.reason or "—"))]
        case AnnouncementKind.FREEZE_ENDED:
            return _one(texts("announce.freeze_over", **_names(view, texts), who=_approvers(view, rules)))
        case AnnouncementKind.EXCLUSIVITY_FREE:
            return _one(texts("announce.turn_free", **_names(view, texts), who=_approvers(view, rules)))
        case _:
            return _problem(due, texts=texts, rules=rules, base=base)


def _one(said: str) -> tuple[str, list[Block]]:
    return said, [section(said)]


def _problem(
    due: DueAnnouncement, *, texts: Texts, rules: Rules, base: str | None
) -> tuple[str, list[Block]]:
    """What went wrong. In the card's thread it calls people; in another channel it links to the card."""
    view = due.view
    suffix = SUFFIXES.get(due.kind)
    key = f"{due.kind}.{suffix(view)}" if suffix else due.kind
    said = texts(f"called.{key}", **_names(view, texts), **_facts(view, texts))
    if due.channel is not None:
        return _one(f"{said} {card_link(due.place, base, texts)}".rstrip())
    who = mentions(people_to_call(view, rules=rules))
    return _one(f"{said}\n{who}")


def _where_traffic_is(view: GateView) -> str:
    if is_undone(view):
        return "rolled_back"
    if is_rolling_back(view):
        return "rolling_back"
    return "on_green" if may_be_on_green(view) else "on_blue"


def _verdict(view: GateView) -> str:
    return Verdict.WITHDRAWN if isinstance(view.gate, Awaiting) else view.gate.verdict


SUFFIXES: Final[Mapping[AnnouncementKind, Callable[[GateView], str]]] = {
    AnnouncementKind.DEPLOYMENT_FAILED: _where_traffic_is,
    AnnouncementKind.REPORT_CONFLICT: _verdict,
    AnnouncementKind.REPORT_UNDELIVERABLE: _verdict,
}
"""What of the gate the sentence depends on."""


def _names(view: GateView, texts: Texts) -> dict[str, str]:
    return {
        "domain": escaped(domain_name(view, texts)),
        "deployment": inline(view.switch.key.deployment),
    }


def _facts(view: GateView, texts: Texts) -> dict[str, str]:
    undo = view.intervention
    return {
        "ending": ending_text(view.switch),
        "why": inline(view.outcome_detail or view.report_error or ""),
        "problem": failure_text(undo.problem, texts) if undo else "—",
    }


def _approvers(view: GateView, rules: Rules) -> str:
    found = rules.domain(view.switch.domain) if view.switch.domain else None
    return mentions(found.policy.voters) if found else "—"
