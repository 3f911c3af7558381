"""Attacks of bounded length on a server: `python -m benchmarks.attack`. Another visitor must hardly notice.

One caller sends what would take a server down; meanwhile another visitor, at another address, fills a photo of a
megapixel by Telea's method every few seconds. Printed are its waiting times for each attack, and the server's memory,
of which it may have no more than `--megabytes`. Exit status 1 if the server or the visitor suffered.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import httpx
import numpy as np
import tyro
from PIL import Image

from benchmarks import pictures
from benchmarks.serving import Answer, Server, Visitor, fill_arguments, mask_arguments, quantile, served

SECONDS = 25.0  # of an attack, at least: what it sent goes on working behind it
TYPICAL, WORST = 3.0, 10.0  # seconds of the other visitor
PAUSE = 1.0  # between two fills of the other visitor


@dataclass(frozen=True)
class Files:
    """What is sent."""

    photo: Path
    mask: Path
    dots: Path
    gif: Path
    bomb: Path
    small: Path
    small_mask: Path


def big_masks(attacker: Visitor, files: Files) -> None:
    """Masks of impossible sizes, and the largest possible ones eight at a time."""
    sizes = [(10_000, 10_000), (50_000_000, 2), *[(5_000, 5_000)] * 8]
    _at_once([partial(attacker.call, "make_mask", mask_arguments(*size)) for size in sizes])


def bombs(attacker: Visitor, files: Files) -> None:
    """Files that are large only once they are decoded, or slow to decode."""
    mask = attacker.upload(files.mask)
    sent = [attacker.upload(files.bomb)] * 4 + [attacker.upload(files.gif)] * 4
    _at_once([partial(attacker.call, "inpaint", fill_arguments(each, mask, "ns")) for each in sent])


def slow_fills(attacker: Visitor, files: Files) -> None:
    """The slowest methods, many dots, and nobody who waits for them."""
    photo, mask, dots = (attacker.upload(each) for each in (files.photo, files.mask, files.dots))
    calls = (
        [(photo, mask, "latent_search")] * 6 + [(photo, dots, "latent_search")] * 2 + [(photo, mask, "pixel_rnn")] * 2
    )

    def leave(arguments: tuple) -> None:
        with suppress(RuntimeError, httpx.HTTPError, TimeoutError):
            attacker.wait("inpaint", attacker.start("inpaint", fill_arguments(*arguments)), leave_after=2)

    _at_once([partial(leave, each) for each in calls])


def flood(attacker: Visitor, files: Files) -> None:
    """Many small calls at once, their answers never fetched."""
    photo, mask = attacker.upload(files.small), attacker.upload(files.small_mask)
    for _ in range(200):
        with suppress(RuntimeError, httpx.HTTPError):
            attacker.start("inpaint", fill_arguments(photo, mask, "patchmatch"))


def sessions(attacker: Visitor, files: Files) -> None:
    """The page opened again and again, each time with its first example, by nobody who stays."""
    settings = attacker.client.get(attacker.api.removesuffix("/gradio_api") + "/config").json()
    loads = [
        each["id"]
        for each in settings["dependencies"]
        if not each["inputs"] and any(event == "load" for _, event in each["targets"])
    ]
    for number in range(100):
        for load in loads:
            body = {"data": [], "fn_index": load, "session_hash": f"nobody{number}"}
            with suppress(httpx.HTTPError):
                attacker.client.post(f"{attacker.api}/queue/join", json=body)


def uploads(attacker: Visitor, files: Files) -> None:
    """More than anybody may upload."""
    data = os.urandom(50_000_000)
    for _ in range(30):
        with suppress(httpx.HTTPError):
            attacker.client.post(f"{attacker.api}/upload", files={"files": ("photo.png", data)})


ATTACKS: tuple[Callable[[Visitor, Files], None], ...] = (big_masks, bombs, slow_fills, flood, sessions, uploads)


def _at_once(calls: Sequence[Callable[[], object]]) -> None:
    with ThreadPoolExecutor(len(calls)) as threads:
        list(threads.map(lambda call: call(), calls))


@contextmanager
def beside(visitor: Visitor, files: Files) -> Iterator[list[Answer]]:
    """The other visitor's fills, while the `with` lasts."""
    answers: list[Answer] = []
    ended = threading.Event()

    def work() -> None:
        while not ended.is_set():
            answers.append(visitor.fill(files.photo, files.mask, "telea"))
            ended.wait(PAUSE)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield answers
    finally:
        ended.set()
        thread.join()


def _is_right(answer: Answer, files: Files) -> bool:
    """True if the photo came back whole: filled in the hole and nowhere else."""
    if answer.error is not None:
        return False
    before, hole = np.asarray(Image.open(files.photo)), np.asarray(Image.open(files.mask)) > 0
    after = np.asarray(Image.open(io.BytesIO(answer.data)))
    return bool(np.array_equal(before[~hole], after[~hole]))


def attack(server: Server, files: Files, megabytes: float) -> bool:
    """Every attack in turn, a line each; True if the server and the other visitor bore all of them."""
    borne = True
    with beside(Visitor(server, "10.1.0.1"), files):  # the processes start, and load what they need
        time.sleep(SECONDS)
    for number, each in enumerate((None, *ATTACKS)):
        start, first = time.monotonic(), len(server.memory)
        with beside(Visitor(server, "10.1.0.1"), files) as answers:
            if each is not None:
                each(Visitor(server, f"10.0.0.{number}"), files)
            time.sleep(max(0.0, start + SECONDS - time.monotonic()))
        seconds = [answer.seconds for answer in answers]
        wrong = [answer.error or "wrong" for answer in answers if not _is_right(answer, files)]
        peak = max(server.memory[first:], default=0.0)
        name = "nobody else" if each is None else each.__name__
        print(
            f"{name:12} fills {len(answers):3}, median {quantile(seconds, 0.5):5.2f} s, worst {max(seconds):5.2f} s, "
            f"errors {len(wrong)} {wrong[:1] or ''}, memory {peak:5.0f} MB, well {server.is_well()}",
            flush=True,
        )
        suffered = bool(wrong) or quantile(seconds, 0.5) > TYPICAL or max(seconds) > WORST
        borne = borne and server.is_well() and peak < megabytes and not suffered
    return borne


def main(megabytes: float = 4000) -> int:
    """Attack a server of its own; exit status 1 if it or another visitor suffered.

    Args:
        megabytes: of memory that the server may have.
    """
    with tempfile.TemporaryDirectory() as name, served() as server:
        folder = Path(name)
        files = Files(
            pictures.photo(folder / "photo.png", 1000, 1000),
            pictures.box_mask(folder / "mask.png", 1000, 1000),
            pictures.dots_mask(folder / "dots.png", 1000, 1000),
            pictures.noise_gif(folder / "noise.gif", 3000, 4000),
            pictures.bomb(folder / "bomb.png"),
            pictures.photo(folder / "small.png", 256, 256),
            pictures.box_mask(folder / "small_mask.png", 256, 256),
        )
        return 0 if attack(server, files, megabytes) else 1


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
