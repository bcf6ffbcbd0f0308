"""Where the configuration is, as SWITCHGATE_CONFIG says it."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

VARIABLE: Final = "SWITCHGATE_CONFIG"
DEFAULT_LOCATION: Final = "switchgate.toml"
_OBJECT: Final = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.+)")
_PARAMETER: Final = re.compile(r"ssm:(/?[A-Za-z0-9_.-][A-Za-z0-9_./:-]*)")
_SCHEME: Final = re.compile(r"(s3:|ssm:|[A-Za-z][A-Za-z0-9+.-]+://)")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file of this machine."""

    path: Path


@dataclass(frozen=True, slots=True)
class ConfigText:
    """The TOML text itself."""

    text: str


@dataclass(frozen=True, slots=True)
class ConfigObject:
    """An object in S3."""

    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class ConfigParameter:
    """A parameter of SSM's Parameter Store: a name or an ARN, with a version or a label if one was given."""

    name: str


ConfigLocation = ConfigFile | ConfigText | ConfigObject | ConfigParameter


def config_location(value: str) -> ConfigLocation:
    """Text of several lines, or of a line that begins a table, is TOML. Raises `ValueError`."""
    if "\n" in value or value.startswith("["):
        return ConfigText(value)
    if found := _OBJECT.fullmatch(value):
        return ConfigObject(bucket=found[1], key=found[2])
    if found := _PARAMETER.fullmatch(value):
        return ConfigParameter(found[1])
    if found := _SCHEME.match(value):
        raise ValueError(
            f"begins with {found[1]} and names no place that can be read;"
            " write a path, s3://bucket/key, ssm:/parameter/name or the TOML text"
        )
    return ConfigFile(Path(value))


def location_text(value: str) -> str:
    """The value as it is. Raises `ValueError` if it is no location."""
    config_location(value)
    return value
