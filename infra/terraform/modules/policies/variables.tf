variable "prefix" {
  description = "Begins every name."
  type        = string
  default     = "klp-logistics"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.prefix))
    error_message = "prefix: 2 to 20 of a-z, 0-9 and -, a letter first."
  }
}

variable "partition" {
  type    = string
  default = "aws"
}

variable "region" {
  type    = string
  default = "ap-northeast-2"
}

variable "account_id" {
  type = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id: the 12 digits of the account."
  }
}

variable "cluster" {
  description = "Name of the ECS cluster that runs the domains."
  type        = string
  default     = "klp-logistics-ecs-cluster"
}

variable "image_repository" {
  description = "Name of the ECR repository that holds Switchgate's image."
  type        = string
  default     = "switchgate"
}

variable "domains" {
  description = "The domains by name. A new one is a line."
  type = map(object({
    port               = number
    test_port          = optional(number)
    blue_kept_minutes  = optional(number, 60)
    fast_rollback      = optional(bool, true)
    ready_action       = optional(string, "CONTINUE_DEPLOYMENT")
    ready_wait_minutes = optional(number, 0)
  }))

  validation {
    condition     = alltrue([for name in keys(var.domains) : can(regex("^[a-z][a-z0-9-]*$", name))])
    error_message = "domains: a name has a-z, 0-9 and -, a letter first."
  }

  validation {
    condition = length(distinct(flatten([
      for domain in values(var.domains) : [domain.port, coalesce(domain.test_port, domain.port + 10000)]
    ]))) == 2 * length(var.domains)
    error_message = "domains: two of them have a port in common. Each needs a port and a test port (port + 10000) of its own on the load balancer."
  }

  validation {
    condition = alltrue([
      for domain in values(var.domains) :
      domain.port >= 1 && domain.port <= 65535 && coalesce(domain.test_port, domain.port + 10000) <= 65535
    ])
    error_message = "domains: ports are 1 to 65535; name the test_port of a port above 55535."
  }

  validation {
    condition = alltrue([
      for name in keys(var.domains) : length("${var.prefix}-int-${name}-b") <= 32
    ])
    error_message = "domains: a target group's name (prefix-int-name-b) has more than AWS's 32 characters. Shorten the prefix or the domain's name."
  }

  validation {
    condition     = alltrue([for domain in values(var.domains) : !(domain.fast_rollback && domain.blue_kept_minutes == 0)])
    error_message = "domains: a rollback within seconds needs blue. Give blue_kept_minutes above 0, or say fast_rollback = false."
  }

  validation {
    condition = alltrue([
      for domain in values(var.domains) : domain.blue_kept_minutes >= 0 && domain.blue_kept_minutes <= 2880
    ])
    error_message = "domains: CodeDeploy keeps blue for 2880 minutes (48 hours) at most."
  }

  validation {
    condition = alltrue([
      for domain in values(var.domains) :
      contains(["CONTINUE_DEPLOYMENT", "STOP_DEPLOYMENT"], domain.ready_action)
    ])
    error_message = "domains: ready_action is CONTINUE_DEPLOYMENT or STOP_DEPLOYMENT."
  }

  validation {
    condition = alltrue([
      for domain in values(var.domains) :
      (domain.ready_action == "CONTINUE_DEPLOYMENT") == (domain.ready_wait_minutes == 0)
    ])
    error_message = "domains: CONTINUE_DEPLOYMENT goes with ready_wait_minutes = 0, STOP_DEPLOYMENT with a wait. CodeDeploy refuses the other pairs."
  }
}

variable "load_balancer" {
  description = "Name of the internal load balancer that the domains share."
  type        = string
  default     = "klp-logistics-internal-alb"

  validation {
    condition     = length(var.load_balancer) <= 32
    error_message = "load_balancer: AWS's names have at most 32 characters."
  }
}

variable "task_role_names" {
  description = "The roles that the domains' tasks run with, and the one that ECS starts them with."
  type        = list(string)
  default     = ["klp-logistics-ecs-task", "klp-logistics-ecs-execution"]
}
