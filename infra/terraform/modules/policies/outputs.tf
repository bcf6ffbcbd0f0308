output "domains" {
  description = "Every domain with its names."
  value       = local.domains
}

output "switchgate" {
  description = "Switchgate's own names."
  value       = local.switchgate
}

output "hook_function_arn" {
  value = local.hook_function_arn
}

output "policies" {
  description = "Policy documents of Switchgate's roles: configuration, hold, evidence, roll_back, hook, start."
  value       = { for name, policy in local.policies : name => jsonencode(policy) }
}

output "codedeploy_policies" {
  description = "By domain: what CodeDeploy's role may do."
  value       = { for name, policy in local.codedeploy_policies : name => jsonencode(policy) }
}

output "pipeline_policies" {
  description = "By domain: what its pipeline's role may do."
  value       = { for name, policy in local.pipeline_policies : name => jsonencode(policy) }
}

output "configuration" {
  description = "The domains' tables for switchgate.toml."
  value = join("\n", [
    for name, domain in local.domains : <<-EOT
    [domains.${name}]
    application      = "${domain.application}"
    deployment_group = "${domain.deployment_group}"
    listener_port    = ${domain.port}
    EOT
  ])
}
