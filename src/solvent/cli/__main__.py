"""`python -m solvent.cli`: the command line without its script."""

import sys

from solvent.cli import main

sys.exit(main())
