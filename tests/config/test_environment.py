"""The environment: what is read, what is refused, and how that is said."""

import re
from pathlib import Path

import pytest

from app.config.environment import Settings, SettingsError, load_database_url, load_settings
from app.config.environment_values import Scope

ENOUGH = {
    "SWITCHGATE_HOOK_SECRETS": "2026a:a-secret-of-the-hook",
    "SLACK_BOT_TOKEN": "xoxb-anything",
    "SLACK_APP_TOKEN": "xapp-anything",
    "AWS_REGION": "ap-northeast-2",
}


def refused(**changed: str) -> list[str]:
    """The error lines for `ENOUGH` with some variables changed."""
    with pytest.raises(SettingsError) as refusal:
        load_settings({**ENOUGH, **changed})
    return str(refusal.value).splitlines()


def test_the_least_that_is_needed_is_enough_and_the_rest_has_defaults() -> None:
    settings = load_settings(ENOUGH)
    assert settings.slack_bot_token.get_secret_value() == "xoxb-anything"
    assert settings.slack_app_token is not None
    assert settings.slack_signing_secret is None
    assert settings.region == "ap-northeast-2"
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.config == "switchgate.toml"
    assert (settings.locale, settings.log_level, settings.log_format) == ("en", "INFO", None)
    assert (settings.database_url, settings.slack_api_url, settings.api_tokens) == (None, None, {})


def test_every_variable_of_the_contract_is_read() -> None:
    settings = load_settings(
        {
            **ENOUGH,
            "DATABASE_URL": "postgresql://u:p@h:5433/d?sslmode=require",
            "DATABASE_OWNER_URL": "postgresql://o:p@h:5433/d?sslmode=require",
            "SWITCHGATE_CONFIG": "/etc/switchgate/switchgate.toml",
            "SWITCHGATE_HOOK_SECRETS": "a:sixteen-characters, b.2:sixteen:with:colons,",
            "SWITCHGATE_LOCALE": "ko",
            "SLACK_SIGNING_SECRET": "shhh",
            "SLACK_API_URL": "http://127.0.0.1:9000/api",
            "SWITCHGATE_API_TOKENS": "grafana:a-token-of-an-api",
            "HOST": "0.0.0.0",
            "PORT": "9090",
            "SWITCHGATE_LOG_FORMAT": "console",
            "SWITCHGATE_LOG_LEVEL": "debug",
        }
    )
    secrets = {kid: secret.get_secret_value() for kid, secret in settings.hook_secrets.items()}
    assert secrets == {"a": "sixteen-characters", "b.2": "sixteen:with:colons"}
    assert settings.api_tokens["grafana"].secret.get_secret_value() == "a-token-of-an-api"
    assert settings.database_url == "postgresql://u:p@h:5433/d?sslmode=require"
    assert settings.database_owner_url == "postgresql://o:p@h:5433/d?sslmode=require"
    assert settings.slack_signing_secret is not None
    assert settings.slack_api_url == "http://127.0.0.1:9000/api/"
    assert (settings.locale, settings.host, settings.port) == ("ko", "0.0.0.0", 9090)
    assert (settings.log_format, settings.log_level) == ("console", "DEBUG")
    assert settings.config == "/etc/switchgate/switchgate.toml"


def test_an_empty_environment_is_told_every_variable_at_once_with_an_example() -> None:
    with pytest.raises(SettingsError) as refusal:
        load_settings({})
    lines = str(refusal.value).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "SWITCHGATE_HOOK_SECRETS",
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
        "AWS_REGION",
    ]
    for line in lines:
        name = line.split(":")[0]
        assert f"For example {name}=" in line
    assert "and neither is SLACK_APP_TOKEN" in lines[2]


def test_empty_and_blank_count_as_unset_and_line_ends_of_secret_files_do_not_matter() -> None:
    settings = load_settings(
        {**ENOUGH, "SLACK_BOT_TOKEN": "xoxb-from-a-file\n", "PORT": "", "SLACK_API_URL": "  "}
    )
    assert settings.slack_bot_token.get_secret_value() == "xoxb-from-a-file"
    assert settings.port == 8080
    assert settings.slack_api_url is None


