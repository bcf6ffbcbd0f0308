"""Socket Mode with failures: sockets that do not open, that close, that deliver everything twice."""

from app.sandbox.people import MINA, OLU
from tests.harness import Harness
from tests.slack.play import Build, decisions, readiness, votes, whispers


async def test_a_socket_whose_first_handshake_failed_gets_a_new_address(build: Build) -> None:
    """The SDK would try the spent address for ever."""
    async with build(before=lambda fakes: fakes.slack.faults.fail_handshakes()) as harness:
        assert harness.slack.connected == 1
        assert len(harness.slack.calls("apps.connections.open")) >= 3


async def test_a_socket_that_was_dropped_and_cannot_come_back_at_once_comes_back(harness: Harness) -> None:
    harness.slack.faults.fail_handshakes(1)
    await harness.slack.drop_sockets_async()
    await harness.until(lambda: harness.slack.connected == 0)
    await harness.until(lambda: harness.slack.connected == 1, timeout=25)
    deployment, _ = await harness.open_gate("order")
    await harness.approve(MINA.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]


async def test_a_socket_that_slack_refreshes_takes_the_next_press(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    opened = len(harness.slack.calls("apps.connections.open"))
    await harness.slack.disconnect_sockets_async()
    await harness.until(lambda: len(harness.slack.calls("apps.connections.open")) > opened)
    await harness.until(lambda: harness.slack.connected == 1)
    assert (await harness.approve(MINA.id, deployment)).acked
    assert await harness.reported(deployment) == ["Succeeded"]


async def test_readiness_sees_a_socket_that_is_down_and_one_that_is_back(harness: Harness) -> None:
    await harness.until(lambda: harness.service.socket is not None and harness.service.socket.is_healthy())
    assert await readiness(harness) == (200, {"record": "ok", "slack": "ok"})
    with harness.slack.faults.away():
        await harness.slack.drop_sockets_async()
        await harness.until(lambda: harness.slack.connected == 0)
        harness.clock.advance(seconds=31)
        status, says = await readiness(harness)
        assert status == 503
        assert "socket" in says["slack"]
    await harness.until(lambda: harness.slack.connected == 1, timeout=30)
    await harness.until(lambda: harness.service.socket is not None and harness.service.socket.is_healthy())
    assert (await readiness(harness))[0] == 200


async def test_a_doubled_envelope_makes_one_vote(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.slack.faults.double_envelopes()
    assert (await harness.approve(OLU.id, deployment)).acked
    assert await harness.reported(deployment) == ["Succeeded"]
    await harness.until(lambda: whispers(harness, OLU))
    assert "already approved" in harness.ephemerals(OLU.id)
    assert votes(harness, deployment) == [OLU.id]
    assert decisions(harness, deployment) == 1


async def test_a_doubled_form_makes_one_rejection(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await harness.press(OLU.id, deployment, "reject")
    await harness.until(lambda: harness.slack.views.top(OLU.id))
    form = harness.slack.views.top(OLU.id)
    assert form is not None
    harness.slack.faults.double_envelopes()
    await harness.slack.submit_async(OLU.id, form.id, {"reason": "no"})
    assert await harness.reported(deployment) == ["Failed"]
    assert decisions(harness, deployment) == 1
