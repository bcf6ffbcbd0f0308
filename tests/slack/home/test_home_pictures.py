"""App Home and the form for several, as pictures beside this test. `UPDATE_PICTURES=1` takes them anew."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest

from app.config.loader import load_config
from app.config.runtime import RuntimeConfig
from app.flow.freezes.stored_freezes import ActiveFreeze
from app.flow.read_models import CardPlace, GateView
from app.gate.decision import Verdict
from app.gate.ids import DeploymentId, DomainName, GateId, UserId
from app.gate.people import AccountStatus, Person
from app.gate.rules.freeze import Freeze, Span
from app.gate.rules.policy import Roster
from app.gate.state_machine import Outcome
from app.i18n.catalog import LOCALES, LocaleName, Texts
from app.sandbox.people import GRACE, OLU, ONCALL, config_text
from app.sandbox.slack.blocks.validate import message_problems, view_is_too_large, view_problems
from app.slack.action_value import ActionValue
from app.slack.cards.buttons import retract_vote_button
from app.slack.handlers.bulk_results import bulk_approve_notice, recorded_result, result_of, results_blocks
from app.slack.handlers.vote_reply import VoteReply
from app.slack.home.query import (
    MAX_APPROVED,
    MAX_BULK_GATES,
    MAX_MINE,
    MAX_OTHERS,
    Choices,
    HomeContents,
    PreviewedGate,
    preview_gates,
)
from app.slack.home.view import Notice, home_body, home_top, home_view, non_member_body, unavailable_body
from app.slack.modals.bulk_approve import Pick, bulk_approve_form
from tests.gate.seen import evidence
from tests.slack.sample_gates import APPROVED, NOON, SWITCH, WAITING, acknowledged, reported, view, vote

PICTURES: Final = Path(__file__).parent / "home_pictures"
BASE: Final = "https://sandbox.slack.com/"
ME: Final = Person(user=UserId(OLU.id), name="olu", account_status=AccountStatus.MEMBER)
ADMIN: Final = Person(user=UserId(GRACE.id), name="grace", account_status=AccountStatus.MEMBER)
FREEZE: Final = Freeze(
    id=7,
    reason="payment <!channel> incident",
    when=Span(start=NOON - timedelta(hours=1), end=NOON + timedelta(hours=6)),
    by=GRACE.id,
)
NASTY: Final = "<!channel> & `x` *bold* \u202e" + "한" * 3000


@dataclass(frozen=True)
class Shown:
    view: GateView
    place: CardPlace | None = CardPlace(channel="C01DEPLOY", ts="1795413900.000100")


def gate(number: int, domain: str | None, **how: Any) -> GateView:
    """A waiting gate of this domain, its evidence seen."""
    id_ = GateId(UUID(int=number))
    switch = replace(
        SWITCH,
        id=number,
        key=replace(SWITCH.key, deployment=DeploymentId(f"d-{number:09d}")),
        domain=DomainName(domain) if domain else None,
        **how.pop("switch", {}),
    )
    waiting = replace(WAITING, id=id_, deployer=switch.deployer, **how.pop("gate", {}))
    return view(waiting, switch=switch, **{"evidence": evidence(), **how})


def rules(folder: Path) -> RuntimeConfig:
    path = folder / "switchgate.toml"
    others = f'approvers = ["{GRACE.id}"]\n'
    path.write_text(
        config_text(payment="approvals = 2\n", user=others, hub='reason = "always"\n', auth=""), "utf-8"
    )
    roster = Roster(groups={ONCALL.id: frozenset(map(UserId, ONCALL.members))})
    return RuntimeConfig(
        load_config(path), roster=lambda: roster, last_synced_at=lambda _: NOON, clock=lambda: NOON
    )


def seen(person: Person, live: RuntimeConfig) -> HomeContents:
    """One of each kind."""
    voted = {"votes": (vote(ME.user, "olu"),), "gate": {"approved_by": frozenset({ME.user})}}
    mine = [
        gate(1, "order"),
        gate(2, "hub", evidence=None),
        gate(3, "payment"),
        gate(5, "delivery", switch={"deployer": ME.user}),
        gate(6, "promotion", freezes=(FREEZE,)),
    ]
    previewed = preview_gates([Shown(one) for one in mine], person, rules=live, now=NOON)
    approved = preview_gates([Shown(gate(4, "payment", **voted))], person, rules=live, now=NOON)
    decided = view(
        reported(Verdict.APPROVED, Outcome.ACKNOWLEDGED),
        **APPROVED,
        **acknowledged(Outcome.ACKNOWLEDGED, "Succeeded"),
    )
    return HomeContents(
        change_token="",
        mine=sorted(previewed, key=lambda one: not one.preview.counts),
        mine_total=1000,
        approved=approved,
        approved_total=1,
        others=[Shown(gate(7, "user")), Shown(gate(8, None, gate={"verified": False}), place=None)],
        others_total=3,
        freezes=[ActiveFreeze(freeze=FREEZE, domains=(DomainName("promotion"),))],
        decided=[decided],
    )


NOTHING: Final = HomeContents(
    change_token="",
    mine=[],
    mine_total=0,
    approved=[],
    approved_total=0,
    others=[],
    others_total=0,
    freezes=[],
    decided=[],
)


def home(
    seen_: HomeContents, person: Person, live: RuntimeConfig, texts: Texts, notice: Notice | None = None
) -> Any:
    top = home_top(now=NOON, notices=[notice] if notice else [], several=notice is not None, texts=texts)
    return home_view(top, home_body(seen_, person=person, rules=live, texts=texts, now=NOON, base=BASE))


def results(live: RuntimeConfig, texts: Texts) -> Any:
    """Recorded, not recorded, and one of which nobody knows what it was."""
    pick = Pick(
        action_value=ActionValue(gate=GateId(UUID(int=1)), prompt_version=1),
        asks_reason=False,
        label="order · <d-1>",
    )
    lines = [
        recorded_result(gate(1, "order"), texts=texts),
        result_of(
            pick, VoteReply(text=texts("refused.nothing_recorded"), retryable=True), by=ME.user, texts=texts
        ),
    ]
    return bulk_approve_notice(results_blocks(lines, texts=texts), texts=texts)


def with_notice(live: RuntimeConfig, texts: Texts) -> Any:
    button = retract_vote_button(gate(4, "order"), texts=texts)
    return home(seen(ME, live), ME, live, texts, Notice(text=texts("press.counted"), buttons=(button,)))


def unknown(live: RuntimeConfig, texts: Texts) -> Any:
    return home_view([], non_member_body(replace(ME, account_status=AccountStatus.UNKNOWN), texts=texts))


def away(live: RuntimeConfig, texts: Texts) -> Any:
    top = home_top(now=NOON, notices=[], several=False, texts=texts)
    return home_view(top, unavailable_body(texts=texts))


def several(live: RuntimeConfig, texts: Texts) -> Any:
    choices = Choices(gates=seen(ME, live).mine, left_out=2)
    nothing_of = [DomainName("notification")]
    return bulk_approve_form(choices, preselect=True, nothing_of=nothing_of, texts=texts, base=BASE)


STATES: Final[dict[str, Callable[[RuntimeConfig, Texts], Any]]] = {
    "full": with_notice,
    "admin": lambda live, texts: home(seen(ADMIN, live), ADMIN, live, texts),
    "empty": lambda live, texts: home(NOTHING, ME, live, texts),
    "unknown": unknown,
    "away": away,
    "outside": lambda live, texts: home_view(
        [], non_member_body(replace(ME, account_status=AccountStatus.STRANGER), texts=texts)
    ),
    "several": several,
    "several-results": results,
}
EACH: Final = [(state, locale) for state in STATES for locale in LOCALES]


@pytest.mark.parametrize(("state", "locale"), EACH)
def test_home_looks_as_it_did_and_slack_takes_it(state: str, locale: LocaleName, tmp_path: Path) -> None:
    picture = PICTURES / f"{state}.{locale}.json"
    shown = STATES[state](rules(tmp_path), Texts.of(locale))
    now = json.dumps(shown, ensure_ascii=False, indent=1) + "\n"
    if os.environ.get("UPDATE_PICTURES"):
        picture.write_text(now, encoding="utf-8")
    assert now == picture.read_text(encoding="utf-8"), "if that is meant: UPDATE_PICTURES=1 make test"
    assert view_problems(shown) == []
    assert "<!channel>" not in now


def test_no_picture_is_left_of_a_state_that_is_gone() -> None:
    assert {picture.name for picture in PICTURES.iterdir()} == {
        f"{state}.{locale}.json" for state, locale in EACH
    }


def crowd(count: int, first: int) -> list[Shown]:
    """Gates whose every text is as long as it may be."""
    loud = {"description": NASTY, "deployer": None, "deployed_by": NASTY}
    return [Shown(gate(number, "order", switch=loud)) for number in range(first, first + count)]


@pytest.mark.parametrize("locale", LOCALES)
def test_a_home_full_of_long_texts_is_one_that_slack_takes(locale: LocaleName, tmp_path: Path) -> None:
    live, texts = rules(tmp_path), Texts.of(locale)
    long = replace(FREEZE, reason=NASTY)
    full = HomeContents(
        change_token="",
        mine=preview_gates(crowd(MAX_MINE, 1), ME, rules=live, now=NOON),
        mine_total=1000,
        approved=preview_gates(crowd(MAX_APPROVED, 50), ME, rules=live, now=NOON),
        approved_total=1000,
        others=crowd(MAX_OTHERS, 100),
        others_total=1000,
        freezes=[ActiveFreeze(freeze=long, domains=None)] * 30,
        decided=[view(reported(Verdict.REJECTED, Outcome.ACKNOWLEDGED), reason=NASTY, decided_name=NASTY)]
        * 8,
    )
    shown = home(full, ME, live, texts, Notice(text=NASTY))
    assert view_problems(shown) == []
    assert not view_is_too_large(shown)


@pytest.mark.parametrize("locale", LOCALES)
def test_a_form_full_of_long_texts_is_one_that_slack_takes(locale: LocaleName, tmp_path: Path) -> None:
    live, texts = rules(tmp_path), Texts.of(locale)
    gates: list[PreviewedGate] = preview_gates(crowd(MAX_BULK_GATES, 1), ME, rules=live, now=NOON)
    form = bulk_approve_form(Choices(gates=gates, left_out=9), preselect=False, texts=texts, base=BASE)
    assert view_problems(form) == []
    assert not view_is_too_large(form)
    lines = [recorded_result(one.view, texts=texts) for one in gates]
    assert message_problems(results_blocks(lines, texts=texts)) == []  # where the form was closed meanwhile