def test_http_mode_needs_the_signing_secret_and_socket_mode_does_not() -> None:
    assert refused(SLACK_APP_TOKEN="")[0].startswith("SLACK_SIGNING_SECRET: is not set")
    settings = load_settings({**ENOUGH, "SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": "shhh"})
    assert settings.slack_app_token is None


def test_a_malformed_app_token_is_one_problem_not_two() -> None:
    lines = refused(SLACK_APP_TOKEN="xoxb-the-wrong-one")
    assert len(lines) == 1
    assert lines[0].startswith("SLACK_APP_TOKEN: is no token of the right kind: it begins with xapp-")


def test_the_other_name_of_the_region_is_read_and_the_first_one_wins() -> None:
    assert (
        load_settings({**ENOUGH, "AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-1"}).region == "eu-west-1"
    )
    assert load_settings({**ENOUGH, "AWS_DEFAULT_REGION": "eu-west-1"}).region == "ap-northeast-2"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("DATABASE_URL", "mysql://h/d", "begins with postgresql://"),
        ("DATABASE_URL", "postgresql:d", "begins with postgresql://"),
        ("DATABASE_URL", "postgresql://u:pa#ss@h/d", "percent-encode"),
        ("SWITCHGATE_HOOK_SECRETS", "just-a-secret-without-a-kid", "entry 1 has no colon"),
        ("SWITCHGATE_HOOK_SECRETS", "a:sixteen-characters,b:short", "entry 2 has a secret of 5 characters"),
        ("SWITCHGATE_HOOK_SECRETS", "a/b:sixteen-characters", "entry 1 has a name of another shape"),
        ("SWITCHGATE_HOOK_SECRETS", ":sixteen-characters", "entry 1 has a name of another shape"),
        ("SWITCHGATE_HOOK_SECRETS", "a:sixteen-characters,a:another-secret-of-it", "entry 2 has the name of"),
        ("SWITCHGATE_HOOK_SECRETS", ",", "names no entry"),
        ("SWITCHGATE_API_TOKENS", "grafana:short", "entry 1 has a secret of 5 characters"),
        ("SWITCHGATE_API_TOKENS", "ci:a-token-of-an-api:", "entry 1 ends in something else than scopes"),
        (
            "SWITCHGATE_API_TOKENS",
            "ci:a-token-of-an-api:switches:undo",
            "read, checks, freezes, switches:withdraw",
        ),
        ("SWITCHGATE_LOCALE", "fr", "is none of en, ko"),
        ("SLACK_BOT_TOKEN", "xoxp-of-a-person", "begins with xoxb-"),
        ("SLACK_BOT_TOKEN", "xoxb-", "begins with xoxb-"),
        ("SLACK_BOT_TOKEN", "xoxb-two words", "holds blanks"),
        ("SLACK_API_URL", "ftp://h/", "begins with http:// or https://"),
        ("SLACK_API_URL", "http://h:port/", "is malformed"),
        ("SLACK_API_URL", "https://h/api?x=1", "without ? and #"),
        ("SLACK_API_URL", "http://slack.internal/api/", "https is needed"),
        ("SLACK_API_URL", "http://127.0.0.1.evil.example/api/", "https is needed"),
        ("PORT", "http", "is no whole number from 0 to 65535."),
        ("PORT", "80.5", "is no whole number from 0 to 65535."),
        ("PORT", "9" * 5000, "is no whole number from 0 to 65535."),
        ("PORT", "-1", "is no whole number from 0 to 65535."),
        ("PORT", "70000", "is no whole number from 0 to 65535."),
        ("AWS_REGION", "Seoul!", "is no AWS region"),
        ("SWITCHGATE_LOG_FORMAT", "xml", "is none of json, console"),
        ("SWITCHGATE_LOG_LEVEL", "loud", "is none of DEBUG, INFO"),
    ],
)
def test_a_malformed_variable_is_named_with_what_is_wrong_and_an_example(
    variable: str, value: str, said: str
) -> None:
    lines = refused(**{variable: value})
    assert len(lines) == 1
    assert lines[0].startswith(f"{variable}: ")
    assert said in lines[0]
    assert f"For example {variable}=" in lines[0]


