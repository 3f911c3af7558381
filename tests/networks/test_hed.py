"""The edge detector's network: its sizes, its fusion, its five side outputs."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from inpaint_core.networks.hed import HED, enlarged


@pytest.fixture(scope="module")
def detector() -> HED:
    torch.manual_seed(0)
    return HED().eval()


def test_it_is_below_three_megabytes_as_float16(detector: HED) -> None:
    assert 2 * sum(tensor.numel() for tensor in detector.state_dict().values()) < 3_000_000


@pytest.mark.parametrize("size", [(64, 96), (33, 50), (1, 1), (7, 200)])
def test_every_size_of_photo_gets_a_map_of_its_size(detector: HED, size: tuple[int, int]) -> None:
    with torch.no_grad():
        fused, sides = detector(torch.rand(2, 3, *size))
    assert fused.shape == (2, 1, *size)
    assert len(sides) == 5
    assert fused.isfinite().all()


def test_each_side_output_is_half_as_fine_as_the_one_before(detector: HED) -> None:
    with torch.no_grad():
        _, sides = detector(torch.rand(1, 3, 96, 64))
    assert [tuple(side.shape[-2:]) for side in sides] == [(48, 32), (24, 16), (12, 8), (6, 4), (3, 2)]


def test_the_fusion_starts_as_the_mean_of_the_side_outputs(detector: HED) -> None:
    with torch.no_grad():
        fused, sides = detector(torch.rand(1, 3, 64, 64))
        mean = torch.stack([enlarged(side, 2**level, 32, 32) for level, side in enumerate(sides)]).mean(0)
    torch.testing.assert_close(fused, enlarged(mean, 2, 64, 64), atol=1e-5, rtol=1e-4)


def test_every_stage_learns_from_its_own_side_output() -> None:
    torch.manual_seed(0)
    detector = HED()
    _, sides = detector(torch.rand(2, 3, 64, 64))
    for number, side in enumerate(sides):
        detector.zero_grad()
        side.square().mean().backward(retain_graph=True)
        gradient = next(detector.stages[number].parameters()).grad
        assert gradient is not None
        assert gradient.abs().sum() > 0


def test_the_photos_far_end_cannot_be_seen_but_a_neighbourhood_can(detector: HED) -> None:
    image = torch.rand(1, 3, 64, 512, generator=torch.Generator().manual_seed(0))
    changed = image.clone()
    changed[..., 256:264] = 1 - changed[..., 256:264]
    with torch.no_grad():
        moved = (detector(image)[0] - detector(changed)[0]).abs()
    assert moved[..., 250:270].max() > 0
    assert F.avg_pool2d(moved, 8)[..., 32].max() > F.avg_pool2d(moved, 8)[..., 8].max()


def test_five_stages_need_five_widths() -> None:
    with pytest.raises(ValueError, match="five"):
        HED(widths=(8, 16))
