"""What can go wrong in training and with policies, for a user to read."""

from __future__ import annotations

from recorder.errors import TwinplayError


class TrainingError(TwinplayError):
    """The chosen sessions or settings cannot be trained on."""


class PolicyError(TwinplayError):
    """A policy file cannot be read, written, or used here."""


class RunError(TwinplayError):
    """A run's folder cannot be read, written, or what is asked of it cannot be done."""
