"""A card claims nothing that is not known, and calls one version by one name."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.flow.read_models import GateView
from app.gate.decision import Verdict
from app.gate.rules.permits import Basis
from app.gate.state_machine import Outcome
from app.gate.undo import InterventionKind
from app.i18n.catalog import LOCALES, LocaleName, Texts
from app.slack.cards.card import render_card
from app.slack.modals.undo import UndoForm
from tests.harness import texts_in
from tests.slack.cards.card_states import EVERY
from tests.slack.sample_gates import APPROVED, NOON, ORDER, STATES, SWITCH, acknowledged, reported, view

ON_BLUE = {"en": "Traffic stays on blue.", "ko": "트래픽은 블루에 유지됩니다."}
REFUSED = ["rejected", "expired", "withdrawn-by-its-deployer"]


def said(of: GateView, locale: LocaleName = "en") -> str:
    return "\n".join(texts_in(render_card(of, texts=Texts.of(locale), domain=ORDER).blocks))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("state", REFUSED)
def test_a_switch_that_was_refused_stays_on_blue_as_far_as_codedeploy_was_told(
    state: str, locale: LocaleName
) -> None:
    refused = STATES[state][0]
    assert ON_BLUE[locale] in said(refused, locale)
    for outcome, detail in (
        (Outcome.CONFLICT, "Succeeded"),
        (Outcome.UNDELIVERABLE, "AccessDeniedException"),
    ):
        verdict = refused.gate.verdict  # type: ignore[union-attr]
        other = replace(refused, gate=reported(verdict, outcome), **acknowledged(outcome, detail))
        assert ON_BLUE[locale] not in said(other, locale)
    moved = replace(refused, switch=replace(refused.switch, green_percent=10, traffic_read_at=NOON))
    assert ON_BLUE[locale] not in said(moved, locale)


def test_what_a_redeployment_deploys_has_the_version_of_its_button() -> None:
    failed = EVERY["rollback failed"].view
    assert failed.evidence is not None
    blue = failed.evidence.blue.revision
    known = replace(failed, switch=replace(failed.switch, previous_revision=blue.name))  # type: ignore[union-attr]
    named = f"{blue.name} (1.41.0)"  # type: ignore[union-attr]
    assert f"redeploys {named}" in said(known)
    assert "Redeploy 1.41.0" in said(known)
    form = UndoForm(view=known, kind=InterventionKind.REDEPLOY, now=NOON).block(Texts.of("en"))
    assert f"redeploys {named}" in "\n".join(texts_in(form["blocks"]))
    other = replace(failed, switch=replace(failed.switch, previous_revision="order:39"))
    assert "redeploys order:39." in said(other), "not what blue runs"


def test_a_rollback_that_is_rolled_back_returns_to_the_newer_version_also_without_its_name() -> None:
    later = NOON + timedelta(minutes=5)
    over = replace(SWITCH, green_percent=100, switched_at=later, status="Succeeded", ended_at=later)
    undo = view(
        reported(Verdict.APPROVED, Outcome.ACKNOWLEDGED),
        switch=over,
        **{**APPROVED, "basis": Basis.UNDO},
        **acknowledged(Outcome.ACKNOWLEDGED, "Succeeded"),
    )
    assert "Return to the newer version" in said(undo)
