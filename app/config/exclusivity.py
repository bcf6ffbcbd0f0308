"""`exclusive`, `exclusive_until` and `after`, as people write them, put together to what each domain keeps to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, Literal

from app.config.values import Wrong
from app.gate.ids import DomainName
from app.gate.rules.exclusivity import ExclusiveUntil, Exclusivity

if TYPE_CHECKING:
    from app.config.policy import PolicyTable
    from app.config.schema import DomainTable, File, Problem

Exclusive = Literal["all", False] | list[str]
"""`all`: one at a time with every domain; a list is a set whose domains are switched one at a time."""

HOW: Final = 'Write "all", a list of domains such as ["order", "payment"], or false.'


def exclusive_domains(value: object) -> Exclusive:
    """Raises `Wrong`."""
    if value is False:
        return False
    if isinstance(value, str):
        if value == "all":
            return "all"
        raise Wrong(f'is "{value}"', f'{HOW} One domain is a list, too: ["{value}"].')
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise Wrong("is neither a list of domains nor false", HOW)
    if not value:
        raise Wrong("is an empty set, which excludes nothing", HOW)
    return list(dict.fromkeys(value))


def exclusivity_of(found: "File") -> dict[str, Exclusivity]:
    """What each domain keeps to. Who excludes is excluded: the one is not switched beside the other, either way."""
    excludes: dict[str, set[str]] = {name: set() for name in found.domains}
    taking_part = [name for name, table in found.domains.items() if not _opts_out(table)]
    for one in _sets(found, taking_part):
        for name in one:
            excludes[name] |= one - {name}
    for name in taking_part:
        if _in_force(found, found.domains[name], "exclusive").exclusive == "all":
            for other in taking_part:
                if other != name:
                    excludes[name].add(other)
                    excludes[other].add(name)
    after = _after(found)
    return {
        name: Exclusivity(
            excludes=tuple(map(DomainName, sorted(excludes[name]))),
            exclusive_until=ExclusiveUntil(_in_force(found, table, "exclusive_until").exclusive_until),
            after=tuple(map(DomainName, after[name])),
        )
        for name, table in found.domains.items()
    }


def exclusivity_problems(found: "File") -> "list[Problem]":
    """Domains that are not there, that contradict each other, or that would wait for each other for ever."""
    named = [problem for key, names in _named(found) for problem in _unknown(found, key, names)]
    return named or [*_alone(found), *_contradictions(found), *_circles(found)]


def _sets(found: "File", taking_part: Sequence[str]) -> Iterator[set[str]]:
    default = found.policy.exclusive if found.policy else False
    if isinstance(default, list):
        yield set(default) & set(taking_part)
    for name in taking_part:
        own = _own_set(found.domains[name])
        if own:
            yield {name, *own} & set(taking_part)


def _own_set(table: "DomainTable") -> list[str]:
    return table.exclusive if isinstance(table.exclusive, list) and _gives(table, "exclusive") else []


def _opts_out(table: "DomainTable") -> bool:
    """It says itself that it takes no part; not to say anything is another thing."""
    return table.exclusive is False and _gives(table, "exclusive")


def _in_force(found: "File", table: "DomainTable", key: str) -> "PolicyTable":
    """The table that says `key` for this domain."""
    return table if found.policy is None or _gives(table, key) else found.policy


def _after(found: "File") -> dict[str, list[str]]:
    """Who goes after whom. What [policy] says is said of all the others."""
    return {
        name: table.after
        if _gives(table, "after")
        else [each for each in _in_force(found, table, "after").after if each != name]
        for name, table in found.domains.items()
    }


def _gives(table: "PolicyTable", key: str) -> bool:
    return key in table.model_fields_set


def _named(found: "File") -> Iterator[tuple[list[str], list[str]]]:
    """Each key that names domains, and which."""
    tables: list[tuple[list[str], PolicyTable]] = [
        (["domains", name], table) for name, table in found.domains.items()
    ]
    if found.policy is not None:
        tables.insert(0, (["policy"], found.policy))
    for key, table in tables:
        if isinstance(table.exclusive, list) and _gives(table, "exclusive"):
            yield [*key, "exclusive"], table.exclusive
        if _gives(table, "after"):
            yield [*key, "after"], table.after


def _unknown(found: "File", key: list[str], names: Iterable[str]) -> "Iterator[Problem]":
    for name in names:
        if name not in found.domains:
            near = get_close_matches(name, found.domains, n=1)
            remedy = f"Did you mean {near[0]}?" if near else "Name domains of this file."
            yield found.problem(key, f'names "{name}", which is no domain', remedy)
            return


def _alone(found: "File") -> "Iterator[Problem]":
    """Sets of one."""
    for name, table in found.domains.items():
        if _own_set(table) == [name]:
            what = "names the domain itself and no other, so that nothing would ever wait"
            yield found.problem(["domains", name, "exclusive"], what, HOW)
    default = found.policy.exclusive if found.policy else False
    if isinstance(default, list) and len(default) == 1:
        what = f"is a set of one, {default[0]}, so that nothing would ever wait"
        yield found.problem(["policy", "exclusive"], what, HOW)


def _contradictions(found: "File") -> "Iterator[Problem]":
    """One table says that two take turns, and the other's that it takes none."""
    for name in filter(lambda name: _opts_out(found.domains[name]), found.domains):
        by = next((other for other, table in found.domains.items() if name in _own_set(table)), None)
        if by is not None:
            what = f"is false, but domain {by} names {name} in its own `exclusive`"
            yield found.problem(["domains", name, "exclusive"], what, "Remove one of the two.")


def _circles(found: "File") -> "Iterator[Problem]":
    """Domains that go after each other: all of them would wait."""
    after = _after(found)
    for name in after:
        circle = _circle(after, name)
        if not circle or name != min(circle):
            continue  # there is none, or it is told where it begins
        at = next((one for one in circle if _gives(found.domains[one], "after")), None)
        key = ["domains", at, "after"] if at else ["policy", "after"]
        if circle == [name]:
            yield found.problem(key, "names the domain itself, which would wait for ever", "Name others.")
            continue
        round_ = " after ".join([*circle, name])
        what = f"goes in a circle, so that each would wait for the other: {round_}"
        yield found.problem(key, what, "Take one of them out.")


def _circle(after: Mapping[str, Sequence[str]], start: str) -> list[str]:
    """The shortest way from a domain back to itself; empty: there is none."""
    ways = [[start]]
    seen = set()
    while ways:
        way = ways.pop(0)
        for name in after[way[-1]]:
            if name == start:
                return way
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []
