"""The details modal: all the evidence of one gate, within Slack's limits."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from app.flow.read_models import GateView
from app.gate.evidence.health import health_of_green
from app.gate.evidence.model import ABSENT, Alarm, Evidence, Listener, Missing, Safety
from app.gate.state_machine import Awaiting
from app.i18n.catalog import Texts
from app.slack.blocks import Block, context, divider, header, modal, section, when
from app.slack.cards.checks import SIGNS, STATE_ORDER, check_text
from app.slack.modals.details_task_set import task_set_lines
from app.slack.text.answers import answer_lines
from app.slack.text.changes import (
    evidence_time_text,
    has_several_containers,
    no_change_lines,
    reread_lines,
    unknown_text,
)
from app.slack.text.escape import escaped, inline
from app.slack.text.evidence import change_text, code, commit_text, links, missing_text
from app.slack.text.health import finding_text, healthy_lines, stable_lines
from app.slack.text.switch import deployment_link, domain_name

MAX_SECTION_CHARS: Final = 2900
"""Characters of one section; Slack takes 3,000."""

MAX_SECTIONS: Final = 12
"""Of one list. A modal holds 100 blocks and 250 kB, so nothing else comes near."""


def details_modal(view: GateView, *, texts: Texts) -> Block:
    """The modal, in the user's language."""
    evidence = view.evidence
    blocks = [section(f"*{escaped(domain_name(view, texts))}* {deployment_link(view)}")]
    if evidence is None:
        blocks += [section(texts("details.no_evidence")), *_checks(view, texts), *_answers(view, texts)]
    else:
        blocks.append(context(evidence_time_text(view, evidence, texts)))
        blocks += _all(view, evidence, texts)
    return modal(
        callback="details", title=texts("details.title"), close=texts("details.close"), blocks=blocks
    )


def _all(view: GateView, evidence: Evidence, texts: Texts) -> Iterator[Block]:
    yield header(texts("details.what_changes"))
    yield from paragraphs(_changes(evidence, texts), texts)
    yield context(texts("details.values_hidden"))
    yield header(texts("details.health"))
    yield from paragraphs(_health(evidence, texts), texts)
    yield from _checks(view, texts)
    yield from _answers(view, texts)
    yield header(texts("details.both_sides"))
    yield _blue_green(evidence, texts, now="" if isinstance(view.gate, Awaiting) else "_then")
    yield header(texts("details.alarms"))
    yield from paragraphs(_alarms(evidence, texts), texts)
    yield header(texts("details.itself"))
    yield from paragraphs([*_safety(evidence.safety, texts), *_listeners(evidence, texts)], texts)
    missing = list(_missing(evidence, texts))
    if missing:
        yield divider()
        yield from paragraphs([f"*{texts('details.missing')}*", *missing], texts)


def _checks(view: GateView, texts: Texts) -> list[Block]:
    """Every reported check, the worst first."""
    if not view.checks:
        return []
    in_order = sorted(view.checks, key=lambda check: (STATE_ORDER.index(check.state), check.name))
    lines = [f"{SIGNS[check.state]} {check_text(check, texts)}" for check in in_order]
    return [header(texts("details.checks")), *paragraphs(lines, texts)]


def _answers(view: GateView, texts: Texts) -> list[Block]:
    """What approvers answered to the policy's questions."""
    lines = answer_lines(view.votes, texts)
    return [header(texts("details.answers")), *paragraphs(lines, texts)] if lines else []


def paragraphs(lines: Iterable[str], texts: Texts) -> list[Block]:
    """Lines in as few sections as possible; lines that do not fit are counted."""
    pages: list[list[str]] = [[]]
    left = 0
    for line in lines:
        full = sum(len(kept) + 1 for kept in pages[-1]) + len(line) > MAX_SECTION_CHARS
        if full and len(pages) == MAX_SECTIONS or left:
            left += 1
        elif full:
            pages.append([line])
        else:
            pages[-1].append(line)
    blocks = [section("\n".join(page)) for page in pages if page]
    return [*blocks, context(texts.plural("evidence.more", count=left))] if left else blocks


