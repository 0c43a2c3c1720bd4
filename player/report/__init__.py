"""Reports: the demo's page, and the figures of a study."""
