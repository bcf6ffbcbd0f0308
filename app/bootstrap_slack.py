"""Builds the handlers of what people press, submit and type in Slack."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from app.db.all_repositories import Repositories
from app.flow.approval.live_traffic import LiveTraffic
from app.flow.ports.codedeploy import Deployments
from app.flow.ports.evidence import EvidenceSource
from app.flow.ports.rules import Rules
from app.flow.undo.fresh_view import FreshViews
from app.slack.app import Handlers, build_app
from app.slack.client_bundle import ClientBundle
from app.slack.commands.deploys import DeploysCommand
from app.slack.commands.freeze import FreezeCommand
from app.slack.commands.lists import DeploysLists
from app.slack.commands.notify import NotifyCommand
from app.slack.commands.rollback import RollbackCommand
from app.slack.commands.rules import RulesCommand
from app.slack.handlers.break_glass import BreakGlassHandler
from app.slack.handlers.bulk_approve import BulkApproveHandler
from app.slack.handlers.channels import ChannelsHandler
from app.slack.handlers.checks import ChecksHandler
from app.slack.handlers.details import DetailsHandler
from app.slack.handlers.home import HomeHandler
from app.slack.handlers.retract_vote import RetractVoteHandler
from app.slack.handlers.shown_cards import ShownCards
from app.slack.handlers.undo import UndoHandler
from app.slack.handlers.vote import VoteHandler
from app.slack.handlers.withdraw import WithdrawHandler
from app.slack.home.publisher import HomePublisher
from app.workers.wakeups import Wakeups


class SlackHandlers:
    """`bolt` takes what Slack sends; `home` publishes App Home."""

    def __init__(
        self,
        slack: ClientBundle,
        *,
        repositories: Repositories,
        worker_repositories: Repositories,
        rules: Rules,
        wakeups: Wakeups,
        source: EvidenceSource,
        deployments: Deployments,
        clock: Callable[[], datetime],
    ) -> None:
        self._deployments = deployments
        self._slack = slack
        self._repositories = repositories
        self._worker_repositories = worker_repositories
        self._rules = rules
        self._wakeups = wakeups
        self._traffic = LiveTraffic(repository=repositories.evidence, source=source)
        self._clock = clock
        self._shown_cards = ShownCards(
            repository=repositories.cards, background=slack.background, wakeups=wakeups, clock=clock
        )
        undo = self._undo()
        votes = self._votes(undo)
        bulk_approve = self._bulk_approve(votes)
        withdraw = self._withdraw()
        self.home = self._home()
        self.bolt = build_app(
            client=slack.client,
            signing_secret=slack.signing_secret,
            handlers=Handlers(
                votes=votes,
                undo=undo,
                break_glass=self._break_glass(),
                retract_vote=self._retract_vote(),
                withdraw=withdraw,
                checks=self._checks(),
                details=self._details(),
                bulk_approve=bulk_approve,
                deploys=self._deploys(undo, bulk_approve, withdraw),
                home=HomeHandler(self.home),
                channels=ChannelsHandler(repository=repositories.channels, wakeups=wakeups, clock=clock),
            ),
            home=self.home,
            shown_cards=self._shown_cards,
            directory=slack.directory,
            replies=slack.replies,
        )

    def _votes(self, undo: UndoHandler) -> VoteHandler:
        return VoteHandler(
            undo=undo,
            repository=self._repositories.gates,
            traffic=self._traffic,
            rules=self._rules,
            directory=self._slack.directory,
            replies=self._slack.replies,
            shown_cards=self._shown_cards,
            wakeups=self._wakeups,
            clock=self._clock,
        )

    def _home(self) -> HomePublisher:
        """Answers to actions in Home are shown there."""
        home = HomePublisher(
            self._slack.client,
            queries=self._worker_repositories.home,
            freezes=self._worker_repositories.freezes,
            rules=self._rules,
            directory=self._slack.directory,
            replies=self._slack.replies,
            retry_after_tracker=self._slack.retry_after_tracker,
            workspace_url=self._slack.workspace_url,
            wakeups=self._wakeups,
            clock=self._clock,
        )
        self._slack.replies.at_home = home.say
        return home

    def _bulk_approve(self, votes: VoteHandler) -> BulkApproveHandler:
        return BulkApproveHandler(
            self._slack.client,
            queries=self._repositories.home,
            repository=self._repositories.gates,
            votes=votes,
            rules=self._rules,
            directory=self._slack.directory,
            replies=self._slack.replies,
            workspace_url=self._slack.workspace_url,
            clock=self._clock,
        )

    def _undo(self) -> UndoHandler:
        fresh_views = FreshViews(
            gates=self._repositories.gates,
            polls=self._repositories.switches,
            deployments=self._deployments,
            poll_requested=partial(self._wakeups.notify, "poll_requested"),
            clock=self._clock,
        )
        return UndoHandler(
            fresh_views=fresh_views,
            repository=self._repositories.interventions,
            rules=self._rules,
            directory=self._slack.directory,
            replies=self._slack.replies,
            wakeups=self._wakeups,
            clock=self._clock,
        )

    def _break_glass(self) -> BreakGlassHandler:
        return BreakGlassHandler(
            repository=self._repositories.gates,
            traffic=self._traffic,
            rules=self._rules,
            directory=self._slack.directory,
            replies=self._slack.replies,
            wakeups=self._wakeups,
            clock=self._clock,
        )

    def _retract_vote(self) -> RetractVoteHandler:
        return RetractVoteHandler(
            repository=self._repositories.gates,
            rules=self._rules,
            replies=self._slack.replies,
            wakeups=self._wakeups,
            clock=self._clock,
        )

    def _withdraw(self) -> WithdrawHandler:
        return WithdrawHandler(
            repository=self._repositories.gates,
            rules=self._rules,
            directory=self._slack.directory,
            replies=self._slack.replies,
            wakeups=self._wakeups,
            clock=self._clock,
        )

    def _checks(self) -> ChecksHandler:
        return ChecksHandler(
            repository=self._repositories.gates,
            probes=self._repositories.probes,
            rules=self._rules,
            replies=self._slack.replies,
            wakeups=self._wakeups,
            clock=self._clock,
        )

    def _details(self) -> DetailsHandler:
        return DetailsHandler(
            evidence=self._repositories.evidence,
            directory=self._slack.directory,
            replies=self._slack.replies,
            wakeups=self._wakeups,
            clock=self._clock,
        )

    def _deploys(
        self, undo: UndoHandler, bulk_approve: BulkApproveHandler, withdraw: WithdrawHandler
    ) -> DeploysCommand:
        freezes = FreezeCommand(
            repository=self._repositories.freezes,
            rules=self._rules,
            wakeups=self._wakeups,
            clock=self._clock,
        )
        return DeploysCommand(
            lists=DeploysLists(
                queries=self._repositories.queries,
                rules=self._rules,
                clock=self._clock,
                workspace_url=self._slack.workspace_url,
            ),
            rules=self._rules,
            directory=self._slack.directory,
            replies=self._slack.replies,
            withdraw_form=lambda gate, profile, body: withdraw.form(gate, profile, body=body),
            rules_command=RulesCommand(freezes=freezes, rules=self._rules, clock=self._clock),
            rollback=RollbackCommand(
                queries=self._repositories.queries,
                decisions=self._repositories.home,
                rules=self._rules,
                form=lambda gate, profile, body: undo.ask(gate, profile, body=body),
            ),
            bulk_approve=bulk_approve,
            notify_command=NotifyCommand(
                repository=self._repositories.subscriptions,
                rules=self._rules,
                wakeups=self._wakeups,
                clock=self._clock,
            ),
        )
