"""`suggest`: which method fills this photo best."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import OmitArgPrefixes, Positional, UseAppendAction, arg

from inpaint_core import catalogue
from inpaint_core.cli.options import FillArguments


@dataclass(frozen=True, kw_only=True)
class Suggest:
    """Which method fills this photo best: each is tried on intact places that resemble what is around the hole.

    Prints the methods, best first, with LPIPS and L1 in the copies of the hole (less is better), at how many of the
    places each was the best, and the seconds of a fill. A method far behind is dropped early. Nothing is written.

    For example: `python -m inpaint_core suggest photo.jpg mask.png`
    """

    source: Positional[Annotated[Path, arg(metavar="PHOTO")]]
    """The photo."""
    mask: Positional[Annotated[Path, arg(metavar="MASK")]]
    """White = hole, of the photo's size."""
    method: UseAppendAction[Annotated[tuple[str, ...], arg(aliases=["-m"], metavar="NAME")]] = ()
    """A method, also with public weights, as in lama@big; again for more. Default: all quick ones that are ready."""
    places: int = 4
    """At how many places they are tried, at most."""
    fill: OmitArgPrefixes[FillArguments] = FillArguments()

    def run(self) -> int:
        """Try and print; returns the exit status."""
        for name in self.method:
            catalogue.require_ready(name)
        from inpaint_core import photo
        from inpaint_core.cli import console, files
        from inpaint_core.suggestion import suggest

        options = self.fill.options()
        picture = photo.read(self.source)
        hole, notes = files.load_mask(self.mask, picture.pixels.shape[:2], self.fill.invert, self.fill.dilate)
        with console.one_bar("Trying") as progress:
            suggestion = suggest(
                picture.pixels, hole, self.method or None, options, places=self.places, progress=progress
            )
        for score in suggestion.scores:
            console.out.print(
                f"{score.method:<20} LPIPS {score.lpips:.4f}  L1 {score.l1:.4f}  best at {score.wins} of {score.places}"
                f"  {score.seconds:7.2f} s"
            )
        for note in [*picture.notes, *notes]:
            console.err.print(f"Note: {note}")
        console.out.print(suggestion.sentence)
        return 0
