"""Details and the card's evidence: Slack accepts every combination, and what does not fit is counted."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.flow.read_models import GateView, Switch
from app.gate.evidence.commits import Commits
from app.gate.evidence.model import ABSENT, Alarm, Evidence, Missing, MissingReason, Targets, Tasks
from app.gate.evidence.revision_diff import Change, ChangedPart, ChangeKind
from app.gate.ids import DeploymentId, DomainName, GateId, SwitchKey
from app.gate.state_machine import Awaiting
from app.i18n.catalog import LOCALES, LocaleName, Texts
from app.sandbox.slack.blocks.validate import message_problems, view_is_too_large, view_problems
from app.slack.cards.card import render_card
from app.slack.cards.health import health_line
from app.slack.modals.details import details_modal
from app.slack.text.changes import change_lines
from tests.gate.seen import AT, container, evidence, revision, side

EN = Texts.of("en")
NASTY = "<!channel> & `x` *bold* \u202e" + "한" * 3000


def view_of(seen: Evidence | None) -> GateView:
    """A waiting gate that saw this."""
    key = SwitchKey(account="123456789012", region="ap-northeast-2", deployment=DeploymentId("d-1"))
    gate = Awaiting(
        id=GateId(UUID(int=1)),
        opened_at=AT,
        deadline_at=AT + timedelta(minutes=55),
        prompt_version=1,
        verified=True,
        deployer=None,
        approved_by=frozenset(),
    )
    unknown: dict[str, Any] = dict.fromkeys(
        name for name in Switch.__dataclass_fields__ if name not in {"id", "key", "domain"}
    )
    switch = Switch(**{**unknown, "id": 1, "key": key, "domain": DomainName("order"), "verified": True})
    rest: dict[str, Any] = dict.fromkeys(GateView.__dataclass_fields__)
    return GateView(
        **{
            **rest,
            "gate": gate,
            "switch": switch,
            "hook_name": "BeforeAllowTraffic",
            "prompt_version": 1,
            "version": 1,
            "opened_at": AT,
            "deadline_at": gate.deadline_at,
            "votes": (),
            "checks": (),
            "overridden_rules": (),
            "evidence": seen,
        }
    )


def variables(count: int, *, longest: int = 20) -> tuple[Change, ...]:
    return tuple(
        Change(
            part=ChangedPart.VARIABLE,
            kind=ChangeKind.ADDED,
            name=f"V{number}".ljust(longest, "x"),
            container="order",
        )
        for number in range(count)
    )


DENIED = Missing(reason=MissingReason.DENIED, call="ecs:DescribeServices")
CROWD = [container(f"sidecar-{number}", image=f"r.example/{'p' * 200}:{number}") for number in range(40)]

SEEN: dict[str, Evidence | None] = {
    "nothing yet": None,
    "the common case": evidence(),
    "five thousand changes": evidence(changes=variables(5000)),
    "names as long as they come": evidence(changes=variables(300, longest=500)),
    "forty containers": evidence(green=side(revision=revision(42, *CROWD)), changes=variables(3)),
    "a hundred alarms": evidence(
        alarms=tuple(Alarm(name=f"a{n}" * 60, state="ALARM", reason=NASTY, since=AT) for n in range(100))
    ),
    "nasty words": evidence(
        changes=(
            Change(part=ChangedPart.IMAGE, kind=ChangeKind.CHANGED, name=NASTY, before=NASTY, after=NASTY),
            Change(
                part=ChangedPart.PORTS,
                kind=ChangeKind.CHANGED,
                name="ports",
                before="&" * 400,
                after="<" * 400,
            ),
            Change(part=ChangedPart.OTHER, kind=ChangeKind.CHANGED, name=NASTY, container=NASTY),
        ),
        green=side(
            tasks=Tasks(desired=3, running=1, pending=2, steady=False),
            health=tuple(Targets(state=f"s{n}", count=1, reason=NASTY, description=NASTY) for n in range(20)),
        ),
        alarms=(Alarm(name=NASTY, state=ABSENT), Alarm(name="unsure", state="INSUFFICIENT_DATA")),
        commits=Commits(repo="klp/order", old="a" * 40, new="b" * 40, run="9" * 20, actor=NASTY),
    ),
    "nothing could be read": evidence(
        blue=side(41, revision=DENIED, tasks=DENIED, health=DENIED, task_definition=None),
        green=side(42, revision=DENIED, tasks=DENIED, health=DENIED),
        changes=DENIED,
        alarms=DENIED,
        listeners=DENIED,
        safety=DENIED,
        steady_since=DENIED,
    ),
}


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("seen", SEEN.values(), ids=SEEN)
def test_slack_takes_whatever_was_seen(seen: Evidence | None, locale: LocaleName) -> None:
    view = view_of(seen)
    modal = details_modal(view, texts=Texts.of(locale))
    assert view_problems(modal) == []
    assert not view_is_too_large(modal)
    assert message_problems(render_card(view, texts=Texts.of(locale), domain=None).blocks) == []


def shown(seen: Evidence) -> str:
    return str(details_modal(view_of(seen), texts=EN))


def test_what_does_not_fit_is_counted() -> None:
    told = shown(evidence(changes=variables(5000)))
    listed = told.count("• env var")
    assert listed > 500
    assert f"and {5000 - listed} more" in told


def test_words_from_outside_ping_nobody_and_break_out_of_nothing() -> None:
    seen = SEEN["nasty words"]
    assert seen is not None
    told = shown(seen) + "\n".join(change_lines(seen, EN)) + health_line(view_of(seen), EN)
    assert "<!channel>" not in told
    assert "\u202e" not in told
    assert "*<" not in told
    assert "*&lt;!channel&gt; &amp; x bold" in told


def test_in_one_container_a_change_does_not_say_where() -> None:
    change = Change(part=ChangedPart.VARIABLE, kind=ChangeKind.ADDED, name="A", container="order")
    assert change_lines(evidence(changes=(change,)), EN) == ["env var `A` added"]
    several = side(revision=revision(42, container(), container("envoy")))
    assert change_lines(evidence(changes=(change,), green=several), EN) == ["order: env var `A` added"]


HEALTH = {
    "healthy": (
        evidence(steady_since=Missing(reason=MissingReason.ABSENT)),
        ":white_check_mark: *Healthy:* 2/2 tasks · 2/2 targets · no alarms firing",
        ":white_check_mark: *그린 정상:* 태스크 2/2 · 대상 2/2 · 발생한 알람 없음",
    ),
    "an alarm without data": (
        evidence(alarms=(Alarm(name="a", state="INSUFFICIENT_DATA"),), steady_since=DENIED),
        ":white_check_mark: *Healthy:* 2/2 tasks · 2/2 targets · no alarms firing (1 without data)",
        ":white_check_mark: *그린 정상:* 태스크 2/2 · 대상 2/2 · 발생한 알람 없음 (데이터 없음 1개)",
    ),
    "wrong": (
        evidence(
            green=side(
                tasks=Tasks(desired=2, running=1, pending=1, steady=False),
                health=(
                    Targets(state="healthy", count=1),
                    Targets(state="unhealthy", count=1, reason="Target.Timeout"),
                ),
            ),
            steady_since=Missing(reason=MissingReason.ABSENT),
        ),
        ":warning: *Green:* *1 of 2 targets unhealthy*: Target.Timeout · *only 1 of 2 tasks running* · 1/2 targets"
        " · no alarms firing",
        ":warning: *그린:* *대상 2개 중 1개가 unhealthy 상태*: Target.Timeout · *태스크 1/2개만 실행 중* · "
        "대상 1/2 · 발생한 알람 없음",
    ),
    "unread": (
        evidence(alarms=DENIED, steady_since=DENIED),
        ":grey_question: *Green:* alarms: no permission to read · 2/2 tasks · 2/2 targets",
        ":grey_question: *그린:* 알람: 읽기 권한 없음 · 태스크 2/2 · 대상 2/2",
    ),
}


@pytest.mark.parametrize(("seen", "english", "korean"), HEALTH.values(), ids=HEALTH)
def test_one_line_says_whether_green_is_healthy(seen: Evidence, english: str, korean: str) -> None:
    assert health_line(view_of(seen), EN) == english
    assert health_line(view_of(seen), Texts.of("ko")) == korean


def test_the_same_revision_on_both_sides_is_named() -> None:
    same = side(41)
    seen = evidence(green=replace(same, target_group="order-green"))
    assert change_lines(seen, EN) == ["*No changes:* blue and green both run `order:41`."]


def test_permissions_that_are_missing_are_named_for_whoever_grants_them() -> None:
    told = shown(evidence(alarms=Missing(reason=MissingReason.DENIED, call="cloudwatch:DescribeAlarms")))
    assert "alarms: no permission to read (`cloudwatch:DescribeAlarms`)" in told
