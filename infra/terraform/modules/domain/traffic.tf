# Blue and green, the two listeners, and who may reach them. CodeDeploy changes where the listeners point: Terraform
# ignores that, and refuses to replace them, because a new listener would point at blue while green serves.

resource "aws_lb_target_group" "blue" {
  name                 = var.domain.blue
  vpc_id               = var.vpc_id
  target_type          = "ip"
  protocol             = "HTTP"
  port                 = var.container_port
  deregistration_delay = 30

  health_check {
    path                = var.health_check_path
    matcher             = "200-399"
    interval            = 15
    healthy_threshold   = 3
    unhealthy_threshold = 2
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_lb_target_group" "green" {
  name                 = var.domain.green
  vpc_id               = var.vpc_id
  target_type          = "ip"
  protocol             = "HTTP"
  port                 = var.container_port
  deregistration_delay = 30

  health_check {
    path                = var.health_check_path
    matcher             = "200-399"
    interval            = 15
    healthy_threshold   = 3
    unhealthy_threshold = 2
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_lb_listener" "production" {
  load_balancer_arn = var.load_balancer_arn
  protocol          = "HTTP"
  port              = var.domain.port

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.blue.arn
  }

  lifecycle {
    prevent_destroy = true
    ignore_changes  = [default_action]
  }
}

resource "aws_lb_listener" "test" {
  load_balancer_arn = var.load_balancer_arn
  protocol          = "HTTP"
  port              = var.domain.test_port

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.green.arn
  }

  lifecycle {
    prevent_destroy = true
    ignore_changes  = [default_action]
  }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  security_group_id = var.load_balancer_security_group_id
  description       = "Clients of ${var.domain.name}"
  ip_protocol       = "tcp"
  from_port         = var.domain.port
  to_port           = var.domain.port
  cidr_ipv4         = var.client_cidr
}

resource "aws_vpc_security_group_ingress_rule" "test_clients" {
  security_group_id = var.load_balancer_security_group_id
  description       = "Tests of ${var.domain.name}"
  ip_protocol       = "tcp"
  from_port         = var.domain.test_port
  to_port           = var.domain.test_port
  cidr_ipv4         = var.test_client_cidr
}
