"""``python -m console`` is the program ``hedgedesk``."""

import sys

from console.cli import main

sys.exit(main())
