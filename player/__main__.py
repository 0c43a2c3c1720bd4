"""`python -m player` is `twinplay`."""

import sys

from player.cli import main

if __name__ == "__main__":
    sys.exit(main())
