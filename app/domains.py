"""`switchgate.toml` as the house uses it: the domains, their policies, and who is who."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

from app.domains_file import ConfigError, DomainTable, File, PolicyTable, Problem, dotted, read_file
from app.domains_manners import manners_of
from app.gate.policy import Policy

__all__ = ["Config", "ConfigError", "Domain", "Problem", "load_config", "parse_config", "warnings"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Domain:
    """A business service: one blue/green pair, one CodeDeploy application and deployment group."""

    name: str
    application: str
    deployment_group: str
    listener_port: int | None
    channel: str
    policy: Policy


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """The whole file. `policy` and `channel` are the defaults; `people` maps a login to a Slack user."""

    channel: str
    policy: Policy
    domains: Mapping[str, Domain]
    admins: tuple[str, ...] = ()
    people: Mapping[str, str] = field(default_factory=dict)
    _by_group: Mapping[tuple[str, str], Domain] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_group = {(domain.application, domain.deployment_group): domain for domain in self.domains.values()}
        object.__setattr__(self, "domains", MappingProxyType(dict(self.domains)))
        object.__setattr__(self, "people", MappingProxyType(dict(self.people)))
        object.__setattr__(self, "_by_group", MappingProxyType(by_group))

    def find_domain(self, application: str, deployment_group: str) -> Domain | None:
        """The domain that a CodeDeploy application and deployment group are; None: not ours."""
        return self._by_group.get((application, deployment_group))


def load_config(path: Path) -> Config:
    """Reads the file. Raises `ConfigError` with everything that is wrong with it."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as trouble:
        what = f"cannot be read: {(trouble.strerror or type(trouble).__name__).lower()}"
        remedy = "Copy switchgate.example.toml there, or name another file by SWITCHGATE_CONFIG."
        raise ConfigError(Problem(file=str(path), key="", what=what, remedy=remedy)) from None
    except UnicodeDecodeError as trouble:
        what = f"is not UTF-8 (byte {trouble.start})"
        raise ConfigError(
            Problem(file=str(path), key="", what=what, remedy="Save it as UTF-8, as TOML wants.")
        ) from None
    return parse_config(text, file=str(path))


def parse_config(text: str, *, file: str) -> Config:
    """`file` is only named in problems. Raises `ConfigError`."""
    found = read_file(text, file=file)
    problems = [*found.problems, *_doubles(found), *_policy_problems(found)]
    if problems or found.slack is None or found.policy is None:
        raise ConfigError(*problems)
    default = found.policy
    channel = found.slack.channel
    return Config(
        channel=channel,
        admins=tuple(found.slack.admins),
        policy=_policy(default, PolicyTable()),
        people=found.people,
        domains={name: _domain(name, table, default, channel) for name, table in found.domains.items()},
    )


def warnings(config: Config) -> list[str]:
    """What the file says and this version does not do; one sentence each."""
    domains = config.domains.values()
    said = []
    unchecked = [domain.name for domain in domains if domain.policy.required_checks]
    if unchecked:
        said.append(
            f"required_checks of {', '.join(unchecked)}: accepted, but this version does not enforce them yet"
        )
    if not config.people and not all(domain.policy.own_deployment for domain in domains):
        said.append(
            "own_deployment = false, but [people] is empty: nobody's own deployment can be recognised; "
            'add lines such as "github-login" = "U01KIM"'
        )
    return said


def _policy(default: PolicyTable, own: PolicyTable) -> Policy:
    """The keys that `own` gives, over the default's, over ours."""
    given = {**default.model_dump(exclude_unset=True), **own.model_dump(exclude_unset=True)}
    table = PolicyTable.model_construct(**given)
    return Policy(
        approvers=tuple(table.approvers),
        approvals=table.approvals,
        own_deployment=table.own_deployment,
        deadline=timedelta(minutes=table.deadline_minutes),
        required_checks=tuple(table.required_checks),
        finish_now=table.finish_now,
        manners=manners_of(table),
    )


def _domain(name: str, table: DomainTable, default: PolicyTable, channel: str) -> Domain:
    return Domain(
        name=name,
        application=table.application,
        deployment_group=table.deployment_group,
        listener_port=table.listener_port,
        channel=table.channel or channel,
        policy=_policy(default, table.policy()),
    )


def _doubles(found: File) -> list[Problem]:
    """A deployment group of two domains: nobody could say whose switch it is."""
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


def _policy_problems(found: File) -> list[Problem]:
    """What is wrong with the policies only once defaults and domains are put together."""
    if found.policy is None:
        return []
    default = _policy(found.policy, PolicyTable())
    problems = []
    orphans = []
    if default.approvers:
        problems += _too_many(found, ["policy", "approvals"], default)
    for name, table in found.domains.items():
        own = table.policy()
        policy = _policy(found.policy, own)
        if not policy.approvers:
            orphans.append(name)
        elif own.model_fields_set & {"approvers", "approvals"}:
            problems += _too_many(found, ["domains", name, "approvals"], policy)
    if orphans:
        problems.append(
            found.problem(
                ["policy", "approvers"],
                f"is missing, and these domains name none of their own: {', '.join(map(dotted, orphans))}",
                'Name at least one Slack user or user group: approvers = ["S0ONCALL", "U01KIM"].',
            )
        )
    return problems


def _too_many(found: File, key: list[str], policy: Policy) -> list[Problem]:
    people = len(policy.approvers)
    # How many people a group holds is Slack's to know.
    if any(entry.startswith("S") for entry in policy.approvers) or policy.approvals <= people:
        return []
    return [
        found.problem(
            key,
            f"is {policy.approvals}, but only {people} can approve, so nothing could ever pass",
            f"Write at most {people}, or name more approvers.",
        )
    ]
