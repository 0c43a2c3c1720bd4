"""The training itself: from sessions to a policy."""
