"""App Home and the approving of several at once, put together: they share what they ask of the record."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from slack_sdk.web.async_client import AsyncWebClient

from app.calm import Calm
from app.flow.ports import GateRecord, Rules
from app.loops import Loop
from app.record.freezes import Freezes
from app.record.waiting import WaitingGates
from app.slack.directory import Directory
from app.slack.home import Homes
from app.slack.presses import Presses
from app.slack.replies import Replies
from app.slack.several import Several
from app.slack.web import Patience

HOME_TICK: Final = 0.5
AT_ONCE: Final = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class HomeDoors:
    """`loop` publishes: never in the way of a press."""

    homes: Homes
    loop: Loop
    several: Several


def home_doors(
    client: AsyncWebClient,
    *,
    waiting: WaitingGates,
    freezes: Freezes,
    record: GateRecord,
    presses: Presses,
    rules: Rules,
    directory: Directory,
    replies: Replies,
    patience: Patience,
    calm: Calm,
    workspace_url: Callable[[], str | None],
    clock: Callable[[], datetime],
) -> HomeDoors:
    """Builds them; from then on answers to presses in Home are shown there."""
    homes = Homes(
        client,
        questions=waiting,
        freezes=freezes,
        rules=rules,
        directory=directory,
        replies=replies,
        patience=patience,
        workspace_url=workspace_url,
        nudge=lambda: loop.nudge(),
        clock=clock,
    )
    loop = Loop(name="home", step=homes.step, room=AT_ONCE, tick=HOME_TICK, calm=calm, patience=0.5)
    replies.at_home = homes.say
    several = Several(
        client,
        questions=waiting,
        record=record,
        presses=presses,
        rules=rules,
        directory=directory,
        replies=replies,
        workspace_url=workspace_url,
        clock=clock,
    )
    return HomeDoors(homes=homes, loop=loop, several=several)