def test_a_secret_that_can_be_guessed_is_taken_and_named() -> None:
    short = load_settings(
        {
            **ENOUGH,
            "SWITCHGATE_HOOK_SECRETS": f"kid1:secret1,kid2:{'x' * 16}",
            "SWITCHGATE_API_TOKENS": "grafana:fifteen-of-them:read",
        }
    )
    assert short.weak_secrets() == ("SWITCHGATE_HOOK_SECRETS kid1", "SWITCHGATE_API_TOKENS grafana")
    assert load_settings(ENOUGH).weak_secrets() == ()


MADE = "0123456789abcdef" * 4


def examples() -> dict[str, str]:
    """The example of every variable, as a person follows it who has run what it says to run, each time anew."""
    found = {}
    for field in Settings.model_fields.values():
        alias = field.validation_alias
        name = alias if isinstance(alias, str) else str(getattr(alias, "choices", [""])[0])
        value, _, how = str((field.examples or [""])[0]).partition(", where ")
        for place, word in enumerate(re.findall(r"\b[A-Z]{3,}\b", value) if how else ()):
            assert "`openssl rand -hex 32`" in how
            assert word in how
            value = value.replace(word, f"{place}{MADE[1:]}")
        found[name] = value
    return found


def test_every_example_is_taken_once_it_is_followed() -> None:
    settings = load_settings(examples())
    assert list(settings.hook_secrets) == ["2026a"]
    assert settings.api_tokens["ci"].scopes == {"checks"}
    assert not [value for value in examples().values() if "…" in value]


def test_a_secret_is_not_to_be_copied_from_an_example() -> None:
    for variable in ("SWITCHGATE_HOOK_SECRETS", "SWITCHGATE_API_TOKENS"):
        (line,) = refused(**{variable: "a:short"})
        example = line.partition(f"For example {variable}=")[2]
        assert "`openssl rand -hex 32`" in example
        assert refused(**{variable: example.partition(", where ")[0]})


SECRET = "hunter2-hunter2-hunter2"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", f"mysql://u:{SECRET}@h/d"),
        ("DATABASE_URL", f"postgresql://u:{SECRET}#@h/d"),
        ("DATABASE_OWNER_URL", f"mysql://u:{SECRET}@h/d"),
        ("SWITCHGATE_HOOK_SECRETS", SECRET),
        ("SWITCHGATE_HOOK_SECRETS", f"a b:{SECRET}"),
        ("SWITCHGATE_API_TOKENS", f"{SECRET}:short"),
        ("SLACK_BOT_TOKEN", SECRET),
        ("SLACK_APP_TOKEN", SECRET),
    ],
)
def test_a_refusal_never_repeats_what_may_be_a_secret(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load_settings({**ENOUGH, variable: value})
    assert SECRET not in str(refusal.value)
    assert refusal.value.__suppress_context__


def test_the_settings_print_no_secret_and_list_every_one_for_the_log_to_mask() -> None:
    settings = load_settings(
        {
            **ENOUGH,
            "SLACK_SIGNING_SECRET": "signing-secret",
            "SWITCHGATE_API_TOKENS": "grafana:a-token-of-an-api",
            "DATABASE_URL": "postgresql://u:p%40ssword@h/d?sslmode=require",
            "DATABASE_OWNER_URL": "postgresql://h/d?user=o&password=the%2Bowners&sslmode=require&sslpassword=of-the-key",
        }
    )
    secrets = {
        "the%2Bowners",
        "the+owners",
        "of-the-key",
        "xoxb-anything",
        "xapp-anything",
        "signing-secret",
        "a-secret-of-the-hook",
        "a-token-of-an-api",
        "p%40ssword",
        "p@ssword",
    }
    assert set(settings.secrets()) == secrets
    assert not [secret for secret in secrets if secret in repr(settings)]


def test_settings_cannot_be_changed_and_read_nothing_but_what_they_are_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PORT", "1234")
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("PORT=4321\n")
    settings: Settings = load_settings(ENOUGH)
    assert settings.port == 8080
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1  # type: ignore[misc]  # the type says so too


def test_a_command_that_needs_only_the_database_asks_for_nothing_else() -> None:
    assert load_database_url({}) is None
    assert load_database_url({"DATABASE_URL": " "}) is None
    assert load_database_url({"DATABASE_URL": "postgresql:///d?host=/tmp"}) == "postgresql:///d?host=/tmp"
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: is no address .* For example DATABASE_URL="):
        load_database_url({"DATABASE_URL": "sqlite:///file"})


@pytest.mark.parametrize(
    "mode", ["", "?sslmode=prefer", "?sslmode=allow", "?connect_timeout=3", "?sslmode=no"]
)
@pytest.mark.parametrize("host", ["db.internal", "10.0.0.7:5433", "[fd00::7]"])
def test_a_database_elsewhere_is_refused_without_encryption(host: str, mode: str) -> None:
    (line,) = refused(DATABASE_URL=f"postgresql://u:p@{host}/d{mode}")
    assert "sslmode=verify-full (or require)" in line


def test_a_host_in_the_query_counts_too() -> None:
    (line,) = refused(DATABASE_URL="postgresql://u@/d?host=/tmp,db.internal")
    assert "sslmode=verify-full" in line


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@db.internal/d?sslmode=require",
        "postgresql://u:p@db.internal/d?sslmode=verify-ca",
        "postgresql://u:p@db.internal/d?connect_timeout=3&sslmode=verify-full",
        "postgresql://u:p@127.0.0.1/d",
        "postgresql://u:p@[::1]:5433/d?sslmode=disable",
        "postgresql://u:p@localhost/d",
        "postgresql://u@/d?host=%2Fvar%2Frun%2Fpostgresql",
        "postgresql:///d",
    ],
)
def test_an_encrypted_or_local_database_is_taken_without_a_warning(url: str) -> None:
    assert not load_settings({**ENOUGH, "DATABASE_URL": url}).has_unencrypted_database()


