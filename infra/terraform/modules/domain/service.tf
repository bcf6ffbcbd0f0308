resource "aws_security_group" "tasks" {
  name        = "${var.domain.family}-tasks"
  description = "Tasks of ${var.domain.name}"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "load_balancer" {
  security_group_id            = aws_security_group.tasks.id
  description                  = "The load balancer"
  ip_protocol                  = "tcp"
  from_port                    = var.container_port
  to_port                      = var.container_port
  referenced_security_group_id = var.load_balancer_security_group_id
}

resource "aws_vpc_security_group_egress_rule" "out" {
  security_group_id = aws_security_group.tasks.id
  description       = "What the service calls"
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_cloudwatch_log_group" "tasks" {
  name              = var.domain.log_group
  retention_in_days = 90
}

# The first tasks only; pipelines register every later revision. Terraform deregisters a revision that it replaces, and
# CodeDeploy deploys no deregistered one, so a rollback needs skip_destroy.
resource "aws_ecs_task_definition" "first" {
  family                   = var.domain.family
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  task_role_arn            = var.task_role_arn
  execution_role_arn       = var.execution_role_arn
  skip_destroy             = true

  container_definitions = jsonencode([{
    name         = var.domain.name
    image        = var.initial_image
    essential    = true
    portMappings = [{ containerPort = var.container_port, protocol = "tcp" }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.tasks.name
        awslogs-region        = var.region
        awslogs-stream-prefix = var.domain.name
      }
    }
  }])
}

# Only CodeDeploy moves its traffic, so Terraform leaves alone what each deployment changes.
resource "aws_ecs_service" "this" {
  name                              = var.domain.service
  cluster                           = var.cluster
  launch_type                       = "FARGATE"
  task_definition                   = aws_ecs_task_definition.first.arn
  desired_count                     = var.initial_count
  health_check_grace_period_seconds = 120

  deployment_controller {
    type = "CODE_DEPLOY"
  }

  network_configuration {
    assign_public_ip = false
    subnets          = var.subnet_ids
    security_groups  = [aws_security_group.tasks.id]
  }

  # Blue alone: CodeDeploy gives the other one to the next task set.
  load_balancer {
    target_group_arn = aws_lb_target_group.blue.arn
    container_name   = var.domain.name
    container_port   = var.container_port
  }

  depends_on = [aws_lb_listener.production, aws_lb_listener.test]

  lifecycle {
    prevent_destroy = true
    ignore_changes  = [task_definition, load_balancer, desired_count]
  }
}
