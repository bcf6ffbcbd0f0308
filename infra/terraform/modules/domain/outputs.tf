output "application" {
  value = aws_codedeploy_app.this.name
}

output "deployment_group" {
  value = aws_codedeploy_deployment_group.this.deployment_group_name
}

output "listener_arn" {
  value = aws_lb_listener.production.arn
}

output "test_listener_arn" {
  value = aws_lb_listener.test.arn
}
