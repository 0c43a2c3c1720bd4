"""Recording: without a window at full speed, or in real time for the Record page, here without Qt."""
