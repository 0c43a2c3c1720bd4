"""A duel as a film: MP4 or GIF."""
