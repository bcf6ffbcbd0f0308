"""/api/v1: its answers, filtered and paged, and how a bad request is answered."""

import json
from base64 import urlsafe_b64encode as b64encode
from datetime import UTC, datetime, timedelta, timezone
from itertools import chain

import pytest

from app.sandbox.people import MINA, OLU
from tests.web.api.asking import Asker

SEOUL = timezone(timedelta(hours=9))
AUDIT, SWITCHES, GATES = "/api/v1/audit", "/api/v1/switches", "/api/v1/gates"

NOW = "2026-11-24T14:05:00+00:00"
GATE = "6f4c2f9e-58a1-4a55-9a3a-8f5a6f1f5a10"


def cursor(value: object) -> str:
    """Any JSON, written as a cursor is."""
    return b64encode(json.dumps(value).encode()).decode()


ODD_CURSORS = [
    *map(cursor, (True, None, 7, "x", [], {}, [NOW], [NOW, 1, 2], {"at": NOW, "id": 1})),
    *map(cursor, ([NOW, True], [NOW, None], [NOW, 1.0], [NOW, "1"], [NOW, -1], [NOW, 2**63], [NOW, 10**300])),
    *map(cursor, ([[NOW], 1], [{"x": 1}, 1], [None, 1], [True, 1], ["\x00", 1], [f"{NOW}\x00", 1])),
    *map(cursor, ([f"{NOW}/{GATE}\x00", 0], [f"{NOW}/", 0], ["/", 0], [f"{NOW}/{GATE}", 1], ["x", 1])),
    *map(cursor, (["2026-11-24T14:05:00", 1], ["2026-11-24", 1], ["0001-01-01T00:00:00+14:00/x", 0])),
    *(
        b64encode(raw).decode()
        for raw in (b"[" * 200, b"\xff\xfe", b"[1e999, 1]", b"NaN", b'["\\ud800", 1]', b"")
    ),
    *("=", "====", "a", "%00", "\x00", "한국어", " "),
]

BAD: list[tuple[str, str, str]] = [
    (AUDIT, "limit", "0"),
    (AUDIT, "limit", "501"),
    (AUDIT, "limit", "many"),
    (AUDIT, "kind", "gate_exploded"),
    (AUDIT, "since", "yesterday"),
    (AUDIT, "since", "2026-11-24T14:05:00"),
    (AUDIT, "until", "2026-11-24T14:05:00"),
    (AUDIT, "until", "2026-13-24T14:05:00Z"),
    (AUDIT, "since", "2 h"),
    (AUDIT, "since", "999999d"),
    (AUDIT, "until", "2026-11-24T14:05:00 09:00"),
    (AUDIT, "since", "9" * 65),
    (AUDIT, "cursor", "not-one"),
    (AUDIT, "cursor", "WyIiLCAxXQ=="),
    (AUDIT, "cursor", "x" * 401),
    *((path, "cursor", odd) for path in (AUDIT, SWITCHES, GATES) for odd in ODD_CURSORS),
    (AUDIT, "person", "Nobody Known"),
    (AUDIT, "deployment", "order"),
    (GATES, "deployment", "order"),
    (AUDIT, "domain", "x" * 201),
    (AUDIT, "domain", "or\x00der"),
    (AUDIT, "deployment", "d-1\x00"),
    (AUDIT, "person", "\x00"),
    (AUDIT, "domian", "order"),
    (SWITCHES, "limit", "-1"),
    (SWITCHES, "cursor", "Wy"),
    (SWITCHES, "domain", "\x00"),
    (SWITCHES, "person", "U01MINA"),
    (GATES, "phase", "open"),
    (GATES, "cursor", "WyJ5ZXN0ZXJkYXkiLCAxXQ=="),
    (GATES, "limit", "1.5"),
    (GATES, "Domain", "order"),
]


async def test_the_audit_trail_is_told_newest_first(afternoon: Asker) -> None:
    lines = await afternoon.items(AUDIT)

    assert [line["at"] for line in lines] == sorted((line["at"] for line in lines), reverse=True)
    decided = next(line for line in lines if line["kind"] == "gate_decided" and line["domain"] == "payment")
    assert decided["actor"] == OLU.id
    assert decided["actor_name"] == OLU.name
    assert decided["deployment_id"] == afternoon.deployments["payment"]
    assert decided["detail"]["reason"] == "checkout is broken"


