"""A stand-in AWS: CodeDeploy's blue/green for ECS and the reads around it, over AWS's own protocols."""
