"""A vote of somebody who may not decide any more is marked as not counted by the decision, and not before it."""

from app.config.loader import parse_config
from app.config.runtime import RuntimeConfig
from app.db.database import Database
from app.db.repositories.gates import Gates
from app.flow.approval.cast_vote import VoteRequest, cast_vote
from app.gate.decision import Approval
from app.gate.ids import UserId
from app.gate.people import AccountStatus, Person
from app.gate.rules.policy import Roster
from app.gate.votes import Choice
from tests.db.gate_builders import NOW, open_gate

CONFIG = (
    '[slack]\nchannel = "C01DEPLOY"\n[policy]\napprovers = ["S0ONCALL"]\napprovals = 2\nown_deployment = true\n'
    '[domains.order]\napplication = "order-app"\ndeployment_group = "order-dg"\n'
)
ANA, BEN, CHO = (UserId(name) for name in ("U01ANA", "U02BEN", "U03CHO"))


def rules(*on_call: UserId) -> RuntimeConfig:
    roster = Roster(groups={"S0ONCALL": frozenset(on_call)})
    config = parse_config(CONFIG, file="switchgate.toml")
    return RuntimeConfig(config, roster=lambda: roster, last_synced_at=lambda _: NOW, clock=lambda: NOW)


async def test_who_left_the_group_is_marked_by_the_decision(database: Database) -> None:
    gates = Gates(database)
    gate = await open_gate(gates, "d-1")

    async def approve(user: UserId, *on_call: UserId) -> object:
        person = Person(user=user, name=user.lower(), account_status=AccountStatus.MEMBER)
        press = VoteRequest(gate=gate, prompt_version=1, person=person, choice=Choice.APPROVE, reason="")
        return (await cast_vote(press, repository=gates, rules=rules(*on_call), now=NOW)).decision

    async def counted() -> dict[str, bool]:
        rows = await database.execute("SELECT voter, counted FROM votes")
        return {row.voter: row.counted for row in rows}

    assert await approve(ANA, ANA, BEN, CHO) is None
    assert await approve(BEN, BEN, CHO) is None
    assert await counted() == {ANA: True, BEN: True}
    assert isinstance(await approve(CHO, BEN, CHO), Approval)
    assert await counted() == {ANA: False, BEN: True, CHO: True}
