# The roles that pipelines assume from GitHub Actions by OIDC: one a domain, for one repository's main branch.

resource "aws_iam_openid_connect_provider" "github" {
  count          = length(var.repositories) > 0 ? 1 : 0
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "pipeline" {
  for_each             = var.repositories
  name                 = "${var.prefix}-${each.key}-pipeline"
  description          = "Pipeline of ${each.key}"
  max_session_duration = 21600 # a gate lasts up to an hour, a canary longer

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = aws_iam_openid_connect_provider.github[0].arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
          "token.actions.githubusercontent.com:sub" = "repo:${each.value}:ref:refs/heads/main"
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "pipeline" {
  for_each = var.repositories
  name     = "deploy"
  role     = aws_iam_role.pipeline[each.key].id
  policy   = module.policies.pipeline_policies[each.key]
}
