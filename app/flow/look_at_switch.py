"""A live switch, not looked at for a while: what does CodeDeploy say of it now?

The first look at an unverified switch is its verification. Later ones learn when the hook began, how traffic
will move, and that a deployment has ended by itself.
"""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, assert_never

from app.flow.backoff import backoff
from app.flow.events import CODEDEPLOY, Event, Kind
from app.flow.open_gate import NotOurs, verify_facts
from app.flow.pass_rescue import pass_rescue
from app.flow.ports import (
    CannotAsk,
    DeploymentFacts,
    Deployments,
    DueLook,
    GateRecord,
    HeldSwitch,
    HookProgress,
    NoSuchDeployment,
    Rules,
    Verification,
)
from app.flow.views import GateView, Traffic
from app.gate.ids import DomainName, GateId
from app.gate.policy import RESCUERS
from app.gate.states import Awaiting, Closed, Decided, Reported

REST: Final = timedelta(seconds=35)
"""Between looks at a switch that stands still, give or take a half: an ending is noticed within a minute."""

RETRY: Final = timedelta(seconds=1)
LONGEST: Final = timedelta(seconds=20)


class LookRecord(Protocol):
    """Where switches are looked after, under the lease that they were claimed with."""

    def hold_switch(self, due: DueLook) -> AbstractAsyncContextManager[HeldSwitch | None]: ...

    async def look_again(
        self, due: DueLook, *, error: str | None, rested: bool, due_at: datetime
    ) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """What CodeDeploy showed. `facts` is None when it has no such deployment; parts not seen are None."""

    facts: DeploymentFacts | None
    hook: HookProgress | None
    traffic: Traffic | None


async def look_at_switch(
    due: DueLook,
    *,
    record: LookRecord,
    gates: GateRecord,
    deployments: Deployments,
    rules: Rules,
    now: datetime,
) -> None:
    """Looks once and stores what changed; when to look again is in the record."""
    try:
        sight = await _see(due, deployments=deployments)
    except CannotAsk as trouble:
        again = now + backoff(due.attempts, first=RETRY, longest=LONGEST)
        await record.look_again(due, error=str(trouble), rested=False, due_at=again)
        return
    rescued: list[GateId] = []
    if _is_news(due, sight):
        async with record.hold_switch(due) as held:
            rescued = await _store(held, sight, rules=rules, now=now) if held is not None else []
    for gate in rescued:
        async with gates.hold(gate) as waiting:
            if waiting is not None:
                await pass_rescue(waiting, creator=waiting.view.switch.creator or "", now=now)
    # CodeDeploy's reads lag behind its hook: until the hook's start shows, look again soon.
    seen = due.switch.hook_started_at is not None or (
        sight.hook is not None and sight.hook.started_at is not None
    )
    rest = backoff(1 if seen else due.attempts, first=REST if seen else RETRY, longest=REST)
    await record.look_again(due, error=None, rested=seen, due_at=now + rest)


async def _see(due: DueLook, *, deployments: Deployments) -> Sight:
    key = due.switch.key
    try:
        facts = await deployments.deployment(key)
    except NoSuchDeployment:
        return Sight(facts=None, hook=None, traffic=None)
    hook = traffic = None
    if not facts.over and due.switch.hook_started_at is None:
        hook = await deployments.hook_progress(key, hook_name=due.hook_name)
    if due.switch.traffic is None:
        try:
            traffic = await deployments.traffic(key, config_name=facts.config_name)
        except CannotAsk:
            traffic = None  # only the card's description of the shift waits for it
    return Sight(facts=facts, hook=hook, traffic=traffic)


def _is_news(due: DueLook, sight: Sight) -> bool:
    """Whether anything is to be written: a switch at rest costs one statement a look."""
    facts, switch = sight.facts, due.switch
    if facts is None or facts.over or not switch.verified or facts.creator in RESCUERS:
        return True
    return facts.status != switch.status or sight.hook is not None or sight.traffic is not None


