"""PatchMatch: every pixel of the hole is a copy of a known one, and the copies fit together."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from inpaint_core.errors import InpaintError
from inpaint_core.methods.base import FillContext
from inpaint_core.methods.patchmatch import PatchMatch
from inpaint_core.methods.patchmatch.pyramid import halve, hole_depth, smooth_fill, with_texture
from inpaint_core.methods.patchmatch.search import NearestPatches

UNIQUE = (1.0, 0.0, 1.0)  # a colour no known pixel of the test images has


def numbers(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def seeded(seed: int = 0, initial: Tensor | None = None) -> FillContext:
    return FillContext(generator=numbers(seed), initial=initial)


def photo(astronaut: np.ndarray, size: int = 96, top: int = 20, left: int = 160) -> Tensor:
    window = np.ascontiguousarray(astronaut[top : top + 2 * size, left : left + 2 * size])
    small = cv2.resize(window, (size, size), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(small).permute(2, 0, 1)[None].float() / 255


def stroke(height: int, width: int, thickness: int = 14) -> Tensor:
    canvas = np.zeros((height, width), np.uint8)
    cv2.line(canvas, (width // 5, height // 4), (4 * width // 5, 2 * height // 3), 1, thickness)
    return torch.from_numpy(canvas)[None, None].float()


def box(height: int, width: int, top: int, left: int, side: int) -> Tensor:
    mask = torch.zeros(1, 1, height, width)
    mask[:, :, top : top + side, left : left + side] = 1
    return mask


def colours(image: Tensor, where: Tensor) -> set[tuple[float, ...]]:
    return {tuple(colour) for colour in image[0].permute(1, 2, 0)[where[0, 0] > 0].tolist()}


HOLES = {
    "stroke": stroke(96, 96),
    "centre": box(96, 96, 24, 24, 48),
    "corner": box(96, 96, 0, 0, 30),
    "border": box(96, 96, 66, 40, 30),
    "half": box(96, 96, 0, 48, 96),
    "dots": (torch.rand(1, 1, 96, 96, generator=numbers(3)) < 0.8).float(),
}


@pytest.mark.parametrize("name", HOLES)
def test_every_hole_pixel_is_a_known_pixel_and_its_offset_says_which(astronaut: np.ndarray, name: str) -> None:
    mask = HOLES[name]
    image = photo(astronaut)
    known = torch.where(mask > 0, torch.tensor(UNIQUE)[None, :, None, None], image)
    result = PatchMatch(even=False).fill(known, mask, seeded())
    filled, offsets = result.image, result.extras["offsets"]
    assert torch.equal(filled * (1 - mask), known * (1 - mask))
    assert offsets.shape == (1, 2, 96, 96)
    assert not offsets[:, :, mask[0, 0] == 0].any()
    row, column = (mask[0, 0] > 0).nonzero().T
    source_row, source_column = row + offsets[0, 0, row, column], column + offsets[0, 1, row, column]
    assert not mask[0, 0, source_row, source_column].any()
    assert torch.equal(filled[0, :, row, column], image[0, :, source_row, source_column])
    assert UNIQUE not in colours(filled, mask)


def test_what_the_hole_hides_does_not_matter(astronaut: np.ndarray) -> None:
    image, mask = photo(astronaut), HOLES["centre"]
    painted = torch.where(mask > 0, torch.rand(image.shape, generator=numbers(1)), image)
    first, second = (PatchMatch().fill(x, mask, seeded(5)).image for x in (image, painted))
    assert torch.equal(first, second)


def test_a_seed_gives_the_same_fill_and_another_seed_another(astronaut: np.ndarray) -> None:
    image, mask = photo(astronaut), HOLES["centre"]
    first, again, other = (PatchMatch().fill(image, mask, seeded(seed)).image for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_no_generator_is_seed_zero_every_time(astronaut: np.ndarray) -> None:
    image, mask = photo(astronaut, 64), stroke(64, 64)
    torch.manual_seed(1)
    first = PatchMatch().fill(image, mask).image
    torch.manual_seed(2)
    assert torch.equal(first, PatchMatch().fill(image, mask).image)


def test_a_batch_gives_what_its_samples_give_alone(astronaut: np.ndarray) -> None:
    images = torch.cat([photo(astronaut, 64), photo(astronaut, 64, 300, 40)])
    masks = torch.cat([stroke(64, 64), box(64, 64, 0, 30, 25)])
    together = PatchMatch().fill(images, masks, seeded(4)).image
    for sample in range(2):
        alone = PatchMatch().fill(images[sample : sample + 1], masks[sample : sample + 1], seeded(4)).image
        assert torch.equal(together[sample : sample + 1], alone)


def test_a_sample_without_a_hole_comes_back_as_it_was(astronaut: np.ndarray) -> None:
    image = photo(astronaut, 48)
    assert torch.equal(PatchMatch().fill(image, torch.zeros(1, 1, 48, 48)).image, image)


@pytest.mark.parametrize("pattern", ["stripes", "diagonals", "checks"])
def test_a_periodic_texture_is_continued(pattern: str) -> None:
    row, column = torch.meshgrid(torch.arange(96), torch.arange(96), indexing="ij")
    value = {
        "stripes": (column // 4) % 2,
        "diagonals": ((row + column) // 5) % 2,
        "checks": (row // 6 + column // 6) % 2,
    }[pattern]
    image = torch.stack([value * 0.8 + 0.1, value * 0.4 + 0.2, 0.9 - 0.6 * value])[None].float()
    mask = stroke(96, 96, 20)
    filled = PatchMatch().fill(image, mask, seeded()).image
    wrong = ((filled - image).abs().amax(1, keepdim=True) > 1e-3).float().sum() / mask.sum()
    assert wrong < 0.03


def test_it_is_sharper_than_a_membrane_and_nearer_to_the_photo_s_texture() -> None:
    noise = torch.rand(1, 3, 96, 96, generator=numbers(9))
    mask = HOLES["centre"]
    filled = PatchMatch().fill(noise, mask, seeded()).image
    hole = mask[0, 0] > 0
    assert abs(filled[0, :, hole].std() / noise[0, :, ~hole].std() - 1) < 0.15


@pytest.mark.parametrize("size", [(1, 2), (2, 1), (3, 3), (4, 9), (7, 5), (31, 50), (97, 61), (5, 200)])
def test_odd_and_tiny_sizes_are_filled(size: tuple[int, int]) -> None:
    image = torch.rand(1, 3, *size, generator=numbers(2))
    mask = torch.zeros(1, 1, *size)
    mask[:, :, size[0] // 2 :, size[1] // 2 :] = 1
    filled = PatchMatch(even=False).fill(torch.where(mask > 0, 2.0, image), mask, seeded()).image
    assert torch.equal(filled * (1 - mask), image * (1 - mask))
    assert colours(filled, mask) <= colours(image, 1 - mask)


def test_scattered_pixels_are_filled_with_smaller_patches_and_the_notes_say_so(astronaut: np.ndarray) -> None:
    image, mask = photo(astronaut, 128), (torch.rand(1, 1, 128, 128, generator=numbers(3)) < 0.8).float()
    result = PatchMatch().fill(image, mask, seeded())
    filled = result.image
    assert len(result.notes) == 1
    assert "1 x 1" in result.notes[0]
    error = (filled - image).abs().sum() / (3 * mask.sum())
    mean = (image * (1 - mask)).sum((2, 3), keepdim=True) / (1 - mask).sum()
    assert error < 0.4 * ((mean - image).abs() * mask).sum() / (3 * mask.sum())


def test_nothing_known_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(InpaintError, match="unmask"):
        PatchMatch().fill(torch.rand(1, 3, 16, 16), torch.ones(1, 1, 16, 16))


def test_initial_keeps_its_structure_and_takes_the_photo_s_pixels() -> None:
    """Half of the photo is red noise, half blue: where the initial fill puts the border, there it stays."""
    grain = torch.rand(1, 1, 128, 128, generator=numbers(6)) * 0.4
    red, blue = torch.tensor([0.9, 0.1, 0.1]), torch.tensor([0.1, 0.1, 0.9])
    column = torch.arange(128)[None, None, None, :]
    flat = torch.where(column < 64, red[None, :, None, None], blue[None, :, None, None]).expand(1, 3, 128, 128)
    image = flat - grain * flat
    mask = box(128, 128, 32, 32, 64)
    bulge = column < torch.where((torch.arange(128) - 64).abs() < 16, 84, 64)[None, None, :, None]
    initial = torch.where(bulge, red[None, :, None, None], blue[None, :, None, None]) * 0.8  # smooth, without grain
    filled = PatchMatch(even=False).fill(image, mask, seeded(initial=initial)).image
    assert colours(filled, mask) <= colours(image, 1 - mask)
    is_red = filled[:, :1] > filled[:, 2:]
    agrees = ((is_red == bulge) * mask).sum() / mask.sum()
    assert agrees > 0.97
    without = PatchMatch().fill(image, mask, seeded()).image
    assert (((without[:, :1] > without[:, 2:]) == bulge) * mask).sum() / mask.sum() < 0.95


def searched(image: np.ndarray, hole: np.ndarray, sweeps: int) -> NearestPatches:
    field = NearestPatches(hole, 5, np.ones(hole.shape, np.float32), seed=0)
    field.set_image(textureless(image))
    field.improve(sweeps)
    return field


def textureless(image: np.ndarray) -> np.ndarray:
    """The image with its fourth channel, which here counts nothing."""
    return np.pad(image, ((0, 0), (0, 0), (0, 1)))


def pixels(image: Tensor) -> np.ndarray:
    return np.ascontiguousarray(image[0].permute(1, 2, 0).numpy())


def test_the_search_finds_what_an_exhaustive_one_finds(astronaut: np.ndarray) -> None:
    image, hole = pixels(photo(astronaut, 64)), stroke(64, 64)[0, 0].numpy() > 0
    field = searched(image, hole, 30)
    windows = np.lib.stride_tricks.sliding_window_view(image, (5, 5), (0, 1)).reshape(60, 60, -1)
    sources = np.argwhere(field.usable)
    costs = []
    for row, column in field.places:
        apart = np.square(windows[sources[:, 0] - 2, sources[:, 1] - 2] - windows[row - 2, column - 2]).mean(1)
        costs.append((apart + 0.01 / 64 * np.hypot(*(sources - (row, column)).T)).min())
    assert (field.costs >= np.array(costs) - 1e-6).all()
    assert field.costs.mean() < 1.1 * np.mean(costs)
    assert not hole[field.poses[:, 0].astype(int), field.poses[:, 1].astype(int)].any()


def test_a_target_takes_a_candidate_only_if_it_is_nearer(astronaut: np.ndarray) -> None:
    image, hole = pixels(photo(astronaut, 48)), stroke(48, 48)[0, 0].numpy() > 0
    field = searched(image, hole, 0)
    before = field.costs.copy()
    field.improve(1)
    assert (field.costs <= before).all()
    assert (field.costs < before).any()
    kept = field.costs.copy()
    field.set_image(textureless(image))
    np.testing.assert_allclose(field.costs, kept, atol=1e-6)


def test_the_number_of_threads_does_not_matter(astronaut: np.ndarray) -> None:
    image, mask = photo(astronaut, 160), box(160, 160, 30, 30, 90)
    threads = torch.get_num_threads()
    fills = []
    try:
        for count in (1, 3):
            torch.set_num_threads(count)
            fills.append(PatchMatch().fill(image, mask, seeded()).image)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*fills)


def test_progress_rises_to_the_end_and_can_end_the_work(astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    from inpaint_core import progress

    monkeypatch.setattr(progress, "PREVIEW_SECONDS", 0.0)  # every report, however quick this machine is
    image, mask = torch.cat([photo(astronaut)] * 2), torch.cat([HOLES["centre"]] * 2)
    shares: list[float] = []
    PatchMatch().fill(image, mask, FillContext(progress=lambda share, text: shares.append(share)))
    assert shares == sorted(shares)
    assert np.diff([0.0, *shares, 1.0]).max() < 0.1
    assert shares[-1] <= 1.0

    def stop(share: float, text: str) -> None:
        if share > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        PatchMatch().fill(image, mask, FillContext(progress=stop))


def test_halving_averages_known_pixels_only() -> None:
    image = np.full((5, 6, 3), 0.25, np.float32)
    hole = np.zeros((5, 6), bool)
    hole[0, 0] = hole[2:4, 2:4] = True
    image[hole] = 7.0
    small, share = halve(image, hole)
    assert small.shape == (3, 3, 3)
    assert (share[0, 0], share[1, 1], share[2, 2]) == (0.75, 0, 1)
    np.testing.assert_allclose(small[share > 0], 0.25, rtol=1e-6)


def test_texture_is_what_is_known_changes_from_pixel_to_pixel() -> None:
    image = np.full((40, 40, 3), 0.5, np.float32)
    image[:, 20:] += np.where(np.arange(40)[:, None, None] % 2, np.float32(0.1), np.float32(-0.1))
    hole = np.zeros((40, 40), bool)
    hole[10:30, 10:30] = True
    texture = with_texture(np.where(hole[..., None], np.float32(9), image), hole, 1.0)[..., 3]
    assert texture[hole].max() == 0
    assert texture[~hole][np.nonzero(~hole)[1] < 17].max() < 1e-6
    np.testing.assert_allclose(texture[2:8, 24:38], 0.1, atol=0.02)  # of two directions, one changes by 0.2


def test_a_smooth_fill_stays_within_what_is_known() -> None:
    image = np.random.default_rng(8).random((37, 50, 3), np.float32) * np.float32(0.5) + np.float32(0.2)
    hole = np.zeros((37, 50), bool)
    hole[5:30, 9:44] = True
    filled = smooth_fill(np.where(hole[..., None], np.float32(9), image), hole)
    assert np.array_equal(filled[~hole], image[~hole])
    assert filled[hole].min() >= 0.2
    assert filled[hole].max() <= 0.7


def test_depth_counts_steps_to_the_border_of_the_hole() -> None:
    hole = np.zeros((9, 9), bool)
    hole[1:8, 1:8] = True
    assert hole_depth(hole)[4].tolist() == [0, 1, 2, 3, 4, 3, 2, 1, 0]


def test_a_sixth_of_navier_stokes_error_is_gone_on_held_out_photos(shared) -> None:
    """LPIPS (alex) of PatchMatch is at most 0.85 of Navier-Stokes' on photos with free-form holes."""
    lpips = pytest.importorskip("lpips")
    import io
    import tarfile

    from PIL import Image

    from inpaint_core import masks

    count, photos = 6, []
    with tarfile.open(shared / "data" / "photos256-val-00.tar") as shard:
        members = [member for member in shard.getmembers() if member.name.endswith(".webp")]
        for member in members[:: len(members) // count][:count]:
            file = shard.extractfile(member)
            assert file is not None
            whole = np.asarray(Image.open(io.BytesIO(file.read())).convert("RGB"))
            top, left = (whole.shape[0] - 256) // 2, (whole.shape[1] - 256) // 2
            photos.append(whole[top : top + 256, left : left + 256])
    images = torch.from_numpy(np.stack(photos)).permute(0, 3, 1, 2).float() / 255
    holes = masks.GENERATORS["free_form"](count, 256, 256, generator=numbers(11))
    stokes = [
        cv2.inpaint(photos[i], (holes[i, 0].numpy() > 0).astype(np.uint8), 3, cv2.INPAINT_NS) for i in range(count)
    ]
    smooth = torch.from_numpy(np.stack(stokes)).permute(0, 3, 1, 2).float() / 255
    matched = PatchMatch().fill(images, holes, seeded()).image
    distance = lpips.LPIPS(net="alex", verbose=False).eval()
    with torch.no_grad():
        ours, theirs = (distance(fill * 2 - 1, images * 2 - 1).mean() for fill in (matched, smooth))
    assert ours <= 0.85 * theirs
