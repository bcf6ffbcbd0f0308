"""AWS: CodeDeploy, ECS, the load balancer and CloudWatch. Only this package uses boto3 and its errors."""
