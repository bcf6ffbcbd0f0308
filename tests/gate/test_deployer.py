"""Who deployed, from what a deployment says of itself, and who may therefore not approve it."""

import pytest

from app.gate.deployer import deployer_claims, named_deployer, resolve_deployer, slack_person
from app.gate.ids import UserId

ME, COLLEAGUE, THIRD = UserId("U0ME"), UserId("U0COLLEAGUE"), UserId("U0THIRD")
PEOPLE = {
    "me": ME,
    "me@example.com": ME,
    "colleague": COLLEAGUE,
    "colleague@example.com": COLLEAGUE,
    "third": THIRD,
}
ROLE = "arn:aws:sts::123456789012:assumed-role/deploy/"


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
    assert slack_person("<@U0MINJI>", people={}) == "U0MINJI"
    assert slack_person(None, people={"minji": "U0MINJI"}) is None


@pytest.mark.parametrize(
    ("tag", "description", "creator", "known", "named"),
    [
        # The tag alone, in whatever form the pipeline writes it.
        ("me", "", "user", ME, {ME}),
        (" @Me ", "", "user", ME, {ME}),
        ("ME@Example.com", "", "user", ME, {ME}),
        ("me", "by @ME", "user", ME, {ME}),
        ("me", "deployed-by=Me@example.com", "user", ME, {ME}),
        # A description proves nothing, whomever it names.
        (None, "actor: colleague", "user", None, {COLLEAGUE}),
        (None, "actor: me", "user", None, {ME}),
        ("", "github-actor=COLLEAGUE", "user", None, {COLLEAGUE}),
        (None, "", "user", None, set()),
        # The attacker's: a colleague in the description, the pipeline's tag naming oneself.
        ("me", "actor: colleague", "user", None, {ME, COLLEAGUE}),
        ("me", "github-actor=me by @colleague", "user", None, {ME, COLLEAGUE}),
        ("me", "by @me actor: colleague@Example.com", "user", None, {ME, COLLEAGUE}),
        # A name that nobody has contradicts the tag; the same name in another case does not.
        ("me", "actor: me2", "user", None, {ME}),
        ("me", "actor: me+deploy@example.com", "user", None, {ME}),
        ("unheard", "actor: UNHEARD", "user", None, set()),
        ("unheard", "actor: me", "user", None, {ME}),
        # Other spellings contradict the tag as well.
        ("me", "GITHUB_ACTOR=colleague", "user", None, {ME, COLLEAGUE}),
        ("me", "deployed_by: colleague", "user", None, {ME, COLLEAGUE}),
        ("me", "deployer=colleague", "user", None, {ME, COLLEAGUE}),
        ("me", "triggered by: colleague", "user", None, {ME, COLLEAGUE}),
        ("me", "Deployed by colleague", "user", None, {ME, COLLEAGUE}),
        ("me", "by colleague@example.com", "user", None, {ME, COLLEAGUE}),
        ("me", "triggered by: colleague2", "user", None, {ME}),
        ("me", "by <@U0COLLEAGUE>", "user", None, {ME, COLLEAGUE}),
        ("me", "by <@U0ME|me>", "user", ME, {ME}),
        # A bare word that is nobody's account, and a service, say nothing.
        ("me", "Deployed by GitHub Actions", "user", ME, {ME}),
        ("me", "triggered by: push", "user", ME, {ME}),
        ("me", "Deployed by the release train", "user", ME, {ME}),
        ("me", "actor: github-actions[bot]", "user", ME, {ME}),
        (None, "Deployed by colleague", "user", None, {COLLEAGUE}),
        # CodeDeploy's creator: a person's session name counts, a role's says nothing.
        ("me", "", ROLE + "me", ME, {ME}),
        ("me", "", ROLE + "Colleague", None, {ME, COLLEAGUE}),
        ("me", "", ROLE + "GitHubActions", ME, {ME}),
        (None, "", ROLE + "me@example.com", None, {ME}),
        ("me", "", "codeDeployRollback", ME, {ME}),
        # Three sources, three people.
        ("me", "by @third", ROLE + "colleague", None, {ME, COLLEAGUE, THIRD}),
    ],
)
def test_whom_the_sources_name_and_whether_it_is_certain(
    tag: str | None, description: str, creator: str, known: UserId | None, named: set[UserId]
) -> None:
    claims = deployer_claims(description=description, creator=creator, tag=tag)
    accounts = {name: person for name in claims.names if (person := slack_person(name, people=PEOPLE))}
    found = resolve_deployer(claims, accounts=accounts)
    assert (found.known, set(found.named)) == (known, named)
