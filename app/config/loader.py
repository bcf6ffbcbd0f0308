"""Loads `switchgate.toml`: the domains, their policies, and which Slack user each login is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from app.config.exclusivity import exclusivity_of
from app.config.file_checks import file_problems
from app.config.policy import needs_known_deployer, policy_from
from app.config.schema import ConfigError, DomainTable, Problem, read_file
from app.config.source import ConfigSource, FileSource
from app.config.tables.freezes import ConfiguredFreeze
from app.config.tables.policy_tables import PolicyTable
from app.gate.rules.checks import Probe
from app.gate.rules.exclusivity import Exclusivity
from app.gate.rules.policy import Policy

__all__ = [
    "Config",
    "ConfigError",
    "Domain",
    "Problem",
    "count_domains",
    "load_config",
    "load_from",
    "parse_config",
    "warnings",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Domain:
    """One CodeDeploy deployment group and its blue/green pair."""

    name: str
    application: str
    deployment_group: str
    listener_port: int | None
    channel: str
    policy: Policy
    probes: tuple[Probe, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """The whole file. `policy` and `channel` are the defaults; `people` maps a login to a Slack user."""

    channel: str
    policy: Policy
    domains: Mapping[str, Domain]
    admins: tuple[str, ...] = ()
    people: Mapping[str, str] = field(default_factory=dict)
    probe_hosts: frozenset[str] = frozenset()
    freezes: tuple[ConfiguredFreeze, ...] = ()
    _by_group: Mapping[tuple[str, str], Domain] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_group = {(domain.application, domain.deployment_group): domain for domain in self.domains.values()}
        object.__setattr__(self, "domains", MappingProxyType(dict(self.domains)))
        object.__setattr__(self, "people", MappingProxyType(dict(self.people)))
        object.__setattr__(self, "_by_group", MappingProxyType(by_group))

    def find_domain(self, application: str, deployment_group: str) -> Domain | None:
        """The domain that a CodeDeploy application and deployment group are; None: not configured."""
        return self._by_group.get((application, deployment_group))


def load_config(path: Path) -> Config:
    """Reads a file. Raises `ConfigError` with every problem found."""
    return load_from(FileSource(path))


def load_from(source: ConfigSource) -> Config:
    """Blocks while the source is read. Raises `ConfigError` with every problem found."""
    return parse_config(source.read(), file=source.name)


def parse_config(text: str, *, file: str) -> Config:
    """`file` is only named in problems. Raises `ConfigError`."""
    found = read_file(text, file=file)
    problems = [*found.problems, *file_problems(found)]
    if problems or found.slack is None or found.policy is None:
        raise ConfigError(*problems)
    default = found.policy
    channel = found.slack.channel
    exclusivity = exclusivity_of(found)
    return Config(
        channel=channel,
        admins=tuple(found.slack.admins),
        policy=policy_from(default, PolicyTable()),
        people=found.people,
        probe_hosts=frozenset(found.probes.allowed_hosts),
        freezes=tuple(table.to_freeze() for _, table in found.freezes),
        domains={
            name: _domain(name, table, default, channel, exclusivity[name])
            for name, table in found.domains.items()
        },
    )


def count_domains(config: Config) -> str:
    """The number of domains: `1 domain`, `8 domains`."""
    count = len(config.domains)
    return "1 domain" if count == 1 else f"{count} domains"


def warnings(config: Config) -> list[str]:
    """Valid settings that are probably not meant, one sentence each."""
    domains = config.domains.values()
    said = []
    if not config.people and not all(domain.policy.own_deployment for domain in domains):
        said.append(
            "own_deployment = false, but [people] is empty: nobody's own deployment can be recognised; "
            'add lines such as "github-login" = "U01KIM"'
        )
    observed = [name for name, domain in config.domains.items() if domain.policy.observe]
    if observed:
        said.append(
            f'no deployment of {", ".join(observed)} is held, because mode = "observe": '
            'write mode = "enforce" after the first week'
        )
    one_person = [name for name, domain in config.domains.items() if needs_known_deployer(domain.policy)]
    if one_person:
        said.append(
            f"only one person can approve {', '.join(one_person)}, and two are asked where the deployer is unknown: "
            'have the pipeline set the tag github-actor, name more approvers, or write unknown_deployer = "allow"'
        )
    return said


def _domain(
    name: str, table: DomainTable, default: PolicyTable, channel: str, exclusivity: Exclusivity
) -> Domain:
    return Domain(
        name=name,
        application=table.application,
        deployment_group=table.deployment_group,
        listener_port=table.listener_port,
        channel=table.channel or channel,
        policy=replace(policy_from(default, table.policy()), exclusivity=exclusivity),
        probes=tuple(each.to_probe() for each in table.probe),
    )
