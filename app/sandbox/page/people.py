"""The people whom the page can act as."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.sandbox.people import GRACE, ONCALL
from app.sandbox.slack.state.shapes import User


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonView:
    """`role` says what the person may do; `decides` whether a press counts."""

    id: str
    name: str
    first_name: str
    role: str
    decides: bool
    language: str


def default_person(people: Iterable[User], *, locale: str) -> str:
    """The person selected at first: may decide and reads the cards' language."""
    people = list(people)
    fitting = (one for one in people if _decides(one) and one.locale.startswith(locale))
    return next(fitting, people[0]).id


def person_views(people: Iterable[User]) -> list[PersonView]:
    return [
        PersonView(
            id=person.id,
            name=person.real_name,
            first_name=person.real_name.split(" ")[0],
            role=_role(person),
            decides=_decides(person),
            language="한국어" if person.locale == "ko-KR" else "English",
        )
        for person in people
    ]


def _decides(person: User) -> bool:
    return person.id in ONCALL.members or person.id == GRACE.id


def _role(person: User) -> str:
    if person.id in ONCALL.members:
        return "on call, may decide"
    return "admin, may decide" if person.id == GRACE.id else "deploys, may not decide"
