"""Operating system: threads and processes, cores, atomic file writes, streams, the log."""
