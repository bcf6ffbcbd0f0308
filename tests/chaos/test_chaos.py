"""Three replicas, 300 gates, four people, and everything goes wrong: nothing is lost, doubled or untrue in the end."""

import time
from pathlib import Path
from typing import Final

import pytest

from app.sandbox.aws.errors import AwsError
from tests.chaos.cluster import Cluster, cluster
from tests.chaos.fault_injector import FaultInjector
from tests.chaos.invariants import INVARIANTS
from tests.chaos.people import buttons, crowd

pytestmark = pytest.mark.slow

GATES: Final = 300
DOMAINS: Final = 110
A_SECOND: Final = 6
"""Deployments begun in a second, while there are domains without one."""

STORM_SECONDS: Final = 900.0
RECOVERY_SECONDS: Final = 900.0
"""At the longest; on a machine with nothing else to do each part takes about a minute."""

ENDING_SPEED: Final = 60.0
"""AWS's time once fault injection is over: canaries and blue's last minutes pass quickly."""


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_fails_nothing_is_lost_doubled_or_untrue(tmp_path: Path, seed: int) -> None:
    with cluster(tmp_path, domain_count=DOMAINS, seed=seed) as built:
        fault_injector, people = FaultInjector(built, seed=seed), crowd(built, seed)
        fault_injector.start()
        for person in people:
            person.start()
        _deploy_all(built)
        fault_injector.stop()
        built.aws.clock.speed = ENDING_SPEED
        built.until(lambda: built.count("gates WHERE phase <> 'closed'") == 0, "gates end", RECOVERY_SECONDS)
        for person in people:
            person.stop()
        _settle(built)
        broken = {check.__name__: found for check in INVARIANTS if (found := check(built))}
        seen = (fault_injector.injected, [person.done for person in people], built.count("gates"))

    assert broken == {}, seen


def _deploy_all(built: Cluster) -> None:
    """Deploys wherever nothing is under way, until there were enough."""
    end = time.monotonic() + STORM_SECONDS
    begun = 0
    while begun < GATES:
        assert time.monotonic() < end, f"only {begun} deployments could begin"
        busy = {each.domain for each in built.aws.deployments() if not each.over}
        for domain in [each for each in built.aws.domains() if each.name not in busy][:A_SECOND]:
            try:
                built.aws.deploy(domain.name)
            except AwsError:
                continue
            begun += 1
        time.sleep(1)


def _settle(built: Cluster) -> None:
    """Every deployment is over, every card and line is out."""
    built.until(
        lambda: all(each.over for each in built.aws.deployments()), "deployments end", RECOVERY_SECONDS
    )
    built.until(lambda: built.count("gates WHERE phase <> 'closed'") == 0, "late gates end", RECOVERY_SECONDS)
    built.until(lambda: built.count("switches WHERE ended_at IS NULL") == 0, "switches end", RECOVERY_SECONDS)
    built.until(
        lambda: built.count("interventions WHERE phase IN ('requested', 'sent')") == 0,
        "undos end",
        RECOVERY_SECONDS,
    )
    for table in ("cards", "threads", "announcements", "reports"):
        built.until(
            lambda table=table: built.count(f"{table} WHERE due_at <= now()") == 0,  # type: ignore[misc]
            f"{table} are done",
            RECOVERY_SECONDS,
        )
    built.until(
        lambda: not any(buttons(card) & {"approve", "reject"} for card in built.cards()),
        "cards without buttons",
        60,
    )
