"""What helps a user: diagnostics, the list of keys, a sample to begin with."""
