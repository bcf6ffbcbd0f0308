"""Attacks on who somebody is: whatever a payload says beside Slack's signed user decides nothing."""

import json
from typing import Any

import pytest

from app.sandbox.people import GRACE, JUN, MINA, OLU, config_text
from app.sandbox.slack.state.shapes import TEAM
from tests.harness import Harness, texts_in
from tests.slack.handlers.test_outsiders import press_by, submission, ticked, typed_in, untouched
from tests.slack.play import Build, block_actions, send, wait_for_reply

FORGED_USER: dict[str, Any] = {
    "user_id": OLU.id,
    "username": OLU.name,
    "message": {"user": OLU.id, "ts": "1.0"},
    "view": {"user": {"id": OLU.id}, "type": "modal"},
    "event": {"user": OLU.id},
    "container": {"type": "message", "user": OLU.id},
    "authorizations": [{"user_id": OLU.id}],
    "state": {"values": {"user": {"user": {"type": "users_select", "selected_user": OLU.id}}}},
    "bot_profile": {"user_id": OLU.id},
}


def ticket_of(harness: Harness, deployment: str) -> str:
    gate = harness.gate(deployment)
    return f"{gate['id']}.{gate['prompt_version']}"


@pytest.mark.parametrize("field", sorted(FORGED_USER))
async def test_a_user_anywhere_else_in_a_press_is_not_who_pressed(build: Build, field: str) -> None:
    async with build(socket_mode=False) as harness:
        deployment, _ = await harness.open_gate("order")
        press = {**press_by(JUN, "approve", ticket_of(harness, deployment)), field: FORGED_USER[field]}
        press["actions"][0]["user"] = {"id": OLU.id}
        assert (await send(harness, press))[0] == 200
        await harness.until(lambda: "vote_denied" in harness.audit(deployment))
        actors = harness.rows("SELECT actor FROM audit_events WHERE kind = 'vote_denied'")
        assert actors == [{"actor": JUN.id}]
        assert untouched(harness, deployment)


@pytest.mark.parametrize(
    ("callback", "values", "metadata"),
    [
        ("reject_reason", typed_in("reason", "no"), "{action_value}"),
        ("approve_reason", typed_in("reason", "yes"), "{action_value}"),
        ("break_glass_reason", typed_in("glass_reason", "now"), "{action_value} NotNamed,OwnSwitch,TwoOwed"),
        ("undo_reason", typed_in("reason", "back"), "{action_value}/stop"),
        ("approve_several", None, ""),
    ],
)
async def test_the_metadata_of_somebody_elses_form_makes_nobody_an_approver(
    build: Build, callback: str, values: dict[str, Any] | None, metadata: str
) -> None:
    """Jun, who may decide nothing, submits the form that was opened for Olu, with Olu named in the state."""
    async with build(socket_mode=False) as harness:
        deployment, _ = await harness.open_gate("order")
        action_value = ticket_of(harness, deployment)
        state = ticked(action_value) if values is None else values
        forged = submission(
            JUN,
            callback,
            metadata.format(action_value=action_value),
            {**state, **FORGED_USER["state"]["values"]},
        )
        status, body = await send(harness, forged)
        assert status == 200
        assert any(word in body for word in ("order", GRACE.id)), "a sentence that names who may"
        assert untouched(harness, deployment)


async def test_a_form_of_one_gate_with_the_metadata_of_another_is_judged_by_the_others_rules(
    build: Build,
) -> None:
    config = config_text(payment=f'approvers = ["{GRACE.id}"]\n')
    async with build(socket_mode=False, config=config) as harness:
        order, _ = await harness.open_gate("order")
        payment, _ = await harness.open_gate("payment")
        for callback, values in (("approve_reason", "fine"), ("reject_reason", "not fine")):
            action_value = ticket_of(harness, payment)
            status, body = await send(
                harness, submission(OLU, callback, action_value, typed_in("reason", values))
            )
            assert status == 200
            assert f"<@{GRACE.id}>" in "\n".join(texts_in(json.loads(body)["view"]["blocks"]))
        status, body = await send(
            harness, submission(OLU, "approve_several", "", ticked(ticket_of(harness, payment)))
        )
        assert "0 of 1" in body
        assert untouched(harness, order)
        assert untouched(harness, payment)


@pytest.mark.parametrize("user", ["S0ONCALL", "", "U0NOBODY", "USLACKBOT", "<@U02OLU>", f"{OLU.id} "])
async def test_an_id_that_names_no_person_is_nobody(build: Build, user: str) -> None:
    async with build(socket_mode=False) as harness:
        deployment, _ = await harness.open_gate("order")
        press = {
            **press_by(OLU, "approve", ticket_of(harness, deployment)),
            "user": {"id": user, "team_id": TEAM},
        }
        assert (await send(harness, press))[0] == 200
        await harness.until(lambda: "vote_denied" in harness.audit(deployment))
        assert untouched(harness, deployment)


async def test_a_connect_user_whose_payload_names_our_team_is_a_stranger_by_users_info(build: Build) -> None:
    async with build(socket_mode=False) as harness:
        harness.slack.people.alter(OLU.id, team_id="T9OTHER")
        deployment, _ = await harness.open_gate("order")
        for user in ({"id": OLU.id, "team_id": TEAM}, {"id": OLU.id}):
            press = {**press_by(OLU, "approve", ticket_of(harness, deployment)), "user": user}
            await send(harness, press)
        await wait_for_reply(harness, OLU, "full workspace members")
        assert untouched(harness, deployment)


async def test_a_workflow_that_presses_is_a_bot(build: Build) -> None:
    async with build(socket_mode=False) as harness:
        harness.slack.people.alter(MINA.id, is_bot=True)
        deployment, _ = await harness.open_gate("order")
        press = block_actions(
            {"action_id": "approve", "value": ticket_of(harness, deployment)},
            user={"id": MINA.id, "name": "workflow", "team_id": TEAM},
            bot_access_token="xwfp-1",
            function_data={"inputs": {"approver": OLU.id}, "execution_id": "Fx1"},
            interactivity={"interactor": {"id": OLU.id, "secret": "x"}, "interactivity_pointer": "1.1"},
        )
        await send(harness, press)
        await harness.until(lambda: "vote_denied" in harness.audit(deployment))
        assert untouched(harness, deployment)
