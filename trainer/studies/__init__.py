"""Studies: one question asked of several trainings."""
