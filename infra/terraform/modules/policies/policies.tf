# The policies of Switchgate's own roles. The actions that are allowed on "*" know no resources.
locals {
  policies = {
    # The service's role: read switchgate.toml. Whoever may write that parameter decides who may approve.
    configuration = {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "ReadTheConfiguration"
          Effect   = "Allow"
          Action   = "ssm:GetParameter"
          Resource = "${local.arn}:ssm:${local.in}:parameter${local.switchgate.parameters}/switchgate.toml"
        },
      ]
    }

    # The service's role: hold switches and report decisions.
    hold = {
      Version = "2012-10-17"
      Statement = [
        {
          Sid    = "Hold"
          Effect = "Allow"
          Action = [
            "codedeploy:ListDeploymentTargets",
            "codedeploy:GetDeploymentTarget",
            "codedeploy:PutLifecycleEventHookExecutionStatus",
          ]
          Resource  = "*"
          Condition = local.here
        },
        {
          Sid      = "ReadDeployments"
          Effect   = "Allow"
          Action   = ["codedeploy:GetDeployment", "codedeploy:BatchGetDeployments"]
          Resource = local.deployment_groups
        },
        {
          Sid      = "ReadConfigurations"
          Effect   = "Allow"
          Action   = "codedeploy:GetDeploymentConfig"
          Resource = local.deployment_configs
        },
      ]
    }

    # The service's role: show what changes and whether green is healthy.
    evidence = {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "ReadGroups"
          Effect   = "Allow"
          Action   = "codedeploy:GetDeploymentGroup"
          Resource = local.deployment_groups
        },
        {
          Sid      = "ReadRevisions"
          Effect   = "Allow"
          Action   = "codedeploy:GetApplicationRevision"
          Resource = local.applications
        },
        {
          Sid      = "ReadServices"
          Effect   = "Allow"
          Action   = "ecs:DescribeServices"
          Resource = local.services
        },
        {
          Sid      = "ReadAlarms"
          Effect   = "Allow"
          Action   = "cloudwatch:DescribeAlarms"
          Resource = local.alarms
        },
        {
          Sid    = "ReadTraffic"
          Effect = "Allow"
          Action = [
            "ecs:DescribeTaskDefinition",
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:DescribeTargetHealth",
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeRules",
          ]
          Resource  = "*"
          Condition = local.here
        },
      ]
    }

    # The service's role, optional: roll switches back and terminate blue early.
    roll_back = {
      Version = "2012-10-17"
      Statement = [
        {
          Sid       = "StopAndContinue"
          Effect    = "Allow"
          Action    = ["codedeploy:StopDeployment", "codedeploy:ContinueDeployment"]
          Resource  = "*"
          Condition = local.here
        },
        {
          Sid    = "DeployThePreviousRevision"
          Effect = "Allow"
          Action = [
            "codedeploy:CreateDeployment",
            "codedeploy:GetDeploymentGroup",
            "codedeploy:UpdateDeploymentGroup",
          ]
          Resource = local.deployment_groups
        },
        {
          Sid      = "NameThePreviousRevision"
          Effect   = "Allow"
          Action   = ["codedeploy:GetApplicationRevision", "codedeploy:RegisterApplicationRevision"]
          Resource = local.applications
        },
      ]
    }

    # The hook function's role.
    hook = {
      Version = "2012-10-17"
      Statement = [
        {
          Sid       = "Answer"
          Effect    = "Allow"
          Action    = "codedeploy:PutLifecycleEventHookExecutionStatus"
          Resource  = "*"
          Condition = local.here
        },
        {
          Sid      = "RecogniseRollbacks"
          Effect   = "Allow"
          Action   = "codedeploy:GetDeployment"
          Resource = local.deployment_groups
        },
        {
          Sid      = "ReadTheKey"
          Effect   = "Allow"
          Action   = "secretsmanager:GetSecretValue"
          Resource = "${local.arn}:secretsmanager:${local.in}:secret:${local.switchgate.secrets}/hook-key-??????"
        },
        {
          Sid      = "Log"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = "${local.arn}:logs:${local.in}:log-group:${local.switchgate.hook_log_group}:*"
        },
        {
          Sid    = "BeInTheVpc"
          Effect = "Allow"
          Action = [
            "ec2:CreateNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:DeleteNetworkInterface",
            "ec2:AssignPrivateIpAddresses",
            "ec2:UnassignPrivateIpAddresses",
          ]
          Resource = "*"
        },
      ]
    }

    # What ECS itself needs to start a replica.
    start = {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "LogIn"
          Effect   = "Allow"
          Action   = "ecr:GetAuthorizationToken"
          Resource = "*"
        },
        {
          Sid      = "Pull"
          Effect   = "Allow"
          Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
          Resource = "${local.arn}:ecr:${local.in}:repository/${var.image_repository}"
        },
        {
          Sid      = "Log"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = "${local.arn}:logs:${local.in}:log-group:${local.switchgate.log_group}:*"
        },
        {
          Sid      = "Secrets"
          Effect   = "Allow"
          Action   = "secretsmanager:GetSecretValue"
          Resource = "${local.arn}:secretsmanager:${local.in}:secret:${local.switchgate.secrets}/*"
        },
        {
          Sid      = "Parameters"
          Effect   = "Allow"
          Action   = "ssm:GetParameters"
          Resource = "${local.arn}:ssm:${local.in}:parameter${local.switchgate.parameters}/rds-ca.pem"
        },
      ]
    }
  }
}
