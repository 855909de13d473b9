"""``python -m tests.machine``: the long run."""

import sys

from tests.machine.soak import main

if __name__ == "__main__":
    sys.exit(main())
