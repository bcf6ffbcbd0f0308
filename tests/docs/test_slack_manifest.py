"""The manifest that people create their Slack app from asks for what the service needs, and for nothing else."""

from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from app.sandbox.slack.state.credentials import DEFAULT_SCOPES

MANIFEST: Final = Path(__file__).parents[2] / "docs" / "slack-manifest.yaml"


@pytest.fixture
def manifest() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    return read


def test_it_has_exactly_these_keys(manifest: dict[str, Any]) -> None:
    keys = {section: set(content) for section, content in manifest.items()}
    assert keys == {
        "display_information": {"name", "description", "background_color"},
        "features": {"app_home", "bot_user", "slash_commands"},
        "oauth_config": {"scopes"},
        "settings": {"interactivity", "event_subscriptions", "socket_mode_enabled"},
    }


def test_it_asks_for_these_scopes_and_no_others(manifest: dict[str, Any]) -> None:
    scopes = manifest["oauth_config"]["scopes"]
    assert set(scopes) == {"bot"}
    assert sorted(scopes["bot"]) == sorted(
        [
            "channels:history",
            "chat:write",
            "commands",
            "groups:history",
            "groups:read",
            "im:history",
            "im:write",
            "usergroups:read",
            "users:read",
        ]
    )


def test_the_stand_in_grants_no_more_than_the_manifest(manifest: dict[str, Any]) -> None:
    assert set(DEFAULT_SCOPES) <= set(manifest["oauth_config"]["scopes"]["bot"])


def test_it_is_for_socket_mode_with_home_and_the_one_command(manifest: dict[str, Any]) -> None:
    assert manifest["settings"] == {
        "interactivity": {"is_enabled": True},
        "event_subscriptions": {"bot_events": ["app_home_opened", "channel_id_changed"]},
        "socket_mode_enabled": True,
    }
    assert [command["command"] for command in manifest["features"]["slash_commands"]] == ["/deploys"]
    assert manifest["features"]["app_home"]["home_tab_enabled"]


def test_it_keeps_to_slacks_lengths(manifest: dict[str, Any]) -> None:
    information = manifest["display_information"]
    assert len(information["name"]) <= 35
    assert len(information["description"]) <= 140
    assert len(manifest["features"]["bot_user"]["display_name"]) <= 80
