"""How well a clone plays, how much it plays like its demonstrator, and which weights to keep."""
