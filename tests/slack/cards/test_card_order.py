"""One order for every state: header, verdict, what changes and why, context, buttons, ids; within Slack's limits."""

import re
from dataclasses import replace
from itertools import chain
from typing import Any, Final

import pytest

from app.gate.rules.checks import CheckState
from app.gate.state_machine import Awaiting
from app.i18n.catalog import LOCALES, LocaleName, Texts
from app.sandbox.slack.blocks.validate import message_problems
from app.slack.blocks import Block
from app.slack.cards.card import MAX_BLOCKS, Card, render_card
from app.slack.cards.overflow import MORE
from app.slack.cards.state import CardState, card_state
from tests.gate.seen import container, revision, side
from tests.harness import pressable, texts_in
from tests.slack.cards.card_states import DECIDED_STATES, EVERY, WAITING_STATES, Shown, check, versions
from tests.slack.sample_gates import OLU, SWITCH

EACH: Final = [(name, locale) for name in EVERY for locale in LOCALES]
ORDER: Final = re.compile("header (section ){1,3}(context )?(actions )?context ")
SIREN: Final = "🚨"
TROUBLE: Final = frozenset(
    {
        CardState.FAILED,
        CardState.FAILED_ROLLING_BACK,
        CardState.ROLLBACK_FAILED,
        CardState.ELSEWHERE,
        CardState.CONTRADICTED,
        CardState.UNDELIVERABLE,
        CardState.AUTO_ROLLBACK_FAILED,
        CardState.UNDO_FAILED,
    }
)
HEALTHY: Final[dict[LocaleName, str]] = {"en": "healthy", "ko": "정상"}
LONG: Final = "ㅁ<&>*_`" * 600


def card_of(shown: Shown, locale: LocaleName = "en") -> Card:
    return render_card(shown.view, texts=Texts.of(locale), domain=shown.domain, rule_status=shown.rule_status)


def said(card: Card) -> str:
    return "\n".join(texts_in(card.blocks))


def elements(card: Card) -> list[Block]:
    return list(chain.from_iterable(block["elements"] for block in card.blocks if block["type"] == "actions"))


@pytest.mark.parametrize(("name", "shown"), EVERY.items(), ids=EVERY.keys())
def test_the_state_is_the_one_meant(name: str, shown: Shown) -> None:
    configured = shown.domain is not None
    assert card_state(shown.view, configured=configured, rule_status=shown.rule_status) is shown.state, name


def test_every_state_is_shown_here() -> None:
    assert {shown.state for shown in EVERY.values()} == set(CardState)


@pytest.mark.parametrize(("name", "locale"), EACH)
def test_a_card_has_one_order_and_few_blocks_in_every_state(name: str, locale: LocaleName) -> None:
    card = card_of(EVERY[name], locale)
    kinds = "".join(f"{block['type']} " for block in card.blocks)
    assert ORDER.fullmatch(kinds), kinds
    assert len(card.blocks) <= MAX_BLOCKS
    assert message_problems(card.blocks) == []


@pytest.mark.parametrize(("name", "locale"), EACH)
def test_a_card_has_at_most_three_buttons_and_a_menu_and_each_names_its_domain(
    name: str, locale: LocaleName
) -> None:
    shown = elements(card_of(EVERY[name], locale))
    buttons = [one for one in shown if one["type"] == "button"]
    menus = [one for one in shown if one["type"] == "overflow"]
    assert len(buttons) <= 3
    assert [one["action_id"] for one in menus] in ([], [MORE])
    assert shown == [*buttons, *menus], "the menu is last"
    assert all("order" in one["accessibility_label"] for one in buttons)
    assert sum(one.get("style") == "primary" for one in buttons) <= 1


@pytest.mark.parametrize("name", EVERY)
def test_there_is_a_siren_where_something_went_wrong_and_nowhere_else(name: str) -> None:
    shown = EVERY[name]
    header = card_of(shown).blocks[0]["text"]["text"]
    assert header.startswith(SIREN) == (shown.state in TROUBLE)
    if shown.state not in TROUBLE:
        assert ":rotating_light:" not in said(card_of(shown))


@pytest.mark.parametrize("name", EVERY)
def test_a_card_is_never_called_healthy_beside_a_failed_check(name: str) -> None:
    shown = EVERY[name]
    failing = replace(shown, view=replace(shown.view, checks=(check(CheckState.FAILED, "charged twice"),)))
    if shown.view.live_health is not None:
        return  # of green as it is now, long after the check
    for locale, healthy in HEALTHY.items():
        assert healthy not in said(card_of(failing, locale)).lower()


@pytest.mark.parametrize("name", DECIDED_STATES)
def test_a_decided_card_shows_health_only_while_it_is_read_on(name: str) -> None:
    view, words = DECIDED_STATES[name].view, said(card_of(DECIDED_STATES[name])).lower()
    lives = view.live_health is not None and view.switch.ended_at is None
    assert ("targets" in words) == lives
    assert lives or "healthy" not in words


@pytest.mark.parametrize("name", WAITING_STATES)
def test_a_gate_that_is_blocked_has_no_approve(name: str) -> None:
    shown = WAITING_STATES[name]
    actions = set(pressable(card_of(shown).blocks))
    asking = shown.state in {CardState.WAITING, CardState.PARTLY_APPROVED}
    assert ("approve" in actions) == asking
    if shown.state in {CardState.BLOCKED, CardState.CHECKS_PENDING}:
        assert {"reject", "details", "break_glass"} <= actions


