"""AWS: CodeDeploy, ECS, the load balancer and CloudWatch. boto3's shapes and errors stop here."""
