"""Tests, and the benchmarks. What hypothesis keeps between runs is not kept in the repository."""

import getpass
import os
import tempfile
from pathlib import Path

_KEPT = Path(tempfile.gettempdir()) / f"twinplay-hypothesis-{getpass.getuser()}"
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(_KEPT))
