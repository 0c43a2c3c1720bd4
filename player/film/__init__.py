"""A duel exported as a video: MP4 or GIF."""
