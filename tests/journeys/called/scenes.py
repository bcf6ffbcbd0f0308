"""What is broadcast, and switches that go wrong."""

from typing import Final

from app.sandbox.people import CHANNEL, GRACE, JUN, MINA, ONCALL, config_text
from app.sandbox.slack.state.shapes import Channel, Message
from tests.harness import Harness, text_of
from tests.journeys.test_switch_lifecycle import CANARY

LEADS: Final = Channel(id="C09LEADS", name="leads")
RULES: Final = f'notify = ["U09LEAD"]\nescalate_to = "{GRACE.id}"\n'
CONFIG: Final = config_text(order=RULES)
ELSEWHERE: Final = config_text(order=f'escalate_to = "{LEADS.id}"\n')
GROUP: Final = f"<!subteam^{ONCALL.id}>"
EVERYBODY: Final = (GROUP, f"<@{GRACE.id}>", "<@U09LEAD>", f"<@{JUN.id}>")
PUT: Final = "PutLifecycleEventHookExecutionStatus"
BY_JUN: Final = "v2 github-actor=jun-lee <!channel> *bold*"


def broadcasts(harness: Harness, channel: str = CHANNEL.id) -> list[Message]:
    """Replies that the channel shows too."""
    return [message for message in harness.slack.messages.in_channel(channel) if message.broadcast]


def texts(harness: Harness) -> list[str]:
    return [text_of(message) for message in broadcasts(harness)]


async def one_broadcast(harness: Harness, deployment: str, *words: str) -> str:
    """Waits for the one broadcast in this card's thread, and for all other work of announcing."""
    await harness.until(lambda: texts(harness))
    await harness.until(lambda: not harness.rows("SELECT 1 FROM announcements WHERE due_at IS NOT NULL"))
    (message,) = broadcasts(harness)
    assert message.thread_ts == harness.card(deployment).ts
    said = text_of(message)
    assert not [word for word in words if word not in said], said
    return said


async def in_canary(harness: Harness, **how: str) -> str:
    """A switch that Mina approved, with a tenth of the traffic on green."""
    deployment, _ = await harness.open_gate("order", config=CANARY, **how)
    await harness.approve(MINA.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]
    harness.aws.advance_until(lambda: harness.aws.share("order")["green"] == 10)
    moved = "SELECT 1 FROM switches WHERE deployment_id = %s AND green_percent = 10"
    await harness.until(lambda: harness.rows(moved, deployment) and "undo" in harness.actions(deployment))
    return deployment


def stop_by_alarm(harness: Harness, deployment: str) -> str:
    """The rollback that CodeDeploy starts."""
    harness.aws.set_alarm("order", "ALARM")
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).rollback_id is not None)
    return harness.aws.deployment(deployment).rollback_id or ""
