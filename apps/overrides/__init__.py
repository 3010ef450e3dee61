"""What people change in a plan: requests, decision rights, approvals."""
