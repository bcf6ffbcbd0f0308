"""Everybody approves at the same moment, on two replicas: never two of an exclusive set at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from app.sandbox.aws.state.topology import EIGHT_DOMAINS
from app.sandbox.people import GRACE, MINA, OLU, config_text
from tests.replicas import Fleet, buttons, fleet

pytestmark = pytest.mark.slow

CANARY: Final = "CodeDeployDefault.ECSCanary10Percent5Minutes"
EVERYBODY: Final = (MINA, OLU, GRACE)
APPROVED: Final = "gates WHERE verdict = 'approved'"
APPROVED_DOMAINS: Final = f"SELECT domain FROM switches WHERE id IN (SELECT switch_id FROM {APPROVED})"


@pytest.fixture
def one_at_a_time(tmp_path: Path, database_url: str) -> Iterator[Fleet]:
    config = config_text(EIGHT_DOMAINS).replace("approvals = 1\n", 'approvals = 1\nexclusive = "all"\n', 1)
    with fleet(tmp_path, database_url, config=config) as built:
        yield built


def test_eight_domains_pressed_at_once_go_one_after_the_other(one_at_a_time: Fleet) -> None:
    fleet_ = one_at_a_time
    fleet_.start_together(2)
    fleet_.slack.deliver_to_all_sockets()
    deployments = [fleet_.aws.deploy(domain.name, config=CANARY) for domain in EIGHT_DOMAINS]
    fleet_.until(lambda: sum(1 for card in fleet_.cards() if buttons(card)) == len(deployments))

    for approved in range(1, 4):
        with ThreadPoolExecutor(24) as people:
            for card in fleet_.cards():
                for person in EVERYBODY:
                    people.submit(fleet_.slack.press, person.id, card.channel, card.ts, "approve")
        assert fleet_.count(APPROVED) == approved
        fleet_.until(lambda: all(has_gone(fleet_, row["domain"]) for row in fleet_.rows(APPROVED_DOMAINS)))


def has_gone(fleet_: Fleet, domain: str) -> bool:
    """All its traffic is on green and was observed there; AWS's clock is advanced only until then."""
    if fleet_.aws.share(domain)["green"] < 100:
        fleet_.aws.clock.advance(10)
    return bool(fleet_.count(f"switches WHERE domain = '{domain}' AND switched_at IS NOT NULL"))
