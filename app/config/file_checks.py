"""Checks of the whole file: contradictions between tables, and names of domains that do not exist."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Final

from app.config.exclusivity import exclusivity_problems
from app.config.policy import policy_from, policy_problem
from app.config.schema import ParsedFile, Problem, dotted
from app.config.tables.policy_tables import PolicyTable

MAX_PROBES: Final = 20
"""Probes of one domain."""
NO_EFFECT: Final = (
    "is without effect, because nobody is named who would be called",
    'Add escalate_to = "S0LEADS", or leave the line out.',
)


def file_problems(found: ParsedFile) -> Iterator[Problem]:
    """Everything that cannot be checked table by table."""
    yield from _duplicate_groups(found)
    yield from _policy_problems(found)
    yield from _probe_problems(found)
    yield from _freeze_problems(found)
    yield from exclusivity_problems(found)
    yield from _reminder_problems(found)


def _duplicate_groups(found: ParsedFile) -> list[Problem]:
    """Two domains with the same deployment group."""
    owners: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, table in found.domains.items():
        owners[table.application, table.deployment_group].append(name)
    return [
        found.problem(
            ["domains", second, "deployment_group"],
            f'"{group}" of application "{application}" is that of domain {first} too',
            "Give each domain a deployment group of its own, or remove one of the two.",
        )
        for (application, group), (first, *others) in owners.items()
        for second in others
    ]


def _policy_problems(found: ParsedFile) -> list[Problem]:
    """Problems of the policies that only show when defaults and domains are combined."""
    if found.policy is None:
        return []
    default = policy_from(found.policy, PolicyTable())
    problems = []
    orphans = []
    said = "unknown_deployer" in found.policy.model_fields_set
    of_default = policy_problem(default, asks_two=said) if default.approvers else None
    if of_default:
        problems.append(found.problem(["policy", of_default.key], of_default.what, of_default.remedy))
    for name, table in found.domains.items():
        own = table.policy()
        policy = policy_from(found.policy, own)
        if not policy.approvers:
            orphans.append(name)
            continue
        asks_two = said or "unknown_deployer" in own.model_fields_set
        problem = policy_problem(policy, asks_two=asks_two) if own.model_fields_set else None
        if problem and problem != of_default:
            problems.append(found.problem(["domains", name, problem.key], problem.what, problem.remedy))
    if orphans:
        problems.append(
            found.problem(
                ["policy", "approvers"],
                f"is missing, and these domains name none of their own: {', '.join(map(dotted, orphans))}",
                'Name at least one Slack user or user group: approvers = ["S0ONCALL", "U01KIM"].',
            )
        )
    return problems


def _probe_problems(found: ParsedFile) -> Sequence[Problem]:
    """Two probes of the same name, or too many."""
    problems = []
    for domain, table in found.domains.items():
        names = [probe.name for probe in table.probe]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            what = f'names "{twice[0]}" twice'
            problems.append(found.problem(["domains", domain, "probe"], what, "Give each a name of its own."))
        if len(names) > MAX_PROBES:
            what = f"has {len(names)} entries"
            problems.append(found.problem(["domains", domain, "probe"], what, f"Write at most {MAX_PROBES}."))
    return problems


def _freeze_problems(found: ParsedFile) -> Sequence[Problem]:
    """Freezes of unknown domains."""
    problems = []
    for place, table in found.freezes:
        for name in table.domains or ():
            if name not in found.domains:
                near = get_close_matches(name, found.domains, n=1)
                remedy = f"Did you mean {near[0]}?" if near else "Name domains of this file."
                key = [f"freeze#{place}", "domains"]
                problems.append(found.problem(key, f'names "{name}", which is no domain', remedy))
                break
    return problems


def _reminder_problems(found: ParsedFile) -> list[Problem]:
    """An escalation time without anybody to escalate to. A key of [policy] also holds for the domains."""
    if found.policy is None or found.policy.escalate_to is not None:
        return []
    silent = [name for name, table in found.domains.items() if table.escalate_to is None]
    keys = [["domains", name] for name in silent if _gives_escalation_time(found.domains[name])]
    if _gives_escalation_time(found.policy) and len(silent) == len(found.domains):
        keys.insert(0, ["policy"])
    return [found.problem([*key, "escalate_before_minutes"], *NO_EFFECT) for key in keys]


def _gives_escalation_time(table: PolicyTable) -> bool:
    return "escalate_before_minutes" in table.model_fields_set