async def test_the_audit_trail_is_filtered_by_each_of_its_questions(afternoon: Asker) -> None:
    everything = await afternoon.items(AUDIT, limit="500")
    order = afternoon.deployments["order"]
    for query, column, value in (
        ({"domain": "order"}, "domain", "order"),
        ({"deployment": order}, "deployment_id", order),
        ({"person": MINA.id}, "actor", MINA.id),
        ({"kind": "gate_opened"}, "kind", "gate_opened"),
    ):
        found = await afternoon.items(AUDIT, **query)
        assert found == [line for line in everything if line[column] == value]
        assert found
    told = await afternoon.items(AUDIT, kind="report_told")  # as an earlier release named it
    assert told == await afternoon.items(AUDIT, kind="report_acknowledged") != []
    both = await afternoon.items(AUDIT, domain="order", kind="gate_opened")
    assert [line["deployment_id"] for line in both] == [order]
    assert await afternoon.items(AUDIT, domain="order", person=OLU.id) == []
    assert await afternoon.items(AUDIT, domain="nowhere") == []


async def test_since_counts_in_and_until_does_not(afternoon: Asker) -> None:
    everything = await afternoon.items(AUDIT, limit="500")
    moment = everything[len(everything) // 2]["at"]

    since = await afternoon.items(AUDIT, limit="500", since=moment)
    until = await afternoon.items(AUDIT, limit="500", until=moment)

    assert since + until == everything
    assert since[-1]["at"] == moment
    elsewhere = datetime.fromisoformat(moment).astimezone(SEOUL).isoformat()
    assert await afternoon.items(AUDIT, limit="500", since=elsewhere) == since
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert await afternoon.items(AUDIT, since=tomorrow) == []


@pytest.mark.parametrize("path", [AUDIT, SWITCHES, GATES])
async def test_pages_put_together_are_the_whole(afternoon: Asker, path: str) -> None:
    whole = await afternoon.items(path, limit="500")

    ones = await afternoon.pages(path, limit="1")
    twos = await afternoon.pages(path, limit="2")

    assert list(chain(*ones)) == list(chain(*twos)) == whole
    assert [len(page) for page in ones] == [1] * len(whole)
    assert len(whole) >= 3


async def test_a_page_keeps_its_filter(afternoon: Asker) -> None:
    pages = await afternoon.pages(AUDIT, limit="1", domain="payment")

    assert {line["domain"] for line in chain(*pages)} == {"payment"}


async def test_switches_tell_what_is_deployed_where(afternoon: Asker) -> None:
    (switch,) = await afternoon.items(SWITCHES, domain="order")

    assert switch["deployment_id"] == afternoon.deployments["order"]
    assert (switch["application"], switch["listener_port"]) == ("klp-logistics-order-app", 8020)
    assert switch["verified"] is True
    assert switch["end_reason"] is None
    assert await afternoon.items(SWITCHES, deployment=switch["deployment_id"]) == [switch]
    assert await afternoon.items(SWITCHES, deployment="d-NOBODY") == []


async def test_gates_show_who_decided_and_what_codedeploy_holds(afternoon: Asker) -> None:
    (order,) = await afternoon.items(GATES, domain="order")
    (payment,) = await afternoon.items(GATES, domain="payment")
    (hub,) = await afternoon.items(GATES, phase="awaiting")

    assert (order["verdict"], order["decided_by"], order["outcome"]) == ("approved", MINA.id, "acknowledged")
    assert [(vote["voter"], vote["choice"]) for vote in order["votes"]] == [(MINA.id, "approve")]
    assert (payment["verdict"], payment["reason"]) == ("rejected", "checkout is broken")
    assert payment["overridden_rules"] == []
    assert (hub["domain"], hub["verdict"], hub["votes"]) == ("hub", None, [])
    assert datetime.fromisoformat(hub["deadline_at"]) > datetime.fromisoformat(hub["opened_at"])


async def test_a_bad_request_is_told_which_parameter_is_wrong(asker: Asker) -> None:
    for path, name, value in BAD:
        answer = await asker.get(path, **{name: value})
        assert answer.status == 422, (path, name, value, answer.text)
        said = answer.body["detail"]
        assert isinstance(said, str), said
        assert said.startswith(f"{name}: "), (path, name, value, said)
        assert any(word in said for word in ("For example ", "for example ", "Known: ", "Send the one"))


async def test_a_cursor_of_another_query_is_refused(afternoon: Asker) -> None:
    given = {path: (await afternoon.get(path, limit="1")).body["cursor"] for path in (AUDIT, SWITCHES, GATES)}
    for path in given:
        for other, foreign in given.items():
            answer = await afternoon.get(path, cursor=foreign)
            assert answer.status == (200 if other == path else 422), (path, other)


async def test_a_person_and_a_deployment_are_found_as_people_write_them(afternoon: Asker) -> None:
    mina = await afternoon.items(AUDIT, person=MINA.id)
    for written in ("u01mina", "<@U01MINA>", "<@U01MINA|mina>", "mina", "@Mina", "ｍｉｎａ"):
        assert await afternoon.items(AUDIT, person=written) == mina, written
    order = afternoon.deployments["order"]
    for path in (AUDIT, SWITCHES, GATES):
        assert await afternoon.items(path, deployment=order.lower()) == await afternoon.items(
            path, deployment=order
        )
    near = await afternoon.get(AUDIT, person="min")
    assert near.body["detail"] == "person: nobody in the record is called 'min'; did you mean U01MINA (mina)?"


async def test_a_range_that_ends_before_it_begins_is_refused(asker: Asker) -> None:
    for query in (
        {"since": "1h", "until": "2h"},
        {"since": "1h", "until": "1h"},
        {"since": NOW, "until": NOW},
    ):
        answer = await asker.get(AUDIT, **query)
        assert answer.status == 422
        assert answer.body["detail"].startswith("until: ")
        assert "ends before it begins" in answer.body["detail"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"limit": "99999"}, "limit: is more than 500. Items a page: write 1 to 500. For example limit=100"),
        ({"limit": "many"}, "limit: is no whole number. Items a page: write 1 to 500. For example limit=100"),
        (
            {"since": "yesterday"},
            "since: 'yesterday' is no time; write how long ago, for example 30m, 2h or 1d, or a moment with its"
            " zone, for example 2026-11-24T05:05Z",
        ),
        ({"since": "2026-11-24"}, "since: say the zone too, for example 2026-11-24T00:00Z"),
        ({"domian": "order"}, "domian: no such filter here. Did you mean domain? Known: domain, deployment,"),
        ({"kind": "x"}, "kind: is none of hook_refused, gate_opened,"),
        (
            {"domain": "or\x00der"},
            "domain: is not of the shape that it always has. Write a domain's name, whole."
            " For example domain=order",
        ),
    ],
)
async def test_a_bad_parameter_is_answered_in_a_plain_sentence(
    asker: Asker, query: dict[str, str], said: str
) -> None:
    answer = await asker.get(AUDIT, **query)

    assert answer.status == 422
    assert answer.body["detail"].startswith(said)


async def test_two_bad_words_are_told_at_once(asker: Asker) -> None:
    told = (await asker.get(AUDIT, limit="0", kind="x")).body["detail"].split("; ")

    assert [each.partition(":")[0] for each in told] == ["kind", "limit"]


async def test_how_long_ago_is_understood_as_the_command_does(afternoon: Asker) -> None:
    everything = await afternoon.items(AUDIT, limit="500")

    for span in ("2h", "30m", "1d", "7200s"):
        assert await afternoon.items(AUDIT, limit="500", since=span) == everything
        assert await afternoon.items(AUDIT, until=span) == []
    afternoon.harness.clock.advance(hours=3)
    assert await afternoon.items(AUDIT, since="2h", kind="gate_opened") == []


async def test_an_execution_id_is_never_shown(afternoon: Asker) -> None:
    secrets = [row["execution_id"] for row in afternoon.harness.rows("SELECT execution_id FROM gates")]
    (waiting,) = [secret for secret in secrets if secret]

    for path in (AUDIT, SWITCHES, GATES, "/metrics", "/api/openapi.json"):
        answer = await afternoon.get(path)
        assert answer.status == 200
        assert waiting not in answer.text
        assert "execution_id" not in answer.text
