"""The tables of `switchgate.toml`, and every problem in them with its remedy."""

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, Field, ValidationError
from pydantic.fields import FieldInfo

from app.config.reserved_words import RESERVED_WORDS
from app.config.tables.freezes import FreezeTable
from app.config.tables.policy_tables import AskTable, PolicyTable, RequireTable, Table, WhenTable
from app.config.tables.probes import JsonTable, ProbesTable, ProbeTable
from app.config.values import InvalidValue, approver_ids, channel_id, codedeploy_name, tcp_port, user_id


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One problem. `key` is dotted, as in TOML; empty: the file as a whole."""

    file: str
    key: str
    what: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.file}: {self.key}" if self.key else self.file
        return f"{place}: {self.what}. {self.remedy}"


class ConfigError(Exception):
    """The file cannot be used; one line per problem."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class SlackTable(Table):
    """`[slack]`"""

    channel: Annotated[str, AfterValidator(channel_id), Field(examples=["C01DEPLOY"])]
    """Id of the channel in which cards are posted, unless a domain names its own. Invite the app to every channel that
    is named in this file."""
    admins: Annotated[list[str], AfterValidator(approver_ids), Field(examples=[["U01ADMIN"]])] = []
    """Users and user groups that can freeze, break glass, and roll back in every domain."""


class DomainTable(PolicyTable):
    """`[domains.<name>]`"""

    application: Annotated[str, AfterValidator(codedeploy_name), Field(examples=["order-app"])]
    """Name of the CodeDeploy application."""
    deployment_group: Annotated[str, AfterValidator(codedeploy_name), Field(examples=["order-dg"])]
    """Name of the deployment group. Two domains cannot have the same one."""
    listener_port: Annotated[Annotated[int, AfterValidator(tcp_port)] | None, Field(examples=[8020])] = None
    """Port of the production listener, shown on the card."""
    channel: Annotated[Annotated[str, AfterValidator(channel_id)] | None, Field(examples=["C02ORDER"])] = None
    """Channel of this domain's cards. Unset: that of `[slack]`."""
    probe: list[ProbeTable] = []
    """Requests that the service sends to green; each is a check. At most 20."""

    def policy(self) -> PolicyTable:
        """Only the keys of [policy] that this domain gives."""
        names = self.model_fields_set & set(PolicyTable.model_fields)
        return PolicyTable.model_construct(**{name: getattr(self, name) for name in names})


@dataclass(kw_only=True, slots=True)
class ParsedFile:
    """The tables that could be read; a table with a problem is None or left out."""

    name: str
    slack: SlackTable | None = None
    policy: PolicyTable | None = None
    people: dict[str, str] = field(default_factory=dict)
    probes: ProbesTable = field(default_factory=ProbesTable)
    freezes: list[tuple[int, FreezeTable]] = field(default_factory=list)
    domains: dict[str, DomainTable] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, key: Sequence[str], what: str, remedy: str) -> Problem:
        """A problem of this file."""
        return Problem(file=self.name, key=".".join(map(dotted, key)), what=what, remedy=remedy)


TABLES: Final = ("slack", "policy", "people", "probes", "freeze", "domains")
DOMAIN_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
AnyTable = TypeVar("AnyTable", bound=Table)


def dotted(part: str) -> str:
    """A part of a dotted key, quoted where TOML needs quotes."""
    return part if re.fullmatch(r"[A-Za-z0-9_-]+(#[0-9]+)?", part) else '"' + part.replace('"', '\\"') + '"'


