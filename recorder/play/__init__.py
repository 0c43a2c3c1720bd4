"""One game, tick by tick: its clock, its sound, and how evenly it was played."""
