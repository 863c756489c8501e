"""``python -m dynlab.cli``: the command without an installed script."""

import sys

from dynlab.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