@pytest.mark.parametrize(("name", "locale"), EACH)
def test_the_notification_is_the_first_line_with_the_deadline_of_an_answer(
    name: str, locale: LocaleName
) -> None:
    card = card_of(EVERY[name], locale)
    first = card.blocks[0]["text"]["text"]
    assert card.text.startswith(first)
    assert ("<!date^" in card.text) == isinstance(EVERY[name].view.gate, Awaiting)
    assert card.text.endswith((".", ">"))


LITERAL: Final = {
    "waiting": (
        "order 1.41.0 → 1.42.0: approve?",
        ":white_check_mark: *Healthy:* 2/2 tasks · 2/2 targets · no alarms firing · checks 1/1",
        ["Approve", "Reject", "Details", MORE],
    ),
    "blocked by a failed check": (
        "order 1.42.0: blocked",
        ":no_entry: *“<https://ci.example.com/7|card charge smoke>” failed*: 1 of 3 test cards was charged twice",
        ["Reject", "Details", MORE],
    ),
    "approved and not yet sent": (
        "order 1.42.0: approved, not switched yet",
        ":hourglass_flowing_sand: Sending to CodeDeploy…",
        ["Details", MORE],
    ),
    "canary": (
        "order 1.42.0: 10% on green",
        ":white_check_mark: *Healthy:* 2/2 tasks · 2/2 targets · no alarms firing",
        ["Roll back", "Details"],
    ),
    "traffic unknown": (
        "order 1.42.0: traffic unknown",
        ":warning: *Traffic unknown*, last read <!date^",
        ["Roll back", "Details"],
    ),
    "live, blue may be terminated": (
        "order 1.42.0: live",
        "Rolling back takes seconds until",
        ["Roll back", "Terminate blue", "Details"],
    ),
    "rollback failed": (
        "🚨 order: rollback failed, 100% on 1.42.0",
        "klp-logistics-order-5xx",
        ["Redeploy 1.41.0", "Open CodeDeploy", "Details"],
    ),
    "undone": (
        "order: rolled back to 1.41.0",
        "> Parcels to the islands get no route on green.\n"
        f":leftwards_arrow_with_hook: *Rolled back to blue* by <@{OLU}>",
        ["Details"],
    ),
    "finished": (
        "order 1.42.0: live, blue terminated",
        "*Completed*",
        ["Roll back to 1.41.0", "Details"],
    ),
    "undo's own gate, done": (
        "order: rolled back to the previous version",
        "The previous version serves all traffic",
        ["Return to order:41"],
    ),
}


@pytest.mark.parametrize(("name", "expected"), LITERAL.items(), ids=LITERAL.keys())
def test_header_verdict_and_buttons(name: str, expected: tuple[str, str, list[str]]) -> None:
    card = card_of(EVERY[name])
    header, verdict, buttons = expected
    shown = [one["text"]["text"] if one["type"] == "button" else MORE for one in elements(card)]
    assert (card.blocks[0]["text"]["text"], shown) == (header, buttons)
    assert verdict in card.blocks[1]["text"]["text"]


def test_a_confirmation_says_what_changes_and_how_long_it_can_be_taken_back_in_seconds() -> None:
    approve = pressable(card_of(EVERY["waiting"]).blocks)["approve"]
    assert approve["confirm"]["text"]["text"] == (
        "order 1.41.0 → 1.42.0, canary: 10%, then the rest after 5 min. Rolling back within 5 min takes seconds."
    )


def with_longest_texts(shown: Shown) -> Shown:
    tag = "v" * 128
    images = [container(f"c{number}", image=f"{'r' * 200}/{number}:{tag}") for number in range(10)]
    seen = replace(
        versions(before="u" * 128, after=tag),
        green=side(revision=revision(42, *images), task_definition=LONG),
    )
    checks = tuple(
        replace(check(CheckState.FAILED, LONG), name=f"{number} {LONG}"[:200]) for number in range(20)
    )
    switch: dict[str, Any] = {"description": LONG, "end_reason": LONG, "previous_revision": LONG}
    if shown.view.switch.verified:
        switch |= {"application": "a" * 100, "deployment_group": "g" * 100}
    votes = tuple(replace(vote, reason=LONG) for vote in shown.view.votes) * 10
    view = replace(
        shown.view,
        switch=replace(shown.view.switch, **switch),
        evidence=seen if shown.view.evidence else None,
        checks=checks,
        votes=votes,
        reason=LONG if shown.view.reason else None,
        report_error=LONG if shown.view.report_error else None,
    )
    return replace(shown, view=view)


@pytest.mark.parametrize(("name", "locale"), EACH)
def test_slack_takes_the_card_with_the_longest_texts(name: str, locale: LocaleName) -> None:
    card = card_of(with_longest_texts(EVERY[name]), locale)
    assert message_problems(card.blocks) == []
    assert len(card.blocks) <= MAX_BLOCKS
    assert len(card.blocks[0]["text"]["text"]) <= 150
    if locale == "en" and EVERY[name].state is CardState.WAITING:
        assert card.blocks[0]["text"]["text"].endswith("approve?"), "the state is never cut off"


def test_what_is_wrong_with_green_comes_before_where_the_traffic_is() -> None:
    verdict = card_of(EVERY["canary, green is unhealthy"]).blocks[1]["text"]["text"]
    assert verdict.index("unhealthy") < verdict.index("10% of traffic")


def test_what_a_card_says_once_it_does_not_repeat() -> None:
    words = said(card_of(EVERY["waiting"]))
    for repeated in ("github-actor", "Waiting since", "8020", "Listener"):
        assert repeated not in words
    assert words.count(SWITCH.key.deployment) == 2, "its id, in the address and as its name"
