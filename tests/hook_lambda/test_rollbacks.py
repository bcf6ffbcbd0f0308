"""An automatic rollback never waits for Switchgate: the function recognises it and answers `Succeeded` itself."""

import time

import pytest

from app.hook_lambda.handler import CodeDeployNotAnswered
from tests.hook_lambda.stand_ins import (
    EXECUTION,
    GET,
    PUT,
    TOLD,
    Behaviour,
    Context,
    StandIn,
    Visit,
    answer,
    aws_error,
    bench,
    codedeploy,
    drip,
    garbage,
    hang,
    in_turn,
    reset,
)

ROLLBACKS = ["codeDeployRollback", "CloudFormationRollback"]
NOT_ROLLBACKS = ["user", "CodeDeploy", "CloudFormation", "CodeDeployAutoUpdate", "codedeployrollback", ""]
WITHIN = 10.0
"""Seconds in which a rollback must be through, on whatever machine."""


@pytest.mark.parametrize("creator", ROLLBACKS)
@pytest.mark.parametrize(
    "trouble",
    [
        answer(503),
        answer(500),
        answer(429),
        reset,
        garbage,
        answer(422),
        answer(401),
        answer(400),
        answer(302),
    ],
    ids=["503", "500", "429", "reset", "garbage", "422", "401", "400", "302"],
)
def test_a_rollback_that_switchgate_does_not_take_passes_at_once(trouble: Behaviour, creator: str) -> None:
    with StandIn(trouble) as switchgate, bench(codedeploy(creator=creator), url=switchgate.url) as at:
        outcome = at.invoke()

    assert outcome == {"outcome": "rollback_passed", "creator": creator, "codedeploy": "told"}
    assert [one.operation for one in at.codedeploy.heard] == [GET, PUT]
    assert at.told() == ["Succeeded"]
    assert at.slept == []
    assert len(switchgate.heard) == 1
    assert EXECUTION not in "".join(at.lines)


@pytest.mark.parametrize("trouble", [hang, drip])
def test_a_rollback_passes_within_ten_seconds_while_switchgate_says_nothing(trouble: Behaviour) -> None:
    behaviour = codedeploy(creator="codeDeployRollback")
    began = time.monotonic()
    with StandIn(trouble) as switchgate, bench(behaviour, url=switchgate.url) as at:
        assert at.invoke(context=Context(60))["outcome"] == "rollback_passed"
    assert time.monotonic() - began < WITHIN


def test_a_rollback_passes_in_a_short_function_too() -> None:
    behaviour = codedeploy(creator="codeDeployRollback")
    with StandIn(hang) as switchgate, bench(behaviour, url=switchgate.url) as at:
        at.invoke(env={"SWITCHGATE_URL": ""})  # boto3 is imported by now, as in a warm function
        context = Context(4)
        assert at.invoke(context=context)["outcome"] == "rollback_passed"
        assert context.get_remaining_time_in_millis() > 0


def test_a_rollback_passes_where_nobody_listens_and_where_the_function_is_set_up_wrongly() -> None:
    with bench(codedeploy(creator="codeDeployRollback"), url="http://127.0.0.1:1") as at:
        assert at.invoke()["outcome"] == "rollback_passed"
        assert at.invoke(env={"SWITCHGATE_URL": "http://switchgate.internal"})["outcome"] == "rollback_passed"
        assert at.invoke(env={"SWITCHGATE_HOOK_SECRET": ""})["outcome"] == "rollback_passed"
    assert at.told() == ["Succeeded"] * 3


@pytest.mark.parametrize(
    "trouble",
    [aws_error("ThrottlingException"), answer(500), reset, aws_error("DeploymentDoesNotExistException")],
    ids=["throttled", "500", "reset", "not found yet"],
)
@pytest.mark.parametrize("refusal", [answer(503), answer(422)], ids=["503", "422"])
def test_a_request_that_codedeploy_does_not_answer_is_retried(refusal: Behaviour, trouble: Behaviour) -> None:
    known = codedeploy(creator="codeDeployRollback")
    asked = codedeploy(creator=in_turn(trouble, trouble, known))
    with StandIn(refusal) as switchgate, bench(asked, url=switchgate.url) as at:
        assert at.invoke()["outcome"] == "rollback_passed"
    assert at.told() == ["Succeeded"]


def test_codedeploy_is_asked_several_times_when_the_time_for_switchgate_is_over() -> None:
    context = Context(60)
    throttled, known = aws_error("ThrottlingException"), codedeploy(creator="codeDeployRollback")

    def creator(visit: Visit) -> None:
        (known if context.get_remaining_time_in_millis() < 5400 else throttled)(visit)

    with StandIn(answer(503)) as switchgate, bench(codedeploy(creator=creator), url=switchgate.url) as at:
        assert at.invoke(context=context)["outcome"] == "rollback_passed"
    assert at.told() == ["Succeeded"]


@pytest.mark.parametrize("creator", NOT_ROLLBACKS)
def test_nothing_else_passes(creator: str) -> None:
    with StandIn(answer(422)) as switchgate, bench(codedeploy(creator=creator), url=switchgate.url) as at:
        assert at.invoke() == {"outcome": "failed_closed", "reason": "refused", "codedeploy": "told"}
    assert at.told() == ["Failed"]


@pytest.mark.parametrize(
    "odd",
    [answer(200, {}), answer(200, {"deploymentInfo": {"creator": None}}), aws_error("AccessDeniedException")],
    ids=["nothing", "null", "denied"],
)
def test_what_cannot_be_known_for_a_rollback_is_answered_failed(odd: Behaviour) -> None:
    with StandIn(answer(422)) as switchgate, bench(codedeploy(creator=odd), url=switchgate.url) as at:
        assert at.invoke()["codedeploy"] == "told"
    assert at.told() == ["Failed"]


def test_who_made_the_deployment_is_asked_once() -> None:
    with StandIn(answer(503)) as switchgate, bench(url=switchgate.url) as at:
        at.invoke()
    assert len(switchgate.heard) > 5
    assert [one.operation for one in at.codedeploy.heard] == [GET, PUT]


def test_a_hook_that_is_taken_asks_codedeploy_nothing() -> None:
    with StandIn(answer(202)) as switchgate, bench(url=switchgate.url) as at:
        at.invoke()
    assert at.codedeploy.heard == []


def test_a_rollback_that_codedeploy_does_not_take_is_told_again_and_never_failed() -> None:
    put = in_turn(answer(500), aws_error("ThrottlingException"), TOLD)
    behaviour = codedeploy(creator="codeDeployRollback", put=put)
    with StandIn(answer(503)) as switchgate, bench(behaviour, url=switchgate.url) as at:
        assert at.invoke()["codedeploy"] == "told"
    assert at.told() == ["Succeeded"] * 3

    behaviour = codedeploy(creator="codeDeployRollback", put=answer(500))
    with (
        StandIn(answer(503)) as switchgate,
        bench(behaviour, url=switchgate.url) as at,
        pytest.raises(CodeDeployNotAnswered),
    ):
        at.invoke()
    assert set(at.told()) == {"Succeeded"}
