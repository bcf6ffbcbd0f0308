# Who may reach whom: the Lambda the listener, the listener the replicas, the replicas the database, Slack and AWS.

resource "aws_security_group" "load_balancer" {
  name        = "${var.names.service}-load-balancer"
  description = "Internal load balancer of Switchgate"
  vpc_id      = var.vpc_id
}

resource "aws_security_group" "service" {
  name        = "${var.names.service}-service"
  description = "Replicas of Switchgate"
  vpc_id      = var.vpc_id
}

resource "aws_security_group" "hook" {
  name        = "${var.names.service}-hook"
  description = "Hook function of Switchgate"
  vpc_id      = var.vpc_id
}

resource "aws_security_group" "database" {
  name        = "${var.names.service}-database"
  description = "Database of Switchgate"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "hooks" {
  security_group_id            = aws_security_group.load_balancer.id
  description                  = "The hook function"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.hook.id
}

resource "aws_vpc_security_group_ingress_rule" "api_clients" {
  count             = var.api_client_cidr == null ? 0 : 1
  security_group_id = aws_security_group.load_balancer.id
  description       = "Callers of the API"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = var.api_client_cidr
}

resource "aws_vpc_security_group_egress_rule" "load_balancer" {
  security_group_id            = aws_security_group.load_balancer.id
  description                  = "The replicas"
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
  referenced_security_group_id = aws_security_group.service.id
}

resource "aws_vpc_security_group_ingress_rule" "service" {
  security_group_id            = aws_security_group.service.id
  description                  = "Hooks, state changes and the API"
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
  referenced_security_group_id = aws_security_group.load_balancer.id
}

resource "aws_vpc_security_group_egress_rule" "service_https" {
  security_group_id = aws_security_group.service.id
  description       = "Slack and AWS"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_egress_rule" "service_probes" {
  count             = var.probe_destination_cidr == null ? 0 : 1
  security_group_id = aws_security_group.service.id
  description       = "Probes of green"
  ip_protocol       = "tcp"
  from_port         = 1
  to_port           = 65535
  cidr_ipv4         = var.probe_destination_cidr
}

resource "aws_vpc_security_group_egress_rule" "service_database" {
  security_group_id            = aws_security_group.service.id
  description                  = "The database"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  referenced_security_group_id = aws_security_group.database.id
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  security_group_id            = aws_security_group.database.id
  description                  = "The replicas"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  referenced_security_group_id = aws_security_group.service.id
}

resource "aws_vpc_security_group_egress_rule" "hook" {
  security_group_id = aws_security_group.hook.id
  description       = "The service, CodeDeploy and Secrets Manager"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}
