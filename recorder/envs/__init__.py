"""What can be played, and the only door to Gymnasium and its simulators."""