async def _store(held: HeldSwitch, sight: Sight, *, rules: Rules, now: datetime) -> list[GateId]:
    """Writes what was seen; gives the gates of an automatic rollback, which are to pass."""
    if sight.facts is None:
        await _refuse(held, f"CodeDeploy has no deployment {held.switch.key.deployment}", now=now)
        return []
    verification = None
    if not held.switch.verified:
        try:
            verification = verify_facts(sight.facts, rules=rules)
        except NotOurs as refusal:
            await _refuse(held, str(refusal), now=now)
            return []
        await held.verify(verification, now=now)
    started = sight.hook.started_at if sight.hook else None
    await held.learn(status=sight.facts.status, hook_started_at=started, traffic=sight.traffic)
    if sight.facts.over:
        await _end(held, sight.facts.ending, now=now)
        return []
    for view in held.open_gates:
        await _refine(held, view, verification=verification, hook_started_at=started, rules=rules, now=now)
    rescue = sight.facts.creator in RESCUERS
    return [view.id for view in held.open_gates if rescue and isinstance(view.gate, Awaiting)]


async def _refine(
    held: HeldSwitch,
    view: GateView,
    *,
    verification: Verification | None,
    hook_started_at: datetime | None,
    rules: Rules,
    now: datetime,
) -> None:
    """A waiting gate learns what it is about and when its hook began."""
    if not isinstance(view.gate, Awaiting):
        return
    domain = rules.domain(verification.domain if verification else view.switch.domain or DomainName(""))
    policy = domain.policy if domain else rules.default_policy
    gate = view.gate
    if verification is not None:
        gate = gate.verify(deployer=verification.deployer, policy=policy)
    if hook_started_at is not None:
        gate = gate.started(hook_started=hook_started_at, policy=policy)
    if gate != view.gate:
        name = verification.domain if verification else None
        events = [_event(Kind.GATE_VERIFIED, held, now, gate=view.id, domain=name)] if verification else []
        await held.ask(gate, events=events, now=now)


async def _end(held: HeldSwitch, ending: str, *, now: datetime) -> None:
    """The deployment is over: nobody waits for an answer any more."""
    undecided = False
    for view in held.open_gates:
        match view.gate:
            case Awaiting():
                withdrawn = _event(Kind.GATE_WITHDRAWN, held, now, gate=view.id, why=ending)
                await held.close(view.gate.ended(), reason=ending, events=[withdrawn], now=now)
            case Reported():
                await held.close(view.gate.ended(), reason=None, events=[], now=now)
            case Decided():
                undecided = True  # its report is under way and finds out what CodeDeploy holds
            case Closed():
                pass
            case _:
                assert_never(view.gate)
    if not undecided:
        await held.end(ending=ending, events=[_event(Kind.SWITCH_ENDED, held, now, how=ending)], now=now)


async def _refuse(held: HeldSwitch, why: str, *, now: datetime) -> None:
    """CodeDeploy does not confirm that this is ours: no report will ever be sent."""
    for view in held.open_gates:
        match view.gate:
            case Awaiting():
                withdrawn = _event(Kind.GATE_WITHDRAWN, held, now, gate=view.id, why=why)
                await held.close(view.gate.ended(), reason=why, events=[withdrawn], now=now)
            case Decided() | Reported():
                await held.close(view.gate.ended(), reason=None, events=[], now=now)
            case Closed():
                pass
            case _:
                assert_never(view.gate)
    await held.end(ending=why, events=[_event(Kind.SWITCH_ENDED, held, now, how=why)], now=now)


def _event(
    kind: Kind,
    held: HeldSwitch,
    now: datetime,
    *,
    gate: GateId | None = None,
    domain: DomainName | None = None,
    **detail: str,
) -> Event:
    return Event(
        at=now,
        kind=kind,
        switch=held.switch.key,
        actor=CODEDEPLOY,
        domain=domain or held.switch.domain,
        gate=gate,
        detail=detail,
    )
