"""Watching: a clone beside its demonstrator, films and reports."""
