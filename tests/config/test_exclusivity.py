"""`exclusive`, `exclusive_until` and `after`: what they become, and how each mistake in them is reported."""

import pytest

from app.gate.rules.exclusivity import ExclusiveUntil
from tests.config.test_loader import SLACK, loaded, told

EVERYBODY = ("hub order payment", "auth order payment", "auth hub payment", "auth hub order")
WITH_ORDER = 'exclusive = ["order"]\n'
NAMES = ("auth", "hub", "order", "payment")


def file(policy: str = "", **own: str) -> str:
    """Four domains; `own` are lines of their tables."""
    tables = [
        f'[domains.{name}]\napplication = "{name}-app"\ndeployment_group = "{name}-dg"\n{own.get(name, "")}'
        for name in NAMES
    ]
    return "\n".join([SLACK, f'[policy]\napprovers = ["S0ONCALL"]\n{policy}', *tables])


def excludes(text: str) -> dict[str, str]:
    domains = loaded(text).domains
    return {name: " ".join(domains[name].policy.exclusivity.excludes) for name in NAMES}


def after(text: str) -> dict[str, str]:
    domains = loaded(text).domains
    return {name: " ".join(domains[name].policy.exclusivity.after) for name in NAMES}


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        (file(), ("", "", "", "")),
        (file("exclusive = false\n"), ("", "", "", "")),
        (file('exclusive = "all"\n'), EVERYBODY),
        (file('exclusive = ["order", "payment"]\n'), ("", "", "payment", "order")),
        (file(order='exclusive = ["payment"]\n'), ("", "", "payment", "order")),
        (file(order='exclusive = ["order", "payment"]\n'), ("", "", "payment", "order")),
        (file(order='exclusive = ["payment", "auth"]\n'), ("order payment", "", "auth payment", "auth order")),
        (file(order='exclusive = ["payment"]\n', auth=WITH_ORDER), ("order", "", "auth payment", "order")),
        (file(auth='exclusive = "all"\n'), ("hub order payment", "auth", "auth", "auth")),
        (file('exclusive = "all"\n', hub="exclusive = false\n"), ("order payment", "", "auth payment", "auth order")),
        (file('exclusive = ["order", "payment"]\n', order="exclusive = false\n"), ("", "", "", "")),
        (file('exclusive = ["order", "payment"]\n', hub='exclusive = ["auth"]\n'), ("hub", "auth", "payment", "order")),
    ],
)  # fmt: skip
def test_who_excludes_is_excluded(text: str, becomes: tuple[str, ...]) -> None:
    assert excludes(text) == dict(zip(NAMES, becomes, strict=True))


def test_a_domain_configures_how_long_it_excludes_others() -> None:
    text = file('exclusive = "all"\nexclusive_until = "finished"\n', hub='exclusive_until = "switched"\n')
    exclusive_until = {
        name: domain.policy.exclusivity.exclusive_until for name, domain in loaded(text).domains.items()
    }
    assert exclusive_until == {
        **dict.fromkeys(NAMES, ExclusiveUntil.FINISHED),
        "hub": ExclusiveUntil.SWITCHED,
    }


def test_who_goes_first_is_named_by_who_goes_after() -> None:
    assert after(file(order='after = ["auth"]\n')) == {"auth": "", "hub": "", "order": "auth", "payment": ""}
    everywhere = after(file('after = ["auth"]\n', hub="after = []\n"))
    assert everywhere == {"auth": "", "hub": "", "order": "auth", "payment": "auth"}


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        (file("exclusive = true\n"), "policy.exclusive", 'neither a list of domains nor false. Write "all"'),
        (file('exclusive = "order"\n'), "policy.exclusive", 'One domain is a list, too: ["order"].'),
        (file("exclusive = [1]\n"), "policy.exclusive", "neither a list of domains nor false"),
        (file("exclusive = []\n"), "policy.exclusive", "an empty set"),
        (file('exclusive = ["order"]\n'), "policy.exclusive", "a set of one, order"),
        (file('exclusive = ["order", "paymet"]\n'), "policy.exclusive", "Did you mean payment?"),
        (file(order='exclusive = ["warehouse"]\n'), "domains.order.exclusive", "Name domains of this file."),
        (file(order='exclusive = ["order"]\n'), "domains.order.exclusive", "the domain itself and no other"),
        (
            file(order='exclusive = ["payment"]\n', payment="exclusive = false\n"),
            "domains.payment.exclusive",
            "is false, but domain order names payment",
        ),
        (file('exclusive_until = "baked"\n'), "policy.exclusive_until", 'Write "switched" or "finished"'),
        (file('after = "auth"\n'), "policy.after", "is no list"),
        (file(order='after = ["aut"]\n'), "domains.order.after", "Did you mean auth?"),
        (file(order='after = ["order"]\n'), "domains.order.after", "names the domain itself"),
        (
            file(order='after = ["auth"]\n', auth='after = ["hub"]\n', hub='after = ["order"]\n'),
            "domains.auth.after",
            "in a circle, so that each would wait for the other: auth after hub after order after auth",
        ),
        (
            file('after = ["auth"]\n', auth='after = ["order"]\n'),
            "domains.auth.after",
            "auth after order after auth",
        ),
        (file('after = ["auth", "order"]\n'), "policy.after", "auth after order after auth"),
        (
            file('[[policy.when]]\nname = "nights"\nshift = ["canary"]\nexclusive = "all"\n'),
            "policy.when#1.exclusive",
            "is unknown",
        ),
    ],
)
def test_each_mistake_is_told_with_its_place_and_remedy(text: str, key: str, said: str) -> None:
    problems = told(text)
    assert list(problems) == [key]
    assert said in problems[key]
