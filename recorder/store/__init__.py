"""A session on disk: what lies where, writing it while it is played, reading it."""
