# Names, and the ARNs that follow from them.
locals {
  arn = "arn:${var.partition}"
  in  = "${var.region}:${var.account_id}"

  switchgate = {
    service        = "${var.prefix}-switchgate"
    hook_function  = "CodeDeployHook_${var.prefix}-switchgate" # CodeDeploy's managed policies know this beginning only
    log_group      = "/${var.prefix}/switchgate"
    hook_log_group = "/aws/lambda/CodeDeployHook_${var.prefix}-switchgate"
    secrets        = "${var.prefix}/switchgate"
    parameters     = "/${var.prefix}/switchgate"
  }

  hook_function_arn = "${local.arn}:lambda:${local.in}:function:${local.switchgate.hook_function}"

  domains = {
    for name, domain in var.domains : name => merge(domain, {
      name             = name
      test_port        = coalesce(domain.test_port, domain.port + 10000)
      application      = "${var.prefix}-${name}-app"
      deployment_group = "${var.prefix}-${name}-dg"
      service          = "${var.prefix}-${name}-svc"
      family           = "${var.prefix}-${name}"
      blue             = "${var.prefix}-int-${name}-b"
      green            = "${var.prefix}-int-${name}-g"
      alarm            = "${var.prefix}-${name}-5xx"
      log_group        = "/ecs/${var.prefix}-${name}"
    })
  }

  applications       = [for domain in values(local.domains) : "${local.arn}:codedeploy:${local.in}:application:${domain.application}"]
  deployment_groups  = [for domain in values(local.domains) : "${local.arn}:codedeploy:${local.in}:deploymentgroup:${domain.application}/${domain.deployment_group}"]
  services           = [for domain in values(local.domains) : "${local.arn}:ecs:${local.in}:service/${var.cluster}/${domain.service}"]
  deployment_configs = "${local.arn}:codedeploy:${local.in}:deploymentconfig:*"
  alarms             = "${local.arn}:cloudwatch:${local.in}:alarm:*"
  here               = { StringEquals = { "aws:RequestedRegion" = var.region } }
}
