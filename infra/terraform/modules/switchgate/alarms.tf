locals {
  # What is counted in the logs, and from how many a minute on it is an alarm.
  log_alarms = {
    gate-near-its-deadline = {
      log_group   = aws_cloudwatch_log_group.service.name
      pattern     = "{ $.event = \"gate_reminded\" && $.minutes <= 20 }"
      threshold   = 1
      description = "A gate is rejected in 20 minutes or less unless somebody decides."
    }
    report-failing = {
      log_group   = aws_cloudwatch_log_group.service.name
      pattern     = "{ $.event = \"report_failed\" }"
      threshold   = 3
      description = "CodeDeploy cannot be told a decision; a report was tried three times within a minute."
    }
    contradicted = {
      log_group   = aws_cloudwatch_log_group.service.name
      pattern     = "{ $.event = \"reported\" && ($.outcome = \"conflict\" || $.outcome = \"undeliverable\") }"
      threshold   = 1
      description = "CodeDeploy was told something else than what was decided, or was never told."
    }
    hook-not-forwarded = {
      log_group   = aws_cloudwatch_log_group.hook.name
      pattern     = "{ $.event = \"hook_not_forwarded\" }"
      threshold   = 1
      description = "Switchgate did not take a hook; the function answered CodeDeploy by itself."
    }
  }
}

resource "aws_cloudwatch_log_metric_filter" "this" {
  for_each       = local.log_alarms
  name           = each.key
  log_group_name = each.value.log_group
  pattern        = each.value.pattern

  metric_transformation {
    namespace = var.names.secrets
    name      = each.key
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "log" {
  for_each            = local.log_alarms
  alarm_name          = "${var.names.service}-${each.key}"
  alarm_description   = each.value.description
  namespace           = var.names.secrets
  metric_name         = each.key
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
}

resource "aws_cloudwatch_metric_alarm" "no_replica" {
  alarm_name          = "${var.names.service}-no-replica"
  alarm_description   = "No replica is ready. The hook function rejects every switch but rollbacks."
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HealthyHostCount"
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 2
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarm_topic_arns

  dimensions = {
    LoadBalancer = aws_lb.this.arn_suffix
    TargetGroup  = aws_lb_target_group.this.arn_suffix
  }
}

resource "aws_cloudwatch_metric_alarm" "hook_errors" {
  alarm_name          = "${var.names.service}-hook-errors"
  alarm_description   = "The hook function could tell neither Switchgate nor CodeDeploy. A deployment hangs for an hour."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns

  dimensions = {
    FunctionName = aws_lambda_function.hook.function_name
  }
}
