"""Builds one process. The only place that knows every room; nothing is built at import."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import boto3
import structlog
from aiohttp import ClientSession, TCPConnector
from fastapi import FastAPI

from app.api.callers import Callers
from app.api.checks import checks_router
from app.api.freezes import freezes_router
from app.calm import Calm
from app.codedeploy.client import CodeDeploy
from app.codedeploy.evidence import AwsEvidence
from app.codedeploy.interveners import CodeDeployInterveners
from app.domains import Config, ConfigError, load_config
from app.errands import Errands, groups_loop
from app.flow.views import CardPlace
from app.gate.ids import GateId
from app.home_doors import home_doors
from app.hook.admission import Admission
from app.hook.receiver import HookReceiver
from app.hook.signature import HookKeys
from app.hook.state_changes import StateChangeReceiver
from app.http import build_http
from app.i18n.catalog import Texts
from app.probes.prober import HttpProber
from app.record.announcements import Announcements
from app.record.cards import Cards
from app.record.checks import Checks
from app.record.database import Database
from app.record.deployers import Deployers
from app.record.evidence import EvidenceRows
from app.record.freezes import Freezes
from app.record.gates import Gates
from app.record.interventions import Interventions
from app.record.probes import Probes
from app.record.questions import Questions
from app.record.reports import Reports
from app.record.switches import Switches
from app.record.threads import Threads
from app.record.waiting import WaitingGates
from app.rule_errands import RuleErrands
from app.rules import LiveRules
from app.settings import Settings
from app.slack.address_book import SlackAddressBook
from app.slack.canvas import SlackCanvas
from app.slack.check_presses import CheckPresses
from app.slack.deploys_command import DeploysCommand
from app.slack.details_door import DetailsDoor
from app.slack.directory import Directory
from app.slack.freeze_command import FreezeCommand
from app.slack.glass_presses import GlassPresses
from app.slack.greeting import CannotStart, Greeting
from app.slack.herald import SlackHerald
from app.slack.presses import Presses
from app.slack.receiver import build_app
from app.slack.replies import Replies
from app.slack.rules_command import RulesCommand
from app.slack.several import Several
from app.slack.socket import Socket
from app.slack.thread import SlackThreads
from app.slack.undoing import Undoing
from app.slack.web import Patience, web_client

__all__ = ["CannotStart", "Service", "utc_now"]

log = structlog.get_logger(__name__)

DRAIN_SECONDS: Final = 5.0


def utc_now() -> datetime:
    """The clock of a real process."""
    return datetime.now(UTC)


class Service:
    """One replica: its doors, its loops, and what they share. Build it inside the running loop."""

    def __init__(
        self,
        settings: Settings,
        config: Config,
        *,
        database_url: str,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self.database = Database(database_url)
        self.gates = Gates(self.database)
        self.questions = Questions(self.database)
        self.checks = Checks(self.database)
        self.freezes = Freezes(self.database)
        replica = uuid4()
        self.probes = Probes(self.database, replica)
        self._cards = Cards(self.database, replica)
        self._interventions = Interventions(self.database, replica)
        self._switches = Switches(self.database, replica)
        self._evidence = EvidenceRows(self.database, replica)
        aws = boto3.session.Session()
        self.codedeploy = CodeDeploy(aws, region=settings.region)
        self._source = AwsEvidence(aws, making=self.codedeploy.making)
        self._session = ClientSession(connector=TCPConnector(limit=50))
        self._client = web_client(
            token=settings.slack_bot_token.get_secret_value(),
            api_url=settings.slack_api_url,
            session=self._session,
        )
        self.directory = Directory(self._client, clock=clock, locale=settings.locale)
        app_token = _secret(settings.slack_app_token)
        self.greeting = Greeting(self._client, directory=self.directory, app_token=app_token)
        self.rules = LiveRules(config, roster=self.directory.roster, heard=self.directory.heard, clock=clock)
        self._calm = Calm()
        self.replies = Replies(self._client, calm=self._calm)
        patience = Patience(clock)
        self._canvas = SlackCanvas(
            self._client, texts=Texts.of(settings.locale), rules=self.rules, patience=patience, clock=clock
        )
        self.errands = Errands(
            gates=self.gates,
            reports=Reports(self.database, replica),
            switches=self._switches,
            cards=self._cards,
            interventions=self._interventions,
            questions=self.questions,
            deployments=self.codedeploy,
            interveners=CodeDeployInterveners(self.codedeploy),
            evidence=self._evidence,
            source=self._source,
            canvas=self._canvas,
            threads=Threads(self.database, replica),
            storyteller=SlackThreads(
                self._client,
                texts=Texts.of(settings.locale),
                rules=self.rules,
                workspace_url=lambda: self.greeting.workspace_url,
                patience=patience,
            ),
            rules=self.rules,
            clock=clock,
            calm=self._calm,
        )
        self.rule_errands = RuleErrands(
            announcements=Announcements(self.database, replica),
            deployers=Deployers(self.database),
            freezes=self.freezes,
            checks=self.checks,
            probes=self.probes,
            gates=self.gates,
            prober=HttpProber(),
            texts=Texts.of(settings.locale),
            decided=self.errands.decided,
            herald=SlackHerald(
                self._client, texts=Texts.of(settings.locale), rules=self.rules, patience=patience
            ),
            book=SlackAddressBook(self._client, clock=clock),
            rules=self.rules,
            redraw=self.errands.card.nudge,
            clock=clock,
            calm=self._calm,
        )
        self._loops = [
            *self.errands.all(),
            *self.rule_errands.all(),
            groups_loop(self.greeting.keep, lambda: self.rules.groups),
        ]
        self._running: list[asyncio.Task[None]] = []
        presses = self._presses()
        home = home_doors(
            self._client,
            waiting=WaitingGates(self.database),
            freezes=self.freezes,
            record=self.gates,
            presses=presses,
            rules=self.rules,
            directory=self.directory,
            replies=self.replies,
            patience=patience,
            calm=self._calm,
            workspace_url=lambda: self.greeting.workspace_url,
            clock=clock,
        )
        self._loops.append(home.loop)
        undoing = Undoing(
            record=self._interventions,
            gates=self.gates,
            rules=self.rules,
            directory=self.directory,
            replies=self.replies,
            asked=self.errands.asked,
            clock=clock,
        )
        self.bolt = build_app(
            client=self._client,
            signing_secret=_secret(settings.slack_signing_secret),
            presses=presses,
            undoing=undoing,
            glass=GlassPresses(
                record=self.gates,
                rules=self.rules,
                directory=self.directory,
                replies=self.replies,
                decided=self._decided,
                clock=clock,
            ),
            checks=CheckPresses(
                record=self.gates,
                probes=self.probes,
                rules=self.rules,
                directory=self.directory,
                replies=self.replies,
                asked=self.rule_errands.asked,
                clock=clock,
            ),
            deploys=self._deploys(undoing, home.several),
            details=DetailsDoor(
                evidence=self._evidence,
                directory=self.directory,
                replies=self.replies,
                wanted=self.errands.evidence.nudge,
                clock=clock,
            ),
            homes=home.homes,
            several=home.several,
            directory=self.directory,
            replies=self.replies,
        )
        self.socket = (
            Socket(self.bolt, app_token=app_token, clock=clock, listening=self.replies.listening)
            if app_token
            else None
        )

    def http(self) -> FastAPI:
        """The HTTP doors."""
        admission = Admission(keys=HookKeys(self._settings.hook_secrets), clock=self._clock)
        hooks = HookReceiver(
            admission=admission,
            record=self.gates,
            deployments=self.codedeploy,
            rules=self.rules,
            region=self._settings.region,
            opened=self._opened,
            calm=self._calm,
        )
        state_changes = StateChangeReceiver(
            admission=admission,
            wake=lambda key: self._switches.wake(key, now=self._clock()),
            woken=self.errands.look.nudge,
        )
        callers = Callers(self._settings.api_tokens)
        return build_http(
            hooks=hooks,
            state_changes=state_changes,
            questions=self.questions,
            callers=callers,
            more=[
                checks_router(
                    self.checks,
                    callers,
                    rules=self.rules,
                    region=self._settings.region,
                    told=self.rule_errands.told,
                    clock=self._clock,
                ),
                freezes_router(
                    self.freezes,
                    callers,
                    rules=self.rules,
                    changed=self.rule_errands.frozen,
                    clock=self._clock,
                ),
            ],
            bolt=None if self.socket else self.bolt,
            slack_is_fit=lambda: self.socket is None or self.socket.is_fit(),
        )

    async def start(self) -> None:
        """Proves the tokens, then runs the loops and opens the socket. Raises `CannotStart`."""
        warm = asyncio.get_running_loop().run_in_executor(None, self._warm_up)
        await asyncio.gather(self.greeting.begin(self.rules.groups), warm)
        self._running = [asyncio.create_task(loop.run(), name=loop.name) for loop in self._loops]
        if self.socket is not None:
            self.socket.open()

    async def stop(self) -> None:
        """Finishes what is under way; what is left is another replica's once its lease ends."""
        await self.replies.quiet(seconds=DRAIN_SECONDS)
        if self.socket is not None:
            await self.socket.close()
            # What came in while the socket closed gets no ack any more, but its work is done all the same.
            await self.replies.quiet(seconds=DRAIN_SECONDS)
        await self.replies.drain(seconds=DRAIN_SECONDS)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await asyncio.gather(*(loop.drain(seconds=DRAIN_SECONDS) for loop in self._loops))
        await self._session.close()
        await asyncio.get_running_loop().run_in_executor(None, self.codedeploy.close)
        await asyncio.get_running_loop().run_in_executor(None, self._source.close)
        await self.database.close()

    def reload(self, path: Path) -> None:
        """Reads the configuration again. A bad one is refused with its problems, and the old one stays."""
        try:
            self.rules.config = load_config(path)
        except ConfigError as refusal:
            log.error("config_not_reloaded", problems=str(refusal))
            return
        log.info("config_reloaded", domains=sorted(self.rules.config.domains))
        self.replies.later(self.gates.plan_reminders(now=self._clock()), what="reminders")
        for loop in self._loops:
            loop.nudge()

    def _warm_up(self) -> None:
        self.codedeploy.warm_up()
        self._source.warm_up(self._settings.region)

    def _deploys(self, undoing: Undoing, several: Several) -> DeploysCommand:
        return DeploysCommand(
            questions=self.questions,
            rules=self.rules,
            directory=self.directory,
            clock=self._clock,
            workspace_url=lambda: self.greeting.workspace_url,
            replies=self.replies,
            undo_form=lambda view, trigger, texts: undoing.open_form(view, trigger=trigger, texts=texts),
            rules_command=RulesCommand(
                freezes=FreezeCommand(
                    record=self.freezes,
                    rules=self.rules,
                    changed=self.rule_errands.frozen,
                    clock=self._clock,
                ),
                rules=self.rules,
                clock=self._clock,
            ),
            several=several,
        )

    def _presses(self) -> Presses:
        async def stale(gate: GateId) -> None:
            await self._cards.redraw(gate, now=self._clock())
            self.errands.card.nudge()

        async def met(gate: GateId, place: CardPlace) -> None:
            if self.greeting.may_search:
                return
            if not await self._cards.met(gate, place=place, now=self._clock()):
                await self._canvas.remove(place)
            self.errands.card.nudge()

        return Presses(
            record=self.gates,
            rules=self.rules,
            directory=self.directory,
            replies=self.replies,
            decided=self._decided,
            stale=stale,
            met=met,
            clock=self._clock,
        )

    def _opened(self) -> None:
        self.errands.opened()
        self.rule_errands.opened()

    def _decided(self, gate: GateId) -> None:
        self.errands.decided()
        self.rule_errands.decided()


def _secret(value: Any) -> str | None:
    return value.get_secret_value() if value is not None else None
