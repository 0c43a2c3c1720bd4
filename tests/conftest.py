"""What all tests have in common."""

from __future__ import annotations

import os

# Beside another (pytest -n 2), a run of tests and what it starts keep to one core: threads that share one spin for it.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"
