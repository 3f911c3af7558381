"""The command line called as a function, and the pixels that it wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from inpaint_core.cli import main

HEIGHT, WIDTH = 60, 72


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))
