"""`switchgate audit`: a table for people, lines of JSON for machines."""

import json
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from app.db.embedded.postgres import EmbeddedPostgres, default_folder
from tests.cli.commands import Shell, is_clean
from tests.cli.test_config_check import GOOD

EVENT = """
INSERT INTO audit_events (at, kind, account, region, deployment_id, domain, actor_kind, actor, actor_name, detail,
                          seq, hash)
VALUES (%s, %s, '123456789012', 'ap-northeast-2', %s, %s, %s, %s, %s, %s, 0, '')
"""


@pytest.fixture
def told(at_record: Shell) -> Shell:
    """order: opened three hours ago, rejected by Mina an hour ago; payment: opened yesterday."""
    now = datetime.now(UTC)
    with psycopg.connect(at_record.environment["DATABASE_URL"]) as connection:
        for row in (
            (
                now - timedelta(days=1),
                "gate_opened",
                "d-2",
                "payment",
                "hook",
                "k1",
                None,
                {"verified": True},
            ),
            (now - timedelta(hours=3), "gate_opened", "d-1", "order", "hook", "k1", None, {"verified": True}),
            (
                *(now - timedelta(hours=1), "gate_decided", "d-1", "order", "person", "U01MINA", "미나 Kim"),
                {"verdict": "rejected", "reason": "주문이\n안 됩니다 \N{PARTY POPPER}", "empty": ""},
            ),
        ):
            connection.execute(EVENT, [*row[:-1], json.dumps(row[-1])])
    return at_record


def test_the_table_has_an_event_a_line_newest_first(told: Shell) -> None:
    said = told.run("audit")

    head, *lines = said.out.splitlines()
    assert said.status == 0
    assert head.split() == ["at", "(UTC)", "domain", "deployment", "what", "who", "detail"]
    assert [line.split()[2:5] for line in lines] == [
        ["order", "d-1", "gate_decided"],
        ["order", "d-1", "gate_opened"],
        ["payment", "d-2", "gate_opened"],
    ]
    assert lines[0].endswith("미나 Kim  reason=주문이 안 됩니다 \N{PARTY POPPER}, verdict=rejected")


def test_json_is_an_object_a_line(told: Shell) -> None:
    said = told.run("audit", "--json")

    events = [json.loads(line) for line in said.out.splitlines()]
    assert [event["kind"] for event in events] == ["gate_decided", "gate_opened", "gate_opened"]
    assert events[0]["detail"]["reason"] == "주문이\n안 됩니다 \N{PARTY POPPER}"
    assert datetime.fromisoformat(events[0]["at"]).tzinfo is not None


@pytest.mark.parametrize(
    ("options", "deployments"),
    [
        (("--domain", "order", "--person", "U01MINA"), ["d-1"]),
        (("--deployment", "d-2", "--until", "12h"), ["d-2"]),
        (("--kind", "gate_opened"), ["d-1", "d-2"]),
        (("--since", "200m", "--until", "7200s"), ["d-1"]),
        (("--limit", "1"), ["d-1"]),
    ],
)
def test_the_options_choose(told: Shell, options: tuple[str, ...], deployments: list[str]) -> None:
    said = told.run("audit", "--json", *options)

    assert [json.loads(line)["deployment_id"] for line in said.out.splitlines()] == deployments


def test_a_time_may_be_given_with_its_zone(told: Shell) -> None:
    at = (datetime.now(UTC) - timedelta(hours=2)).astimezone().isoformat()

    assert len(told.run("audit", "--json", "--since", at).out.splitlines()) == 1


def test_no_matching_events_is_reported(told: Shell) -> None:
    assert told.run("audit", "--domain", "hub").out == "Nothing happened that fits.\n"
    assert told.run("audit", "--domain", "hub", "--json").out.strip() == ""


def test_reading_makes_no_database(shell: Shell) -> None:
    folder = default_folder({"HOME": str(shell.folder)})
    if EmbeddedPostgres(folder).is_initialised():
        pytest.skip(f"this machine keeps a record of its own in {folder}")

    said = shell.run("audit")

    assert (said.status, said.out) == (2, "")
    assert f"no embedded Postgres was ever started in {folder}" in said.err
    assert "For example DATABASE_URL=postgresql://" in said.err
    assert not folder.exists()
    assert is_clean(said)


