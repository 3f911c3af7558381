"""The README: that its commands run and its tables are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import inpaint_core
from inpaint_core.cli import main

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m inpaint_core (.+)$", README, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_runs_as_printed(
    command: str, tmp_path: Path, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("photos", "masks"):
        Path(folder).mkdir()
    photo = Image.fromarray(astronaut[::8, ::8])
    hole = Image.fromarray(np.pad(np.full((12, 12), 255, np.uint8), 26))
    for name in ("photo.jpg", "face.jpg", "photos/one.jpg", "photos/two.png"):
        photo.save(name)
    for name in ("mask.png", "masks/one.png", "masks/two.png"):
        hole.save(name)
    Image.fromarray(np.eye(64, dtype=np.uint8) * 255).save("edges.png")
    assert main(command.split()) == 0


def test_the_table_has_every_method_that_is_ready_as_the_catalogue_has_it() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| (\d+) \| ([^|]+) \|", README, re.MULTILINE)
    catalogue = [(each.name, each.title, str(each.year), each.family) for each in inpaint_core.methods()]
    assert rows == [row for row in catalogue if row in rows]
    assert {each.name for each in inpaint_core.methods() if each.ready} <= {row[0] for row in rows}


def test_the_short_description_fits_a_space() -> None:
    (description,) = re.findall(r"^short_description: (.+)$", README, re.MULTILINE)
    assert len(description) <= 60  # the Hub refuses a longer one
