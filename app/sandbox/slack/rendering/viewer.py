"""The person for whom a message is rendered: names, language and time zone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from app.sandbox.slack.state.json_shapes import zone
from app.sandbox.slack.state.people import People


@dataclass(frozen=True, kw_only=True, slots=True)
class Viewer:
    """`locale` is Babel's (`en`, `ko`); the names are by id, a group's without its @."""

    user: str
    locale: str
    zone: tzinfo
    now: datetime
    users: Mapping[str, str]
    groups: Mapping[str, str]
    channels: Mapping[str, str]
    my_groups: frozenset[str] = frozenset()


def viewer_of(people: People, user: str, *, now: datetime) -> Viewer:
    """Raises `NotInWorkspace`."""
    person = people.user(user)
    groups = people.groups()
    return Viewer(
        user=person.id,
        locale=person.locale.partition("-")[0],
        zone=zone(person.tz),
        now=now,
        users={one.id: one.real_name for one in people.users()},
        groups={group.id: group.handle for group in groups},
        channels={channel.id: channel.name for channel in people.channels()},
        my_groups=frozenset(group.id for group in groups if person.id in group.members),
    )
