"""Exclusivity and predecessors: the result of an approval next to other switches, and the message the user sees."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from app.flow.approval.rule_status import RuleStatus
from app.gate.ids import DeploymentId, DomainName
from app.gate.rules.checks import CheckState
from app.gate.rules.evaluation import blockers_of
from app.gate.rules.exclusivity import (
    ExclusiveUntil,
    Exclusivity,
    FailedEnd,
    PredecessorFailed,
    QueuePosition,
    RelatedSwitch,
    awaits_exclusivity,
    failed_predecessors,
    queued_ahead,
    related_switches_fingerprint,
)
from app.gate.rules.freeze import Freeze, Span
from app.gate.rules.violations import ExcludedBySwitch, PredecessorPending, rule_fingerprint
from app.gate.votes import Choice
from app.i18n.catalog import Texts
from app.slack.text.exclusivity import MAX_NAMES, exclusivity_lines, queue_lines
from tests.gate.rules.cases import ANA, BEN, NOW, POLICY, Scene

AUTH, HUB, PAYMENT = DomainName("auth"), DomainName("hub"), DomainName("payment")
ALONE = replace(POLICY, exclusivity=Exclusivity(excludes=(AUTH, HUB, PAYMENT)))
AFTER = replace(POLICY, exclusivity=Exclusivity(after=(AUTH,)))
BOTH = replace(POLICY, exclusivity=Exclusivity(excludes=(AUTH, PAYMENT), after=(AUTH,)))
MINUTE = timedelta(minutes=1)


def related_switch(domain: DomainName = PAYMENT, **how: object) -> RelatedSwitch:
    return RelatedSwitch(domain=domain, deployment=DeploymentId(f"d-{domain}"), **how)  # type: ignore[arg-type]  # each row gives what it needs


def going(domain: DomainName = PAYMENT, **how: object) -> RelatedSwitch:
    """Approved ten minutes ago, and not through."""
    at = NOW - 10 * MINUTE
    return related_switch(domain, **{"approved_at": at, "last_observed_at": at, **how})


def waiting(domain: DomainName, minutes: int) -> RelatedSwitch:
    return related_switch(domain, waiting_since=NOW - minutes * MINUTE)


@dataclass(frozen=True, kw_only=True)
class Row:
    scene: Scene
    choice: Choice = Choice.APPROVE
    becomes: str
    en: tuple[str, ...] = ()
    ko: tuple[str, ...] = ()


def scene(
    *related: RelatedSwitch, policy: object = ALONE, traffic_moving: bool = False, **how: object
) -> Scene:
    queue = QueuePosition(opened_at=NOW - 5 * MINUTE, traffic_moving=traffic_moving, related=related)
    return Scene(policy=policy, queue=queue, **how)  # type: ignore[arg-type]  # each row gives what it needs


SINCE = "<!date^1795488600^{date_short_pretty} {time}|2026-11-24 02:50 UTC>"
ON = f":vertical_traffic_light: One at a time: payment is switching (d-payment), approved {SINCE}."
ON_KO = f":vertical_traffic_light: 한 번에 하나씩 전환합니다. payment 전환 중 (d-payment, {SINCE} 승인)"
NEXT, NEXT_KO = "Next in line.", "다음 순서입니다."
HELD = "order can't be approved right now. Your approval was not recorded:"
HELD_KO = "지금은 order 전환을 승인할 수 없어 기록하지 않았습니다:"
INCIDENT = Freeze(reason="incident", when=Span(start=NOW - MINUTE, end=NOW + MINUTE), by=None)

ROWS = {
    "nobody else is on": Row(scene=scene(), becomes="approved"),
    "a rival is on": Row(
        scene=scene(going()), becomes="ApprovalBlocked", en=(f"{ON} {NEXT}",), ko=(f"{ON_KO} {NEXT_KO}",)
    ),
    "a rival is on and others have waited longer": Row(
        scene=scene(going(), waiting(HUB, 6), waiting(AUTH, 9)),
        becomes="ApprovalBlocked",
        en=(f"{ON} Number 3 in line, after auth, hub.",),
        ko=(f"{ON_KO} auth, hub 다음, 3번째 순서입니다.",),
    ),
    "a rival is on and others have waited less": Row(
        scene=scene(going(), waiting(HUB, 1)),
        becomes="ApprovalBlocked",
        en=(f"{ON} {NEXT}",),
        ko=(f"{ON_KO} {NEXT_KO}",),
    ),
    "two excluded switches are on, since somebody used break glass": Row(
        scene=scene(going(), going(HUB)),
        becomes="ApprovalBlocked",
        en=(f"{ON} {NEXT}", f"{ON.replace('payment', 'hub')} {NEXT}"),
        ko=(f"{ON_KO} {NEXT_KO}", f"{ON_KO.replace('payment', 'hub')} {NEXT_KO}"),
    ),
    "a rival has only waited longer": Row(scene=scene(waiting(HUB, 9)), becomes="approved"),
    "a rival has switched": Row(scene=scene(going(switched_at=NOW - MINUTE)), becomes="approved"),
    "an excluded switch is exclusive until its end": Row(
        scene=scene(going(switched_at=NOW - MINUTE, exclusive_until=ExclusiveUntil.FINISHED)),
        becomes="ApprovalBlocked",
        en=(
            ":vertical_traffic_light: One at a time: payment has switched (d-payment) but holds its turn until"
            f" blue is terminated. {NEXT}",
        ),
        ko=(
            ":vertical_traffic_light: 한 번에 하나씩 전환합니다. payment 전환은 끝났지만 블루가 종료될"
            f" 때까지 순서를 유지합니다 (d-payment). {NEXT_KO}",
        ),
    ),
    "a rival has ended": Row(scene=scene(going(ended_at=NOW - MINUTE)), becomes="approved"),
    "an excluded switch that was exclusive until its end has finished": Row(
        scene=scene(going(switched_at=NOW, exclusive_until=ExclusiveUntil.FINISHED, ended_at=NOW)),
        becomes="approved",
    ),
    "a rival is asked about once more, before any traffic": Row(
        scene=scene(going(waiting_since=NOW - MINUTE)), becomes="approved"
    ),
    "a rival is asked about once more, with some traffic moved": Row(
        scene=scene(going(waiting_since=NOW - MINUTE, moved=True)),
        becomes="ApprovalBlocked",
        en=(f"{ON} {NEXT}",),
        ko=(f"{ON_KO} {NEXT_KO}",),
    ),
    "a rival was let through at one gate and rejected at the next": Row(
        scene=scene(going(refused=FailedEnd.REJECTED)), becomes="approved"
    ),
    "a rival was rejected with some traffic moved": Row(
        scene=scene(going(refused=FailedEnd.REJECTED, moved=True)),
        becomes="ApprovalBlocked",
        en=(f"{ON} {NEXT}",),
        ko=(f"{ON_KO} {NEXT_KO}",),
    ),
    "nothing was heard of a rival for longer than any hook takes": Row(
        scene=scene(going(last_observed_at=NOW - timedelta(hours=1, minutes=5))), becomes="approved"
    ),
    "a rival rests between two steps": Row(
        scene=scene(going(last_observed_at=NOW - timedelta(hours=1, minutes=5), pause=timedelta(minutes=10))),
        becomes="ApprovalBlocked",
        en=(f"{ON} {NEXT}",),
        ko=(f"{ON_KO} {NEXT_KO}",),
    ),
    "its own traffic moves already": Row(scene=scene(going(), traffic_moving=True), becomes="approved"),
    "another domain is on": Row(scene=scene(going(DomainName("delivery"))), becomes="approved"),
    "exclusivity is no reason against a rejection": Row(
        scene=scene(going()), choice=Choice.REJECT, becomes="rejected"
    ),
    "frozen, and a rival is on": Row(
        scene=scene(going(), freezes=(INCIDENT,)),
        becomes="ApprovalBlocked",
        en=(
            ":snowflake: Frozen until <!date^1795489260^{date_short_pretty} {time}|2026-11-24 03:01 UTC> by the"
            " configuration: incident",
            f"{ON} {NEXT}",
        ),
        ko=(
            ":snowflake: <!date^1795489260^{date_short_pretty} {time}|2026-11-24 03:01 UTC>까지 배포 동결"
            " (설정): incident",
            f"{ON_KO} {NEXT_KO}",
        ),
    ),
    "a check is missing, and a rival is on": Row(
        scene=scene(
            going(), policy=replace(ALONE, required_checks=("smoke",)), checks={"smoke": CheckState.FAILED}
        ),
        becomes="ApprovalBlocked",
        en=(f"{ON} {NEXT}", "Check “smoke” failed."),
        ko=(f"{ON_KO} {NEXT_KO}", "“smoke” 검사가 실패했습니다."),
    ),
    "the second of two votes": Row(
        scene=scene(going(), policy=replace(ALONE, approvals=2), approved=(ANA,)),
        becomes="ApprovalBlocked",
        en=(f"{ON} {NEXT}",),
        ko=(f"{ON_KO} {NEXT_KO}",),
    ),
    "who goes first rests": Row(scene=scene(policy=AFTER), becomes="approved"),
    "who goes first waits": Row(
        scene=scene(waiting(AUTH, 1), policy=AFTER),
        becomes="ApprovalBlocked",
        en=("auth goes first and is still waiting for approval (d-auth).",),
        ko=("auth 전환이 먼저이며 승인 대기 중입니다 (d-auth).",),
    ),
    "who goes first is on": Row(
        scene=scene(going(AUTH), policy=AFTER),
        becomes="ApprovalBlocked",
        en=("auth goes first and is still switching (d-auth).",),
        ko=("auth 전환이 먼저이며 지금 진행 중입니다 (d-auth).",),
    ),
    "who goes first has switched": Row(
        scene=scene(going(AUTH, switched_at=NOW, exclusive_until=ExclusiveUntil.FINISHED), policy=AFTER),
        becomes="approved",
    ),
    "who goes first was rejected": Row(
        scene=scene(related_switch(AUTH, refused=FailedEnd.REJECTED), policy=AFTER), becomes="approved"
    ),
    "who goes first is lost": Row(
        scene=scene(going(AUTH, last_observed_at=NOW - timedelta(hours=2)), policy=AFTER), becomes="approved"
    ),
    "who goes first is a rival, too, and waits": Row(
        scene=scene(waiting(AUTH, 9), policy=BOTH),
        becomes="ApprovalBlocked",
        en=("auth goes first and is still waiting for approval (d-auth).",),
        ko=("auth 전환이 먼저이며 승인 대기 중입니다 (d-auth).",),
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_press_with_related_switches_becomes(row: Row) -> None:
    answered = row.scene.press(BEN, row.choice, "why")
    assert answered.came_of_it == row.becomes
    for language, head, lines in (("en", HELD, row.en), ("ko", HELD_KO, row.ko)):
        assert answered.said[language] == "\n• ".join([head, *lines] if lines else [""])


def test_what_was_read_stays_read_while_the_line_grows() -> None:
    (short,) = blockers_of(scene(going()).case(scene().gate))
    (long,) = blockers_of(scene(going(), waiting(HUB, 9)).case(scene().gate))
    assert short != long
    assert rule_fingerprint(short) == rule_fingerprint(long)
    others = [ExcludedBySwitch(domain=PAYMENT, deployment=DeploymentId("d-2"), since=NOW, switched=False)]
    first = PredecessorPending(domain=PAYMENT, deployment=DeploymentId("d-payment"), waits=True)
    assert len({rule_fingerprint(rule) for rule in (short, *others, first)}) == 3


def test_a_switch_that_was_to_go_first_is_shown_for_an_hour() -> None:
    queue = QueuePosition(
        opened_at=NOW, related=(related_switch(AUTH, ended_at=NOW - timedelta(minutes=59)),)
    )
    assert failed_predecessors(AFTER.exclusivity, queue) == (
        PredecessorFailed(domain=AUTH, deployment=DeploymentId("d-auth"), failed_end=FailedEnd.FAILED),
    )
    assert failed_predecessors(ALONE.exclusivity, queue) == ()
    old = QueuePosition(opened_at=NOW, related=(related_switch(AUTH, ended_at=NOW - timedelta(minutes=61)),))
    assert failed_predecessors(AFTER.exclusivity, old) == ()
    through = QueuePosition(opened_at=NOW, related=(related_switch(AUTH, switched_at=NOW, ended_at=NOW),))
    assert failed_predecessors(AFTER.exclusivity, through) == ()


@pytest.mark.parametrize("failed_end", FailedEnd)
def test_each_ending_has_its_sentence(failed_end: FailedEnd) -> None:
    missed = PredecessorFailed(domain=AUTH, deployment=DeploymentId("d-auth"), failed_end=failed_end)
    rule_status = RuleStatus(
        policy=AFTER, variants=(), unmet=(), approvals_required=1, failed_predecessors=(missed,)
    )
    said = {
        queue for language in ("en", "ko") for queue in queue_lines(rule_status, texts=Texts.of(language))
    }
    assert len(said) == 2
    assert all("d-auth" in queue for queue in said)


def test_a_long_line_is_counted_and_not_recited() -> None:
    names = tuple(DomainName(f"d{number:02}") for number in range(40))
    queue = QueuePosition(
        opened_at=NOW, related=tuple(waiting(name, 60 - place) for place, name in enumerate(names))
    )
    exclusivity = Exclusivity(excludes=names)
    assert queued_ahead(exclusivity, queue) == names
    (rules, _) = exclusivity_lines(exclusivity, texts=Texts.of("en"))
    assert rules.endswith(f"{names[MAX_NAMES - 1]}, and 30 more.")


def test_cards_are_drawn_again_when_a_neighbour_does_something_that_they_tell() -> None:
    steps = [
        (),
        (waiting(PAYMENT, 3),),
        (going(),),
        (going(switched_at=NOW),),
        (going(switched_at=NOW, exclusive_until=ExclusiveUntil.FINISHED),),
        (related_switch(PAYMENT, refused=FailedEnd.EXPIRED),),
        (related_switch(PAYMENT, ended_at=NOW),),
    ]
    said = [related_switches_fingerprint(ALONE.exclusivity, step, now=NOW) for step in steps]
    assert len(set(said)) == len(steps)
    lost = related_switches_fingerprint(ALONE.exclusivity, (going(),), now=NOW + timedelta(hours=2))
    assert lost != said[2]
    assert related_switches_fingerprint(AFTER.exclusivity, (going(),), now=NOW) == ()


@pytest.mark.parametrize(
    ("related", "waited", "waits"),
    [
        pytest.param((), True, False, id="alone"),
        pytest.param((going(),), False, True, id="somebody is on"),
        pytest.param(
            (waiting(AUTH, 9),), False, False, id="in line from the start, and free: no turn was missed"
        ),
        pytest.param((waiting(AUTH, 9),), True, True, id="free, and another has been in line for longer"),
        pytest.param((waiting(AUTH, 1),), True, False, id="free, and first in line"),
    ],
)
def test_of_several_gates_that_wait_for_exclusivity_one_is_called(
    related: tuple[RelatedSwitch, ...], waited: bool, waits: bool
) -> None:
    queue = QueuePosition(opened_at=NOW - 5 * MINUTE, related=related)
    assert awaits_exclusivity(ALONE.exclusivity, queue, waited=waited, now=NOW) is waits


def test_without_neighbours_or_once_traffic_moves_there_is_nothing_to_tell_of_others() -> None:
    rejected = related_switch(AUTH, refused=FailedEnd.REJECTED, last_observed_at=NOW)
    asked = QueuePosition(opened_at=NOW, related=(rejected, waiting(PAYMENT, 9)))
    assert failed_predecessors(AFTER.exclusivity, asked)
    assert queued_ahead(ALONE.exclusivity, asked) == (PAYMENT,)
    for queue in (None, replace(asked, traffic_moving=True)):
        assert failed_predecessors(AFTER.exclusivity, queue) == ()
        assert queued_ahead(ALONE.exclusivity, queue) == ()


@pytest.mark.parametrize(
    "one",
    [
        related_switch(PAYMENT),
        replace(waiting(PAYMENT, 9), moved=True),
        replace(waiting(PAYMENT, 9), ended_at=NOW),
    ],
    ids=["does not wait", "its traffic moves", "is over"],
)
def test_a_related_switch_is_not_in_the_queue(one: RelatedSwitch) -> None:
    assert not one.is_queued
    assert queued_ahead(ALONE.exclusivity, QueuePosition(opened_at=NOW, related=(one,))) == ()
