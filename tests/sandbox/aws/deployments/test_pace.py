"""The duration of the steps, independent of the speed of the clock."""

from app.sandbox.aws.deployments.pace import UNWATCHED
from app.sandbox.aws.stand_in import AwsStandIn
from tests.sandbox.aws.conftest import NOON
from tests.sandbox.aws.helpers import Lambda, reach_gate


def seconds_to_the_gate(aws: AwsStandIn, hook: Lambda, domain: str) -> float:
    begun = aws.clock.seconds()
    reach_gate(aws, hook, aws.deploy(domain))
    return aws.clock.seconds() - begun


def test_what_nobody_watches_is_quick_and_time_goes_as_ever(aws: AwsStandIn, hook: Lambda) -> None:
    watched = aws.pace
    aws.pace = UNWATCHED
    assert seconds_to_the_gate(aws, hook, "order") < 0.5
    aws.pace = watched
    assert seconds_to_the_gate(aws, hook, "payment") > 2
    assert aws.clock.seconds() - NOON.timestamp() < 4


def test_a_step_that_has_begun_keeps_its_pace(aws: AwsStandIn) -> None:
    deployment = aws.deploy("order")
    aws.advance_until(lambda: aws.deployment(deployment).event("Install").status == "InProgress")

    aws.pace = UNWATCHED
    aws.clock.advance(1.9)
    assert aws.deployment(deployment).event("Install").status == "InProgress"

    aws.clock.advance(0.1)
    assert aws.deployment(deployment).event("Install").status == "Succeeded"
