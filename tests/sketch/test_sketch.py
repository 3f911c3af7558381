"""Sketches: any drawing becomes thin lines, soft edges become lines, and the detector says when it has no weights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import distance_transform_edt

from inpaint_core import InpaintError, inpaint, methods, sketch, weights
from inpaint_core.cli import main

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def drawing(
    width: int = 1, ink: tuple[int, ...] = BLACK, paper: tuple[int, ...] = WHITE, smooth: int = cv2.LINE_8
) -> np.ndarray:
    """A bent line of some width, uint8 160 x 200 x channels, in that ink on that paper."""
    canvas = np.empty((160, 200, len(paper)), np.uint8)
    canvas[:] = paper
    points = np.array([[20, 30], [90, 120], [180, 60]])
    cv2.polylines(canvas, [points], False, ink, width, smooth)
    return canvas


TRUTH = drawing()[..., 0] == 0


def far(these: np.ndarray, those: np.ndarray) -> float:
    """The largest distance of a pixel of `these` from `those`."""
    return float(distance_transform_edt(~those)[these].max())


def same_line(found: np.ndarray, tolerance: float = 3.0) -> bool:
    return far(found, TRUTH) <= tolerance and far(TRUTH, found) <= tolerance


@pytest.mark.parametrize("width", [1, 2, 3, 5, 9, 15])
@pytest.mark.parametrize("smooth", [cv2.LINE_8, cv2.LINE_AA])
@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        pytest.param(BLACK, WHITE, id="black on white"),
        pytest.param(WHITE, BLACK, id="white on black"),
        pytest.param((200, 30, 30), WHITE, id="red on white"),
        pytest.param((255, 255, 0), WHITE, id="yellow on white"),
        pytest.param((60, 60, 60), BLACK, id="dark grey on black"),
        pytest.param((0, 0, 0, 255), (0, 0, 0, 0), id="black on nothing"),
        pytest.param((20, 200, 90, 255), (0, 0, 0, 0), id="green on nothing"),
        pytest.param((255, 255, 255, 90), (255, 255, 255, 0), id="faint white on nothing"),
    ],
)
def test_any_stroke_becomes_the_same_thin_line(ink, paper, width: int, smooth: int) -> None:
    found = sketch.repair(drawing(width, ink, paper, smooth))
    assert found.dtype == bool
    assert found.shape == TRUTH.shape
    assert same_line(found, width / 2 + 2)  # ends and corners of a wide stroke are round
    assert not cv2.erode(found.astype(np.uint8), np.ones((3, 3), np.uint8)).any()  # nowhere wider than two pixels


def test_thin_lines_stay_as_they_are() -> None:
    assert np.array_equal(sketch.repair(TRUTH), TRUTH)
    assert np.array_equal(sketch.repair(TRUTH * np.uint8(255)), TRUTH)
    assert np.array_equal(sketch.repair(TRUTH.astype(np.float32)), TRUTH)
    assert np.array_equal(sketch.repair(TRUTH.astype(np.int64)), TRUTH)


def test_repairing_twice_is_repairing_once() -> None:
    once = sketch.repair(drawing(11))
    assert np.array_equal(sketch.repair(once), once)


def test_a_thin_line_that_touches_a_wide_one_is_not_lost() -> None:
    canvas = drawing(13)
    cv2.circle(canvas, (90, 90), 40, BLACK, 1)
    ring = np.zeros(TRUTH.shape, np.uint8)
    cv2.circle(ring, (90, 90), 40, 1, 1)
    alone = (ring > 0) & (distance_transform_edt(drawing(13)[..., 0] > 0) > 3)
    assert far(alone, sketch.repair(canvas)) <= 1


def test_a_jpegs_noise_is_no_stroke() -> None:
    encoded = cv2.imencode(".jpg", drawing(3, smooth=cv2.LINE_AA), [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    assert same_line(sketch.repair(np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))))


@pytest.mark.parametrize("level", [0, 3, 128, 255])
def test_empty_paper_holds_no_strokes(level: int) -> None:
    assert not sketch.repair(np.full((20, 30, 3), level, np.uint8)).any()
    assert not sketch.repair(np.full((20, 30, 4), (level, level, level, 0), np.uint8)).any()
    assert not sketch.repair(np.zeros((20, 30), bool)).any()


def test_the_alpha_of_an_opaque_picture_says_nothing() -> None:
    assert same_line(sketch.repair(drawing(1, (0, 0, 0, 255), (255, 255, 255, 255))))


def test_pil_pictures_of_every_mode_are_read() -> None:
    picture = Image.fromarray(drawing(1, BLACK, WHITE))
    for mode in ("RGB", "L", "1", "P", "RGBA", "CMYK", "I;16"):
        converted = picture.convert("L").convert("I;16") if mode == "I;16" else picture.convert(mode)
        assert same_line(sketch.repair(converted)), mode


def test_a_drawing_can_be_brought_to_another_size_without_losing_lines() -> None:
    small = sketch.repair(TRUTH, (40, 50))
    assert small.shape == (40, 50)
    seen = cv2.resize(small.astype(np.uint8), (200, 160), interpolation=cv2.INTER_NEAREST) > 0
    assert far(TRUTH, seen) <= 4
    assert sketch.repair(TRUTH, (320, 400)).shape == (320, 400)


@pytest.mark.parametrize(
    "strokes", [np.zeros(5), np.zeros((4, 4, 7)), np.zeros((0, 4)), np.full((4, 4), np.nan), np.full((4, 4), "x")]
)
def test_what_is_no_picture_is_refused_in_a_sentence(strokes: np.ndarray) -> None:
    with pytest.raises(InpaintError, match="sketch"):
        sketch.repair(strokes)


@pytest.mark.parametrize("scale", [0.9, 0.5, 0.31, 0.1])
def test_a_line_at_the_photos_scale_survives_what_fill_does_to_it(scale: float) -> None:
    """The predictor averages areas and cuts at a quarter of the scale."""
    for angle in range(0, 180, 15):
        lines = np.zeros((400, 400), np.uint8)
        reach = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))]) * 180
        ends = [tuple(int(v) for v in np.array([200.5, 200.5]) + sign * reach) for sign in (-1, 1)]
        cv2.line(lines, ends[0], ends[1], (1,), 1)
        side = round(400 * scale)
        kept = cv2.resize(lines.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA) > 0.25 * scale
        seen = cv2.resize(kept.astype(np.uint8), (400, 400), interpolation=cv2.INTER_NEAREST) > 0
        assert far(lines > 0, seen) <= 1.5 / scale  # no gap of a pixel of the small picture, across


def test_a_sketch_in_any_polarity_fills_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    size = TRUTH.shape
    expected = sketch.as_sketch(TRUTH, size)
    for strokes in (drawing(), drawing(1, WHITE, BLACK), Image.fromarray(drawing(1, (9, 9, 9, 255), (0, 0, 0, 0)))):
        assert np.array_equal(sketch.as_sketch(strokes, size), expected)
    with pytest.raises(InpaintError, match="size"):
        sketch.as_sketch(TRUTH, (10, 10))


def test_nonsense_sketches_change_no_known_pixel() -> None:
    dice = np.random.default_rng(0)
    image = dice.integers(0, 255, (64, 64, 3), np.uint8)
    hole = np.zeros((64, 64), bool)
    hole[20:40, 20:40] = True
    for nonsense in (np.ones((64, 64)), dice.random((64, 64)) > 0.5, dice.integers(0, 255, (64, 64, 3), np.uint8)):
        filled = inpaint(image, hole, "ns", nonsense).image
        assert filled is not None
        assert np.array_equal(filled[~hole], image[~hole])


# ---- soft maps to lines ----------------------------------------------------------------------------------------------


def soft_map() -> np.ndarray:
    """The bent line as a detector would see it: wide and soft, 1 on its crest."""
    return np.exp(-0.5 * (distance_transform_edt(~TRUTH) / 2.5) ** 2).astype(np.float32)


def test_thin_lines_run_along_the_crests_of_the_soft_map() -> None:
    lines = sketch.thin(soft_map())
    assert lines.dtype == bool
    assert same_line(lines, 3.5)
    assert lines.sum() <= 1.3 * TRUTH.sum()  # one pixel wide


def test_ridges_keep_the_maps_values_and_nothing_beside_the_crest() -> None:
    soft = soft_map()
    found = sketch.ridges(soft)
    kept = found > 0
    assert np.array_equal(found[kept], soft[kept])
    strong = found > 0.5
    assert far(strong, TRUTH) <= 3
    assert np.mean(distance_transform_edt(~TRUTH)[strong] > 1) < 0.1


def test_a_higher_threshold_draws_fewer_lines_and_weak_lines_follow_strong_ones() -> None:
    soft = soft_map() * np.linspace(0.3, 1, 200, dtype=np.float32)
    counts = [int(sketch.thin(soft, threshold).sum()) for threshold in (0.3, 0.6, 0.9)]
    assert counts[0] > counts[1] > counts[2] > 0
    assert sketch.thin(soft, 0.6, weak=0.6).sum() > sketch.thin(soft, 0.6, weak=1.0).sum()


def test_a_flat_map_has_no_lines() -> None:
    assert not sketch.thin(np.zeros((30, 40), np.float32)).any()
    assert not sketch.thin(np.full((30, 40), 0.9, np.float32)).any()


# ---- the detector ----------------------------------------------------------------------------------------------------


@pytest.fixture
def detector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint folder with an untrained detector."""
    import torch

    from inpaint_core.networks.edge_detector import HED

    torch.manual_seed(0)
    told: dict[str, Any] = {"command": "", "data": "", "steps": 0, "images_seen": 0, "metrics": {}, "licence": ""}
    weights.save(sketch.DETECTOR, HED().state_dict(), {}, tmp_path, **told)
    monkeypatch.setenv("INPAINT_CHECKPOINTS", str(tmp_path))
    return tmp_path


