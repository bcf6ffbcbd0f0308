"""The fingerprint of a policy."""

from dataclasses import replace
from datetime import time, timedelta
from zoneinfo import ZoneInfo

from app.gate.rules.policy import (
    ApprovalQuestion,
    ApproverSource,
    DailyHours,
    Policy,
    PolicyOverride,
    Shift,
    Variant,
)
from app.gate.rules.policy_fingerprint import policy_fingerprint

POLICY = Policy(
    approvers=("U1", "S2"),
    approvals=2,
    own_deployment=False,
    deadline=timedelta(minutes=50),
    require=(ApproverSource(people=("U3",), approvals=1),),
    variants=(
        Variant(
            name="night",
            changes=PolicyOverride(approvals=1),
            hours=DailyHours(
                days=frozenset({4, 0}), start=time(22), end=time(6), zone=ZoneInfo("Asia/Seoul")
            ),
            shifts=frozenset(Shift),
        ),
    ),
)


def test_it_is_the_same_in_every_process() -> None:
    """Strings hash differently in each, and sets give them in another order."""
    assert policy_fingerprint(POLICY) == "29a3b8c5edcb6a4720d5f1d18cad8ff01ffdb1ea37a61b12110996e3857f926d"


def test_it_differs_when_a_rule_differs() -> None:
    changed = [
        replace(POLICY, approvals=1),
        replace(POLICY, approvers=("S2", "U1")),
        replace(POLICY, variants=()),
        replace(POLICY, deadline=timedelta(minutes=49)),
        replace(POLICY, finish_now=True),
        replace(POLICY, observe=True),
        replace(POLICY, questions=(ApprovalQuestion(text="Was a test order placed on green?"),)),
    ]
    assert len({policy_fingerprint(each) for each in [POLICY, *changed]}) == len(changed) + 1
