"""Many deployments at once, and those who watch them."""

import threading
from concurrent.futures import ThreadPoolExecutor

from app.sandbox.aws.stand_in import AwsStandIn
from app.sandbox.aws.state.topology import SandboxDomain
from tests.sandbox.aws.helpers import Lambda, answer, boto


def test_four_hundred_deployments_wait_and_are_answered_by_several_callers_at_once() -> None:
    domains = [SandboxDomain(f"d{number}", 10_000 + number) for number in range(400)]
    hook = Lambda()
    with AwsStandIn(domains, invoke_hook=hook, speed=0, seed=1) as aws, boto(aws) as clients:
        ids = [aws.deploy(domain.name) for domain in domains]
        aws.clock.advance(60)
        aws.wait_until(lambda: len(hook.events) == 400)
        callers = [clients.codedeploy() for _ in range(4)]

        def decide(number: int) -> None:
            caller, deployment_id = callers[number % 4], ids[number]
            status = "Failed" if number % 10 == 0 else "Succeeded"
            answer(caller, deployment_id, hook.of(deployment_id)[0], status)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(decide, range(400)))
        assert [aws.answers(one) for one in ids] == [
            ["Failed" if number % 10 == 0 else "Succeeded"] for number in range(400)
        ]
        aws.clock.advance(400)
        green = [aws.share(domain.name)["green"] for domain in domains]
        assert green == [0 if number % 10 == 0 else 100 for number in range(400)]


def test_of_many_answers_at_once_exactly_one_is_taken() -> None:
    hook = Lambda()
    with AwsStandIn(invoke_hook=hook, speed=0) as aws, boto(aws) as clients:
        deployment_id = aws.deploy("order")
        aws.clock.advance(60)
        aws.wait_until(lambda: bool(hook.events))
        execution_id = hook.of(deployment_id)[0]
        callers = [clients.codedeploy() for _ in range(8)]
        start = threading.Barrier(8)

        def race(number: int) -> bool:
            start.wait(5)
            try:
                answer(callers[number], deployment_id, execution_id, ("Succeeded", "Failed")[number % 2])
            except callers[number].exceptions.LifecycleEventAlreadyCompletedException:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(race, range(8))) == 1
        assert len(aws.answers(deployment_id)) == 1


def test_subscribers_get_each_change_and_may_read_at_once() -> None:
    hook = Lambda()
    seen: list[tuple[str, int]] = []
    with AwsStandIn(invoke_hook=hook, speed=0) as aws, boto(aws) as clients:
        aws.on_change(lambda domain: seen.append((domain, aws.share(domain)["green"])))
        deployment_id = aws.deploy("order")
        aws.clock.advance(60)
        aws.wait_until(lambda: bool(hook.events))
        before = len(seen)
        clients.codedeploy().get_deployment(deploymentId=deployment_id)
        assert len(seen) == before > 0
        answer(clients.codedeploy(), deployment_id, hook.of(deployment_id)[0], "Succeeded")
        aws.wait_until(lambda: seen[-1] == ("order", 100))


def test_an_account_with_history_has_a_revision_to_undo_to() -> None:
    with AwsStandIn(invoke_hook=Lambda(), speed=0, history=True) as aws:
        past = aws.deployments("order")[0]
        assert (past.status, past.over, aws.share("order")["green"]) == ("Succeeded", True, 100)
        new = aws.deploy("order")
        assert aws.share("order") == {"blue": 100, "green": 0}
        aws.clock.advance(10)
        with boto(aws) as clients:
            codedeploy = clients.codedeploy()
            info = codedeploy.get_deployment(deploymentId=new)["deploymentInfo"]
            old = codedeploy.get_deployment(deploymentId=past.id)["deploymentInfo"]
            assert info["previousRevision"] == old["revision"]
            group = codedeploy.get_deployment_group(
                applicationName=info["applicationName"], deploymentGroupName=info["deploymentGroupName"]
            )["deploymentGroupInfo"]
            assert group["lastSuccessfulDeployment"]["deploymentId"] == past.id
