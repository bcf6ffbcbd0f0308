"""The environment variables, read once and validated together. No other module reads them."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from app.config.database_urls import DatabaseUrls
from app.config.environment_values import (
    ADVISED_SECRET_CHARS,
    ApiToken,
    database_is_remote,
    database_sslmode,
    http_base_url,
    is_signing_secret,
    level_name,
    named_secrets,
    postgres_url,
    region_name,
    signing_secret,
    slack_token,
)
from app.config.environment_values import api_tokens as read_api_tokens
from app.config.location import DEFAULT_LOCATION, VARIABLE, location_text

HIGHEST_PORT: Final = 65_535
SIGNING_FORM_WARNING: Final = (
    "is not made of the 32 hexadecimal digits that Slack gives; unless it is right, every request is refused."
    " Copy it from the app's page, Basic Information"
)


UNENCRYPTED_WARNING: Final = (
    "sslmode=disable: passwords and decisions travel unencrypted to another machine;"
    " write sslmode=verify-full unless nobody else is in that network"
)

OWNER_URL_WARNING: Final = (
    "is set here, where the service does not need it: only switchgate migrate does. Without it the service's password"
    " does not suffice to change the tables"
)


class SettingsError(Exception):
    """Environment variables that are missing or malformed: one line each, never with a secret in it."""


class Settings(BaseSettings):
    """The validated environment. Build it with `load_settings`."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, use_attribute_docstrings=True
    )
    # The docstrings below are the descriptions in docs/configuration.md (`make docs`).

    database_url: Annotated[str | None, AfterValidator(postgres_url)] = Field(
        default=None,
        repr=False,
        validation_alias="DATABASE_URL",
        examples=["postgresql://switchgate:password@db.internal:5432/switchgate?sslmode=verify-full"],
    )
    """Address of the database. On another machine it must name `sslmode=verify-full`, `verify-ca` or `require`;
    `sslmode=disable` is accepted with a warning. Unset: an embedded Postgres in the data folder of the user, to which
    only this user can connect (needs the extra `sandbox`)."""

    database_owner_url: Annotated[str | None, AfterValidator(postgres_url)] = Field(
        default=None,
        repr=False,
        validation_alias="DATABASE_OWNER_URL",
        examples=["postgresql://switchgate_owner:password@db.internal:5432/switchgate?sslmode=verify-full"],
    )
    """The same database by the role that owns the tables, for `switchgate migrate` alone: it migrates as this role and
    grants the role of `DATABASE_URL` what the service needs. Unset: `DATABASE_URL`. See
    [permissions](permissions.md#postgres)."""

    config: Annotated[str, AfterValidator(location_text)] = Field(
        default=DEFAULT_LOCATION, validation_alias=VARIABLE, examples=["s3://klp-config/switchgate.toml"]
    )
    """Where `switchgate.toml` is: a path, `s3://bucket/key` (at most 1 MiB), `ssm:/parameter/name` (SSM takes 4 KB, 8
    KB in the advanced tier), or the TOML text itself, in several lines. An object in S3 and a parameter are read again
    every minute; see [permissions](permissions.md#aws-the-configuration)."""

    hook_secrets: Annotated[dict[str, SecretStr], BeforeValidator(named_secrets)] = Field(
        validation_alias="SWITCHGATE_HOOK_SECRETS",
        examples=["2026a:SECRET, where SECRET is what `openssl rand -hex 32` prints"],
    )
    """Keys that may sign hooks and state changes: `kid1:secret1,kid2:secret2`. Give two during a rotation."""

    locale: Literal["en", "ko"] = Field(default="en", validation_alias="SWITCHGATE_LOCALE", examples=["ko"])
    """Language of cards and threads. Replies to one person are in the language of that person's Slack."""

    slack_bot_token: Annotated[SecretStr, AfterValidator(slack_token("xoxb-"))] = Field(
        validation_alias="SLACK_BOT_TOKEN", examples=["xoxb-123-456-AbCdEf"]
    )
    """The app's bot token."""

    slack_app_token: Annotated[SecretStr, AfterValidator(slack_token("xapp-"))] | None = Field(
        default=None, validation_alias="SLACK_APP_TOKEN", examples=["xapp-1-A012-345-abcdef"]
    )
    """App-level token of Socket Mode. Unset: HTTP mode, in which Slack sends requests to `/slack/events`."""

    slack_signing_secret: SecretStr | None = Field(
        default=None,
        validate_default=True,
        validation_alias="SLACK_SIGNING_SECRET",
        examples=["8f742231b10e8888abcd99bbbccc85a5"],
    )
    """Verifies Slack's requests in HTTP mode: 32 hexadecimal digits. Required when `SLACK_APP_TOKEN` is not set."""

    slack_api_url: Annotated[str | None, AfterValidator(http_base_url)] = Field(
        default=None, validation_alias="SLACK_API_URL", examples=["http://127.0.0.1:9000/api/"]
    )
    """Base URL of the Web API, for stand-ins. Plain http is accepted for loopback only. Unset: Slack's own."""

    api_tokens: Annotated[dict[str, ApiToken], BeforeValidator(read_api_tokens)] = Field(
        default_factory=dict,
        validation_alias="SWITCHGATE_API_TOKENS",
        examples=[
            "grafana:ONE,ci:ANOTHER:checks, where ONE and ANOTHER are what `openssl rand -hex 32` prints"
        ],
    )
    """Bearer tokens of `/api/v1`, by the caller's name: `name:token` or `name:token:scope+scope`, with a comma between
    two. Scopes are `read`, `checks`, `freezes` and `switches:withdraw`; a token without a scope has `read`. Unset: the
    API can only be read, and only under a loopback host name."""

    region: Annotated[str, AfterValidator(region_name)] = Field(
        validation_alias=AliasChoices("AWS_REGION", "AWS_DEFAULT_REGION"), examples=["ap-northeast-2"]
    )
    """Region of the CodeDeploy applications."""

    host: str = Field(default="127.0.0.1", validation_alias="HOST", examples=["0.0.0.0"])
    """Address to listen on. The container image sets `0.0.0.0`."""

    port: int = Field(default=8080, ge=0, le=HIGHEST_PORT, validation_alias="PORT", examples=["8080"])
    """Port to listen on; 0: any free port."""

    log_format: Literal["json", "console"] | None = Field(
        default=None, validation_alias="SWITCHGATE_LOG_FORMAT", examples=["json"]
    )
    """Form of the log. Unset: `console` on a terminal, otherwise `json`."""

    log_level: Annotated[str, AfterValidator(level_name)] = Field(
        default="INFO", validation_alias="SWITCHGATE_LOG_LEVEL", examples=["INFO"]
    )
    """`DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`."""

    @field_validator("slack_signing_secret")
    @classmethod
    def _needed_without_socket_mode(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        # A malformed app token is missing from `data`. It is reported by itself, and still means Socket Mode.
        if value is None and info.data.get("slack_app_token", "malformed") is None:
            raise ValueError(
                "is not set, and neither is SLACK_APP_TOKEN: in HTTP mode Slack's presses are proved by it"
            )
        return signing_secret(value) if info.data.get("slack_app_token", "malformed") is None else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only the values that `load_settings` passes: no .env file, no process-wide state."""
        return (init_settings,)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Raises pydantic's `ValidationError`; see `load_settings`."""
        names = {name for each in cls.model_fields.values() for name in _variables(each)}
        return cls.model_validate(_non_empty(environ, names))

    def secrets(self) -> tuple[str, ...]:
        """Every configured secret value, for redaction in logs."""
        single = [self.slack_bot_token, self.slack_app_token, self.slack_signing_secret]
        tokens = [token.secret for token in self.api_tokens.values()]
        known = [*single, *self.hook_secrets.values(), *tokens]
        values = [secret.get_secret_value() for secret in known if secret is not None]
        urls = DatabaseUrls(url=self.database_url, owner_url=self.database_owner_url)
        return tuple(value for value in [*values, *urls.passwords()] if value)

    def has_unencrypted_database(self) -> bool:
        """Whether the database is on another machine and `sslmode=disable` says to use no TLS."""
        url = self.database_url
        return url is not None and database_is_remote(url) and database_sslmode(url) == "disable"

    def has_unusual_signing_secret(self) -> bool:
        """Whether HTTP mode's signing secret has another form than Slack gives it."""
        secret = self.slack_signing_secret
        return self.slack_app_token is None and secret is not None and not is_signing_secret(secret)

    def weak_secrets(self) -> tuple[str, ...]:
        """The keys and tokens, as `VARIABLE name`, whose secrets are shorter than `ADVISED_SECRET_CHARS`."""
        hooks = {f"SWITCHGATE_HOOK_SECRETS {kid}": secret for kid, secret in self.hook_secrets.items()}
        tokens = {f"SWITCHGATE_API_TOKENS {name}": token.secret for name, token in self.api_tokens.items()}
        return tuple(
            name
            for name, secret in {**hooks, **tokens}.items()
            if len(secret.get_secret_value()) < ADVISED_SECRET_CHARS
        )


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Everything that `serve` needs. An empty variable counts as unset. Raises `SettingsError`."""
    try:
        return Settings.read(environ)
    except ValidationError as exc:
        # `from None`: pydantic's own message may quote the value.
        raise SettingsError("\n".join(_line(dict(error)) for error in exc.errors())) from None


def load_database_url(environ: Mapping[str, str]) -> str | None:
    """DATABASE_URL alone, for commands that need nothing else. Raises `SettingsError`."""
    return _database_url(environ, "DATABASE_URL")


def load_database_urls(environ: Mapping[str, str]) -> DatabaseUrls:
    """Both addresses of the database, for `switchgate migrate`. Raises `SettingsError`."""
    return DatabaseUrls(
        url=load_database_url(environ), owner_url=_database_url(environ, "DATABASE_OWNER_URL")
    )


def _database_url(environ: Mapping[str, str], variable: str) -> str | None:
    try:
        return postgres_url(_non_empty(environ, {variable}).get(variable))
    except ValueError as exc:
        raise SettingsError(_sentence(variable, str(exc))) from None


def _non_empty(environ: Mapping[str, str], names: set[str]) -> dict[str, str]:
    """The variables that are set, stripped of the blanks and line ends that secret files contain."""
    return {name: environ[name].strip() for name in names if environ.get(name, "").strip()}


def _variables(declared: FieldInfo) -> list[str]:
    alias = declared.validation_alias
    return [str(choice) for choice in alias.choices] if isinstance(alias, AliasChoices) else [str(alias)]


def _line(error: dict[str, Any]) -> str:
    match error["type"]:
        case "missing":
            what = "is not set"
        case "value_error":
            what = str(error["ctx"]["error"])
        case "int_parsing" | "int_parsing_size" | "greater_than_equal" | "less_than_equal":
            what = f"is no whole number from 0 to {HIGHEST_PORT}"
        case "literal_error":
            what = f"is none of {str(error['ctx']['expected']).replace(' or ', ', ')}".replace("'", "")
        case _:
            message = str(error["msg"])
            what = message[0].lower() + message[1:]
    return _sentence(str(error["loc"][0]), what)


def _sentence(place: str, what: str) -> str:
    """`place`: a variable, or the field's name where pydantic reports a default."""
    for name, declared in Settings.model_fields.items():
        variables = _variables(declared)
        if place in (name, *variables):
            variable = place if place in variables else variables[0]
            return f"{variable}: {what}. For example {variable}={(declared.examples or [''])[0]}"
    raise LookupError(place)
