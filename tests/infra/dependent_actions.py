"""Actions that policies allow although our code calls no operation of that name, each with the reason."""

from typing import Final

SERVICE: Final = {
    "codedeploy:RegisterApplicationRevision": "CreateDeployment registers the revision that it deploys",
    "codedeploy:UpdateDeploymentGroup": "CreateDeployment asks for it where alarms of the group are overridden",
}

LOGS: Final = {
    "logs:CreateLogStream": "the platform writes the log",
    "logs:PutLogEvents": "the platform writes the log",
}

HOOK: Final = {
    **LOGS,
    "ec2:CreateNetworkInterface": "Lambda connects the function to the VPC",
    "ec2:DescribeNetworkInterfaces": "Lambda connects the function to the VPC",
    "ec2:DescribeSubnets": "Lambda connects the function to the VPC",
    "ec2:DeleteNetworkInterface": "Lambda disconnects the function from the VPC",
    "ec2:AssignPrivateIpAddresses": "Lambda connects the function to the VPC",
    "ec2:UnassignPrivateIpAddresses": "Lambda disconnects the function from the VPC",
}

START: Final = {
    **LOGS,
    "ecr:GetAuthorizationToken": "ECS pulls the image",
    "ecr:BatchCheckLayerAvailability": "ECS pulls the image",
    "ecr:BatchGetImage": "ECS pulls the image",
    "ecr:GetDownloadUrlForLayer": "ECS pulls the image",
    "secretsmanager:GetSecretValue": "ECS gives the containers their secrets",
    "ssm:GetParameters": "ECS gives a container RDS's certificates",
}

CODEDEPLOY: Final = {
    "ecs:DescribeServices": "CodeDeploy reads the task sets",
    "ecs:CreateTaskSet": "CodeDeploy starts green",
    "ecs:UpdateServicePrimaryTaskSet": "CodeDeploy makes green the primary",
    "ecs:DeleteTaskSet": "CodeDeploy ends blue",
    "elasticloadbalancing:DescribeListeners": "CodeDeploy reads where traffic goes",
    "elasticloadbalancing:DescribeRules": "CodeDeploy reads where traffic goes",
    "elasticloadbalancing:DescribeTargetGroups": "CodeDeploy finds blue and green",
    "elasticloadbalancing:ModifyListener": "CodeDeploy moves traffic",
    "lambda:InvokeFunction": "CodeDeploy calls the hook",
    "cloudwatch:DescribeAlarms": "CodeDeploy stops a deployment when an alarm rings",
    "iam:PassRole": "green's tasks get their roles",
}

PIPELINE: Final = {
    "codedeploy:RegisterApplicationRevision": "CreateDeployment registers the revision that it deploys",
    "ecs:TagResource": "RegisterTaskDefinition gives the revision its tags",
    "iam:PassRole": "RegisterTaskDefinition names the tasks' roles",
}

OF_NETWORK_INTERFACES: Final = frozenset(name for name in HOOK if name.startswith("ec2:"))
"""Allowed on "*": Lambda makes them, and their ids are not known before."""
