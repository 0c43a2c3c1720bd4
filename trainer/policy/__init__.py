"""A policy: its networks, its file, and how it chooses an action."""
