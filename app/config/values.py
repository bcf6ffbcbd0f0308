"""Validators of the values in `switchgate.toml`. Each raises `InvalidValue`: the problem, and the remedy."""

import re
from typing import Final, Literal

from app.gate.rules.checks import MAX_CHECKS, MAX_NAME_CHARS, is_check_name
from app.gate.rules.policy import Shift

_USER: Final = re.compile(r"[UW][A-Z0-9]+")
_GROUP: Final = re.compile(r"S[A-Z0-9]+")
_CHANNEL: Final = re.compile(r"[CG][A-Z0-9]+")

SHIFTS: Final = tuple(shift.value.replace("_", "-") for shift in Shift)

MAX_DEADLINE_MINUTES: Final = 59
"""Minutes. CodeDeploy gives a hook one hour, and our rejection must arrive before."""


class InvalidValue(ValueError):
    """A value that cannot be used."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


def channel_id(value: str) -> str:
    """A Slack channel id; names would break when a channel is renamed."""
    if not _CHANNEL.fullmatch(value):
        raise InvalidValue(
            f'"{value}" is no Slack channel id',
            "Copy it from the foot of the channel's details: it begins with C or G, such as C01DEPLOY.",
        )
    return value


def user_id(value: object) -> str:
    """A Slack user id."""
    if not isinstance(value, str) or not _USER.fullmatch(value):
        shown = f'"{value}"' if isinstance(value, str) else "the value"
        raise InvalidValue(
            f"{shown} is no Slack user id",
            'Copy the member ID from the person\'s profile: it begins with U or W, such as "U01KIM".',
        )
    return value


def approver_ids(value: list[str]) -> list[str]:
    """Slack users and user groups, each once."""
    bad = [entry for entry in value if not (_USER.fullmatch(entry) or _GROUP.fullmatch(entry))]
    if bad:
        names = ", ".join(f'"{entry}"' for entry in bad)
        raise InvalidValue(
            f"{names} is no id of a Slack user or user group",
            "Ids begin with U or W (a person, from the profile) or S (a group, from its page), such as U01KIM.",
        )
    return list(dict.fromkeys(value))


def at_least_one_approver(value: list[str]) -> list[str]:
    """As `approver_ids`, and somebody in it."""
    if not value:
        raise InvalidValue(
            "is empty, so nobody could ever approve",
            'Name at least one Slack user or user group: approvers = ["S0ONCALL", "U01KIM"].',
        )
    return approver_ids(value)


def at_least_one_person(value: int) -> int:
    """How many different people."""
    if value < 1:
        raise InvalidValue(f"is {value}, so that nobody would be asked", "Write 1 or more.")
    return value


def valid_deadline(value: int) -> int:
    """Minutes from the hook's start."""
    if value > MAX_DEADLINE_MINUTES:
        raise InvalidValue(
            f"is {value}, but CodeDeploy's own limit of one hour must not run out first",
            f"Write at most {MAX_DEADLINE_MINUTES}.",
        )
    if value < 1:
        raise InvalidValue(
            f"is {value}, so that nobody could decide in time", f"Write 1 to {MAX_DEADLINE_MINUTES}."
        )
    return value


def tcp_port(value: int) -> int:
    """A TCP port."""
    if not 1 <= value <= 65_535:
        raise InvalidValue(f"is {value}, which is no port", "Write 1 to 65535, or leave the line out.")
    return value


def codedeploy_name(value: str) -> str:
    """A name that CodeDeploy gave."""
    if not value or value != value.strip():
        raise InvalidValue("is empty or has blanks around it", "Copy the name from CodeDeploy's console.")
    return value


def check_name(value: str) -> str:
    """The name of a check, as the API takes it."""
    if not value.strip():
        raise InvalidValue(
            "holds an empty name", 'Name each check: required_checks = ["order-create smoke"].'
        )
    if not is_check_name(value):
        remedy = f"Write 1 to {MAX_NAME_CHARS} printable characters, without a slash or blanks around them."
        raise InvalidValue(f'"{value[:40]}" is no name for a check ({len(value)} characters)', remedy)
    return value


def check_names(value: list[str]) -> list[str]:
    """Names of checks, each once."""
    for entry in value:
        check_name(entry)
    if len(set(value)) > MAX_CHECKS:
        raise InvalidValue(
            f"names {len(set(value))} checks", f"Name at most {MAX_CHECKS}; nobody reads more on a card."
        )
    return list(dict.fromkeys(value))


MAX_QUESTION_CHARS: Final = 150


def question_text(value: str) -> str:
    """What an approver is asked."""
    if not value.strip():
        raise InvalidValue(
            "asks nothing", 'Write what an approver confirms: "Was a test order placed on green?"'
        )
    if len(value) > MAX_QUESTION_CHARS:
        raise InvalidValue(f"has {len(value)} characters", f"Write at most {MAX_QUESTION_CHARS}.")
    return " ".join(value.split())


def shifts(value: list[str]) -> list[str]:
    """Kinds of shift."""
    unknown = [entry for entry in value if entry not in SHIFTS]
    if unknown:
        raise InvalidValue(f'"{unknown[0]}" is no kind of shift', f"Write {', '.join(SHIFTS)}.")
    return value


Exclusive = Literal["all", False] | list[str]
"""`all`: one at a time with every domain; a list is a set whose domains are switched one at a time."""

EXCLUSIVE_REMEDY: Final = 'Write "all", a list of domains such as ["order", "payment"], or false.'


def exclusive_domains(value: object) -> Exclusive:
    """Raises `InvalidValue`."""
    if value is False:
        return False
    if isinstance(value, str):
        if value == "all":
            return "all"
        raise InvalidValue(f'is "{value}"', f'{EXCLUSIVE_REMEDY} One domain is a list, too: ["{value}"].')
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise InvalidValue("is neither a list of domains nor false", EXCLUSIVE_REMEDY)
    if not value:
        raise InvalidValue("is an empty set, which excludes nothing", EXCLUSIVE_REMEDY)
    return list(dict.fromkeys(value))