def test_edges_are_a_map_of_the_photos_size_between_0_and_1(detector: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (70, 90, 3), np.uint8)
    soft = sketch.edges(image, "cpu")
    assert soft.shape == (70, 90)
    assert soft.dtype == np.float32
    assert soft.min() >= 0
    assert soft.max() <= 1
    assert np.array_equal(soft, sketch.edges(Image.fromarray(image), "cpu"))


def test_a_large_photo_gets_a_map_of_its_own_size(detector: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sketch, "MAX_PIXELS", 64 * 64)
    assert sketch.edges(np.zeros((150, 203, 3), np.uint8), "cpu").shape == (150, 203)


def test_the_detector_is_no_method_that_fills(detector: Path) -> None:
    assert sketch.ready()
    assert sketch.DETECTOR not in [method.name for method in methods()]


def test_absent_weights_are_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INPAINT_CHECKPOINTS", str(tmp_path))
    assert not sketch.ready()
    with pytest.raises(InpaintError, match=r"train\.edge_detection"):
        sketch.edges(np.zeros((8, 8, 3), np.uint8), "cpu")


def test_what_is_no_photo_is_refused(detector: Path) -> None:
    with pytest.raises(InpaintError, match="uint8"):
        sketch.edges(np.zeros((8, 8, 3), np.float32), "cpu")


def test_importing_sketch_does_not_import_torch() -> None:
    code = "import sys, inpaint_core.sketch; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# ---- the command -----------------------------------------------------------------------------------------------------


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
    said = capsys.readouterr().err
    assert said.startswith("Error: ")
    assert said.count("\n") == 1
    assert "Traceback" not in said
    assert photo.read_bytes() == before
    assert not (tmp_path / "edges.png").exists()


def test_the_command_says_that_weights_are_absent(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INPAINT_CHECKPOINTS", str(tmp_path / "none"))
    assert main(["edges", str(photo), "-o", str(tmp_path / "edges.png")]) == 2
    assert "train.edge_detection.train" in capsys.readouterr().err
