"""Opens the place that SWITCHGATE_CONFIG, or an argument in its stead, names."""

from collections.abc import Mapping
from typing import assert_never

from app.config.location import (
    DEFAULT_LOCATION,
    VARIABLE,
    ConfigFile,
    ConfigObject,
    ConfigParameter,
    ConfigText,
    config_location,
)
from app.config.schema import ConfigError, Problem
from app.config.source import ConfigSource, FileSource, TextSource


def configured_source(environ: Mapping[str, str]) -> ConfigSource:
    """That of the environment. Raises `ConfigError`."""
    return config_source(environ.get(VARIABLE, "").strip() or DEFAULT_LOCATION)


def config_source(value: str) -> ConfigSource:
    """Raises `ConfigError` if it names no place."""
    try:
        location = config_location(value)
    except ValueError as exc:
        remedy = f"For example {VARIABLE}=s3://klp-config/switchgate.toml."
        raise ConfigError(Problem(file=VARIABLE, key="", what=str(exc), remedy=remedy)) from None
    match location:
        case ConfigFile(path=path):
            return FileSource(path)
        case ConfigText(text=text):
            return TextSource(text)
        case ConfigObject():
            from app.aws.config_source import S3Source  # boto3 takes a while to import

            return S3Source(location)
        case ConfigParameter():
            from app.aws.config_source import ParameterSource

            return ParameterSource(location)
        case _:
            assert_never(location)
