"""The errors of trainings and policies that a user can meet."""

from __future__ import annotations

from recorder.errors import TwinplayError


class TrainingError(TwinplayError):
    """The chosen sessions or settings cannot be trained on."""


class PolicyError(TwinplayError):
    """A policy file cannot be read, written, or used here."""


class InTrainingError(PolicyError):
    """A policy cannot be changed now, because its training writes it."""


class RunError(TwinplayError):
    """A run's folder cannot be read or written, or cannot do what is asked."""
