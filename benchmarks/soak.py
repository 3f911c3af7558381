"""A thousand fills of mixed sizes and methods, and what memory they leave taken: `python -m benchmarks.soak`.

Visitors come and go, four at a time. Printed is the memory of the server and its processes as it grows; exit status 1
if a fill failed or more stays taken than may be.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import tyro
from PIL import Image

from benchmarks import pictures
from benchmarks.serving import Server, Visitor, served

SIZES = {(256, 320): 8, (480, 640): 6, (768, 1024): 3, (1500, 2000): 1, (3000, 4000): 0.2}  # height, width: how often
METHODS = {"telea": 6, "ns": 4, "patchmatch": 3, "deepfill_v2": 1}  # how often each
HOLE_SIDE = 0.06  # of the photo's sides: large enough for each method to do its work, and quick
AT_ONCE = 4
FILLS_OF_VISITOR = 10
IDLE_SECONDS = 20.0  # until the processes have loaded what their first fill needs
SETTLING_SECONDS = 10.0  # after the last fill


def make_pictures(folder: Path) -> list[tuple[Path, Path]]:
    """A photo and a mask of each size, the large photos as JPEG."""
    files = []
    for number, (height, width) in enumerate(SIZES):
        photo = pictures.photo(folder / f"{number}.png", height, width, number)
        if height > 1000:
            with Image.open(photo) as image:
                photo = photo.with_suffix(".jpg")
                image.save(photo, quality=90)
        files.append((photo, pictures.box_mask(folder / f"mask{number}.png", height, width, HOLE_SIDE)))
    return files


def visit(server: Server, number: int, files: list[tuple[Path, Path]]) -> Counter[str]:
    """One visitor's fills, one after the other: how often each ended how."""
    chance = random.Random(number)
    visitor, outcomes = Visitor(server, f"10.4.{number // 250}.{number % 250 + 1}"), Counter[str]()
    for _ in range(FILLS_OF_VISITOR):
        photo, mask = chance.choices(files, list(SIZES.values()))[0]
        method = chance.choices(list(METHODS), list(METHODS.values()))[0]
        answer = visitor.fill(photo, mask, method)
        outcomes["filled" if answer.error is None else f"error: {answer.error}"] += 1
    visitor.client.close()
    return outcomes


def main(fills: int = 1000, megabytes: float = 1500) -> int:
    """Fill many photos by a server of its own; exit status 1 if a fill failed or too much memory stays taken.

    Args:
        fills: how many.
        megabytes: that may stay taken at the end, beyond what the idle server took.
    """
    with tempfile.TemporaryDirectory() as name, served() as server:
        files, outcomes = make_pictures(Path(name)), Counter[str]()
        time.sleep(IDLE_SECONDS)
        idle, start = server.measure(), time.monotonic()
        print(f"   0 fills: {idle:5.0f} MB", flush=True)
        visitors = max(1, fills // FILLS_OF_VISITOR)
        with ThreadPoolExecutor(AT_ONCE) as crowd:
            for number, each in enumerate(crowd.map(lambda number: visit(server, number, files), range(visitors)), 1):
                outcomes += each
                if number % max(1, visitors // 10) == 0:
                    seconds = time.monotonic() - start
                    print(f"{outcomes.total():4} fills: {server.measure():5.0f} MB after {seconds:.0f} s", flush=True)
        time.sleep(SETTLING_SECONDS)
        left = server.measure()
        print(f"at the end {left:.0f} MB, {left - idle:.0f} more than idle; at most {max(server.memory):.0f}")
        for outcome, count in outcomes.most_common():
            print(f"{count} x {outcome}")
        return 0 if set(outcomes) == {"filled"} and left - idle <= megabytes and server.is_well() else 1


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
