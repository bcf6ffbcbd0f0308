"""The same tests over Socket Mode and over signed HTTP."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.sandbox.people import JUN, MINA, OLU
from tests.harness import Harness, text_of
from tests.slack.play import Build, deploys, gate_held, press_in, press_waits, wait_for_reply


@pytest.fixture(params=["socket", "http"])
async def both(request: Any, build: Build) -> AsyncIterator[Harness]:
    """A harness in each mode, one after the other."""
    async with build(socket_mode=request.param == "socket") as harness:
        yield harness


def way(harness: Harness) -> str:
    return "socket" if harness.slack.connected else "http"


async def test_an_approval_travels_in_both_modes(both: Harness) -> None:
    deployment, _ = await both.open_gate("order")
    pressed = await both.approve(MINA.id, deployment)
    assert (pressed.acked, pressed.ack.via) == (True, way(both))
    assert await both.reported(deployment) == ["Succeeded"]
    await both.until(
        lambda: "approved by" in both.card_text(deployment) and "Succeeded" in both.card_text(deployment)
    )


async def test_a_rejection_and_its_reason_travel_in_both_modes(both: Harness) -> None:
    deployment, _ = await both.open_gate("order")
    submitted = await both.reject(OLU.id, deployment, "the schema does not match")
    assert submitted.outcome == "closed"
    assert await both.reported(deployment) == ["Failed"]
    await both.until(lambda: "the schema does not match" in both.card_text(deployment))
    assert both.gate(deployment)["reason"] == "the schema does not match"


async def test_the_list_of_what_waits_travels_in_both_modes(both: Harness) -> None:
    deployment, _ = await both.open_gate("order")
    listed = await deploys(both)
    assert deployment in text_of(listed)
    assert listed.only_for == OLU.id
    assert (await press_in(both, listed, OLU, "approve")).acked
    assert await both.reported(deployment) == ["Succeeded"]


async def test_a_denial_is_ephemeral_in_both_modes(both: Harness) -> None:
    deployment, _ = await both.open_gate("order")
    assert (await both.approve(JUN.id, deployment)).acked
    await wait_for_reply(both, JUN, "order", "S0ONCALL")
    assert both.gate(deployment)["verdict"] is None


async def test_the_row_is_there_when_the_ack_comes(both: Harness) -> None:
    deployment, _ = await both.open_gate("order")
    assert (await both.approve(MINA.id, deployment)).acked
    assert both.gate(deployment)["verdict"] == "approved"
    assert both.audit(deployment).count("gate_decided") == 1


async def test_no_ack_comes_before_the_commit(both: Harness) -> None:
    deployment, _ = await both.open_gate("order")
    async with gate_held(both, deployment) as holder:
        pressing = asyncio.ensure_future(both.approve(MINA.id, deployment))
        await both.until(lambda: press_waits(both, holder))
        assert not pressing.done()
        holder.rollback()
    assert (await pressing).acked
    assert both.gate(deployment)["verdict"] == "approved"
