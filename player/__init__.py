"""Watching: a clone beside its demonstrator, videos and reports."""
