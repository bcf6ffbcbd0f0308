"""`switchgate audit` finds people and deployments as people write them, and refuses what can find nothing."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from tests.cli.commands import Shell, is_clean

EVENT = """
INSERT INTO audit_events (at, kind, account, region, deployment_id, domain, actor_kind, actor, actor_name, detail,
                          seq, hash)
VALUES (%s, 'vote_cast', '123456789012', 'ap-northeast-2', %s, 'order', %s, %s, %s, '{}', 0, '')
"""
ALEX = "d-3Q9XQ8SHZ"


@pytest.fixture
def shell(tmp_path: Path, database_url: str) -> Shell:
    """Junho is called Alex Kim; two people are called Sam Lee; Mina had another name before; a key is no person."""
    now = datetime.now(UTC)
    rows = (
        (now - timedelta(minutes=90), ALEX, "person", "U02JUNHO", "Alex Kim"),
        (now - timedelta(minutes=80), "d-AAAAAAAA1", "person", "U03SAM", "Sam Lee"),
        (now - timedelta(minutes=70), "d-AAAAAAAA2", "person", "W04SAM", "sam lee"),
        (now - timedelta(minutes=60), "d-AAAAAAAA3", "person", "U05MINA", "Mina Old"),
        (now - timedelta(minutes=50), "d-AAAAAAAA4", "person", "U05MINA", "김민아"),
        (now - timedelta(minutes=40), "d-AAAAAAAA5", "hook", "k1", None),
        (now - timedelta(minutes=30), "d-AAAAAAAA6", "person", "U06WILL", "WILLIAM"),
    )
    with psycopg.connect(database_url) as connection:
        for row in rows:
            connection.execute(EVENT, row)
    return Shell(tmp_path, {"DATABASE_URL": database_url})


@pytest.mark.parametrize(
    ("options", "deployments"),
    [
        (("--person", "Alex Kim"), [ALEX]),
        (("--person", " @alex  KIM "), [ALEX]),
        (("--person", "Ａｌｅｘ Ｋｉｍ"), [ALEX]),
        (("--person", "<@U02JUNHO>"), [ALEX]),
        (("--person", "<@U02JUNHO|alex>"), [ALEX]),
        (("--person", "u02junho"), [ALEX]),
        (("--person", "w04sam"), ["d-AAAAAAAA2"]),
        (("--person", "김민아"), ["d-AAAAAAAA4", "d-AAAAAAAA3"]),
        (("--person", "mina old"), ["d-AAAAAAAA4", "d-AAAAAAAA3"]),
        (("--person", "U09NOBODY"), []),
        (("--person", "UNOBODY"), []),
        (("--person", "k1"), ["d-AAAAAAAA5"]),
        (("--person", "WILLIAM"), ["d-AAAAAAAA6"]),
        (("--deployment", "d-3q9xq8shz"), [ALEX]),
        (("--deployment", "D-3Q9XQ8SHZ"), [ALEX]),
        (("--since", "2h", "--until", "85m"), [ALEX]),
    ],
)
def test_it_is_found(shell: Shell, options: tuple[str, ...], deployments: list[str]) -> None:
    said = shell.run("audit", "--json", *options)
    assert (said.status, said.err) == (0, "")
    assert [json.loads(line)["deployment_id"] for line in said.out.splitlines() if line] == deployments


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (
            ("--person", "Sam Lee"),
            "--person: several people are called 'Sam Lee': U03SAM (Sam Lee), W04SAM (sam lee); write the id of one\n",
        ),
        (
            ("--person", "Alex"),
            "--person: nobody in the record is called 'Alex'; did you mean U02JUNHO (Alex Kim)?\n",
        ),
        (
            ("--person", "k2"),
            "--person: nobody in the record is called 'k2'; write a Slack user id",
        ),
        (
            ("--person", ""),
            "--person: nobody in the record is called ''; write a Slack user id",
        ),
        (
            ("--deployment", "order"),
            "--deployment: 'order' is no deployment's id; write CodeDeploy's",
        ),
        (
            ("--since", "1h", "--until", "2h"),
            "--until: 2h is not after --since 1h: it ends before it begins.",
        ),
        (
            ("--since", "1h", "--until", "60m"),
            "--until: 60m is not after --since 1h: it ends before it begins.",
        ),
    ],
)
def test_what_can_find_nothing_is_refused(shell: Shell, options: tuple[str, ...], why: str) -> None:
    said = shell.run("audit", *options)
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith(why)
    assert is_clean(said)
