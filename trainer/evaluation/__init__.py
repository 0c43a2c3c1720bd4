"""How well a clone plays, how much like its demonstrator, and which weights to keep."""
