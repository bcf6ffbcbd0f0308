resource "aws_db_subnet_group" "this" {
  name       = var.names.service
  subnet_ids = var.subnet_ids
}

resource "aws_db_parameter_group" "this" {
  name        = "${var.names.service}-${var.database.version}"
  description = "Switchgate, TLS only"
  family      = "postgres${var.database.version}"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "this" {
  identifier                      = var.names.service
  engine                          = "postgres"
  engine_version                  = var.database.version
  instance_class                  = var.database.class
  db_name                         = "switchgate"
  username                        = "switchgate_owner"
  password                        = random_password.database_owner.result
  allocated_storage               = 20
  max_allocated_storage           = 100
  storage_type                    = "gp3"
  storage_encrypted               = true
  multi_az                        = var.database.multi_az
  publicly_accessible             = false
  db_subnet_group_name            = aws_db_subnet_group.this.name
  vpc_security_group_ids          = [aws_security_group.database.id]
  parameter_group_name            = aws_db_parameter_group.this.name
  ca_cert_identifier              = "rds-ca-rsa2048-g1"
  backup_retention_period         = var.database.backup_days
  copy_tags_to_snapshot           = true
  deletion_protection             = true
  skip_final_snapshot             = false
  final_snapshot_identifier       = "${var.names.service}-final"
  auto_minor_version_upgrade      = true
  enabled_cloudwatch_logs_exports = ["postgresql"]

  lifecycle {
    prevent_destroy = true
  }
}
