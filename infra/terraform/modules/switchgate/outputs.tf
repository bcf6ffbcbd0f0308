output "hook_function" {
  description = "Name it as BeforeAllowTraffic in every AppSpec."
  value       = aws_lambda_function.hook.function_name
}

output "load_balancer_name" {
  description = "What the host name must resolve to."
  value       = aws_lb.this.dns_name
}

output "service_security_group_id" {
  description = "Let it reach your test listeners if probes request them."
  value       = aws_security_group.service.id
}
