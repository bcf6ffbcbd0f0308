"""What the account holds: deployment groups, deployments, task sets, revisions; its clock and lock."""
