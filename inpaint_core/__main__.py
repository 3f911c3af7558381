"""The command line: `python -m inpaint_core fill photo.jpg mask.png -o out.jpg`; see `--help`."""

from inpaint_core.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
