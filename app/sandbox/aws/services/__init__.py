"""The operations of each service, by name: CodeDeploy, ECS, load balancing, CloudWatch."""