def _changes(evidence: Evidence, texts: Texts) -> Iterator[str]:
    changes = evidence.differences
    if isinstance(changes, Missing):
        yield unknown_text(evidence, changes, texts)
    elif not changes:
        yield from no_change_lines(evidence, texts)
    else:
        several = has_several_containers(evidence)
        yield from (f"• {change_text(change, texts, several=several, max_chars=240)}" for change in changes)
        yield from reread_lines(evidence, texts)
    commits = [commit_text(evidence.commits, texts), *links(evidence.commits, texts)]
    shown = [words for words in commits if words]
    if shown:
        yield " · ".join(shown)


def _health(evidence: Evidence, texts: Texts) -> Iterator[str]:
    yield from (f":warning: {finding_text(one, texts)}" for one in health_of_green(evidence).findings)
    good = [*healthy_lines(evidence.health, texts), *stable_lines(evidence, texts)]
    yield from (f":white_check_mark: {fact}" for fact in good)


def _blue_green(evidence: Evidence, texts: Texts, *, now: str) -> Block:
    """Blue beside green. `now` is `_then` for a decided gate."""
    return {
        "type": "section",
        "fields": [
            _field(texts(f"details.blue{now}"), task_set_lines(evidence.blue, texts)),
            _field(texts(f"details.green{now}"), task_set_lines(evidence.green, texts)),
        ],
    }


def _field(title: str, lines: Sequence[str]) -> Block:
    """As many whole lines as fit into a field: a link cut in two is shown as markup."""
    kept = [f"*{title}*"]
    for line in lines:
        if sum(len(one) + 1 for one in kept) + len(line) > 1990:
            kept.append("…")
            break
        kept.append(line)
    return {"type": "mrkdwn", "text": "\n".join(kept), "verbatim": True}


def _alarms(evidence: Evidence, texts: Texts) -> list[str]:
    if isinstance(evidence.alarms, Missing):
        none = not evidence.alarms.call
        return [texts("details.no_alarms") if none else missing_text(evidence.alarms, texts)]
    return [f"• {_alarm(alarm, texts)}" for alarm in evidence.alarms]


def _alarm(alarm: Alarm, texts: Texts) -> str:
    since = when(alarm.since) if alarm.since else "—"
    keys = {"OK": "alarm_ok", "ALARM": "alarm_firing", ABSENT: "alarm_gone"}
    return texts(
        f"details.{keys.get(alarm.state, 'alarm_unsure')}",
        name=code(alarm.name),
        since=since,
        reason=inline(alarm.reason, max_chars=400),
    )


def _safety(safety: Safety | Missing, texts: Texts) -> list[str]:
    if isinstance(safety, Missing):
        return [f"{texts('evidence.part.safety')}: {missing_text(safety, texts)}"]
    events = ", ".join(code(event) for event in safety.rolls_back_on)
    minutes = safety.blue_kept_minutes
    return [
        texts("details.rolls_back", events=events) if events else texts("details.never_rolls_back"),
        texts("details.alarms_stop" if safety.alarms_stop else "details.alarms_do_not_stop"),
        texts("details.blue_not_kept") if minutes is None else texts("details.blue_kept", minutes=minutes),
    ]


def _listeners(evidence: Evidence, texts: Texts) -> list[str]:
    if isinstance(evidence.listeners, Missing):
        return [f"{texts('evidence.part.listeners')}: {missing_text(evidence.listeners, texts)}"]
    ours = {evidence.blue.target_group, evidence.green.target_group}
    return [_listener(listener, ours, texts) for listener in evidence.listeners]


def _listener(listener: Listener, ours: set[str | None], texts: Texts) -> str:
    """A listener whose default action knows neither target group moves traffic by its rules."""
    weights = [f"{code(name)} {percent}%" for name, percent in listener.weights if name in ours]
    shown = ", ".join(weights) or texts("details.listener_elsewhere")
    return texts("details.listener", port=listener.port, protocol=inline(listener.protocol), weights=shown)


def _missing(evidence: Evidence, texts: Texts) -> Iterator[str]:
    """Every part that could not be read, with the permission that reads it."""
    for part, missing in evidence.missing.items():
        if missing.call:
            said = f"{texts(f'evidence.part.{part}')}: {missing_text(missing, texts)}"
            yield f"• {said} ({code(missing.call)})"
