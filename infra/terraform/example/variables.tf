variable "account_id" {
  type = string
}

variable "region" {
  type    = string
  default = "ap-northeast-2"
}

variable "prefix" {
  type    = string
  default = "klp-logistics"
}

variable "vpc_id" {
  type = string
}

variable "vpc_cidr" {
  type = string
}

variable "subnet_ids" {
  description = "Private subnets in two availability zones or more, with a way out (NAT)."
  type        = list(string)
}

variable "image" {
  description = "Switchgate's image by digest."
  type        = string
}

variable "initial_images" {
  description = "By domain, the image of its first tasks."
  type        = map(string)
}

variable "host_name" {
  type = string
}

variable "certificate_arn" {
  type = string
}

variable "hosted_zone_id" {
  type    = string
  default = null
}

variable "slack_secret_arn" {
  type = string
}

variable "api_tokens_secret_arn" {
  type    = string
  default = null
}

variable "alarm_topic_arns" {
  type    = list(string)
  default = []
}

variable "repositories" {
  description = "By domain, its repository on GitHub (owner/name). Those get a role for their pipeline."
  type        = map(string)
  default     = {}
}
