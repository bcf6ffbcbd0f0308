# terraform init && terraform test, in this module's folder. No account and no network are needed.

variables {
  account_id = "123456789012"
  domains = {
    auth         = { port = 8000 }
    user         = { port = 8010 }
    order        = { port = 8020 }
    hub          = { port = 8030 }
    delivery     = { port = 8040 }
    notification = { port = 8050 }
    promotion    = { port = 9000 }
    payment      = { port = 9020 }
  }
}

run "the_eight_domains_have_their_names" {
  command = plan

  assert {
    condition     = output.domains["notification"].blue == "klp-logistics-int-notification-b"
    error_message = "The longest target group name of the eight."
  }

  assert {
    condition     = output.domains["order"].test_port == 18020
    error_message = "The test port is the port and ten thousand."
  }

  assert {
    condition     = startswith(output.switchgate.hook_function, "CodeDeployHook_")
    error_message = "CodeDeploy's managed policies let it invoke no other function."
  }
}

run "every_policy_is_a_policy" {
  command = plan

  assert {
    condition = alltrue([
      for policy in concat(
        values(output.policies),
        values(output.codedeploy_policies),
        values(output.pipeline_policies),
      ) : jsondecode(policy).Version == "2012-10-17" && length(policy) <= 6144
    ])
    error_message = "A managed policy has at most 6144 characters."
  }

  assert {
    condition = !anytrue([
      for policy in values(output.pipeline_policies) : strcontains(policy, "ecs:UpdateService")
    ])
    error_message = "A pipeline must not be able to move traffic itself."
  }

  assert {
    condition     = !strcontains(output.policies.hold, "StopDeployment") && strcontains(output.policies.roll_back, "StopDeployment")
    error_message = "Rolling back is a policy of its own."
  }
}

run "two_domains_on_one_port_are_refused" {
  command = plan
  variables {
    domains = { order = { port = 8020 }, hub = { port = 8020 } }
  }
  expect_failures = [var.domains]
}

run "a_port_that_is_another_domains_test_port_is_refused" {
  command = plan
  variables {
    domains = { order = { port = 8020 }, hub = { port = 18020 } }
  }
  expect_failures = [var.domains]
}

run "a_name_over_awss_length_is_refused" {
  command = plan
  variables {
    domains = { notifications = { port = 8050 } }
  }
  expect_failures = [var.domains]
}

run "a_fast_rollback_without_blue_is_refused" {
  command = plan
  variables {
    domains = { order = { port = 8020, blue_kept_minutes = 0 } }
  }
  expect_failures = [var.domains]
}

run "no_fast_rollback_needs_no_blue" {
  command = plan
  variables {
    domains = { order = { port = 8020, blue_kept_minutes = 0, fast_rollback = false } }
  }
}

run "to_continue_after_a_wait_is_refused" {
  command = plan
  variables {
    domains = { order = { port = 8020, ready_wait_minutes = 10 } }
  }
  expect_failures = [var.domains]
}

run "to_stop_without_a_wait_is_refused" {
  command = plan
  variables {
    domains = { order = { port = 8020, ready_action = "STOP_DEPLOYMENT" } }
  }
  expect_failures = [var.domains]
}

run "an_account_that_is_none_is_refused" {
  command = plan
  variables {
    account_id = "123"
  }
  expect_failures = [var.account_id]
}
