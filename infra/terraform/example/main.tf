# The whole pattern in one account and region, in a VPC that exists: the cluster, the internal load balancer, Switchgate,
# and a domain for each line of domains.tf.

module "policies" {
  source          = "../modules/policies"
  prefix          = var.prefix
  account_id      = var.account_id
  region          = var.region
  cluster         = aws_ecs_cluster.this.name
  load_balancer   = "${var.prefix}-internal-alb"
  domains         = local.domains
  task_role_names = ["${var.prefix}-ecs-task", "${var.prefix}-ecs-execution"]
}

resource "aws_ecs_cluster" "this" {
  name = "${var.prefix}-ecs-cluster"
}

resource "aws_security_group" "internal" {
  name        = "${var.prefix}-internal-alb"
  description = "The internal load balancer of the domains"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "internal" {
  security_group_id = aws_security_group.internal.id
  description       = "The tasks"
  ip_protocol       = "tcp"
  from_port         = 8080
  to_port           = 8080
  cidr_ipv4         = var.vpc_cidr
}

resource "aws_lb" "internal" {
  name                       = "${var.prefix}-internal-alb"
  load_balancer_type         = "application"
  internal                   = true
  subnets                    = var.subnet_ids
  security_groups            = [aws_security_group.internal.id]
  enable_deletion_protection = true
  drop_invalid_header_fields = true
}

locals {
  tasks_trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

# What the domains' own code may do: give it policies of your own.
resource "aws_iam_role" "task" {
  name               = "${var.prefix}-ecs-task"
  assume_role_policy = local.tasks_trust
}

resource "aws_iam_role" "execution" {
  name               = "${var.prefix}-ecs-execution"
  assume_role_policy = local.tasks_trust
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

module "switchgate" {
  source                = "../modules/switchgate"
  names                 = module.policies.switchgate
  policies              = module.policies.policies
  account_id            = var.account_id
  region                = var.region
  vpc_id                = var.vpc_id
  subnet_ids            = var.subnet_ids
  cluster               = aws_ecs_cluster.this.name
  image                 = var.image
  configuration         = file("${path.root}/switchgate.toml")
  rds_ca                = file("${path.root}/rds-ca.pem")
  slack_secret_arn      = var.slack_secret_arn
  api_tokens_secret_arn = var.api_tokens_secret_arn
  host_name             = var.host_name
  certificate_arn       = var.certificate_arn
  hosted_zone_id        = var.hosted_zone_id
  api_client_cidr       = var.api_tokens_secret_arn == null ? null : var.vpc_cidr
  alarm_topic_arns      = var.alarm_topic_arns
}

module "domain" {
  source   = "../modules/domain"
  for_each = module.policies.domains

  domain                          = each.value
  codedeploy_policy               = module.policies.codedeploy_policies[each.key]
  account_id                      = var.account_id
  region                          = var.region
  vpc_id                          = var.vpc_id
  subnet_ids                      = var.subnet_ids
  cluster                         = aws_ecs_cluster.this.name
  load_balancer_arn               = aws_lb.internal.arn
  load_balancer_arn_suffix        = aws_lb.internal.arn_suffix
  load_balancer_security_group_id = aws_security_group.internal.id
  client_cidr                     = var.vpc_cidr
  test_client_cidr                = var.vpc_cidr
  initial_image                   = var.initial_images[each.key]
  task_role_arn                   = aws_iam_role.task.arn
  execution_role_arn              = aws_iam_role.execution.arn
  alarm_topic_arns                = var.alarm_topic_arns
}
