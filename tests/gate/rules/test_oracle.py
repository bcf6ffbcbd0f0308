"""An approval is given if and only if an oracle, written by itself from the documented rules, gives it.

People have one or two ids, groups lose and gain members after votes, sources name deployers. The oracle knows persons
and sets of them; it shares no code with the rules.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from app.gate.decision import Approval
from app.gate.ids import GateId, UserId
from app.gate.people import AccountStatus, Person
from app.gate.rules.denials import Denial
from app.gate.rules.evaluation import RuleInputs
from app.gate.rules.policy import ApproverSource, Policy, Roster, Shift, UnknownDeployer
from app.gate.state_machine import Awaiting
from app.gate.votes import Choice, Vote

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PEOPLE = 5
IDS = {person: (UserId(f"U{person}"), UserId(f"W{person}")) for person in range(PEOPLE)}
PERSON = {id_: person for person, ids in IDS.items() for id_ in ids}
GROUPS = ("SA", "SB")
AROUND = RuleInputs(shift=Shift.ALL_AT_ONCE, checks={}, freezes=())

ids = st.sampled_from(sorted(PERSON))
entries = st.lists(st.sampled_from([*sorted(PERSON), *GROUPS]), min_size=1, max_size=4, unique=True).map(
    tuple
)
sources = st.builds(ApproverSource, people=entries, approvals=st.integers(1, 2))


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything that an approval depends on. `votes`: by person, the id by which they voted, and for or against."""

    approvers: tuple[str, ...]
    approvals: int
    require: tuple[ApproverSource, ...]
    own_deployment: bool
    asks_two: bool
    members: dict[str, frozenset[UserId]]
    deployer: UserId | None
    named: frozenset[UserId]
    votes: dict[int, tuple[UserId, bool]]
    presser: UserId
    account_status: AccountStatus


@st.composite
def worlds(draw: st.DrawFn) -> World:
    voters = draw(st.lists(ids, max_size=4, unique_by=lambda id_: PERSON[id_]))
    return World(
        approvers=draw(entries),
        approvals=draw(st.integers(1, 3)),
        require=draw(st.lists(sources, max_size=1).map(tuple)),
        own_deployment=draw(st.booleans()),
        asks_two=draw(st.booleans()),
        members={
            group: frozenset(draw(st.lists(ids, max_size=4))) for group in GROUPS if draw(st.booleans())
        },
        deployer=draw(st.none() | ids),
        named=frozenset(draw(st.lists(ids, max_size=2))),
        votes={PERSON[id_]: (id_, draw(st.integers(0, 3)) > 0) for id_ in voters},
        presser=draw(ids),
        account_status=draw(
            st.sampled_from([*[AccountStatus.MEMBER] * 6, AccountStatus.GUEST, AccountStatus.UNKNOWN])
        ),
    )


def approved_by_the_rules(world: World) -> bool:
    """Presses Approve on a gate with these votes."""
    policy = Policy(
        approvers=world.approvers,
        approvals=world.approvals,
        require=world.require,
        own_deployment=world.own_deployment,
        unknown_deployer=UnknownDeployer.ASK_TWO if world.asks_two else UnknownDeployer.ALLOW,
        deadline=timedelta(minutes=55),
    )
    roster = Roster(groups=world.members, aliases={id_: frozenset(IDS[PERSON[id_]]) for id_ in PERSON})
    gate = Awaiting(
        id=GateId(UUID(int=1)),
        opened_at=NOW,
        deadline_at=NOW + timedelta(minutes=55),
        prompt_version=1,
        verified=True,
        deployer=world.deployer,
        named=world.named,
        approved_by=frozenset(id_ for id_, is_for in world.votes.values() if is_for),
        rejected_by=frozenset(id_ for id_, is_for in world.votes.values() if not is_for),
    )
    person = Person(
        user=roster.id_among(world.presser, gate.voters), name="", account_status=world.account_status
    )
    vote = Vote(person=person, choice=Choice.APPROVE, reason="", at=NOW)
    try:
        _, decision = gate.vote(vote, prompt_version=1, policy=policy, roster=roster, rule_inputs=AROUND)
    except Denial:
        return False
    return isinstance(decision, Approval)


def approved_by_the_oracle(world: World) -> bool:
    def listed(entries: tuple[str, ...]) -> set[int]:
        users = {PERSON[UserId(entry)] for entry in entries if entry not in GROUPS}
        members = [world.members.get(entry, frozenset()) for entry in entries if entry in GROUPS]
        return users | {PERSON[id_] for group in members for id_ in group}

    wanted = [(listed(world.approvers), world.approvals)]
    wanted += [(listed(source.people), source.approvals) for source in world.require]
    may = set().union(*(people for people, _ in wanted))
    suspects = {PERSON[id_] for id_ in world.named} | ({PERSON[world.deployer]} if world.deployer else set())
    deployed = set() if world.own_deployment else suspects
    me = PERSON[world.presser]
    if world.account_status is not AccountStatus.MEMBER or me not in may - deployed:
        return False
    votes = {person: is_for for person, (_, is_for) in world.votes.items()} | {me: True}
    good = {person for person, is_for in votes.items() if is_for} & (may - deployed)
    bad = {person for person, is_for in votes.items() if not is_for} & may
    if bad and len(bad) >= len(good):
        return False
    if world.deployer is None and not world.own_deployment and world.asks_two and len(good) < 2:
        return False
    return all(len(good & people) >= count for people, count in wanted)


@settings(max_examples=500, deadline=None)
@given(worlds())
def test_the_rules_approve_exactly_what_the_oracle_approves(world: World) -> None:
    assert approved_by_the_rules(world) == approved_by_the_oracle(world)
