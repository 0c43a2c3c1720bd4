"""Sessions as training data, of any length."""
