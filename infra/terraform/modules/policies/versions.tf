# No provider: names and policies are computed, so `terraform test` runs here without an account and without a network.
terraform {
  required_version = ">= 1.9"
}
