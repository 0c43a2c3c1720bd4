"""Learning: from sessions to a policy."""
