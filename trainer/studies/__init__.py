"""Studies: several trainings that answer one question."""
