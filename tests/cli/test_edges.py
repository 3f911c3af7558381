"""The command `edges`: lines or a soft map of the photo's size, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inpaint_core.cli import main
from tests.sketch.detector import save_untrained


@pytest.fixture
def detector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint folder with an untrained detector."""
    monkeypatch.setenv("INPAINT_CHECKPOINTS", str(tmp_path))
    return save_untrained(tmp_path)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    picture = np.zeros((60, 80, 3), np.uint8)
    picture[:, 40:] = 255
    Image.fromarray(picture).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_the_command_writes_lines_of_the_photos_size(detector: Path, photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "edges.png"
    assert main(["edges", str(photo), "-o", str(out)]) == 0
    lines = np.asarray(Image.open(out))
    assert lines.shape[:2] == (60, 80)
    assert set(np.unique(lines)) <= {0, 255}
    assert main(["edges", str(photo), "-o", str(tmp_path / "soft.png"), "--soft"]) == 0
    soft = np.asarray(Image.open(tmp_path / "soft.png"))
    assert len(np.unique(soft)) > 2


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["{0}/absent.png", "-o", "{0}/edges.png"], id="no photo"),
        pytest.param(["{0}/photo.png", "-o", "{0}/photo.png"], id="onto itself"),
        pytest.param(["{0}/photo.png", "-o", "{0}/edges.jpg"], id="blurred lines"),
        pytest.param(["{0}/photo.png", "-o", "{0}/edges.xyz"], id="unknown format"),
        pytest.param(["{0}/photo.png", "-o", "{0}/edges.png", "--threshold", "1.5"], id="impossible threshold"),
        pytest.param(["{0}/photo.png"], id="no output"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_status_2(
    arguments: list[str], detector: Path, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = photo.read_bytes()
    assert main(["edges", *(word.format(tmp_path) for word in arguments)]) == 2
    message = capsys.readouterr().err
    assert message.startswith("Error: ")
    assert message.count("\n") == 1
    assert "Traceback" not in message
    assert photo.read_bytes() == before
    assert not (tmp_path / "edges.png").exists()


def test_the_command_says_that_weights_are_absent(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INPAINT_CHECKPOINTS", str(tmp_path / "none"))
    assert main(["edges", str(photo), "-o", str(tmp_path / "edges.png")]) == 2
    assert "train.edge_detection.train" in capsys.readouterr().err
