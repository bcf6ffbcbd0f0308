"""Socket Mode in trouble: sockets that do not open, that close, that hand out everything twice."""

from app.sandbox.cast import MINA, OLU
from tests.house import House
from tests.slack.play import Build, decisions, readiness, votes, whispers


async def test_a_socket_whose_first_handshake_failed_gets_a_new_address(build: Build) -> None:
    """The SDK would try the spent address for ever."""
    async with build(before=lambda stage: stage.slack.faults.fail_handshakes()) as house:
        assert house.slack.connected == 1
        assert len(house.slack.calls("apps.connections.open")) >= 3


async def test_a_socket_that_was_dropped_and_cannot_come_back_at_once_comes_back(house: House) -> None:
    house.slack.faults.fail_handshakes(1)
    await house.slack.drop_sockets_async()
    await house.until(lambda: house.slack.connected == 0)
    await house.until(lambda: house.slack.connected == 1, timeout=25)
    deployment, _ = await house.ask("order")
    await house.approve(MINA.id, deployment)
    assert await house.told(deployment) == ["Succeeded"]


async def test_a_socket_that_slack_refreshes_takes_the_next_press(house: House) -> None:
    deployment, _ = await house.ask("order")
    opened = len(house.slack.calls("apps.connections.open"))
    await house.slack.disconnect_sockets_async()
    await house.until(lambda: len(house.slack.calls("apps.connections.open")) > opened)
    await house.until(lambda: house.slack.connected == 1)
    assert (await house.approve(MINA.id, deployment)).acked
    assert await house.told(deployment) == ["Succeeded"]


async def test_readiness_sees_a_socket_that_is_down_and_one_that_is_back(house: House) -> None:
    await house.until(lambda: house.service.socket is not None and house.service.socket.is_fit())
    assert await readiness(house) == (200, {"record": "ok", "slack": "ok"})
    with house.slack.faults.away():
        await house.slack.drop_sockets_async()
        await house.until(lambda: house.slack.connected == 0)
        house.clock.advance(seconds=31)
        status, says = await readiness(house)
        assert status == 503
        assert "socket" in says["slack"]
    await house.until(lambda: house.slack.connected == 1, timeout=30)
    await house.until(lambda: house.service.socket is not None and house.service.socket.is_fit())
    assert (await readiness(house))[0] == 200


async def test_a_doubled_envelope_makes_one_vote(house: House) -> None:
    deployment, _ = await house.ask("order")
    house.slack.faults.double_envelopes()
    assert (await house.approve(OLU.id, deployment)).acked
    assert await house.told(deployment) == ["Succeeded"]
    await house.until(lambda: whispers(house, OLU))
    assert "already approved" in house.whispered(OLU.id)
    assert votes(house, deployment) == [OLU.id]
    assert decisions(house, deployment) == 1


async def test_a_doubled_form_makes_one_rejection(house: House) -> None:
    deployment, _ = await house.ask("order")
    await house.press(OLU.id, deployment, "reject")
    await house.until(lambda: house.slack.views.top(OLU.id))
    form = house.slack.views.top(OLU.id)
    assert form is not None
    house.slack.faults.double_envelopes()
    await house.slack.submit_async(OLU.id, form.id, {"reason": "no"})
    assert await house.told(deployment) == ["Failed"]
    assert decisions(house, deployment) == 1
