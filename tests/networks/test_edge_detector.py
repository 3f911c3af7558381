"""The edge detector's network: its sizes, its fusion, its four side outputs, and where they are about."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from inpaint_core.networks.edge_detector import EdgeDetector, upsample


@pytest.fixture(scope="module")
def detector() -> EdgeDetector:
    torch.manual_seed(0)
    return EdgeDetector().eval()


def test_it_is_below_three_megabytes_as_float16(detector: EdgeDetector) -> None:
    assert 2 * sum(tensor.numel() for tensor in detector.state_dict().values()) < 3_000_000


@pytest.mark.parametrize("size", [(64, 96), (33, 50), (1, 1), (7, 200)])
def test_every_size_of_photo_gets_a_map_of_its_size(detector: EdgeDetector, size: tuple[int, int]) -> None:
    with torch.no_grad():
        fused, sides = detector(torch.rand(2, 3, *size))
    assert fused.shape == (2, 1, *size)
    assert len(sides) == 4
    assert fused.isfinite().all()


def test_each_side_output_is_half_as_fine_as_the_one_before(detector: EdgeDetector) -> None:
    with torch.no_grad():
        _, sides = detector(torch.rand(1, 3, 96, 64))
    assert [tuple(side.shape[-2:]) for side in sides] == [(48, 32), (24, 16), (12, 8), (6, 4)]


def test_the_fusion_starts_as_the_mean_of_the_side_outputs(detector: EdgeDetector) -> None:
    with torch.no_grad():
        fused, sides = detector(torch.rand(1, 3, 64, 64))
        mean = torch.stack([upsample(side, 2**level, 32, 32) for level, side in enumerate(sides)]).mean(0)
    torch.testing.assert_close(fused, upsample(mean, 2, 64, 64), atol=1e-5, rtol=1e-4)


def test_every_stage_learns_from_its_own_side_output() -> None:
    torch.manual_seed(0)
    detector = EdgeDetector()
    _, sides = detector(torch.rand(2, 3, 64, 64))
    for last_module, side in zip((0, 4, 7, 12), sides, strict=True):
        detector.zero_grad()
        side.square().mean().backward(retain_graph=True)
        gradient = next(detector.trunk[last_module].parameters()).grad
        assert gradient is not None
        assert gradient.abs().sum() > 0


def test_the_photos_far_end_cannot_be_seen_but_a_neighbourhood_can(detector: EdgeDetector) -> None:
    image = torch.rand(1, 3, 64, 512, generator=torch.Generator().manual_seed(0))
    changed = image.clone()
    changed[..., 256:264] = 1 - changed[..., 256:264]
    with torch.no_grad():
        moved = (detector(image)[0] - detector(changed)[0]).abs()
    assert moved[..., 250:270].max() > 0
    assert F.avg_pool2d(moved, 8)[..., 32].max() > F.avg_pool2d(moved, 8)[..., 8].max()


def test_upsampling_keeps_every_value_at_its_place() -> None:
    features = torch.rand(1, 2, 5, 7, generator=torch.Generator().manual_seed(0))
    larger = upsample(features, 4, 18, 28)
    assert larger.shape == (1, 2, 18, 28)
    torch.testing.assert_close(larger[..., ::4, ::4], features)
    torch.testing.assert_close(larger[..., 2, ::4], features[..., :2, :].mean(2))  # half-way between two rows


def test_a_photo_moved_by_a_step_of_the_coarsest_stage_has_its_edges_moved_by_as_much() -> None:
    """No stage rounds its own way: sizes that cannot be halved are seen on the same grid."""
    torch.manual_seed(0)
    detector = EdgeDetector().eval()
    image = torch.rand(1, 3, 41, 1041)
    with torch.no_grad():
        found, moved = detector(image)[0], detector(image[..., 16:])[0]
    torch.testing.assert_close(found[..., 16 + 500 : 16 + 510], moved[..., 500:510], atol=1e-4, rtol=1e-3)


def test_a_symmetric_dot_is_seen_symmetrically_around_its_own_pixel() -> None:
    """With kernels that are mirror images of themselves, every stage is centred on the pixel it stands for."""
    detector = EdgeDetector().eval()
    with torch.no_grad():
        for module in detector.modules():
            if isinstance(module, torch.nn.Conv2d) and module.kernel_size != (1, 1):
                module.weight.copy_((module.weight + module.weight.flip(-1)) / 2)
        image = torch.full((1, 3, 32, 513), 0.5)
        image[..., 256] = 1.0  # a multiple of every stride
        for stage in detector.stages(image):
            torch.testing.assert_close(stage, stage.flip(-1), atol=1e-4, rtol=1e-3)
            assert (stage.amax(-1) - stage.amin(-1)).max() > 0


def test_several_sizes_of_the_photo_are_averaged_once_it_is_trained() -> None:
    torch.manual_seed(0)
    once, twice = EdgeDetector().eval(), EdgeDetector(scales=[0.5, 1.0])
    twice.load_state_dict(once.state_dict())
    image = torch.rand(1, 3, 50, 71)
    half = F.interpolate(image, (25, 36), mode="bilinear", antialias=True)
    with torch.no_grad():
        fused, sides = twice.eval()(image)
        coarse = F.interpolate(once(half)[0], (50, 71), mode="bilinear", align_corners=False)
        alone, its_sides = once(image)
        torch.testing.assert_close(fused.sigmoid(), (alone.sigmoid() + coarse.sigmoid()) / 2)
        assert all(torch.equal(side, other) for side, other in zip(sides, its_sides, strict=True))
        torch.testing.assert_close(twice.train()(image)[0], once.train()(image)[0])


def test_one_pixel_can_be_looked_at_in_several_sizes() -> None:
    with torch.no_grad():
        fused, _ = EdgeDetector(scales=(0.25, 1.5)).eval()(torch.rand(1, 3, 1, 1))
    assert fused.shape == (1, 1, 1, 1)
    assert fused.isfinite().all()


def test_a_large_photo_is_enlarged_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inpaint_core.networks.edge_detector.MAX_PIXELS", 80 * 80)
    detector = EdgeDetector(scales=(0.5, 1.0, 1.5)).eval()
    seen: list[tuple[int, int]] = []
    once = detector.single_scale

    def watched(image: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        seen.append((image.shape[-2], image.shape[-1]))
        return once(image)

    monkeypatch.setattr(detector, "single_scale", watched)
    for side, sizes in ((48, {24, 48, 72}), (64, {32, 64, 80}), (96, {48, 96})):
        seen.clear()
        with torch.no_grad():
            detector(torch.rand(1, 3, side, side))
        assert {height for height, _ in seen} == sizes
        assert len(seen) == len(sizes)
