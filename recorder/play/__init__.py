"""One game, tick by tick: its clock, its sound, its timing, and how soon a key shows."""