def test_a_database_elsewhere_may_be_unencrypted_where_that_is_said_and_is_warned_of() -> None:
    url = "postgresql://u:p@db.internal/d?sslmode=disable"
    assert load_settings({**ENOUGH, "DATABASE_URL": url}).has_unencrypted_database()


def test_every_example_of_a_database_url_is_accepted() -> None:
    root = Path(__file__).parents[2]
    texts = [root / "README.md", root / "switchgate.example.toml", root / "ARCHITECTURE.md"]
    for folder in ("app", "docker", "docs"):
        texts += [
            path
            for path in sorted((root / folder).rglob("*"))
            if path.suffix in {"", ".py", ".md", ".yaml", ".toml"}
        ]
    examples = {
        (str(path.relative_to(root)), found)
        for path in texts
        if path.is_file()
        for found in re.findall(r"postgresql://\w+:[^\s\"`,]+@[^\s\"`,]+", path.read_text(encoding="utf-8"))
    }
    assert {
        "README.md",
        "docs/configuration.md",
        "app/db/embedded/postgres.py",
        "docker/entrypoint",
    } <= {path for path, _ in examples}
    for path, example in sorted(examples):
        url = example.removesuffix(".")
        assert load_database_url({"DATABASE_URL": url}) == url, path


@pytest.mark.parametrize(
    ("entry", "token", "scopes"),
    [
        ("a-token-of-an-api", "a-token-of-an-api", {Scope.READ}),
        ("a-token-of-an-api:checks", "a-token-of-an-api", {Scope.CHECKS}),
        ("a-token-of-an-api:switches:withdraw", "a-token-of-an-api", {Scope.WITHDRAW}),
        ("a-token:read+switches:withdraw+checks", "a-token", {Scope.READ, Scope.WITHDRAW, Scope.CHECKS}),
        ("a-token:with-a-colon:read", "a-token:with-a-colon", {Scope.READ}),
    ],
)
def test_a_scope_may_hold_a_colon(entry: str, token: str, scopes: set[Scope]) -> None:
    settings = load_settings({**ENOUGH, "SWITCHGATE_API_TOKENS": f"ci:{entry}"})
    assert settings.api_tokens["ci"].secret.get_secret_value() == token
    assert settings.api_tokens["ci"].scopes == scopes
