"""The command line: `python -m inpaint_core fill photo.jpg mask.png -o out.jpg`; see `--help`."""

import os

# Threads that wait must sleep, not spin: on a machine shared with other programs spinning costs twenty times the time.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is loaded

from inpaint_core.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
