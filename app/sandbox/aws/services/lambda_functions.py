"""Lambda's one read, REST with JSON. It shows the values of environment variables, as AWS does."""

from typing import Any

from app.sandbox.aws.errors import AwsError
from app.sandbox.aws.services.operation import Operation, Params
from app.sandbox.aws.state.hook_function import HookSetup
from app.sandbox.aws.state.roles import role_arn
from app.sandbox.aws.state.topology import arn


class LambdaFunctions:
    """GetFunctionConfiguration, by name or ARN."""

    def __init__(self, setup: HookSetup) -> None:
        self._setup = setup
        self.operations: dict[str, Operation] = {"GetFunctionConfiguration": self.get_function_configuration}

    def get_function_configuration(self, params: Params) -> dict[str, Any]:
        asked = str(params.get("FunctionName"))
        function = self._setup.function(asked)
        if function is None:
            name = asked if asked.startswith("arn:") else arn("lambda", f"function:{asked}")
            raise AwsError("ResourceNotFoundException", f"Function not found: {name}", status=404)
        return {
            "FunctionName": function.name,
            "FunctionArn": function.arn,
            "Runtime": "python3.13",
            "Role": role_arn(function.role),
            "Handler": "handler.handler",
            "Timeout": function.timeout,
            "MemorySize": 256,
            "Version": "$LATEST",
            "Environment": {"Variables": dict(function.environment())},
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "PackageType": "Zip",
        }
