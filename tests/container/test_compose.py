"""docker/compose.yaml.

`compose-spec.json` is the Compose Specification's own schema (compose-spec project, Apache-2.0), unchanged.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.container.files import DOCKER, compose, contract, dockerfile, example_env

SERVICES: dict[str, dict[str, Any]] = compose()["services"]
OF_POSTGRES_IMAGE = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"}
OF_THIS_FILE = {"DATABASE_PASSWORD"}
"""Parts of other variables: in .env only."""


def test_it_is_valid_by_the_compose_specifications_schema() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
    problems = [f"{e.json_path}: {e.message}" for e in Draft202012Validator(schema).iter_errors(compose())]
    assert problems == []


@pytest.mark.parametrize("name", SERVICES)
def test_no_image_is_whatever_is_latest(name: str) -> None:
    _, _, tag = SERVICES[name]["image"].partition(":")
    assert tag not in ("", "latest")


def test_postgres_18_keeps_its_data_in_a_volume_where_it_looks_for_it() -> None:
    postgres = SERVICES["postgres"]
    assert postgres["image"] == "postgres:18"
    assert postgres["volumes"] == ["record:/var/lib/postgresql"]
    assert "record" in compose()["volumes"]
    assert "ports" not in postgres


def test_the_database_answers_before_the_migration_and_that_succeeds_before_the_service() -> None:
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert SERVICES["switchgate"]["depends_on"] == {
        "migrate": {"condition": "service_completed_successfully"}
    }
    assert "--host=127.0.0.1" in SERVICES["postgres"]["healthcheck"]["test"]


def test_the_owner_of_the_tables_migrates_and_the_service_has_a_role_of_its_own() -> None:
    migrate, serve = SERVICES["migrate"]["environment"], SERVICES["switchgate"]["environment"]
    assert SERVICES["migrate"]["command"] == ["migrate", "--create-role"]
    assert (SERVICES["switchgate"]["entrypoint"], SERVICES["switchgate"]["command"]) == (
        ["switchgate"],
        ["serve"],
    )
    assert migrate["DATABASE_OWNER_URL"].startswith(
        f"postgresql://{SERVICES['postgres']['environment']['POSTGRES_USER']}:${{POSTGRES_PASSWORD}}@"
    )
    assert migrate["DATABASE_URL"] == serve["DATABASE_URL"]
    assert serve["DATABASE_URL"].startswith("postgresql://switchgate_service:${DATABASE_PASSWORD:?")
    assert "DATABASE_OWNER_URL" not in serve
    assert serve["POSTGRES_PASSWORD"] == ""  # .env has it
    assert "env_file" not in SERVICES["migrate"]


def test_every_service_has_a_health_check() -> None:
    assert "healthcheck" in SERVICES["postgres"]
    assert "build" in SERVICES["switchgate"]
    assert [i for i in dockerfile()[-1] if i.name == "HEALTHCHECK"]


@pytest.mark.parametrize("name", ["migrate", "switchgate"])
def test_the_service_can_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.keys() & {"privileged", "cap_add", "user", "network_mode", "pid"}
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_the_configuration_is_mounted_where_the_image_looks_for_it_and_cannot_be_written() -> None:
    (mount,) = SERVICES["switchgate"]["volumes"]
    (env,) = [i for i in dockerfile()[-1] if i.name == "ENV"]
    assert f"SWITCHGATE_CONFIG={mount['target']}/switchgate.toml" in env.words()
    assert mount["read_only"] is True
    assert mount["bind"] == {"create_host_path": False}


def test_no_secret_is_written_into_it() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|KEY", name):
                assert value.startswith("${") or value == ""
            assert not re.search(r"://[^:]+:[^$@]", value), name
    assert {name for name, value in example_env().items() if value} == {"SWITCHGATE_LOCALE", "AWS_REGION"}


def test_every_variable_is_one_of_the_contract() -> None:
    named = {name for service in SERVICES.values() for name in service.get("environment", {})}
    assert "DATABASE_URL" in contract()
    assert named - OF_POSTGRES_IMAGE <= contract()
    assert set(example_env()) - OF_POSTGRES_IMAGE - OF_THIS_FILE <= contract()


def test_every_variable_that_it_asks_for_is_in_the_example() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", (DOCKER / "compose.yaml").read_text()))
    assert asked - {"SWITCHGATE_VERSION"} <= set(example_env())
    assert SERVICES["switchgate"]["env_file"] == ".env"
