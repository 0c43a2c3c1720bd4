"""Trainings on disk, the policies that came of them, and the Train page without Qt."""
