"""Resolves `exclusive`, `exclusive_until` and `after` of the whole file to the exclusivity of each domain."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches

from app.config.schema import DomainTable, ParsedFile, Problem
from app.config.tables.policy_tables import PolicyTable
from app.config.values import EXCLUSIVE_REMEDY
from app.gate.ids import DomainName
from app.gate.rules.exclusivity import ExclusiveUntil, Exclusivity


def exclusivity_of(found: ParsedFile) -> dict[str, Exclusivity]:
    """The exclusivity of each domain. Symmetric: if A excludes B, B excludes A."""
    excludes: dict[str, set[str]] = {name: set() for name in found.domains}
    taking_part = [name for name, table in found.domains.items() if not _opts_out(table)]
    for one in _sets(found, taking_part):
        for name in one:
            excludes[name] |= one - {name}
    for name in taking_part:
        if _effective_table(found, found.domains[name], "exclusive").exclusive == "all":
            for other in taking_part:
                if other != name:
                    excludes[name].add(other)
                    excludes[other].add(name)
    after = _after(found)
    return {
        name: Exclusivity(
            excludes=tuple(map(DomainName, sorted(excludes[name]))),
            exclusive_until=ExclusiveUntil(_effective_table(found, table, "exclusive_until").exclusive_until),
            after=tuple(map(DomainName, after[name])),
        )
        for name, table in found.domains.items()
    }


def exclusivity_problems(found: ParsedFile) -> list[Problem]:
    """Unknown domains, contradictions, and domains that would wait for each other for ever."""
    named = [
        problem
        for key, names in _keys_with_domains(found)
        for problem in _unknown_problems(found, key, names)
    ]
    return named or [
        *_single_domain_problems(found),
        *_contradiction_problems(found),
        *_cycle_problems(found),
    ]


def _sets(found: ParsedFile, taking_part: Sequence[str]) -> Iterator[set[str]]:
    default = found.policy.exclusive if found.policy else False
    if isinstance(default, list):
        yield set(default) & set(taking_part)
    for name in taking_part:
        own = _own_set(found.domains[name])
        if own:
            yield {name, *own} & set(taking_part)


def _own_set(table: DomainTable) -> list[str]:
    return table.exclusive if isinstance(table.exclusive, list) and _is_given(table, "exclusive") else []


def _opts_out(table: DomainTable) -> bool:
    """Whether the domain itself sets `exclusive = false`; leaving the key out is another thing."""
    return table.exclusive is False and _is_given(table, "exclusive")


def _effective_table(found: ParsedFile, table: DomainTable, key: str) -> PolicyTable:
    """The table whose value of `key` holds for this domain."""
    return table if found.policy is None or _is_given(table, key) else found.policy


def _after(found: ParsedFile) -> dict[str, list[str]]:
    """Which domains each domain goes after. The `after` of [policy] holds for every domain that it does not name."""
    return {
        name: table.after
        if _is_given(table, "after")
        else [each for each in _effective_table(found, table, "after").after if each != name]
        for name, table in found.domains.items()
    }


def _is_given(table: PolicyTable, key: str) -> bool:
    return key in table.model_fields_set


def _keys_with_domains(found: ParsedFile) -> Iterator[tuple[list[str], list[str]]]:
    """Each key that names domains, and the names."""
    tables: list[tuple[list[str], PolicyTable]] = [
        (["domains", name], table) for name, table in found.domains.items()
    ]
    if found.policy is not None:
        tables.insert(0, (["policy"], found.policy))
    for key, table in tables:
        if isinstance(table.exclusive, list) and _is_given(table, "exclusive"):
            yield [*key, "exclusive"], table.exclusive
        if _is_given(table, "after"):
            yield [*key, "after"], table.after


def _unknown_problems(found: ParsedFile, key: list[str], names: Iterable[str]) -> Iterator[Problem]:
    for name in names:
        if name not in found.domains:
            near = get_close_matches(name, found.domains, n=1)
            remedy = f"Did you mean {near[0]}?" if near else "Name domains of this file."
            yield found.problem(key, f'names "{name}", which is no domain', remedy)
            return


def _single_domain_problems(found: ParsedFile) -> Iterator[Problem]:
    """Sets of one domain."""
    for name, table in found.domains.items():
        if _own_set(table) == [name]:
            what = "names the domain itself and no other, so that nothing would ever wait"
            yield found.problem(["domains", name, "exclusive"], what, EXCLUSIVE_REMEDY)
    default = found.policy.exclusive if found.policy else False
    if isinstance(default, list) and len(default) == 1:
        what = f"is a set of one, {default[0]}, so that nothing would ever wait"
        yield found.problem(["policy", "exclusive"], what, EXCLUSIVE_REMEDY)


def _contradiction_problems(found: ParsedFile) -> Iterator[Problem]:
    """One domain's `exclusive` names another whose own `exclusive` is false."""
    for name in filter(lambda name: _opts_out(found.domains[name]), found.domains):
        by = next((other for other, table in found.domains.items() if name in _own_set(table)), None)
        if by is not None:
            what = f"is false, but domain {by} names {name} in its own `exclusive`"
            yield found.problem(["domains", name, "exclusive"], what, "Remove one of the two.")


def _cycle_problems(found: ParsedFile) -> Iterator[Problem]:
    """Domains that go after each other, so that all of them would wait."""
    after = _after(found)
    for name in after:
        cycle = _cycle(after, name)
        if not cycle or name != min(cycle):
            continue  # there is no cycle, or it is reported at its first domain
        at = next((one for one in cycle if _is_given(found.domains[one], "after")), None)
        key = ["domains", at, "after"] if at else ["policy", "after"]
        if cycle == [name]:
            yield found.problem(key, "names the domain itself, which would wait for ever", "Name others.")
            continue
        round_ = " after ".join([*cycle, name])
        what = f"goes in a circle, so that each would wait for the other: {round_}"
        yield found.problem(key, what, "Take one of them out.")


def _cycle(after: Mapping[str, Sequence[str]], start: str) -> list[str]:
    """The shortest path from a domain back to itself; empty: there is none."""
    paths = [[start]]
    seen = set()
    while paths:
        path = paths.pop(0)
        for name in after[path[-1]]:
            if name == start:
                return path
            if name not in seen:
                seen.add(name)
                paths.append([*path, name])
    return []
