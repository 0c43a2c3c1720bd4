"""Environments; the only chapter that imports Gymnasium and its simulators."""
