"""Names in stored audit events stay readable: kinds and details of earlier releases, and the codes of denials."""

import re
from collections.abc import Iterator

import pytest

import app.bootstrap  # noqa: F401  # every module that adds a denial
from app.flow.audit_events import Detail, Kind, current_detail
from app.gate.rules.denials import Denial


def denials(of: type[Denial] = Denial) -> Iterator[type[Denial]]:
    for each in of.__subclasses__():
        yield each
        yield from denials(each)


def test_every_denial_has_a_code_of_its_own() -> None:
    codes = [vars(each).get("code", "") for each in denials()]
    assert len(codes) > 20
    assert len(set(codes)) == len(codes)
    assert [code for code in codes if not re.fullmatch(r"[a-z]+(_[a-z]+)*", code)] == []


@pytest.mark.parametrize(
    ("kind", "stored", "current"),
    [
        (Kind.VOTE_DENIED, {"why": "TooLate", "choice": "approve"}, {"code": "TooLate", "choice": "approve"}),
        (Kind.GATE_WITHDRAWN, {"why": "Stopped"}, {"reason": "Stopped"}),
        (
            Kind.UNDO_FAILED,
            {"why": "too late", "deed": "stop"},
            {"problem": "too late", "intervention": "stop"},
        ),
        (Kind.SWITCH_ENDED, {"how": "Succeeded"}, {"end_reason": "Succeeded"}),
        (Kind.EVIDENCE_COLLECTED, {"fit": False, "changes": 2}, {"healthy": False, "changes": 2}),
        (Kind.UNDO_SENT, {"problem": "", "attempts": 1}, {"problem": "", "attempts": 1}),
        (
            Kind.UNDO_FAILED,
            {"why": "another deployment of this group is under way (d-OTHER)"},
            {"problem_code": "another_deployment_active", "problem": "d-OTHER"},
        ),
        (
            Kind.FINISH_FAILED,
            {"problem": "an undo was asked for instead"},
            {"problem_code": "replaced_by_undo", "problem": ""},
        ),
    ],
)
def test_details_of_earlier_releases_are_read_under_the_names_of_today(
    kind: Kind, stored: dict[str, Detail], current: dict[str, Detail]
) -> None:
    assert current_detail(kind, stored) == current
