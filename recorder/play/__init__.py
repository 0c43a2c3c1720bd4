"""One game, tick by tick: its clock, its sound, and its timing."""
