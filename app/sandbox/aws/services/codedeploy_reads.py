"""CodeDeploy's reads, JSON 1.1."""

from typing import Any, Final

from app.sandbox.aws.deployments.group_shapes import group_info
from app.sandbox.aws.deployments.shapes import deployment_info, deployment_target
from app.sandbox.aws.errors import AwsError
from app.sandbox.aws.services.operation import Operation, Params
from app.sandbox.aws.state.account import Account
from app.sandbox.aws.state.deployment import Deployment
from app.sandbox.aws.state.group import Group
from app.sandbox.aws.state.traffic import CONFIGS, TrafficConfig

BATCH: Final = 25
PAGE: Final = 100
LISTED: Final = 5
"""Names in a page of a list. CodeDeploy does not say how many it gives; few, so that there is a second page."""

NOT_FOUND: Final = "DeploymentDoesNotExistException"


class CodeDeployReads:
    """Each operation takes the request's members and gives the answer's, or raises `AwsError`."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.operations: dict[str, Operation] = {
            "GetDeployment": self.get_deployment,
            "BatchGetDeployments": self.batch_get_deployments,
            "GetDeploymentGroup": self.get_deployment_group,
            "ListApplications": self.list_applications,
            "ListDeploymentGroups": self.list_deployment_groups,
            "BatchGetDeploymentGroups": self.batch_get_deployment_groups,
            "GetDeploymentConfig": self.get_deployment_config,
            "GetApplicationRevision": self.get_application_revision,
            "ListDeployments": self.list_deployments,
            "ListDeploymentTargets": self.list_deployment_targets,
            "GetDeploymentTarget": self.get_deployment_target,
            "BatchGetDeploymentTargets": self.batch_get_deployment_targets,
        }

    def get_deployment(self, params: Params) -> dict[str, Any]:
        return {"deploymentInfo": self._info(self._deployment(params))}

    def batch_get_deployments(self, params: Params) -> dict[str, Any]:
        ids = _batch(params.get("deploymentIds"))
        # Its model knows no DeploymentDoesNotExistException: what is not found is left out.
        return {"deploymentsInfo": [self._info(one) for one in map(self._find, ids) if one is not None]}

    def get_deployment_group(self, params: Params) -> dict[str, Any]:
        group = self._account.group(params.get("applicationName"), params.get("deploymentGroupName"))
        return {"deploymentGroupInfo": group_info(group)}

    def list_applications(self, params: Params) -> dict[str, Any]:
        names = sorted({group.domain.application for group in self._account.groups.values()})
        return _page("applications", names, params)

    def list_deployment_groups(self, params: Params) -> dict[str, Any]:
        name = self._account.application(params.get("applicationName"))
        return {
            "applicationName": name,
            **_page("deploymentGroups", sorted(self._groups_of(name)), params),
        }

    def batch_get_deployment_groups(self, params: Params) -> dict[str, Any]:
        name = self._account.application(params.get("applicationName"))
        wanted = params.get("deploymentGroupNames")
        if not wanted:
            raise AwsError("DeploymentGroupNameRequiredException", "The deployment group name is required.")
        if len(wanted) > PAGE:
            raise AwsError("BatchLimitExceededException", "At most 100 deployment groups may be asked for.")
        groups = self._groups_of(name)
        return {"deploymentGroupsInfo": [group_info(groups[one]) for one in wanted if one in groups]}

    def _groups_of(self, application: str) -> dict[str, Group]:
        groups = self._account.groups.values()
        return {one.domain.deployment_group: one for one in groups if one.domain.application == application}

    def get_deployment_config(self, params: Params) -> dict[str, Any]:
        name = params.get("deploymentConfigName")
        if not name:
            raise AwsError(
                "DeploymentConfigNameRequiredException", "The deployment configuration name is required."
            )
        return {"deploymentConfigInfo": config_named(name).shape()}

    def get_application_revision(self, params: Params) -> dict[str, Any]:
        """The only read that shows an AppSpec's content."""
        application = self._account.application(params.get("applicationName"))
        found = self._account.revisions.find(application, params.get("revision"))
        return {"applicationName": application, "revision": found.whole, "revisionInfo": {}}

    def list_deployments(self, params: Params) -> dict[str, Any]:
        """Newest first, a hundred a page."""
        wanted = params.get("includeOnlyStatuses") or []
        times = params.get("createTimeRange") or {}
        ids = [
            one.id
            for one in reversed(self._listed(params))
            if (not wanted or one.status in wanted)
            and times.get("start", 0) <= one.created_at <= times.get("end", float("inf"))
        ]
        start = _page_start(params.get("nextToken"))
        page: dict[str, Any] = {"deployments": ids[start : start + PAGE]}
        if len(ids) > start + PAGE:
            page["nextToken"] = str(start + PAGE)
        return page

    def list_deployment_targets(self, params: Params) -> dict[str, Any]:
        deployment = self._deployment(params)
        if deployment.status == "Created":
            raise AwsError("DeploymentNotStartedException", "The specified deployment has not started.")
        return {"targetIds": [self._account.group_of(deployment).domain.target_id]}

    def get_deployment_target(self, params: Params) -> dict[str, Any]:
        deployment = self._deployment(params)
        target_id = params.get("targetId")
        if not target_id:
            raise AwsError("DeploymentTargetIdRequiredException", "A deployment target ID was not provided.")
        return {"deploymentTarget": self._target(deployment, target_id)}

    def batch_get_deployment_targets(self, params: Params) -> dict[str, Any]:
        deployment = self._deployment(params)
        ids = params.get("targetIds")
        if not ids:
            raise AwsError("DeploymentTargetIdRequiredException", "A deployment target ID was not provided.")
        if len(ids) > BATCH:
            raise AwsError(
                "DeploymentTargetListSizeExceededException", "At most 25 targets may be asked for."
            )
        return {"deploymentTargets": [self._target(deployment, one) for one in ids]}

    def _deployment(self, params: Params) -> Deployment:
        deployment = self._account.deployment(params.get("deploymentId"))
        if deployment.unfound_reads > 0:
            deployment.unfound_reads -= 1
            raise AwsError(NOT_FOUND, f"The deployment {deployment.id} could not be found")
        return deployment

    def _find(self, deployment_id: object) -> Deployment | None:
        try:
            return self._deployment({"deploymentId": deployment_id})
        except AwsError as error:
            if error.code == NOT_FOUND:
                return None
            raise

    def _info(self, deployment: Deployment) -> dict[str, Any]:
        return deployment_info(self._account.group_of(deployment), deployment)

    def _target(self, deployment: Deployment, target_id: str) -> dict[str, Any]:
        group = self._account.group_of(deployment)
        if target_id != group.domain.target_id:
            raise AwsError(
                "DeploymentTargetDoesNotExistException", f"The target {target_id} is not of this deployment."
            )
        return deployment_target(group, deployment, at=self._account.clock.seconds())

    def _listed(self, params: Params) -> list[Deployment]:
        application, group = params.get("applicationName"), params.get("deploymentGroupName")
        if application or group:
            return self._account.group(application, group).deployments
        return list(self._account.deployments.values())


def config_named(name: str) -> TrafficConfig:
    if name not in CONFIGS:
        raise AwsError(
            "DeploymentConfigDoesNotExistException", f"No Deployment Configuration found for name: {name}"
        )
    return CONFIGS[name]


def _batch(ids: object) -> list[Any]:
    if not isinstance(ids, list) or not ids:
        raise AwsError("DeploymentIdRequiredException", "At least one deployment ID must be specified.")
    if len(ids) > BATCH:
        raise AwsError("BatchLimitExceededException", "The maximum number of deployment IDs is 25.")
    return ids


def _page(member: str, names: list[str], params: Params) -> dict[str, Any]:
    start = _page_start(params.get("nextToken"))
    page: dict[str, Any] = {member: names[start : start + LISTED]}
    if len(names) > start + LISTED:
        page["nextToken"] = str(start + LISTED)
    return page


def _page_start(token: object) -> int:
    if token is None:
        return 0
    if not isinstance(token, str) or not token.isdecimal():
        raise AwsError("InvalidNextTokenException", "The next token was specified in an invalid format.")
    return int(token)
