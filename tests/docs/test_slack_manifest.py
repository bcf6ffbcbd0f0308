"""The manifest that people create their Slack app from asks for what the service needs, and for nothing else."""

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from app.sandbox.slack.state.credentials import DEFAULT_SCOPES, NEEDED
from app.slack.manifest import BOT_SCOPES, EVENTS, OPTIONAL_SCOPES, NotAnAddress, manifest_text

APP: Final = Path(__file__).parents[2] / "app"
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


def test_the_file_is_what_the_command_prints() -> None:
    assert MANIFEST.read_text(encoding="utf-8") == manifest_text()


def test_it_subscribes_to_what_the_code_listens_to() -> None:
    source = (APP / "slack" / "app.py").read_text(encoding="utf-8")
    table = source[source.index("events: Listeners") :].partition("}")[0]
    assert set(re.findall(r'"(\w+)": handlers', table)) == set(EVENTS)


def test_each_scope_is_used_by_a_call_of_the_code() -> None:
    """The command needs one without a call, and so does the event channel_id_changed of private channels."""
    source = "".join(path.read_text(encoding="utf-8") for path in (APP / "slack").rglob("*.py"))
    used = [needed for method, needed in NEEDED.items() if f"{method.replace('.', '_')}(" in source]
    assert all({*BOT_SCOPES, *OPTIONAL_SCOPES} & {*needed} for needed in used)
    of_calls = {scope for needed in used for scope in needed}
    assert set(BOT_SCOPES) - of_calls == {"commands", "groups:read"}


def test_in_http_mode_slack_sends_to_the_given_address() -> None:
    for url in ("https://switchgate.example.com", "https://switchgate.example.com/slack/events/"):
        read = yaml.safe_load(manifest_text(url))
        address = "https://switchgate.example.com/slack/events"
        assert read["features"]["slash_commands"][0]["url"] == address
        assert read["settings"]["interactivity"] == {"is_enabled": True, "request_url": address}
        assert read["settings"]["event_subscriptions"]["request_url"] == address
        assert read["settings"]["socket_mode_enabled"] is False
        assert read["oauth_config"] == yaml.safe_load(manifest_text())["oauth_config"]


@pytest.mark.parametrize(
    "url", ["http://h", "h", "https://", "https://h:port", "https://u:p@h", "https://h?x=1", 'https://h/"\n']
)
def test_no_other_address_is_taken(url: str) -> None:
    with pytest.raises(NotAnAddress):
        manifest_text(url)


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
