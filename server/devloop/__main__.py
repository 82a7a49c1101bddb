"""`python -m devloop`: the same as the program `devloop`."""

import sys

from devloop.cli.entry import main

if __name__ == "__main__":
    sys.exit(main())
