"""Every rule, and every pair that can conflict: the result of a press, and the reply."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.gate.ids import UserId
from app.gate.rules.checks import CheckState
from app.gate.rules.freeze import Freeze, Span
from app.gate.rules.policy import (
    ApproverSource,
    DailyHours,
    Policy,
    PolicyOverride,
    ReasonFor,
    RejectBy,
    Shift,
    UnknownDeployer,
    Variant,
)
from app.gate.rules.traffic_guard import MAX_EVIDENCE_AGE, TrafficGuard
from app.gate.rules.violations import ForeignTargetGroup, GreenReceivesTraffic, GreenUnhealthy
from app.gate.votes import Choice
from tests.gate.rules.cases import ANA, BEN, CHO, DAN, EVE, NOW, POLICY, Scene

TWO = replace(POLICY, approvals=2)
DBA = replace(POLICY, require=(ApproverSource(people=("SDBA",), approvals=1),))
ASK_TWO = replace(POLICY, unknown_deployer=UnknownDeployer.ASK_TWO)
SMOKE = replace(POLICY, required_checks=("smoke",))
MAJORITY = replace(POLICY, approvals=3, reject=RejectBy.MAJORITY)
WHY = replace(POLICY, reason=ReasonFor.ALWAYS)
NIGHTS = replace(
    POLICY,
    variants=(
        Variant(
            name="nights",
            hours=DailyHours(
                days=frozenset(range(7)), start=time(22), end=time(8), zone=ZoneInfo("Asia/Seoul")
            ),
            changes=PolicyOverride(approvals=2),
        ),
    ),
)
ALL_AT_ONCE = replace(
    POLICY,
    variants=(
        Variant(name="no canary", shifts=frozenset({Shift.ALL_AT_ONCE}), changes=PolicyOverride(approvals=2)),
    ),
)
INCIDENT = Freeze(
    reason="payment incident",
    when=Span(start=NOW - timedelta(hours=1), end=NOW + timedelta(hours=6)),
    by=EVE,
)
PASSED, FAILED, PENDING = CheckState.PASSED, CheckState.FAILED, CheckState.PENDING
MIDNIGHT = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
"""Half past midnight in Seoul."""


@dataclass(frozen=True, kw_only=True)
class Row:
    scene: Scene = field(default_factory=Scene)
    who: UserId = ANA
    choice: Choice = Choice.APPROVE
    reason: str = ""
    becomes: str
    en: str = ""
    ko: str = ""


def scene(policy: Policy = POLICY, **how: object) -> Scene:
    return Scene(policy=policy, **how)  # type: ignore[arg-type]  # each row gives what it needs


SERVES = TrafficGuard(blockers=(GreenReceivesTraffic(port=8020, percent=10),), seen_at=NOW)
SICK = TrafficGuard(blockers=(GreenUnhealthy(unhealthy=2, total=2),), seen_at=NOW)
ELSEWHERE = TrafficGuard(
    blockers=(ForeignTargetGroup(port=8020, percent=40, target_groups=("legacy",)),), seen_at=NOW
)

ROWS = {
    "green serves already": Row(
        scene=scene(guard=SERVES),
        becomes="ApprovalBlocked",
        en="order can't be approved right now. Your approval was not recorded:\n"
        "• The listener on port 8020 already sends 10% of production traffic to green, although this"
        " deployment has not moved any yet.",
        ko="지금은 order 전환을 승인할 수 없어 기록하지 않았습니다:\n"
        "• 이 배포가 아직 트래픽을 옮기지 않았는데 포트 8020 리스너가 이미 운영 트래픽의 10%를 그린으로 보내고"
        " 있습니다.",
    ),
    "traffic goes to neither": Row(
        scene=scene(guard=ELSEWHERE),
        becomes="ApprovalBlocked",
        en="order can't be approved right now. Your approval was not recorded:\n"
        "• The listener on port 8020 sends 40% of production traffic to `legacy`, which is neither blue nor green.",
        ko="지금은 order 전환을 승인할 수 없어 기록하지 않았습니다:\n"
        "• 포트 8020 리스너가 운영 트래픽의 40%를 블루도 그린도 아닌 대상 그룹(`legacy`)으로 보내고 있습니다.",
    ),
    "green has no healthy target": Row(
        scene=scene(guard=SICK),
        becomes="ApprovalBlocked",
        en="order can't be approved right now. Your approval was not recorded:\n"
        "• Green has no healthy target: 2 of 2 are unhealthy.",
        ko="지금은 order 전환을 승인할 수 없어 기록하지 않았습니다:\n"
        "• 그린에 정상 대상이 없습니다. 대상 2개 중 2개가 비정상입니다.",
    ),
    "that is no reason against a rejection": Row(
        scene=scene(guard=SICK), choice=Choice.REJECT, reason="sick", becomes="rejected"
    ),
    "evidence that is too old holds nothing": Row(
        scene=scene(guard=SICK, now=NOW + MAX_EVIDENCE_AGE + timedelta(seconds=1)), becomes="approved"
    ),
    "evidence that has found nothing": Row(
        scene=scene(guard=TrafficGuard(blockers=(), seen_at=NOW)), becomes="approved"
    ),
    "one approval where one is asked": Row(becomes="approved"),
    "somebody whom the rules do not name": Row(
        who=EVE,
        becomes="NotAnApprover",
        en="You can't approve or reject order. Approvers: <!subteam^SONCALL>.",
        ko="order 승인·거절 권한이 없습니다. 승인자: <!subteam^SONCALL>",
    ),
    "the first of two": Row(
        scene=scene(TWO),
        becomes="counted",
        en="• 1 more approval needed: <!subteam^SONCALL>.",
        ko="• 1명의 승인이 더 필요합니다: <!subteam^SONCALL>",
    ),
    "the second of two": Row(scene=scene(TWO, approved=(BEN,)), becomes="approved"),
    "the same person twice": Row(
        scene=scene(TWO, approved=(ANA,)),
        becomes="AlreadyApproved",
        en="You already approved order. Another approval is still needed.\n"
        "• 1 more approval needed: <!subteam^SONCALL>.",
        ko="order 전환을 이미 승인하셨습니다. 다른 사람의 승인이 더 필요합니다.\n"
        "• 1명의 승인이 더 필요합니다: <!subteam^SONCALL>",
    ),
    "own deployment": Row(
        scene=scene(DBA, deployer=ANA),
        becomes="OwnDeployment",
        en="You deployed order, so someone else has to approve it: <!subteam^SONCALL>."
        " You can still reject it.\n• 1 more approval needed: <!subteam^SDBA>.",
        ko="본인이 배포한 order 전환은 다른 사람이 승인해야 합니다: <!subteam^SONCALL>. 거절은 가능합니다.\n"
        "• 1명의 승인이 더 필요합니다: <!subteam^SDBA>",
    ),
    "own deployment where that is allowed": Row(
        scene=scene(replace(POLICY, own_deployment=True), deployer=ANA), becomes="approved"
    ),
    "own deployment, rejected": Row(
        scene=scene(deployer=ANA), choice=Choice.REJECT, reason="mine, and broken", becomes="rejected"
    ),
    "an approval by whoever turned out to have deployed": Row(
        scene=scene(TWO, deployer=BEN, approved=(BEN,)),
        becomes="counted",
        en="• 1 more approval needed: <!subteam^SONCALL>.",
        ko="• 1명의 승인이 더 필요합니다: <!subteam^SONCALL>",
    ),
    "a second source is still owed": Row(
        scene=scene(DBA),
        becomes="counted",
        en="• 1 more approval needed: <!subteam^SDBA>.",
        ko="• 1명의 승인이 더 필요합니다: <!subteam^SDBA>",
    ),
    "the second source alone": Row(
        scene=scene(DBA),
        who=DAN,
        becomes="counted",
        en="• 1 more approval needed: <!subteam^SONCALL>.",
        ko="• 1명의 승인이 더 필요합니다: <!subteam^SONCALL>",
    ),
    "both sources": Row(scene=scene(DBA, approved=(ANA,)), who=DAN, becomes="approved"),
    "somebody who is in both sources": Row(scene=scene(DBA), who=CHO, becomes="approved"),
    "unknown deployer where that is allowed": Row(scene=scene(), becomes="approved"),
    "unknown deployer where two are asked then": Row(
        scene=scene(ASK_TWO),
        becomes="counted",
        en="• Deployer unknown, so two people must approve: 1 more needed.",
        ko="• 배포자를 알 수 없어 서로 다른 2명의 승인이 필요합니다. 1명 남음.",
    ),
    "unknown deployer, the second person": Row(scene=scene(ASK_TWO, approved=(BEN,)), becomes="approved"),
    "known deployer where two are asked of an unknown one": Row(
        scene=scene(ASK_TWO, deployer=BEN), becomes="approved"
    ),
    "unknown deployer where own deployments are allowed": Row(
        scene=scene(replace(ASK_TWO, own_deployment=True)), becomes="approved"
    ),
    "a required check that nobody told of": Row(
        scene=scene(SMOKE),
        becomes="ApprovalBlocked",
        en="order can't be approved right now. Your approval was not recorded:\n"
        "• Check “smoke” hasn't reported yet.",
        ko="지금은 order 전환을 승인할 수 없어 기록하지 않았습니다:\n• “smoke” 검사 결과가 아직 없습니다.",
    ),
    "a required check that runs": Row(
        scene=scene(SMOKE, checks={"smoke": PENDING}),
        becomes="ApprovalBlocked",
        en="order can't be approved right now. Your approval was not recorded:\n"
        "• Check “smoke” is still running.",
        ko="지금은 order 전환을 승인할 수 없어 기록하지 않았습니다:\n• “smoke” 검사가 아직 진행 중입니다.",
    ),
    "a required check that failed": Row(
        scene=scene(SMOKE, checks={"smoke": FAILED, "other": PASSED}),
        becomes="ApprovalBlocked",
        en="order can't be approved right now. Your approval was not recorded:\n• Check “smoke” failed.",
        ko="지금은 order 전환을 승인할 수 없어 기록하지 않았습니다:\n• “smoke” 검사가 실패했습니다.",
    ),
    "a check that failed, where two approvals are owed besides": Row(
        scene=scene(replace(SMOKE, approvals=2), checks={"smoke": FAILED}),
        becomes="ApprovalBlocked",
        en="order can't be approved right now. Your approval was not recorded:\n• Check “smoke” failed.",
        ko="지금은 order 전환을 승인할 수 없어 기록하지 않았습니다:\n• “smoke” 검사가 실패했습니다.",
    ),
    "a required check that passed": Row(scene=scene(SMOKE, checks={"smoke": PASSED}), becomes="approved"),
    "another check failed": Row(scene=scene(checks={"lint": FAILED}), becomes="approved"),
    "a check is no reason against a rejection": Row(
        scene=scene(SMOKE), choice=Choice.REJECT, reason="no", becomes="rejected"
    ),
    "frozen": Row(
        scene=scene(freezes=(INCIDENT,)),
        becomes="ApprovalBlocked",
        en="order can't be approved right now. Your approval was not recorded:\n• :snowflake: Frozen until"
        " <!date^1795510800^{date_short_pretty} {time}|2026-11-24 09:00 UTC> by <@UEVE>: payment incident",
        ko="지금은 order 전환을 승인할 수 없어 기록하지 않았습니다:\n•"
        " :snowflake: <!date^1795510800^{date_short_pretty} {time}|2026-11-24 09:00 UTC>까지 배포 동결"
        " (<@UEVE>): payment incident",
    ),
    "frozen, and rejected": Row(
        scene=scene(freezes=(INCIDENT,)), choice=Choice.REJECT, reason="no", becomes="rejected"
    ),
    "at the very end of a freeze": Row(
        scene=scene(freezes=(INCIDENT,), now=NOW + timedelta(hours=6)), becomes="approved"
    ),
    "frozen, with a check missing and one's own deployment": Row(
        scene=scene(SMOKE, freezes=(INCIDENT,), deployer=ANA),
        becomes="OwnDeployment",
        en="You deployed order, so someone else has to approve it: <!subteam^SONCALL>."
        " You can still reject it.\n• :snowflake: Frozen until"
        " <!date^1795510800^{date_short_pretty} {time}|2026-11-24 09:00 UTC> by <@UEVE>: payment incident\n"
        "• Check “smoke” hasn't reported yet.",
        ko="본인이 배포한 order 전환은 다른 사람이 승인해야 합니다: <!subteam^SONCALL>. 거절은 가능합니다.\n•"
        " :snowflake: <!date^1795510800^{date_short_pretty} {time}|2026-11-24 09:00 UTC>까지 배포 동결"
        " (<@UEVE>): payment incident\n"
        "• “smoke” 검사 결과가 아직 없습니다.",
    ),
    "a rejection without a reason": Row(
        choice=Choice.REJECT,
        becomes="ReasonMissing",
        en="Please give a reason (one sentence is enough).",
        ko="사유를 입력해 주세요. 한 문장이면 됩니다.",
    ),
    "a rejection where no reason is asked": Row(
        scene=scene(replace(POLICY, reason=ReasonFor.NEVER)), choice=Choice.REJECT, becomes="rejected"
    ),
    "an approval where a reason is asked": Row(
        scene=scene(WHY),
        becomes="ReasonMissing",
        en="Please give a reason (one sentence is enough).",
        ko="사유를 입력해 주세요. 한 문장이면 됩니다.",
    ),
    "an approval with its reason": Row(scene=scene(WHY), reason="tested on green", becomes="approved"),
    "a reason is asked only of whoever may approve": Row(
        scene=scene(WHY, deployer=ANA, approved=(BEN,)),
        becomes="OwnDeployment",
        en="You deployed order, so someone else has to approve it: <!subteam^SONCALL>."
        " You can still reject it.",
        ko="본인이 배포한 order 전환은 다른 사람이 승인해야 합니다: <!subteam^SONCALL>. 거절은 가능합니다.",
    ),
    "one rejection of a majority": Row(
        scene=scene(MAJORITY),
        choice=Choice.REJECT,
        reason="no",
        becomes="counted",
        en="• 3 more approvals needed: <!subteam^SONCALL>.\n"
        "• 1 person rejected this, so more approvals than that are needed.",
        ko="• 3명의 승인이 더 필요합니다: <!subteam^SONCALL>\n"
        "• 1명이 거절하여 그보다 많은 승인이 필요합니다.",
    ),
    "the majority's last rejection": Row(
        scene=scene(MAJORITY, rejected=(BEN,)), choice=Choice.REJECT, reason="no", becomes="rejected"
    ),
    "rejecting twice": Row(
        scene=scene(MAJORITY, rejected=(ANA,)),
        choice=Choice.REJECT,
        reason="still no",
        becomes="AlreadyRejected",
        en="You already rejected order.",
        ko="order 전환을 이미 거절하셨습니다.",
    ),
    "an approval over one rejection": Row(
        scene=scene(replace(MAJORITY, approvals=2), approved=(BEN,), rejected=(CHO,)), becomes="approved"
    ),
    "as many against as for": Row(
        scene=scene(replace(DBA, reject=RejectBy.MAJORITY), rejected=(ANA,)),
        who=CHO,
        becomes="counted",
        en="• 1 person rejected this, so more approvals than that are needed.",
        ko="• 1명이 거절하여 그보다 많은 승인이 필요합니다.",
    ),
    "whoever rejected thinks again": Row(
        scene=scene(replace(MAJORITY, approvals=2), approved=(BEN,), rejected=(ANA,)), becomes="approved"
    ),
    "at noon": Row(scene=scene(NIGHTS), becomes="approved"),
    "at night": Row(
        scene=scene(NIGHTS, now=MIDNIGHT),
        becomes="counted",
        en="• 1 more approval needed: <!subteam^SONCALL>.",
        ko="• 1명의 승인이 더 필요합니다: <!subteam^SONCALL>",
    ),
    "a canary": Row(scene=scene(ALL_AT_ONCE, shift=Shift.CANARY), becomes="approved"),
    "all at once": Row(
        scene=scene(ALL_AT_ONCE),
        becomes="counted",
        en="• 1 more approval needed: <!subteam^SONCALL>.",
        ko="• 1명의 승인이 더 필요합니다: <!subteam^SONCALL>",
    ),
    "rules that depend on an unknown shift": Row(
        scene=scene(ALL_AT_ONCE, shift=None),
        becomes="ApprovalBlocked",
        en="order can't be approved right now. Your approval was not recorded:\n"
        "• The rules depend on the rollout type, which CodeDeploy hasn't reported yet.",
        ko="지금은 order 전환을 승인할 수 없어 기록하지 않았습니다:\n"
        "• 배포 방식에 따라 규칙이 달라지는데 아직 CodeDeploy에서 확인되지 않았습니다.",
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_press_becomes(row: Row) -> None:
    answered = row.scene.press(row.who, row.choice, row.reason)
    assert answered.came_of_it == row.becomes
    assert answered.said == {"en": row.en, "ko": row.ko}


def test_approvals_that_were_held_up_count_when_their_voter_presses_again() -> None:
    complete = scene(replace(MAJORITY, approvals=2), approved=(ANA, BEN))
    assert complete.press(ANA).came_of_it == "approved"


def test_what_a_variant_does_not_give_stays() -> None:
    both = replace(NIGHTS, required_checks=("smoke",))
    assert scene(both, now=MIDNIGHT).press(ANA).came_of_it == "ApprovalBlocked"
