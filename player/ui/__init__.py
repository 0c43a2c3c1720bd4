"""The Watch page and the window."""
