locals {
  # The roles that ECS may give to tasks, for tasks of this account only.
  tasks_trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })

  task_policies = merge(
    { configuration = var.policies.configuration, hold = var.policies.hold, evidence = var.policies.evidence },
    var.may_roll_back ? { roll_back = var.policies.roll_back } : {},
  )

  own_secrets = compact([var.slack_secret_arn, var.api_tokens_secret_arn])
}

resource "aws_iam_role" "task" {
  name               = "${var.names.service}-task"
  description        = "What Switchgate itself may do"
  assume_role_policy = local.tasks_trust
}

resource "aws_iam_role_policy" "task" {
  for_each = local.task_policies
  name     = each.key
  role     = aws_iam_role.task.id
  policy   = each.value
}

resource "aws_iam_role" "execution" {
  name               = "${var.names.service}-execution"
  description        = "What ECS itself needs to start a replica"
  assume_role_policy = local.tasks_trust
}

resource "aws_iam_role_policy" "execution" {
  name   = "start"
  role   = aws_iam_role.execution.id
  policy = var.policies.start
}

# The secrets that were made outside.
resource "aws_iam_role_policy" "own_secrets" {
  name = "own-secrets"
  role = aws_iam_role.execution.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Secrets"
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecretValue"
      Resource = local.own_secrets
    }]
  })
}

resource "aws_iam_role" "hook" {
  name        = "${var.names.service}-hook"
  description = "The hook function"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "hook" {
  name   = "hook"
  role   = aws_iam_role.hook.id
  policy = var.policies.hook
}
