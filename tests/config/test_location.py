"""Where SWITCHGATE_CONFIG says that the configuration is."""

from pathlib import Path

import pytest

from app.config.location import (
    ConfigFile,
    ConfigLocation,
    ConfigObject,
    ConfigParameter,
    ConfigText,
    config_location,
)

TEXT = '[slack]\nchannel = "C01DEPLOY"'


@pytest.mark.parametrize(
    ("value", "location"),
    [
        ("switchgate.toml", ConfigFile(Path("switchgate.toml"))),
        ("/etc/switchgate/switch gate.toml", ConfigFile(Path("/etc/switchgate/switch gate.toml"))),
        ("s3-copy/switchgate.toml", ConfigFile(Path("s3-copy/switchgate.toml"))),
        (
            "s3://klp-config/prod/switchgate.toml",
            ConfigObject(bucket="klp-config", key="prod/switchgate.toml"),
        ),
        ("ssm:/switchgate/config", ConfigParameter("/switchgate/config")),
        ("ssm:switchgate-config:3", ConfigParameter("switchgate-config:3")),
        (
            "ssm:arn:aws:ssm:ap-northeast-2:123456789012:parameter/shared/switchgate",
            ConfigParameter("arn:aws:ssm:ap-northeast-2:123456789012:parameter/shared/switchgate"),
        ),
        (TEXT, ConfigText(TEXT)),
        ('slack.channel = "C01DEPLOY"\n', ConfigText('slack.channel = "C01DEPLOY"\n')),
        (
            "[slack]",
            ConfigText("[slack]"),
        ),  # a text that lost its line ends is reported as TOML, not as a path
    ],
)
def test_a_value_is_a_place(value: str, location: ConfigLocation) -> None:
    assert config_location(value) == location


@pytest.mark.parametrize(
    ("value", "begins"),
    [
        ("s3://klp-config", "s3:"),
        ("s3://klp-config/", "s3:"),
        ("s3:/klp-config/switchgate.toml", "s3:"),
        ("s3://KLP_Config/switchgate.toml", "s3:"),
        ("ssm:", "ssm:"),
        ("ssm://switchgate/config", "ssm:"),
        ("https://config.internal/switchgate.toml", "https://"),
        ("file:///etc/switchgate.toml", "file://"),
    ],
)
def test_a_place_that_cannot_be_read_is_refused(value: str, begins: str) -> None:
    with pytest.raises(ValueError, match=f"^begins with {begins} and names no place"):
        config_location(value)
