"""What every program needs of its machine: threads and processes, cores, files that are whole, streams, the log."""
