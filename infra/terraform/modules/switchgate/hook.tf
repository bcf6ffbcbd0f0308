data "archive_file" "hook" {
  type        = "zip"
  source_file = "${path.module}/../../../../app/hook_lambda/handler.py"
  output_path = "${path.root}/.terraform/hook.zip"
}

resource "aws_cloudwatch_log_group" "hook" {
  name              = var.names.hook_log_group
  retention_in_days = var.log_days
}

resource "aws_lambda_function" "hook" {
  function_name    = var.names.hook_function
  description      = "Forwards CodeDeploy's hooks to Switchgate"
  runtime          = "python3.13"
  handler          = "handler.handler"
  filename         = data.archive_file.hook.output_path
  source_code_hash = data.archive_file.hook.output_base64sha256
  timeout          = 60
  memory_size      = 256
  role             = aws_iam_role.hook.arn

  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = [aws_security_group.hook.id]
  }

  logging_config {
    log_group  = aws_cloudwatch_log_group.hook.name
    log_format = "Text"
  }

  environment {
    variables = {
      SWITCHGATE_URL             = "https://${var.host_name}"
      SWITCHGATE_HOOK_KEY_ID     = var.hook_key_id
      SWITCHGATE_HOOK_SECRET_ARN = aws_secretsmanager_secret.this["hook-key"].arn
    }
  }

  depends_on = [aws_iam_role_policy.hook]
}

resource "aws_cloudwatch_event_rule" "state_changes" {
  name        = var.names.service
  description = "Deployments that change state are polled at once"

  event_pattern = jsonencode({
    source      = ["aws.codedeploy"]
    detail-type = ["CodeDeploy Deployment State-change Notification"]
  })
}

resource "aws_cloudwatch_event_target" "state_changes" {
  rule = aws_cloudwatch_event_rule.state_changes.name
  arn  = aws_lambda_function.hook.arn

  # Later, the poll has found it.
  retry_policy {
    maximum_retry_attempts       = 2
    maximum_event_age_in_seconds = 300
  }
}

resource "aws_lambda_permission" "state_changes" {
  function_name = aws_lambda_function.hook.function_name
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.state_changes.arn
}
