"""A clone and its supervisor at the same controls, and what a clone learns from that."""
