# The policies of a domain: CodeDeploy's own role, and the pipeline's.
locals {
  codedeploy_policies = {
    for name, domain in local.domains : name => {
      Version = "2012-10-17"
      Statement = [
        {
          Sid    = "TaskSets"
          Effect = "Allow"
          Action = [
            "ecs:DescribeServices",
            "ecs:CreateTaskSet",
            "ecs:DeleteTaskSet",
            "ecs:UpdateServicePrimaryTaskSet",
          ]
          Resource = [
            "${local.arn}:ecs:${local.in}:service/${var.cluster}/${domain.service}",
            "${local.arn}:ecs:${local.in}:task-set/${var.cluster}/${domain.service}/*",
          ]
        },
        {
          Sid    = "ReadTraffic"
          Effect = "Allow"
          Action = [
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeRules",
            "elasticloadbalancing:DescribeTargetGroups",
          ]
          Resource = "*"
        },
        {
          Sid      = "MoveTraffic"
          Effect   = "Allow"
          Action   = "elasticloadbalancing:ModifyListener"
          Resource = "${local.arn}:elasticloadbalancing:${local.in}:listener/app/${var.load_balancer}/*"
        },
        {
          Sid      = "Hook"
          Effect   = "Allow"
          Action   = "lambda:InvokeFunction"
          Resource = local.hook_function_arn
        },
        {
          Sid      = "ReadAlarms"
          Effect   = "Allow"
          Action   = "cloudwatch:DescribeAlarms"
          Resource = local.alarms
        },
        {
          Sid       = "GiveTasksTheirRoles"
          Effect    = "Allow"
          Action    = "iam:PassRole"
          Resource  = local.task_roles
          Condition = local.to_tasks
        },
      ]
    }
  }

  pipeline_policies = {
    for name, domain in local.domains : name => {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "RegisterTaskDefinitions"
          Effect   = "Allow"
          Action   = "ecs:RegisterTaskDefinition"
          Resource = "${local.arn}:ecs:${local.in}:task-definition/${domain.family}:*"
        },
        {
          Sid       = "TagThemAtRegistration"
          Effect    = "Allow"
          Action    = "ecs:TagResource"
          Resource  = "${local.arn}:ecs:${local.in}:task-definition/${domain.family}:*"
          Condition = { StringEquals = { "ecs:CreateAction" = "RegisterTaskDefinition" } }
        },
        {
          Sid       = "GiveTasksTheirRoles"
          Effect    = "Allow"
          Action    = "iam:PassRole"
          Resource  = local.task_roles
          Condition = local.to_tasks
        },
        {
          Sid      = "Deploy"
          Effect   = "Allow"
          Action   = ["codedeploy:CreateDeployment", "codedeploy:GetDeployment"]
          Resource = "${local.arn}:codedeploy:${local.in}:deploymentgroup:${domain.application}/${domain.deployment_group}"
        },
        {
          Sid      = "RegisterRevisions"
          Effect   = "Allow"
          Action   = "codedeploy:RegisterApplicationRevision"
          Resource = "${local.arn}:codedeploy:${local.in}:application:${domain.application}"
        },
        {
          Sid      = "ReadConfigurations"
          Effect   = "Allow"
          Action   = "codedeploy:GetDeploymentConfig"
          Resource = local.deployment_configs
        },
        {
          Sid       = "Follow"
          Effect    = "Allow"
          Action    = ["codedeploy:ListDeploymentTargets", "codedeploy:GetDeploymentTarget"]
          Resource  = "*"
          Condition = local.here
        },
      ]
    }
  }

  task_roles = [for role in var.task_role_names : "${local.arn}:iam::${var.account_id}:role/${role}"]
  to_tasks   = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
}
