"""A session on disk: its layout, writing it during play, reading it."""
