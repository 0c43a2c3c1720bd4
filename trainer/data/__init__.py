"""Sessions as training data, however long."""
