output "hook_function" {
  value = module.switchgate.hook_function
}

output "service_security_group_id" {
  description = "The replicas': for tasks that run doctor, and for test listeners that probes request."
  value       = module.switchgate.service_security_group_id
}

output "configuration" {
  description = "The domains' tables for switchgate.toml."
  value       = module.policies.configuration
}

output "pipeline_roles" {
  description = "By domain, the input role-arn of its workflow."
  value       = { for name, role in aws_iam_role.pipeline : name => role.arn }
}
