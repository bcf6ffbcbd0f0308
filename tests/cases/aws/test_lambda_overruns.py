"""Switchgate and CodeDeploy accept and never answer: the function ends before Lambda stops it, and says what happened.

After aws/serverless-application-model#1963.
"""

import time

import pytest

from app.hook_lambda.handler import CodeDeployNotAnswered
from tests.hook_lambda.stand_ins import (
    EXECUTION,
    Behaviour,
    Context,
    StandIn,
    answer,
    bench,
    codedeploy,
    drip,
    hang,
)

SECONDS = [3.0, pytest.param(10.0, marks=pytest.mark.slow), pytest.param(60.0, marks=pytest.mark.slow)]


@pytest.mark.parametrize("seconds", SECONDS)
@pytest.mark.parametrize("silence", [hang, drip])
def test_all_that_never_answers_fits_into_the_functions_time(silence: Behaviour, seconds: float) -> None:
    with StandIn(silence) as switchgate, bench(silence, url=switchgate.url) as at:
        context = Context(seconds)
        with pytest.raises(CodeDeployNotAnswered):
            at.invoke(context=context)
        assert context.get_remaining_time_in_millis() > 0

    assert at.events()[-1] == "codedeploy_not_told"
    assert EXECUTION not in "".join(at.lines)
    assert at.told() == ["Failed"] * len(at.told())
    assert at.told() != []


@pytest.mark.parametrize(
    ("switchgate", "put"),
    [(hang, hang), (drip, hang), (answer(503), drip), (answer(422), hang), (answer(422), answer(503))],
    ids=["both hang", "a drip before", "a drip after", "refused", "refused, then away"],
)
def test_a_put_that_never_answers_fits_too(switchgate: Behaviour, put: Behaviour) -> None:
    behaviour = codedeploy(put=put)
    with StandIn(switchgate) as service, bench(behaviour, url=service.url) as at:
        context = Context(3)
        with pytest.raises(CodeDeployNotAnswered):
            at.invoke(context=context)
        assert context.get_remaining_time_in_millis() > 0


def test_a_codedeploy_that_answers_at_last_gets_the_report_before_the_end() -> None:
    def late(visit: object) -> None:
        time.sleep(0.4)
        answer(200, {"lifecycleEventHookExecutionId": EXECUTION})(visit)  # type: ignore[arg-type]

    with StandIn(hang) as switchgate, bench(codedeploy(put=late), url=switchgate.url) as at:
        context = Context(4)
        assert at.invoke(context=context)["codedeploy"] == "told"
        assert context.get_remaining_time_in_millis() > 0
