"""Poisson blending: exact, the same for all channels, any shape of hole, and never a known pixel changed."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import inpaint_core
from inpaint_core import InpaintError
from inpaint_core.cli import main
from inpaint_core.masks import generate
from inpaint_core.predictor import blending, poisson


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Smooth colours with waves and grain, float64 H x W x 3 in [0.1, 0.9]."""
    rows, columns = np.mgrid[:height, :width] / max(height, width)
    waves = np.stack([np.sin(9 * rows + 4 * columns), np.cos(30 * columns), np.sin(50 * rows * columns)], -1)
    return 0.5 + 0.3 * waves + np.random.default_rng(seed).uniform(-0.1, 0.1, (height, width, 3))


def holes() -> dict[str, np.ndarray]:
    shapes = {kind: generate(kind, 61, 83, seed=3) for kind in ("free_form", "box", "narrow", "random_pixels")}
    for name, where in {
        "left border": np.s_[10:40, :30],
        "corner": np.s_[40:, 60:],
        "all but one pixel": np.s_[:],
        "from side to side": np.s_[20:40],
        "one pixel": np.s_[30:31, 40:41],
        "a pixel in the corner": np.s_[:1, :1],
    }.items():
        shapes[name] = np.zeros((61, 83), bool)
        shapes[name][where] = True
    shapes["all but one pixel"][5, 7] = False
    shapes["parts side by side"] = np.add.outer(np.arange(61) // 4, np.arange(83) // 4) % 2 == 0
    return shapes


HOLES = holes()


def blurred(image: np.ndarray, shift: tuple[float, ...]) -> np.ndarray:
    """uint8: the picture in other colours."""
    return np.rint((image * 0.6 + np.array(shift)).clip(0, 1) * 255).astype(np.uint8)


@pytest.mark.parametrize("name", HOLES)
def test_a_picture_whose_gradients_are_given_is_found_to_one_in_ten_thousand(name: str) -> None:
    truth, hole = picture(61, 83), HOLES[name]
    across, down = np.diff(truth, axis=1), np.diff(truth, axis=0)
    found = blending.solve(np.where(hole[..., None], 0.3, truth), hole, across, down)
    assert np.abs(found - truth).max() < 1e-4
    assert np.array_equal(found[~hole], truth[~hole])


@pytest.mark.parametrize("size", [(1, 9), (9, 1), (2, 2), (13, 200), (201, 12)])
def test_narrow_photos_are_solved_too(size: tuple[int, int]) -> None:
    truth, hole = picture(*size), np.ones(size, bool)
    hole[0, 0] = False
    found = blending.solve(np.where(hole[..., None], 0, truth), hole, np.diff(truth, axis=1), np.diff(truth, axis=0))
    assert np.abs(found - truth).max() < 1e-4


def test_the_rounds_of_the_solver_hardly_grow_with_the_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds, cycle = [0], poisson.Multigrid.cycle

    def counted(self: poisson.Multigrid, residual: np.ndarray, number: int = 0) -> np.ndarray:
        rounds[0] += number == 0
        return cycle(self, residual, number)

    monkeypatch.setattr(poisson.Multigrid, "cycle", counted)
    for side in (32, 128, 512):
        truth, hole = picture(side, side), np.zeros((side, side), bool)
        hole[1:-1, 1:-1] = True
        rounds[0] = 0
        blending.solve(truth * ~hole[..., None], hole, np.diff(truth, axis=1), np.diff(truth, axis=0))
        assert rounds[0] <= 3 * 14


def descended(image: np.ndarray, hole: np.ndarray, fill: np.ndarray, steps: int) -> np.ndarray:
    """The reference: plain gradient descent on the squared differences of gradients, each channel by itself."""
    result = np.where(hole[..., None], fill, image)
    for _ in range(steps):
        slope = np.zeros_like(result)
        for axis in (0, 1):
            excess = np.diff(result, axis=axis) - np.diff(fill, axis=axis)
            first, second = (np.s_[:-1], np.s_[1:]) if axis == 0 else (np.s_[:, :-1], np.s_[:, 1:])
            slope[first] -= excess
            slope[second] += excess
        result = result - 0.2 * np.where(hole[..., None], slope, 0)
    return result


def energy(image: np.ndarray, hole: np.ndarray, fill: np.ndarray) -> float:
    """What is minimised: squared differences of gradients that touch the hole."""
    across, down = (np.square(np.diff(image, axis=a) - np.diff(fill, axis=a)).sum(-1) for a in (1, 0))
    return float((across * (hole[:, 1:] | hole[:, :-1])).sum() + (down * (hole[1:] | hole[:-1])).sum())


def test_the_solution_is_where_gradient_descent_would_end() -> None:
    image, fill = picture(24, 30), picture(24, 30, seed=1) * 0.7
    hole = np.zeros((24, 30), bool)
    hole[4:16, :14] = True
    solved = blending.solve(np.where(hole[..., None], fill, image), hole, np.diff(fill, axis=1), np.diff(fill, axis=0))
    assert np.abs(descended(image, hole, fill, 6000) - solved).max() < 1e-4
    early = descended(image, hole, fill, 100)
    assert np.abs(early - solved).max() > 0.01, "a descent that stops early is somewhere else"
    assert energy(solved, hole, fill) < energy(early, hole, fill)


@pytest.mark.parametrize("name", ["free_form", "box", "left border", "random_pixels"])
def test_a_fill_of_other_colours_gets_the_colours_of_the_photo(name: str) -> None:
    image, hole = np.rint(picture(61, 83) * 200).astype(np.uint8), HOLES[name]
    fill = image + np.array([40, 5, 25], np.uint8)
    blended = blending.blend(image, hole, fill)
    assert np.abs(blended.astype(int) - image).max() <= 1


def test_what_the_photo_holds_in_the_hole_does_not_matter(astronaut: np.ndarray) -> None:
    image, mask = astronaut[::4, ::4], generate("free_form", 128, 128, seed=2)
    fill = image[:, ::-1]
    other = np.where(mask[..., None], 255 - image, image)
    for mixed in (False, True):
        assert np.array_equal(
            blending.blend(image, mask, fill, mixed)[mask], blending.blend(other, mask, fill, mixed)[mask]
        )


def test_no_dots_appear_in_any_channel(astronaut: np.ndarray) -> None:
    image, mask = astronaut[::4, ::4], generate("centre", 128, 128)
    rows, columns = np.mgrid[:128, :128]
    fill = np.stack([60 + rows // 2, 90 + columns // 2, 200 - columns // 3], -1).astype(np.uint8)
    blended = blending.blend(image, mask, fill).astype(float)

    def dots(values: np.ndarray) -> np.ndarray:  # the pattern of a chequerboard, in the hole's inner part
        inner = values[40:88, 40:88]
        return np.abs(inner[1:, 1:] + inner[:-1, :-1] - inner[1:, :-1] - inner[:-1, 1:])

    assert dots(blended).mean() < 0.7, "no more than what rounding to whole numbers makes"
    assert dots(blended).max() <= 2
    assert not np.array_equal(blended[mask], fill[mask])


def test_of_mixed_gradients_all_channels_take_the_same_one() -> None:
    image = np.full((60, 60, 3), 0.5, np.float32)
    image[:, 30:] = (0.9, 0.5, 0.2)
    fill, hole = 0.3 * picture(60, 60).astype(np.float32), np.zeros((60, 60), bool)
    hole[10:50, 10:50] = True
    plain, _ = blending.gradients(fill, image, hole)
    across, _ = blending.gradients(fill, image, hole, mixed=True)
    taken = (across != plain).any(-1)
    assert taken[10:50, 10:49].any()
    assert not taken[20:40, 20:39].any(), "the photo's lines end half-way to the middle"
    lengths = [np.square(each).sum(-1) for each in (across, plain)]
    assert (lengths[0][taken] > lengths[1][taken]).all()


def test_mixed_gradients_let_a_line_of_the_photo_go_on() -> None:
    image = np.full((64, 64, 3), 60, np.uint8)
    image[:, 30:34] = 220
    mask, fill = generate("centre", 64, 64), np.full((64, 64, 3), 60, np.uint8)
    plain, mixed = (blending.blend(image, mask, fill, each) for each in (False, True))
    near = np.s_[18:20]

    def contrast(blended: np.ndarray) -> float:
        line = blended[near].mean((0, 2))
        return float(line[30:34].mean() - line[[26, 27, 36, 37]].mean())

    assert contrast(mixed) > contrast(plain) + 10


def test_colours_beyond_white_keep_their_hue() -> None:
    colours = np.array([[1.4, 0.7, 0.6], [0.2, 0.4, -0.2], [0.1, 0.5, 0.9], [1.5, 1.3, 1.2], [-0.3, -0.1, -0.2]])
    kept = blending.into_range(colours)
    assert kept.min() >= 0
    assert kept.max() <= 1
    assert kept[2] == pytest.approx(colours[2])
    for before, after in zip(colours[:2], kept[:2], strict=True):
        share = (after - after.mean()) / (before - before.mean())
        assert share == pytest.approx(share[0])
        assert after.mean() == pytest.approx(before.mean())


@pytest.mark.parametrize("blend", blending.BLENDS)
@pytest.mark.parametrize("kind", ["free_form", "random_pixels", "wide"])
def test_blending_ends_any_method_and_leaves_known_pixels_alone(blend: str, kind: str, astronaut: np.ndarray) -> None:
    image, mask = astronaut[100:161, 100:183].copy(), generate(kind, 61, 83, seed=1)
    result = inpaint_core.inpaint(image, mask, "telea", blend=blend)
    assert np.array_equal(result.image[~mask], image[~mask])
    assert any("Blended" in note for note in result.details["notes"])
    plain = inpaint_core.inpaint(image, mask, "telea")
    assert np.abs(result.image.astype(int) - plain.image).mean() < 20


def test_a_blend_follows_the_refinement(astronaut: np.ndarray) -> None:
    image, mask = astronaut[::8, ::8].copy(), generate("centre", 64, 64)
    result = inpaint_core.inpaint(image, mask, "ns", refine="patchmatch", blend="poisson")
    assert np.array_equal(result.image[~mask], image[~mask])
    assert [note.split()[0] for note in result.details["notes"]] == ["Texture", "Blended"]


def test_a_comparison_blends_every_method(astronaut: np.ndarray) -> None:
    image, mask = astronaut[::8, ::8].copy(), generate("box", 64, 64, seed=1)
    for result in inpaint_core.compare(image, mask, ["ns", "telea"], blend="mixed"):
        assert any("mixed" in note for note in result.details["notes"])


def test_wrong_arguments_are_one_sentence(astronaut: np.ndarray, tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    image = astronaut[::8, ::8].copy()
    mask = generate("centre", 64, 64)
    for wrong in ({"fill": image[:5]}, {"mask": mask[:5]}, {"mask": np.ones_like(mask)}):
        with pytest.raises(InpaintError):
            blending.blend(**{"image": image, "mask": mask, "fill": image, **wrong})
    with pytest.raises(InpaintError, match="poisson, mixed"):
        inpaint_core.inpaint(image, mask, "ns", blend="feather")
    assert np.array_equal(blending.blend(image, np.zeros_like(mask), image), image)
    Image.fromarray(image).save(tmp_path / "photo.png")
    Image.fromarray(mask.astype(np.uint8) * 255).save(tmp_path / "mask.png")
    words = ["fill", str(tmp_path / "photo.png"), str(tmp_path / "mask.png"), "-o", str(tmp_path / "out.png")]
    assert main([*words, "-m", "ns", "--blend", "feather"]) == 2
    assert "poisson, mixed" in " ".join(capsys.readouterr().err.split())
    assert main([*words, "-m", "ns", "--blend", "poisson"]) == 0
    out = np.asarray(Image.open(tmp_path / "out.png"))
    assert np.array_equal(out[~mask], image[~mask])