CONFIG = f"""{GOOD}
[domains.hub]
application = "hub-app"
deployment_group = "hub-dg"
"""


def test_an_unknown_domain_without_events_is_reported(told: Shell) -> None:
    (told.folder / "switchgate.toml").write_text(CONFIG)

    for options, out in (((), "Nothing happened that fits.\n"), (("--json",), "\n")):
        said = told.run("audit", "--domain", "ordr", *options)
        assert (said.status, said.out) == (0, out)
        assert said.err == "switchgate.toml: no domain ordr; there are hub, order. Did you mean order?\n"
    assert (
        told.run("audit", "--domain", "zzz").err == "switchgate.toml: no domain zzz; there are hub, order\n"
    )


def freeze_declared(told: Shell, domains: str) -> None:
    """As the record holds one that is not one domain's alone."""
    row = (datetime.now(UTC), "freeze_declared", "", None, "person", "U01MINA", "Mina")
    with psycopg.connect(told.environment["DATABASE_URL"]) as connection:
        connection.execute(EVENT, [*row, json.dumps({"domains": domains, "reason": "inventory"})])


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_freezes_of_all_domains_do_not_hide_that_a_domain_is_unknown(
    told: Shell, options: tuple[str, ...]
) -> None:
    (told.folder / "switchgate.toml").write_text(CONFIG)
    freeze_declared(told, "all")

    said = told.run("audit", "--domain", "ordr", *options)

    assert said.status == 0
    assert [line for line in said.out.splitlines() if "freeze_declared" in line]
    assert said.err == "switchgate.toml: no domain ordr; there are hub, order. Did you mean order?\n"
    assert "no domain all;" in told.run("audit", "--domain", "all").err


def test_a_freeze_that_named_a_removed_domain_is_its_history(told: Shell) -> None:
    (told.folder / "switchgate.toml").write_text(CONFIG)
    freeze_declared(told, "order stock")

    said = told.run("audit", "--domain", "stock")

    assert "freeze_declared" in said.out
    assert said.err == ""


def test_what_a_removed_domain_did_is_told_and_a_known_one_without_events_is_no_mistake(told: Shell) -> None:
    (told.folder / "switchgate.toml").write_text(CONFIG)

    payment, hub = (told.run("audit", "--domain", name) for name in ("payment", "hub"))

    assert "gate_opened" in payment.out
    assert (payment.err, hub.err) == ("", "")


def test_a_configuration_that_cannot_be_read_is_not_asked(told: Shell) -> None:
    (told.folder / "switchgate.toml").write_text("[slack")

    said = told.run("audit", "--domain", "ordr")

    assert (said.status, said.out, said.err) == (0, "Nothing happened that fits.\n", "")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--kind", "gate_exploded"), "--kind"),
        (("--since", "2026-11-24T14:05"), "--since"),
        (("--until", "2026-11-24T25:00Z"), "--until"),
        (("--since", "999999d"), "--since"),
        (("--limit", "0"), "--limit"),
    ],
)
def test_a_bad_option_is_named(at_record: Shell, options: tuple[str, ...], named: str) -> None:
    said = at_record.run("audit", *options)

    assert (said.status, said.out) == (2, "")
    assert named in said.err
    assert is_clean(said)


def test_a_database_without_tables_says_what_to_run(shell: Shell, empty_url: str) -> None:
    said = shell.run("audit", DATABASE_URL=empty_url)

    assert said.status == 2
    assert "run `switchgate migrate`" in said.err
    assert is_clean(said)


def test_an_unreachable_database_is_named(shell: Shell) -> None:
    said = shell.run("audit", DATABASE_URL="postgresql://x:hidden-password@127.0.0.1:1/x")

    assert said.status == 2
    assert said.err.startswith("DATABASE_URL: the database cannot be used: ")
    assert "hidden-password" not in said.all
    assert is_clean(said)
