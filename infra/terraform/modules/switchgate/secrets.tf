# Generated secrets. Terraform's state holds them: keep it encrypted, and readable by few.

resource "random_password" "hook" {
  length  = 64
  special = false
}

resource "random_password" "database_owner" {
  length  = 40
  special = false
}

resource "random_password" "database_service" {
  length  = 40
  special = false
}

locals {
  database_url = join("", [
    "@${aws_db_instance.this.address}:5432/switchgate",
    "?sslmode=verify-full&sslrootcert=/etc/rds/ca.pem",
  ])

  secrets = {
    "hook-key"             = jsonencode({ kid = var.hook_key_id, secret = random_password.hook.result })
    "hook-secrets"         = "${var.hook_key_id}:${random_password.hook.result}"
    "database-owner-url"   = "postgresql://switchgate_owner:${random_password.database_owner.result}${local.database_url}"
    "database-service-url" = "postgresql://switchgate_service:${random_password.database_service.result}${local.database_url}"
  }
}

resource "aws_secretsmanager_secret" "this" {
  for_each = toset(["hook-key", "hook-secrets", "database-owner-url", "database-service-url"])
  name     = "${var.names.secrets}/${each.key}"
}

resource "aws_secretsmanager_secret_version" "this" {
  for_each      = aws_secretsmanager_secret.this
  secret_id     = each.value.id
  secret_string = local.secrets[each.key]

  # Keys are rotated by hand: ../../../README.md.
  lifecycle {
    ignore_changes = [secret_string]
  }
}

resource "aws_ssm_parameter" "configuration" {
  name  = "${var.names.parameters}/switchgate.toml"
  type  = "String"
  tier  = "Intelligent-Tiering"
  value = var.configuration
}

resource "aws_ssm_parameter" "rds_ca" {
  name  = "${var.names.parameters}/rds-ca.pem"
  type  = "String"
  tier  = "Intelligent-Tiering"
  value = var.rds_ca
}
