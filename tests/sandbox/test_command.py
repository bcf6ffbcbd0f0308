"""`switchgate sandbox --once`: the smoke test."""

import pytest

from tests.sandbox.command import left_behind, own_folder, run_sandbox


@pytest.mark.parametrize(
    ("verdict", "told", "traffic"),
    [
        ("approve", "Succeeded", "Traffic of order: blue 0 %, green 100 %."),
        ("reject", "Failed", "Traffic of order: blue 100 %, green 0 %."),
    ],
)
def test_one_deployment_goes_through_and_nothing_is_left_behind(
    verdict: str, told: str, traffic: str
) -> None:
    with own_folder() as folder:
        done = run_sandbox("--once", verdict, folder=folder)

        assert done.returncode == 0, done.stderr
        assert f"CodeDeploy was told {told}. {traffic}" in done.stdout
        assert left_behind(folder) == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--once", "maybe"), "--once: maybe is neither approve nor reject"),
        (("--locale", "fr"), "--locale: fr is neither en nor ko"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(arguments: tuple[str, ...], complaint: str) -> None:
    with own_folder() as folder:
        done = run_sandbox(*arguments, folder=folder)

        assert (done.returncode, done.stderr.strip()) == (2, complaint)
        assert left_behind(folder) == []
