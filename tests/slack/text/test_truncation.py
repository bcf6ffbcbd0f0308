"""Answers that grow keep to Slack's limits, and say how much is left out."""

import re

import psycopg

from app.i18n.catalog import Texts
from app.sandbox.aws.state.topology import SandboxDomain
from app.sandbox.people import CHANNEL, GRACE, config_text
from app.slack.blocks import cut_markup
from app.slack.text.truncation import answer_sections
from tests.harness import Harness, text_of
from tests.slack.play import Build, deploys

EN = Texts.of("en")
NAMES = [f"domain-with-a-rather-long-name-{number:03}" for number in range(300)]
MANY = [SandboxDomain(name=name, listener_port=9000 + number) for number, name in enumerate(NAMES)]

FREEZES = """
INSERT INTO freezes (domains, starts_at, ends_at, reason, declared_by, declared_at)
SELECT ARRAY[CASE n %% 2 WHEN 0 THEN 'order' ELSE 'payment' END], now(), now() + interval '5 hours',
    'incident ' || n || repeat(' <long> & so on', 15), %s, now() FROM generate_series(1, 300) n
"""


def test_what_is_left_out_is_counted() -> None:
    lines = [f"{number} " + "x" * 200 for number in range(300)]
    blocks = answer_sections("\n".join(lines), texts=EN)
    shown = [line for block in blocks[:-1] for line in block["text"]["text"].split("\n")]
    assert shown == lines[: len(shown)]
    assert f"…and {300 - len(shown)} more lines" in blocks[-1]["text"]["text"]
    assert all(len(block["text"]["text"]) <= 3000 for block in blocks)


def test_markup_is_not_cut_in_two() -> None:
    link = "<https://example.com/a/long/address|a name>"
    assert cut_markup("x" * 90 + link, 100) == "x" * 90 + "…"
    assert cut_markup("x" * 97 + "&amp;", 100) == "x" * 97 + "…"
    assert cut_markup(link, 100) == link


async def test_three_hundred_freezes_are_listed_and_lifted_within_the_limits(harness: Harness) -> None:
    write(harness, FREEZES, GRACE.id)
    for words in ("freezes", "freezes order", "unfreeze order"):
        listed = await deploys(harness, GRACE, words)
        assert re.search(r"…and \d+ more lines", text_of(listed)), words
        assert "payment" not in text_of(listed) or words == "freezes"


async def test_three_hundred_domains_are_named_within_the_limits(build: Build) -> None:
    async with build(domains=tuple(MANY), config=config_text(MANY)) as harness:
        said = text_of(await deploys(harness, GRACE, f"freeze {' '.join(NAMES)} until 18:00 incident"))
        assert "and 280 more" in said
        assert "From " in said
        unknown = text_of(
            await deploys(harness, GRACE, f"freeze {' '.join(f'x{n}' for n in NAMES)} for 1h x")
        )
        assert "and 295 more" in unknown
        assert "and 280 more" in text_of(await deploys(harness, GRACE, f"approve {' '.join(NAMES)}"))
        assert "and 295 more" in text_of(await deploys(harness, GRACE, " ".join(NAMES)))
        assert "Unfrozen" in text_of(await deploys(harness, GRACE, "unfreeze all"))
        assert harness.slack.messages.ephemerals(GRACE.id)[-1].channel == CHANNEL.id


def write(harness: Harness, statement: str, *values: object) -> None:
    with psycopg.connect(harness.database_url) as connection:
        connection.execute(statement, values)
