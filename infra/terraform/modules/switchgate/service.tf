resource "aws_cloudwatch_log_group" "service" {
  name              = var.names.log_group
  retention_in_days = var.log_days
}

locals {
  log = {
    logDriver = "awslogs"
    options = {
      awslogs-group         = aws_cloudwatch_log_group.service.name
      awslogs-region        = var.region
      awslogs-stream-prefix = "switchgate"
    }
  }

  # Of every container: no writable root, no capability.
  confined = {
    image                  = var.image
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    logConfiguration       = local.log
  }

  reads_files = [
    { sourceVolume = "certificates", containerPath = "/etc/rds", readOnly = true },
    { sourceVolume = "tmp", containerPath = "/tmp", readOnly = false },
  ]

  secret = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }

  # Writes RDS's certificates where libpq reads them, and ends. As root, because Fargate gives new volumes to root.
  certificates = merge(local.confined, {
    name       = "certificates"
    essential  = false
    user       = "0"
    entryPoint = ["python", "-I", "-c"]
    command = [<<-EOT
      import os, pathlib
      pathlib.Path("/etc/rds/ca.pem").write_text(os.environ["RDS_CA"], encoding="ascii")
      os.chmod("/tmp", 0o1777)
    EOT
    ]
    secrets     = [{ name = "RDS_CA", valueFrom = aws_ssm_parameter.rds_ca.arn }]
    mountPoints = [for mount in local.reads_files : merge(mount, { readOnly = false })]
  })

  # Migrates as the owner, makes the service's role and grants it what it needs, and ends. Replicas that start together
  # wait for each other.
  migrate = merge(local.confined, {
    name        = "migrate"
    essential   = false
    dependsOn   = [{ containerName = "certificates", condition = "SUCCESS" }]
    entryPoint  = ["switchgate"]
    command     = ["migrate", "--create-role"]
    mountPoints = local.reads_files
    secrets = [
      { name = "DATABASE_OWNER_URL", valueFrom = local.secret["database-owner-url"] },
      { name = "DATABASE_URL", valueFrom = local.secret["database-service-url"] },
    ]
  })

  serve = merge(local.confined, {
    name      = "switchgate"
    essential = true
    dependsOn = [
      { containerName = "certificates", condition = "SUCCESS" },
      { containerName = "migrate", condition = "SUCCESS" },
    ]
    entryPoint   = ["switchgate"]
    command      = ["serve"]
    portMappings = [{ containerPort = 8080, protocol = "tcp" }]
    mountPoints  = local.reads_files
    stopTimeout  = 30 # a stop ends by itself within 8 seconds
    environment = [
      { name = "AWS_REGION", value = var.region },
      { name = "SWITCHGATE_CONFIG", value = "ssm:${aws_ssm_parameter.configuration.name}" },
      { name = "SWITCHGATE_LOCALE", value = var.locale },
    ]
    secrets = concat(
      [
        { name = "DATABASE_URL", valueFrom = local.secret["database-service-url"] },
        { name = "SWITCHGATE_HOOK_SECRETS", valueFrom = local.secret["hook-secrets"] },
        { name = "SLACK_BOT_TOKEN", valueFrom = "${var.slack_secret_arn}:SLACK_BOT_TOKEN::" },
        { name = "SLACK_APP_TOKEN", valueFrom = "${var.slack_secret_arn}:SLACK_APP_TOKEN::" },
      ],
      var.api_tokens_secret_arn == null ? [] : [
        { name = "SWITCHGATE_API_TOKENS", valueFrom = var.api_tokens_secret_arn },
      ],
    )
    healthCheck = {
      command = [
        "CMD", "python", "-I", "-c",
        "import urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:8080/healthz', timeout=2)",
      ]
      interval    = 10
      timeout     = 3
      retries     = 3
      startPeriod = 30
    }
  })
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.names.service
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 512
  memory                   = 1024
  task_role_arn            = aws_iam_role.task.arn
  execution_role_arn       = aws_iam_role.execution.arn
  container_definitions    = jsonencode([local.certificates, local.migrate, local.serve])

  runtime_platform {
    cpu_architecture        = "X86_64"
    operating_system_family = "LINUX"
  }

  volume {
    name = "certificates"
  }

  volume {
    name = "tmp"
  }
}

# Rolling, by ECS: Switchgate never waits for its own approval.
resource "aws_ecs_service" "this" {
  name                               = var.names.service
  cluster                            = var.cluster
  launch_type                        = "FARGATE"
  task_definition                    = aws_ecs_task_definition.this.arn
  desired_count                      = var.replicas
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 60
  enable_execute_command             = false

  deployment_controller {
    type = "ECS"
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    assign_public_ip = false
    subnets          = var.subnet_ids
    security_groups  = [aws_security_group.service.id]
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this.arn
    container_name   = "switchgate"
    container_port   = 8080
  }

  depends_on = [
    aws_lb_listener_rule.hooks,
    aws_secretsmanager_secret_version.this,
    aws_iam_role_policy.execution,
    aws_iam_role_policy.own_secrets,
  ]
}
