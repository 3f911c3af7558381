"""The command `fill` on one photo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import inpaint_core
from tests.cli.running import pixels, run


def test_fill_changes_the_hole_and_nothing_else(folder: Path) -> None:
    assert run("fill", folder / "photo.png", folder / "mask.png", "-m", "telea", "-o", folder / "out.png") == 0
    before, after, hole = pixels(folder / "photo.png"), pixels(folder / "out.png"), pixels(folder / "mask.png") > 0
    assert np.array_equal(before[~hole], after[~hole])
    assert not np.array_equal(before[hole], after[hole])


def test_fill_gives_what_the_python_api_gives(folder: Path) -> None:
    run("fill", folder / "photo.png", folder / "mask.png", "-m", "ns", "-o", folder / "out.png")
    expected = inpaint_core.inpaint(Image.open(folder / "photo.png"), Image.open(folder / "mask.png"), "ns").image
    assert expected is not None
    assert np.array_equal(pixels(folder / "out.png"), expected)


def test_fill_keeps_the_format_of_the_photo_and_makes_the_folder_named(folder: Path) -> None:
    assert run("fill", folder / "photo.jpg", folder / "mask.png", "-m", "ns", "-o", f"{folder}/new/") == 0
    assert Image.open(folder / "new" / "photo.jpg").format == "JPEG"


def test_format_turns_a_jpeg_into_an_exact_png(folder: Path) -> None:
    arguments = ("-m", "ns", "--format", "png", "-o", f"{folder}/new/")
    assert run("fill", folder / "photo.jpg", folder / "mask.png", *arguments) == 0
    known = pixels(folder / "mask.png") == 0
    assert np.array_equal(pixels(folder / "new" / "photo.png")[known], pixels(folder / "photo.jpg")[known])


def test_invert_and_dilate_move_the_hole(folder: Path) -> None:
    hole = pixels(folder / "mask.png")[..., 0] > 0
    Image.fromarray((~hole * 255).astype(np.uint8)).save(folder / "inverted.png")
    plain = ("fill", folder / "photo.png", folder / "inverted.png", "-m", "ns")
    assert run(*plain, "--invert", "-o", folder / "same.png") == 0
    assert run(*plain, "--invert", "--dilate", 3, "-o", folder / "wider.png") == 0
    changed = (pixels(folder / "wider.png") != pixels(folder / "photo.png")).any(axis=2)
    assert np.array_equal(pixels(folder / "same.png")[~hole], pixels(folder / "photo.png")[~hole])
    assert changed[17:20, 35:45].any()
    assert not changed[:16].any()


def test_an_inverted_mask_is_pointed_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hole = pixels(folder / "mask.png")[..., 0] > 0
    Image.fromarray((~hole * 255).astype(np.uint8)).save(folder / "inverted.png")
    run("fill", folder / "photo.png", folder / "inverted.png", "-m", "ns", "-o", folder / "out.png")
    assert "--invert" in capsys.readouterr().err


def test_refine_replaces_the_texture(folder: Path) -> None:
    plain = ("fill", folder / "photo.png", folder / "mask.png", "-m", "ns")
    assert run(*plain, "-o", folder / "smooth.png") == 0
    assert run(*plain, "--refine", "patchmatch", "-o", folder / "refined.png") == 0
    assert not np.array_equal(pixels(folder / "smooth.png"), pixels(folder / "refined.png"))
