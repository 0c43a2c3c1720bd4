"""Help for the user: diagnostics, the list of keys, a sample to start with."""
