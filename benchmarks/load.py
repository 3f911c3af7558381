"""Fifty visitors at once: `python -m benchmarks.load`. Mixed methods and sizes; some cancel, some send nonsense.

Every result is compared with the first one of the same photo and method, bit for bit, and its known pixels with the
photo's. Printed are the waiting times, errors that should not be, and the server's memory.
"""

from __future__ import annotations

import hashlib
import io
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import httpx
import numpy as np
import tyro
from PIL import Image

from benchmarks import pictures
from benchmarks.serving import Answer, Server, Visitor, fill_arguments, quantile, served

METHODS = ("telea", "ns", "deepfill_v2", "patchmatch")
SIZES = ((256, 320), (512, 512), (768, 1024))
CANCELLING, BAD = 0.15, 0.15  # shares of the calls


@dataclass
class Report:
    """What all visitors together have seen."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    seconds: dict[str, list[float]] = field(default_factory=dict)  # of each method's fills
    outcomes: Counter[str] = field(default_factory=Counter)
    results: dict[tuple[str, str], str] = field(default_factory=dict)  # checksum of each photo's and method's pixels

    def note(self, photo: Path, mask: Path, method: str, answer: Answer) -> None:
        """Count a fill: right, changed where it must not be, unlike the first of its kind, or an error."""
        with self.lock:
            if answer.error is not None:
                self.outcomes[f"error: {answer.error}"] += 1
                return
            self.seconds.setdefault(method, []).append(answer.seconds)
            before, hole = np.asarray(Image.open(photo)), np.asarray(Image.open(mask)) > 0
            after = np.asarray(Image.open(io.BytesIO(answer.data)))
            checksum = hashlib.sha256(after.tobytes()).hexdigest()
            if not np.array_equal(before[~hole], after[~hole]):
                self.outcomes["KNOWN PIXELS CHANGED"] += 1
            elif self.results.setdefault((photo.name, method), checksum) != checksum:
                self.outcomes["NOT THE SAME AS BEFORE"] += 1
            else:
                self.outcomes["right"] += 1


def visit(server: Server, number: int, photos: list[tuple[Path, Path]], fills: int, report: Report) -> None:
    """One visitor: some fills, one after the other."""
    chance = random.Random(number)
    visitor = Visitor(server, f"10.2.{number // 250}.{number % 250 + 1}")
    for _ in range(fills):
        photo, mask = chance.choice(photos)
        method, luck = chance.choice(METHODS), chance.random()
        if luck < CANCELLING:
            with suppress(RuntimeError, httpx.HTTPError, TimeoutError):
                sent = fill_arguments(visitor.upload(photo), visitor.upload(mask), method)
                visitor.wait("inpaint", visitor.start("inpaint", sent), leave_after=0.5)
            report.outcomes["cancelled"] += 1
        elif luck < CANCELLING + BAD:
            answer = visitor.fill(photo, photos[0][1] if photo != photos[0][0] else photos[1][1], method)
            refused = answer.error is not None and "pixels" in answer.error
            report.outcomes["refused with a sentence" if refused else f"NOT REFUSED: {answer.error}"] += 1
        else:
            report.note(photo, mask, method, visitor.fill(photo, mask, method))


def main(visitors: int = 50, fills: int = 3) -> int:
    """Let many visitors at once into a server of its own; exit status 1 if one got what he should not.

    Args:
        visitors: at once.
        fills: of each, one after the other.
    """
    with tempfile.TemporaryDirectory() as name, served() as server:
        folder, photos = Path(name), []
        for number, (height, width) in enumerate(SIZES):
            mask = pictures.box_mask(folder / f"mask{number}.png", height, width, 0.15)
            photos.append((pictures.photo(folder / f"{number}.png", height, width, number), mask))
        for method in METHODS:  # what is loaded once is no visitor's time
            Visitor(server, "10.3.0.1").fill(*photos[0], method)
        idle, start, report = server.measure(), time.monotonic(), Report()
        with ThreadPoolExecutor(visitors) as crowd:
            list(crowd.map(lambda number: visit(server, number, photos, fills, report), range(visitors)))
        took = time.monotonic() - start
        time.sleep(3)
        seconds = [each for values in report.seconds.values() for each in values]
        print(f"{visitors} visitors, {visitors * fills} calls in {took:.0f} s")
        print(f"all: p50 {quantile(seconds, 0.5):.1f} s, p95 {quantile(seconds, 0.95):.1f} s")
        for method, values in sorted(report.seconds.items()):
            print(f"{method}: {len(values)}, p50 {quantile(values, 0.5):.1f} s, p95 {quantile(values, 0.95):.1f} s")
        for outcome, count in report.outcomes.most_common():
            print(f"{count} x {outcome}")
        print(f"memory: idle {idle:.0f} MB, peak {max(server.memory):.0f} MB, at the end {server.measure():.0f} MB")
        good = {"right", "cancelled", "refused with a sentence"}
        return 0 if set(report.outcomes) <= good and server.is_well() else 1


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