def toml_value(value: object) -> str:
    """A value as the file writes it, inner tables on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{dotted(key)} = {toml_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def read_file(text: str, *, file: str) -> ParsedFile:
    """Parses each table by itself, so that one problem does not hide another. Raises `ConfigError` if not TOML."""
    found = ParsedFile(name=file)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        remedy = "Correct that line; the example file shows how each is written."
        raise ConfigError(found.problem([], f"is not TOML: {exc}", remedy)) from None
    for key in raw.keys() - set(TABLES):
        found.problems.append(_unknown_key(found, [key], TABLES))
    found.slack = _read(found, SlackTable, raw.get("slack", {}), ["slack"])
    found.policy = _read(found, PolicyTable, raw.get("policy", {}), ["policy"])
    _read_people(found, raw.get("people", {}))
    found.probes = _read(found, ProbesTable, raw.get("probes", {}), ["probes"]) or found.probes
    _read_domains(found, raw.get("domains", {}))
    _read_freezes(found, raw.get("freeze", []))
    return found


def _read_freezes(found: ParsedFile, raw: object) -> None:
    if not isinstance(raw, list):
        remedy = "Write [[freeze]], with two brackets, for each."
        found.problems.append(found.problem(["freeze"], "is no list of tables", remedy))
        return
    for place, entry in enumerate(raw, start=1):
        table = _read(found, FreezeTable, entry, [f"freeze#{place}"])
        if table is not None:
            found.freezes.append((place, table))


def _read_domains(found: ParsedFile, raw: object) -> None:
    if not isinstance(raw, dict) or not raw:
        what = "is no table" if raw else "names no domain, so that every hook would be refused"
        remedy = "Add a table such as [domains.order] with application and deployment_group."
        found.problems.append(found.problem(["domains"], what, remedy))
        return
    for name, table in raw.items():
        if not DOMAIN_NAME.fullmatch(name):
            what = "is no name for a domain"
            remedy = "Use 1 to 40 of a-z, 0-9, - and _, beginning with a letter or digit."
            found.problems.append(found.problem(["domains", name], what, remedy))
        if name in RESERVED_WORDS:
            what = "is a word that /deploys takes for itself, so that the command could not show or freeze this domain"
            remedy = "Give the domain another name, here and wherever the file names it."
            found.problems.append(found.problem(["domains", name], what, remedy))
        domain = _read(found, DomainTable, table, ["domains", name])
        if domain is not None:
            found.domains[name] = domain


def _read_people(found: ParsedFile, raw: object) -> None:
    if not isinstance(raw, dict):
        remedy = 'Write [people] and under it lines such as "github-login" = "U01KIM".'
        found.problems.append(found.problem(["people"], "is no table", remedy))
        return
    folded: dict[str, str] = {}
    for login, user in raw.items():
        try:
            found.people[login] = user_id(user)
        except InvalidValue as exc:
            found.problems.append(found.problem(["people", login], exc.what, exc.remedy))
            continue
        twin = folded.setdefault(login.casefold(), login)
        if found.people[twin] != user:
            what = f"is {dotted(twin)} in other letters, which case does not tell apart, with another user"
            found.problems.append(found.problem(["people", login], what, "Keep one of the two."))


def _read(found: ParsedFile, shape: type[AnyTable], raw: object, key: list[str]) -> AnyTable | None:
    try:
        return shape.model_validate(raw)
    except ValidationError as exc:
        found.problems += [_problem_of(found, shape, dict(error), key) for error in exc.errors()]
        return None


TYPE_PROBLEMS: Final = {
    "string_type": ("is no text", 'Write it in quotes: "…".'),
    "int_type": ("is no whole number", "Write a number without quotes."),
    "bool_type": ("is neither true nor false", "Write true or false, without quotes."),
    "list_type": ("is no list", 'Write it in brackets: ["…", "…"].'),
    "model_type": ("is no table", "Write its name in brackets on a line of its own, and its keys below."),
}
INNER_TABLES: Final[dict[str, type[Table]]] = {
    "ask": AskTable,
    "require": RequireTable,
    "when": WhenTable,
    "probe": ProbeTable,
    "expect_json": JsonTable,
}


def _problem_of(found: ParsedFile, shape: type[Table], error: dict[str, Any], key: list[str]) -> Problem:
    place = [*key, *_place(error["loc"])]
    match error["type"]:
        case "extra_forbidden":
            return _unknown_key(found, place, [*_fields(shape, error["loc"])])
        case "missing":
            return found.problem(place, "is missing", f"Add {_example(shape, error['loc'])}.")
        case "value_error":
            exc: InvalidValue = error["ctx"]["error"]
            return found.problem(place, exc.what, exc.remedy)
        case "literal_error":
            remedy = f"Write {error['ctx']['expected']}, or leave the line out.".replace("'", '"')
            return found.problem(place, "is a value that this version does not know", remedy)
        case kind:
            what, remedy = TYPE_PROBLEMS.get(kind, (str(error["msg"]), "See the example file."))
            return found.problem(place, what, remedy)


def _place(loc: Sequence[str | int]) -> list[str]:
    """Up to a key of an inner table: `when#2`, `hours`; an entry of a plain list is its list's."""
    parts = [str(part) for part in loc[:1]]
    if len(loc) < 2 or parts[0] not in INNER_TABLES:
        return parts
    if isinstance(loc[1], int):
        return [f"{parts[0]}#{loc[1] + 1}", *_place(loc[2:])]
    return [*parts, *_place(loc[1:])]


def _fields(shape: type[Table], loc: Sequence[str | int]) -> dict[str, FieldInfo]:
    """The fields of the innermost table on the way to `loc`, by their keys in the file."""
    for part in loc[:-1]:
        shape = INNER_TABLES.get(str(part), shape)
    return {info.alias or name: info for name, info in shape.model_fields.items()}


def _example(shape: type[Table], loc: Sequence[str | int]) -> str:
    key = str(loc[-1])
    return f"{key} = {toml_value((_fields(shape, loc)[key].examples or [''])[0])}"


def _unknown_key(found: ParsedFile, key: list[str], known: Sequence[str]) -> Problem:
    near = get_close_matches(key[-1], known, n=1)
    remedy = f"Did you mean {near[0]}?" if near else f"Known here: {', '.join(known)}."
    return found.problem(key, "is unknown", remedy)
