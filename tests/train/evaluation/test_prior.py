"""Latent search on photos of its prior's size: its report and its sheet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from inpaint_core import weights
from inpaint_core.errors import InpaintError
from inpaint_core.networks.dcgan import DCGAN
from train.evaluation.prior import Config, main, square_hole


@pytest.fixture
def untrained(tmp_path: Path) -> Path:
    """A folder with an untrained prior of faces."""
    torch.manual_seed(0)
    arguments = {"size": 64, "width": 4, "latent": 8, "critic_width": 4}
    about = {"command": "", "data": "", "steps": 0, "images_seen": 0, "metrics": {}, "licence": "MIT"}
    weights.save("latent_search", DCGAN(**arguments).state_dict(), arguments, tmp_path / "weights", **about)
    return tmp_path / "weights"


@pytest.mark.parametrize("masks", [None, "random_pixels"])
def test_the_report_has_the_figures_of_every_fill(
    shared: Path, photos: Path, untrained: Path, tmp_path: Path, masks: str | None
) -> None:
    out = tmp_path / "report"
    main(Config(photos=(photos,), out=out, checkpoints=untrained, limit=3, steps=6, restarts=2, rows=2, masks=masks))
    report = json.loads((out / "report.json").read_text())
    assert report["photos"] == 3
    assert report["priors"] == {"faces": 3}
    assert report["latent_search"]["l1"] > report["poisson"]["l1"], "an untrained prior has the wrong colours"
    assert all(report[name]["lpips"] > 0 for name in ("ns", "latent_search", "poisson", "mixed"))
    assert Image.open(out / "sheet.png").width == 4 + 6 * (128 + 4)


def test_the_square_hole_is_in_the_middle() -> None:
    hole = square_hole(24)
    assert hole.sum() == 24 * 24
    assert hole[20:44, 20:44].all()


def test_no_photos_are_refused(shared: Path, tmp_path: Path) -> None:
    with pytest.raises(InpaintError, match="no photos"):
        main(Config(photos=(tmp_path,), out=tmp_path / "report"))
