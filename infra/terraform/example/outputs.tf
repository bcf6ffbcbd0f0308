output "hook_function" {
  value = module.switchgate.hook_function
}

output "configuration" {
  description = "The domains' tables for switchgate.toml."
  value       = module.policies.configuration
}

output "pipeline_policies" {
  description = "By domain, the policy of its pipeline's role."
  value       = module.policies.pipeline_policies
}
