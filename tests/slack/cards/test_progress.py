"""A card after the decision: what is being taken back, what an undo deploys, what has been ended early."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.config.loader import load_config
from app.config.runtime import RuntimeConfig
from app.flow.audit_events import EARLIER_KINDS, SWITCHGATE, Event, Kind, known_kind, stored_kinds
from app.flow.notify.post_timeline import TimelineEntry
from app.flow.ports.rules import OwnedDomain
from app.flow.read_models import GateView, Rollback, Switch
from app.flow.undo.intervention import (
    Intervention,
    InterventionFailure,
    InterventionPhase,
    InterventionProblem,
)
from app.gate.decision import Verdict
from app.gate.previous_revision import Obstacle
from app.gate.rules.permits import Basis
from app.gate.rules.policy import Roster
from app.gate.state_machine import Closed, Outcome
from app.gate.undo import InterventionKind
from app.i18n.catalog import LOCALES, LocaleName, Texts
from app.sandbox.people import config_text
from app.slack.cards.card import render_card
from app.slack.cards.list_item import decided_line
from app.slack.modals.undo import UndoForm
from app.slack.publishers.timeline_text import Timeline
from tests.harness import texts_in
from tests.slack.sample_gates import (
    APPROVED,
    GATE,
    NOON,
    OLU,
    ORDER,
    SWITCH,
    UNKNOWN,
    acknowledged,
    reported,
    view,
)

LATER = NOON + timedelta(minutes=5)
TENTH = replace(SWITCH, green_percent=10, traffic_changed_at=LATER, traffic_read_at=LATER)
ON_GREEN = replace(SWITCH, green_percent=100, switched_at=LATER, blue_until=LATER + timedelta(minutes=5))
OVER = replace(
    ON_GREEN, status="Succeeded", ended_at=LATER, end_reason="Succeeded", previous_revision="order:41"
)


def asked(deed: InterventionKind, phase: InterventionPhase, deployment: str | None = None) -> Intervention:
    return Intervention(
        id=UUID(int=7),
        kind=deed,
        phase=phase,
        by=OLU,
        name="olu",
        reason="orders fail",
        requested_at=LATER,
        deployment=deployment,
        problem=None,
        finished_at=None,
    )


def approved(**how: Any) -> GateView:
    known = {**APPROVED, **acknowledged(Outcome.ACKNOWLEDGED, "Succeeded"), **how}
    return view(reported(Verdict.APPROVED, Outcome.ACKNOWLEDGED), **known)


def said(shown: GateView, locale: LocaleName = "en") -> str:
    texts = Texts.of(locale)
    card = render_card(shown, texts=texts, domain=ORDER)
    return "\n".join([card.text, *texts_in(card.blocks)])


@pytest.mark.parametrize("phase", [InterventionPhase.REQUESTED, InterventionPhase.SENT])
def test_a_switch_being_undone_shows_it_and_promises_no_next_step(phase: InterventionPhase) -> None:
    assert "100%" in said(approved(switch=TENTH)), "its next step"
    card = said(approved(switch=TENTH, intervention=asked(InterventionKind.STOP, phase)))
    assert card.splitlines()[1] == "order: rolling back to the previous version"
    assert "100%" not in card
    assert "(—)" not in card


def test_a_requested_stop_is_not_shown_as_a_failure() -> None:
    stopped = replace(TENTH, status="Stopped", ended_at=LATER, end_reason="Stopped: MANUAL_STOP")
    card = said(approved(switch=stopped, intervention=asked(InterventionKind.STOP, InterventionPhase.SENT)))
    assert card.splitlines()[1] == "order: rolling back to the previous version"
    assert "MANUAL_STOP" not in card


@pytest.mark.parametrize(
    "phase", [InterventionPhase.REQUESTED, InterventionPhase.SENT, InterventionPhase.DONE]
)
def test_an_alarm_that_was_quicker_than_the_undo_is_shown(phase: InterventionPhase, tmp_path: Path) -> None:
    rang = replace(TENTH, status="Stopped", ended_at=LATER, end_reason="Stopped: ALARM_ACTIVE: klp-order-5xx")
    card = said(approved(switch=rang, intervention=asked(InterventionKind.STOP, phase)))
    assert "klp-order-5xx" in card
    rung = approved(switch=rang, intervention=asked(InterventionKind.STOP, phase))
    in_thread = line(rung, ended(rang.end_reason or ""), tmp_path)
    assert "klp-order-5xx" in in_thread
    assert "as requested" not in in_thread


def test_a_requested_stop_is_shown_as_one_in_the_thread(tmp_path: Path) -> None:
    stopped = replace(TENTH, status="Stopped", ended_at=LATER, end_reason="Stopped: MANUAL_STOP: by a user")
    over = ended(stopped.end_reason or "")
    asked_for = approved(switch=stopped, intervention=asked(InterventionKind.STOP, InterventionPhase.SENT))
    assert "as requested" in line(asked_for, over, tmp_path)
    assert "MANUAL_STOP" in line(approved(switch=stopped), over, tmp_path)
    unconfirmed = view(
        Closed(id=GATE, verdict=Verdict.WITHDRAWN, outcome=None), switch=replace(UNKNOWN, ended_at=LATER)
    )
    assert line(unconfirmed, over, tmp_path) == ""


@pytest.mark.parametrize(("fit", "says"), [(True, "are healthy"), (False, "what is unhealthy")])
def test_evidence_is_posted_to_the_thread_with_its_findings(tmp_path: Path, fit: bool, says: str) -> None:
    seen = Event(
        at=LATER, kind=Kind.EVIDENCE_COLLECTED, switch=SWITCH.key, actor=SWITCHGATE, detail={"healthy": fit}
    )
    assert says in line(view(), seen, tmp_path)


@pytest.mark.parametrize("basis", ["rescue", "auto_rollback"])
def test_decisions_of_earlier_releases_are_posted_in_the_same_words(tmp_path: Path, basis: str) -> None:
    detail = {"verdict": "approved", "basis": basis}
    decided = Event(at=LATER, kind=Kind.GATE_DECIDED, switch=SWITCH.key, actor=SWITCHGATE, detail=detail)
    assert "*Automatic rollback*, no approval needed." in line(view(), decided, tmp_path)


@pytest.mark.parametrize(("stored", "kind"), EARLIER_KINDS.items())
def test_kinds_of_earlier_releases_are_read_as_their_successors(stored: str, kind: Kind) -> None:
    assert known_kind(stored) is kind
    assert stored in stored_kinds(kind)


def test_a_kind_of_a_newer_release_is_not_known() -> None:
    assert known_kind("gate_sang") is None


def line(shown: GateView, event: Event, folder: Path) -> str:
    """What the thread says of an event; empty: nothing."""
    file = folder / "switchgate.toml"
    file.write_text(config_text(), encoding="utf-8")
    rules = RuntimeConfig(
        load_config(file),
        roster=lambda: Roster(groups={}),
        last_synced_at=lambda group: NOON,
        clock=lambda: NOON,
    )
    timeline = Timeline(texts=Texts.of("en"), rules=rules, workspace_url=lambda: None)
    told_ = timeline.line(shown, TimelineEntry(seq=1, event=event))
    return told_.text if told_ else ""


def ended(ending: str) -> Event:
    return Event(
        at=LATER, kind=Kind.SWITCH_ENDED, switch=SWITCH.key, actor=SWITCHGATE, detail={"end_reason": ending}
    )


def test_ones_own_undo_is_no_later_deployment_that_has_taken_over() -> None:
    redeploys = asked(InterventionKind.REDEPLOY, InterventionPhase.SENT, "d-AGAIN")
    card = said(approved(switch=OVER, superseded=True, intervention=redeploys))
    assert "A newer deployment is live" not in card
    assert "Deployment d-AGAIN is in progress" in card
    assert "A newer deployment is live" in said(approved(switch=OVER, superseded=True))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("switch", [SWITCH, TENTH, ON_GREEN, OVER], ids=["held", "tenth", "switched", "over"])
def test_the_card_of_an_undos_deployment_never_calls_what_served_before_green(
    switch: Any, locale: LocaleName
) -> None:
    card = said(approved(switch=switch, basis=Basis.UNDO), locale)
    for word in ("on green", "100% 그린", "blue terminated", "블루가 종료"):
        assert word not in card
    assert {"en": "the previous version", "ko": "이전 버전"}[locale] in card.splitlines()[1]


def test_blue_that_somebody_has_ended_is_promised_to_nobody() -> None:
    assert "Rolling back takes seconds until" in said(approved(switch=ON_GREEN))
    card = said(
        approved(switch=ON_GREEN, intervention=asked(InterventionKind.FINISH, InterventionPhase.DONE))
    )
    assert "Rolling back takes seconds" not in card
    assert f"<@{OLU}> terminated blue" in card
    allowed = replace(ORDER, policy=replace(ORDER.policy, finish_now=True))
    ending = approved(switch=ON_GREEN, intervention=asked(InterventionKind.FINISH, InterventionPhase.DONE))
    assert actions(approved(switch=ON_GREEN), allowed) == {"undo", "finish"}
    assert actions(ending, allowed) == {"undo"}, "not twice; the way back stays, and may take longer"
    form = UndoForm(view=ending, kind=InterventionKind.STOP, now=NOON).block(Texts.of("en"))
    assert "*minutes*" in str(form)
    assert "within seconds" not in str(form)


def actions(shown: GateView, domain: OwnedDomain) -> set[str]:
    blocks = render_card(shown, texts=Texts.of("en"), domain=domain).blocks
    pressed = {one.get("action_id") for block in blocks for one in block.get("elements", [])}
    return pressed & {"undo", "finish"}


def test_an_undo_that_was_itself_taken_back_is_not_called_a_success() -> None:
    back = Rollback(deployment="d-BACK", status="Succeeded", switched_at=LATER, ended_at=LATER)
    card = said(approved(switch=OVER, basis=Basis.UNDO, rollback=back))
    assert card.splitlines()[1] == "order: returned to order:41"
    assert "previous version serves" not in card


def test_an_undo_that_a_later_deployment_has_taken_over_from_says_so() -> None:
    card = said(approved(switch=OVER, basis=Basis.UNDO, superseded=True))
    assert "a newer deployment is live" in card
    assert "serves all traffic" not in card


def test_an_undo_whose_traffic_cannot_be_read_states_no_share() -> None:
    card = said(approved(switch=replace(TENTH, traffic_unknown=True), basis=Basis.UNDO))
    assert "Traffic unknown" in card
    assert "% of traffic" not in card


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"switch": TENTH}, "10% on green"),
        ({"switch": replace(TENTH, traffic_unknown=True)}, "traffic unknown, last read"),
        ({"switch": TENTH, "basis": Basis.UNDO}, ""),
        (
            {"switch": TENTH, "intervention": asked(InterventionKind.STOP, InterventionPhase.SENT)},
            "rolling back",
        ),
    ],
    ids=["a switch", "unread", "an undo", "taken back"],
)
def test_a_line_of_the_list_says_the_same_as_the_card(how: dict[str, Any], told: str) -> None:
    words = decided_line(approved(**how), texts=Texts.of("en"))
    assert told in words
    assert ("on green" in words) == ("on green" in told)


def test_the_name_of_the_alarm_at_the_end_of_a_long_ending_is_not_cut_off() -> None:
    ending = f"Stopped: ALARM_ACTIVE: {'One or more alarms have been activated. ' * 5}klp-logistics-order-5xx"
    stopped = replace(TENTH, status="Stopped", ended_at=LATER, end_reason=ending)
    assert "klp-logistics-order-5xx" in said(approved(switch=stopped))


@pytest.mark.parametrize(
    ("code", "detail", "en", "ko"),
    [
        (
            InterventionFailure.DEPLOYMENT_OVER,
            "",
            "roll back again from the current state",
            "롤백을 다시 요청해 주세요",
        ),
        (
            InterventionFailure.ANOTHER_DEPLOYMENT_ACTIVE,
            "d-OTHER",
            "another deployment of this group is in progress (d-OTHER)",
            "다른 배포가 진행 중입니다 (d-OTHER)",
        ),
        (None, "AccessDeniedException", "AccessDeniedException", "AccessDeniedException"),
    ],
)
def test_why_an_undo_failed_is_shown_in_the_cards_language(
    code: InterventionFailure | None, detail: str, en: str, ko: str
) -> None:
    problem = InterventionProblem(code=code, detail=detail)
    failed = replace(asked(InterventionKind.STOP, InterventionPhase.FAILED), problem=problem)
    assert en in said(approved(switch=ON_GREEN, intervention=failed))
    assert ko in said(approved(switch=ON_GREEN, intervention=failed), "ko")
    assert "(—)" not in said(approved(switch=ON_GREEN, intervention=failed))


@pytest.mark.parametrize(
    ("detail", "says"),
    [
        (
            {"problem_code": "another_deployment_active", "problem": "d-OTHER"},
            "another deployment of this group is in progress (d-OTHER)",
        ),
        (
            {"problem_code": "too_late", "problem": ""},
            "the deployment had finished before it could be stopped",
        ),
        ({"problem": "AccessDeniedException"}, "AccessDeniedException"),
        ({"problem_code": "of_a_newer_release", "problem": "d-OTHER"}, "d-OTHER"),
    ],
)
def test_why_an_undo_failed_is_posted_to_the_thread(
    detail: dict[str, str], says: str, tmp_path: Path
) -> None:
    failed = Event(at=LATER, kind=Kind.UNDO_FAILED, switch=SWITCH.key, actor=SWITCHGATE, detail=detail)
    assert line(approved(switch=ON_GREEN), failed, tmp_path).endswith(f"Rollback failed: {says}")


STOPPED = replace(
    TENTH, status="Stopped", ended_at=LATER, end_reason="Stopped: MANUAL_STOP", previous_revision="order:41"
)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    ("switch", "left", "undo"),
    [
        (
            STOPPED,
            {"en": "10% of traffic is still on green", "ko": "아직 트래픽 10%가 그린으로 갑니다"},
            True,
        ),
        (
            replace(STOPPED, green_percent=0),
            {"en": "No traffic is on green", "ko": "그린으로 가는 트래픽은 없"},
            False,
        ),
        (replace(STOPPED, green_percent=None), {"en": "is unknown", "ko": "알 수 없습니다"}, True),
    ],
    ids=["a tenth", "none", "unknown"],
)
def test_a_bad_ending_says_where_the_traffic_is_and_how_to_get_it_back(
    switch: Switch, left: dict[str, str], undo: bool, locale: LocaleName
) -> None:
    ended_badly = approved(switch=switch)
    card = said(ended_badly, locale)
    assert left[locale] in card
    assert ("redeploys order:41" in card or "order:41 버전을 재배포" in card) is undo
    assert ("undo" in actions(ended_badly, ORDER)) is undo


@pytest.mark.parametrize(
    ("back", "undo"),
    [
        (Rollback(deployment="d-BACK", status="InProgress", switched_at=None, ended_at=None), False),
        (Rollback(deployment="d-BACK", status="Succeeded", switched_at=LATER, ended_at=LATER), False),
        (Rollback(deployment="d-BACK", status="Failed", switched_at=None, ended_at=LATER), True),
    ],
    ids=["under way", "through", "failed"],
)
def test_only_a_rollback_that_failed_leaves_something_to_undo(back: Rollback, undo: bool) -> None:
    rolled_back = approved(switch=STOPPED, rollback=back)
    assert ("undo" in actions(rolled_back, ORDER)) is undo
    assert ("still on green" in said(rolled_back)) is undo


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("obstacle", Obstacle)
def test_a_revision_that_cannot_be_deployed_again_is_shown_before_and_after(
    obstacle: Obstacle, locale: LocaleName
) -> None:
    switch = replace(SWITCH, previous_revision="order:41", previous_obstacle=obstacle)
    why = Texts.of(locale)(f"course.no_way_back.{obstacle}", previous="order:41")
    before = "\n".join(
        texts_in(render_card(view(switch=switch), texts=Texts.of(locale), domain=ORDER).blocks)
    )
    assert Texts.of(locale)("card.no_way_back", why=why) in before
    over = approved(switch=replace(OVER, previous_obstacle=obstacle))
    assert why in said(over, locale)
    assert "undo" not in actions(over, ORDER)


def test_an_undo_that_an_alarm_may_stop_says_so_while_it_is_under_way() -> None:
    sent = replace(
        asked(InterventionKind.REDEPLOY, InterventionPhase.SENT, "d-AGAIN"),
        problem=InterventionProblem(code=InterventionFailure.ALARMS_ACTIVE),
    )
    assert "UpdateDeploymentGroup" in said(approved(switch=OVER, intervention=sent))
    done = replace(sent, phase=InterventionPhase.DONE, problem=None, finished_at=LATER)
    assert "UpdateDeploymentGroup" not in said(approved(switch=OVER, intervention=done))
