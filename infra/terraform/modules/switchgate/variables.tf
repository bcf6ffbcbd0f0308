variable "names" {
  description = "The policies module's output `switchgate`."
  type = object({
    service        = string
    hook_function  = string
    log_group      = string
    hook_log_group = string
    secrets        = string
    parameters     = string
  })
}

variable "policies" {
  description = "The policies module's output `policies`."
  type        = map(string)
}

variable "may_roll_back" {
  description = "Whether Switchgate may roll back (stop deployments, deploy the previous revision) and terminate blue."
  type        = bool
  default     = true
}

variable "account_id" {
  type = string
}

variable "region" {
  type = string
}

variable "vpc_id" {
  type = string
}

variable "subnet_ids" {
  description = "Private subnets in two availability zones or more, with a way out to Slack and AWS (NAT)."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids: two or more."
  }
}

variable "cluster" {
  type = string
}

variable "image" {
  description = "The image by digest, so that every replica runs the same code."
  type        = string

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image: name it by digest (repository@sha256:...)."
  }
}

variable "replicas" {
  type    = number
  default = 2

  validation {
    condition     = var.replicas >= 2 && var.replicas <= 10
    error_message = "replicas: 2 to 10, because Slack opens at most ten sockets for an app."
  }
}

variable "locale" {
  type    = string
  default = "en"
}

variable "configuration" {
  description = "The text of switchgate.toml."
  type        = string

  validation {
    condition     = length(var.configuration) <= 8192
    error_message = "configuration: a parameter holds 8 KB at most. Leave comments out, or put it into S3."
  }
}

variable "rds_ca" {
  description = "The text of RDS's certificate bundle for this region (REGION-bundle.pem)."
  type        = string
}

variable "slack_secret_arn" {
  description = "A secret {\"SLACK_BOT_TOKEN\":\"xoxb-...\",\"SLACK_APP_TOKEN\":\"xapp-...\"}, made outside Terraform."
  type        = string
}

variable "api_tokens_secret_arn" {
  description = "A secret whose whole text is the tokens of the API. Null, nobody can call the API."
  type        = string
  default     = null
}

variable "hook_key_id" {
  description = "Name of the key that signs hooks. ../../../README.md says how to rotate it."
  type        = string
  default     = "2026a"
}

variable "host_name" {
  description = "Host name of the internal HTTPS listener."
  type        = string
}

variable "certificate_arn" {
  description = "Certificate for that host name, in ACM. The Lambda trusts public authorities only."
  type        = string
}

variable "hosted_zone_id" {
  description = "Private hosted zone that gets a record for the host name. Null, you make the record yourself."
  type        = string
  default     = null
}

variable "api_client_cidr" {
  description = "Addresses that may reach the API. Null, only the Lambda reaches the service."
  type        = string
  default     = null
}

variable "probe_destination_cidr" {
  description = "Private addresses that probes may request. Null, the service reaches HTTPS and its database only."
  type        = string
  default     = null
}

variable "database" {
  type = object({
    class       = optional(string, "db.t4g.small")
    version     = optional(string, "17")
    multi_az    = optional(bool, true)
    backup_days = optional(number, 14)
  })
  default = {}

  validation {
    condition     = contains(["16", "17", "18"], var.database.version)
    error_message = "database.version: PostgreSQL 16 or newer."
  }

  validation {
    condition     = var.database.backup_days >= 1
    error_message = "database.backup_days: 1 or more; without backups the audit trail can be lost."
  }
}

variable "alarm_topic_arns" {
  description = "SNS topics that the alarms call. Empty, they are shown in CloudWatch only."
  type        = list(string)
  default     = []
}

variable "log_days" {
  type    = number
  default = 90
}
