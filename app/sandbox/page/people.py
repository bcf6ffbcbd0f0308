"""The people whom the page can act as."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.i18n.catalog import Texts
from app.sandbox.people import GRACE, ONCALL
from app.sandbox.slack.state.shapes import User


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonView:
    """`role` says what the person can do; `decides` whether a press counts."""

    id: str
    name: str
    first_name: str
    role: str
    decides: bool
    language: str
    zone: str


def default_person(people: Iterable[User], *, locale: str) -> str:
    """The person selected at first: may decide and reads the cards' language."""
    people = list(people)
    fitting = (one for one in people if _decides(one) and one.locale.startswith(locale))
    return next(fitting, people[0]).id


def person_views(people: Iterable[User], text: Texts) -> list[PersonView]:
    return [
        PersonView(
            id=person.id,
            name=person.real_name,
            first_name=person.real_name.split(" ")[0],
            role=text(f"role.{_role(person)}"),
            decides=_decides(person),
            language="한국어" if person.locale == "ko-KR" else "English",
            zone=person.tz,
        )
        for person in people
    ]


def _decides(person: User) -> bool:
    return person.id in ONCALL.members or person.id == GRACE.id


def _role(person: User) -> str:
    if person.id in ONCALL.members:
        return "on_call"
    return "admin" if person.id == GRACE.id else "deployer"
