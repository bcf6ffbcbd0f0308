"""The state machine of a deployment."""

from collections.abc import Callable
from functools import partial

from app.sandbox.aws.deployments.deployment_factory import new_rollback, rolls_back
from app.sandbox.aws.deployments.failure_reasons import (
    CALLBACK_MISSING,
    HOOK_FAILED,
    INACTIVE_TASK_DEFINITION,
    NO_TASK_DEFINITION,
    READY_TIMEOUT,
    alarm_active,
)
from app.sandbox.aws.deployments.hook_calls import HookCalls
from app.sandbox.aws.deployments.pace import HOOK_LIMIT, Pace
from app.sandbox.aws.deployments.shapes import task_set_info
from app.sandbox.aws.state.account import Account
from app.sandbox.aws.state.deployment import Deployment, Failure, LifecycleEvent
from app.sandbox.aws.state.group import Group


class Machine:
    """Moves deployments on, each step under the lock: by the clock, by a hook's answer, by a stop.

    `pace` may be changed at any time; a step that has begun keeps the one that it began with.
    """

    def __init__(self, account: Account, hooks: HookCalls, pace: Pace) -> None:
        self._account = account
        self._hooks = hooks
        self.pace = pace

    def create(self, group: Group, deployment: Deployment) -> None:
        """Adds a new deployment, which starts by itself."""
        deployment.unfound_reads = self._hooks.unfound_reads
        self._account.deployments[deployment.id] = deployment
        group.deployments.append(deployment)
        self._wait(deployment, self.pace.start, partial(self._start, deployment))

    def answer(self, deployment: Deployment, event: LifecycleEvent, status: str) -> None:
        """A hook's answer, Succeeded or Failed, for the event that is running."""
        deployment.answers.append(status)
        event.unended_reads = self._hooks.ending_reads
        if status == "Succeeded":
            self._succeed(deployment, event)
        else:
            self._fail(deployment, HOOK_FAILED)

    def takes_late_answer(self) -> bool:
        """Whether an answer to a hook that has one already gets a 200."""
        return self._hooks.takes_late_answer()

    def stop(self, deployment: Deployment, failure: Failure, *, rollback: bool) -> None:
        """Ends the running event at once; the status follows a little later."""
        deployment.stopping = True
        self._close_events(deployment)
        end = partial(self._end, deployment, "Stopped", failure, rollback=rollback)
        self._wait(deployment, self.pace.stop, end)

    def alarm(self, group: Group) -> None:
        """The group's alarm went off: stops its live deployment. A rollback is never stopped by an alarm."""
        live = group.live
        if live is None or live.rollback_of or live.stopping or not live.alarm_stops:
            return
        rollback = rolls_back(live, "DEPLOYMENT_STOP_ON_ALARM")
        self.stop(live, alarm_active(group.alarm.name), rollback=rollback)

    def reroute_now(self, deployment: Deployment) -> None:
        """Out of READY_WAIT."""
        deployment.status = "InProgress"
        self._begin(deployment, next(event for event in deployment.events if event.status == "Pending"))

    def terminate_now(self, deployment: Deployment) -> None:
        """Ends the termination wait: blue is terminated, and a fast rollback is no longer possible."""
        deployment.terminates_at = None
        if deployment.blue is not None:
            deployment.blue.status = "DRAINING"
        self._wait(deployment, self.pace.drain, partial(self._end, deployment, "Succeeded", None))

    def _wait(self, deployment: Deployment, seconds: float, then: Callable[[], None]) -> None:
        """`then`, unless something else has happened to the deployment first."""
        deployment.timer += 1
        number = deployment.timer

        def due() -> None:
            if deployment.timer == number and not deployment.over:
                then()

        self._account.lock.notify_changed(deployment.domain)
        self._account.clock.after(seconds, due)

    def _start(self, deployment: Deployment) -> None:
        deployment.status = "InProgress"
        deployment.started_at = self._account.clock.seconds()
        self._begin(deployment, deployment.events[0])

    def _begin(self, deployment: Deployment, event: LifecycleEvent) -> None:
        event.begin(self._account.clock.seconds())
        if event.name in deployment.hooks:
            self._hooks.call(deployment, event)
            deployment.hook_due_at = self._account.clock.seconds() + HOOK_LIMIT
            self._wait(deployment, HOOK_LIMIT, partial(self._fail, deployment, CALLBACK_MISSING))
        elif event.name == "Install":
            self._install(deployment, event)
        elif event.name == "AllowTraffic":
            self._shift(deployment, event)
        else:
            self._wait(deployment, self.pace.event, partial(self._succeed, deployment, event))

    def _install(self, deployment: Deployment, event: LifecycleEvent) -> None:
        group = self._account.group_of(deployment)
        if deployment.green is not None:  # a rollback: what served before is still running
            self._wait(deployment, self.pace.event, partial(self._succeed, deployment, event))
            return
        if group.alarm.state == "ALARM" and deployment.alarm_stops:
            self.stop(deployment, alarm_active(group.alarm.name), rollback=False)
            return
        runs = self._account.task_definitions.find(deployment.task_definition)
        if runs is None or runs.status != "ACTIVE":
            self._fail(deployment, INACTIVE_TASK_DEFINITION if runs else NO_TASK_DEFINITION)
            return
        deployment.green = group.add_task_set(
            task_definition=runs.arn,
            external_id=deployment.id,
            at=self._account.clock.seconds(),
        )
        deployment.blue = group.primary
        self._wait(deployment, self.pace.install, partial(self._installed, deployment, event))

    def _installed(self, deployment: Deployment, event: LifecycleEvent) -> None:
        if deployment.green is not None:
            deployment.green.running = deployment.green.desired
        self._succeed(deployment, event)

    def _shift(self, deployment: Deployment, event: LifecycleEvent, step: int = 0) -> None:
        green = deployment.green
        if green is None:
            raise LookupError(f"{deployment.id} would move traffic before Install made its tasks")
        steps = deployment.config.steps()
        at, percent = steps[step]
        self._account.group_of(deployment).route(green, percent)
        if step + 1 == len(steps):
            self._wait(deployment, self.pace.shift, partial(self._succeed, deployment, event))
        else:
            again = partial(self._shift, deployment, event, step + 1)
            self._wait(deployment, steps[step + 1][0] - at, again)

    def _succeed(self, deployment: Deployment, event: LifecycleEvent) -> None:
        event.end("Succeeded", self._account.clock.seconds())
        deployment.hook_due_at = None
        if event.name == "AllowTestTraffic" and deployment.green is not None:
            self._account.group_of(deployment).test_target = deployment.green.target_group
        following = deployment.event_after(event)
        if following is None:
            self._keep_blue(deployment)
        elif following.name == "BeforeAllowTraffic" and self._ready_wait(deployment):
            deployment.status = "Ready"
            give_up = partial(self._end, deployment, "Stopped", READY_TIMEOUT)
            self._wait(deployment, self._ready_wait(deployment), give_up)
        else:
            self._begin(deployment, following)

    def _ready_wait(self, deployment: Deployment) -> float:
        if deployment.rollback_of:
            return 0.0
        return self._account.group_of(deployment).domain.ready_wait_minutes * 60.0

    def _keep_blue(self, deployment: Deployment) -> None:
        """The termination wait: all events have succeeded, the status is still InProgress.

        It is counted from the end of AllowTraffic, as CodeDeploy does, and not from the end of the last event.
        """
        now = self._account.clock.seconds()
        moved = next(event.ended_at for event in deployment.events if event.name == "AllowTraffic")
        left = max((moved or now) + deployment.termination_wait - now, 0.0)
        deployment.terminates_at = now + left
        self._wait(deployment, left, partial(self.terminate_now, deployment))

    def _fail(self, deployment: Deployment, failure: Failure) -> None:
        self._close_events(deployment)
        rollback = rolls_back(deployment, "DEPLOYMENT_FAILURE")
        self._end(deployment, "Failed", failure, rollback=rollback)

    def _close_events(self, deployment: Deployment) -> None:
        now = self._account.clock.seconds()
        deployment.hook_due_at = None
        for event in deployment.events:
            if event.status == "InProgress":
                event.end("Failed", now)
            elif event.status == "Pending":
                event.status = "Skipped"

    def _end(
        self, deployment: Deployment, status: str, failure: Failure | None, *, rollback: bool = False
    ) -> None:
        group = self._account.group_of(deployment)
        self._close_events(deployment)
        deployment.status = status
        deployment.failure = failure
        deployment.terminates_at = None
        deployment.completed_at = self._account.clock.seconds()
        deployment.last_task_sets = task_set_info(group, deployment)
        if status == "Succeeded" and deployment.blue is not None:
            group.remove(deployment.blue)
        self._account.lock.notify_changed(deployment.domain)
        if rollback:
            self.create(group, new_rollback(self._account, group, deployment))
