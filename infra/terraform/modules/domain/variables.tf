variable "domain" {
  description = "One of the policies module's `domains`: the names and settings of a domain."
  type = object({
    name               = string
    port               = number
    test_port          = number
    blue_kept_minutes  = number
    ready_action       = string
    ready_wait_minutes = number
    application        = string
    deployment_group   = string
    service            = string
    family             = string
    blue               = string
    green              = string
    alarm              = string
    log_group          = string
  })
}

variable "codedeploy_policy" {
  description = "The policies module's document for this domain's CodeDeploy role."
  type        = string
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
  description = "Private subnets in two availability zones or more."
  type        = list(string)
}

variable "cluster" {
  type = string
}

variable "load_balancer_arn" {
  type = string
}

variable "load_balancer_arn_suffix" {
  description = "The end of that ARN, from app/ on; the alarm measures by it."
  type        = string
}

variable "load_balancer_security_group_id" {
  type = string
}

variable "client_cidr" {
  description = "Addresses that call this domain, such as the VPC's."
  type        = string
}

variable "test_client_cidr" {
  description = "Addresses that test green, such as those of runners and of Switchgate. Not those of customers."
  type        = string
}

variable "initial_image" {
  description = "The image of the first tasks only. Pipelines register every later task definition."
  type        = string
}

variable "task_role_arn" {
  type = string
}

variable "execution_role_arn" {
  type = string
}

variable "container_port" {
  type    = number
  default = 8080
}

variable "cpu" {
  type    = number
  default = 512
}

variable "memory" {
  type    = number
  default = 1024
}

variable "initial_count" {
  type    = number
  default = 2
}

variable "health_check_path" {
  type    = string
  default = "/actuator/health"
}

variable "deployment_config" {
  type    = string
  default = "CodeDeployDefault.ECSAllAtOnce"
}

variable "alarm_threshold" {
  description = "5xx answers within a minute at which CodeDeploy stops the deployment and rolls back."
  type        = number
  default     = 10
}

variable "alarm_topic_arns" {
  type    = list(string)
  default = []
}
