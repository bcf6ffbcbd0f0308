"""Who deployed, from what a deployment says of itself."""

import pytest

from app.gate.deployer import named_deployer, slack_person


@pytest.mark.parametrize(
    ("description", "login"),
    [
        ("order: partial refunds (4f2a1c) by @minji", "minji"),
        ("github-actor=j.kim git 4f2a1c", "j.kim"),
        ("actor: ana-lopez", "ana-lopez"),
        ("deployed-by=ops@example.com", "ops@example.com"),
        ("retry by hand", None),
        ("a factor=2 change", None),
        ("", None),
    ],
)
def test_a_description_names_its_deployer(description: str, login: str | None) -> None:
    assert named_deployer(description) == login


def test_a_login_is_found_whatever_its_case() -> None:
    assert slack_person("MinJi", people={"minji": "U0MINJI"}) == "U0MINJI"
    assert slack_person("nobody", people={"minji": "U0MINJI"}) is None
    assert slack_person(None, people={"minji": "U0MINJI"}) is None
