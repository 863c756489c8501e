"""``python -m dynlab.cli``: the command without an installed script."""

import sys

from dynlab.cli import main

sys.exit(main())
