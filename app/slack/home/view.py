"""Renders App Home for one person. Actions in it are checked again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.flow.approval.withdraw_switch import may_withdraw
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.gate.people import AccountStatus, Person
from app.i18n.catalog import Texts
from app.slack.blocks import Block, actions, button, context, divider, header, mention, section, when
from app.slack.cards.buttons import (
    Confirmation,
    approve_button,
    break_glass_button,
    details_button,
    reject_button,
    retract_vote_button,
    withdraw_button,
)
from app.slack.cards.list_item import PendingGate, decided_line
from app.slack.home.gate_summary import approval_effect_text, evidence_lines, gate_lines, within_limit
from app.slack.home.query import HomeContents, PreviewedGate
from app.slack.text.freezes import freeze_lines
from app.slack.text.switch import domain_name

REFRESH: Final = "home_refresh"
BULK_APPROVE: Final = "approve_several"
MAX_FREEZES: Final = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """A reply to the last action, shown on top."""

    text: str
    buttons: Sequence[Block] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shown:
    """To whom, and when. `base`: the workspace's address."""

    person: Person
    rules: Rules
    texts: Texts
    now: datetime
    base: str | None

    @property
    def is_admin(self) -> bool:
        return self.rules.roster().includes(self.person.user, approvers=self.rules.admins)

    def is_own(self, view: GateView) -> bool:
        """Whether they may withdraw it."""
        return may_withdraw(view, person=self.person, rules=self.rules, now=self.now)


def home_view(top: Sequence[Block], body: Sequence[Block]) -> dict[str, Any]:
    """The view."""
    return {"type": "home", "blocks": [*top, *body]}


def home_top(*, now: datetime, notices: Sequence[Notice], several: bool, texts: Texts) -> list[Block]:
    """The time, the refresh button, and the notices. `several`: two or more gates may be approved now."""
    refresh = button(texts("home.refresh"), action=REFRESH, value="home")
    at_once = [button(texts("home.several"), action=BULK_APPROVE, value="home")] if several else []
    notice_blocks = []
    for number, notice in enumerate(notices):
        notice_blocks.append(section(notice.text))
        notice_blocks += [actions(f"home.notice.{number}", *notice.buttons)] if notice.buttons else []
    if notice_blocks:
        notice_blocks.append(divider())
    return [
        *notice_blocks,
        actions("home.top", *at_once, refresh),
        context(texts("home.as_of", at=when(now))),
    ]


def home_body(
    contents: HomeContents, *, person: Person, rules: Rules, texts: Texts, now: datetime, base: str | None
) -> list[Block]:
    """What waits for this person, what they have approved, what else waits, what is frozen, and the last decisions."""
    shown = _Shown(person=person, rules=rules, texts=texts, now=now, base=base)
    return [
        *_mine(contents, shown),
        *_approved(contents, shown),
        *_others(contents, shown),
        *_frozen(contents, rules=rules, texts=texts, now=now),
        *_decided(contents, texts=texts),
    ]


def unavailable_body(*, texts: Texts) -> list[Block]:
    """For an unreachable database."""
    return [section(texts("home.record_away"))]


def non_member_body(person: Person, *, texts: Texts) -> list[Block]:
    """For users not known to be full members, who may not see pending gates."""
    unknown = person.account_status is AccountStatus.UNKNOWN
    return [section(texts("home.unknown_person" if unknown else "refused.not_a_member"))]


def _mine(contents: HomeContents, shown: _Shown) -> list[Block]:
    texts = shown.texts
    title = (
        texts.plural("home.mine_total", count=contents.mine_total)
        if contents.mine_total
        else texts("home.mine")
    )
    if not contents.mine:
        return [header(title), section(texts("home.none_of_mine"))]
    gates = [block for one in contents.mine for block in _decidable(one, "mine", shown)]
    return [header(title), *gates, *_more(contents.mine_total - len(contents.mine), texts)]


def _approved(contents: HomeContents, shown: _Shown) -> list[Block]:
    """Nothing of it waits for this person."""
    if not contents.approved:
        return []
    title = shown.texts.plural("home.approved", count=contents.approved_total)
    gates = [block for one in contents.approved for block in _decidable(one, "approved", shown)]
    more = _more(contents.approved_total - len(contents.approved), shown.texts)
    return [header(title), *gates, *more]


def _decidable(previewed: PreviewedGate, place: str, shown: _Shown) -> list[Block]:
    view, texts = previewed.view, shown.texts
    changes, effect = evidence_lines(view, texts=texts), approval_effect_text(previewed, texts=texts)
    # What blocks an approval comes before the health of green.
    rest = [*changes, effect] if previewed.preview.counts else [effect, *changes]
    lines = [*gate_lines(view, place=previewed.pending.place, base=shown.base, texts=texts), *rest]
    text = within_limit([line for line in lines if line])
    return [section(text), actions(f"{place}.{view.id}", *_buttons(previewed, shown))]


def _buttons(previewed: PreviewedGate, shown: _Shown) -> list[Block]:
    """Only the buttons that this person can use; the card has all of them."""
    view, preview, texts = previewed.view, previewed.preview, shown.texts
    approve = approve_button(
        view,
        texts=texts,
        by_form=preview.asks,
        confirmation=Confirmation.TOWARD if preview.unmet else Confirmation.LAST,
    )
    found = [
        *([approve] if preview.counts else []),
        reject_button(view, texts=texts),
        details_button(view, texts=texts),
    ]
    if preview.voted:
        found.append(retract_vote_button(view, texts=texts))
    if shown.is_own(view):
        found.append(withdraw_button(view, texts=texts))
    if shown.is_admin and not preview.counts:
        found.append(break_glass_button(view, texts=texts))
    return found


def _others(contents: HomeContents, shown: _Shown) -> list[Block]:
    if not contents.others:
        return []
    title = shown.texts.plural("home.others", count=contents.others_total)
    gates = [_other(one, shown) for one in contents.others]
    return [header(title), *gates, *_more(contents.others_total - len(contents.others), shown.texts)]


def _other(pending: PendingGate, shown: _Shown) -> Block:
    """Whose own deployment it is can withdraw it."""
    view, texts = pending.view, shown.texts
    domain = shown.rules.domain(view.switch.domain) if view.switch.domain else None
    who = ", ".join(mention(entry) for entry in domain.policy.voters) if domain else texts("card.nobody_yet")
    lines = [
        *gate_lines(view, place=pending.place, base=shown.base, texts=texts),
        texts("home.decided_by", who=who),
    ]
    accessory = withdraw_button if shown.is_own(view) else details_button
    return section(within_limit(lines), accessory=accessory(view, texts=texts))


def _frozen(contents: HomeContents, *, rules: Rules, texts: Texts, now: datetime) -> list[Block]:
    lines = freeze_lines(contents.freezes, rules=rules, now=now, texts=texts, planned=False)
    if not lines:
        return []
    shown = section(within_limit(lines[:MAX_FREEZES], max_chars=2900))
    left = len(lines) - MAX_FREEZES
    more = [context(texts.plural("rule.more", count=left))] if left > 0 else []
    return [header(texts("home.frozen")), shown, *more]


def _decided(contents: HomeContents, *, texts: Texts) -> list[Block]:
    lines = [f"*{domain_name(view, texts)}*  {decided_line(view, texts=texts)}" for view in contents.decided]
    said = "\n".join(lines) if lines else texts("deploys.never")
    return [header(texts("home.decided")), section(said)]


def _more(left: int, texts: Texts) -> list[Block]:
    return [context(texts.plural("home.more", count=left))] if left > 0 else []
