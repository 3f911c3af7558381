"""Contextual attention: the golden outputs, masks per sample, blocks of queries, and the paper's style transfer."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from inpaint_core.networks.layers.attention import (
    ContextualAttention,
    aligned_index,
)
from inpaint_core.networks.layers.tiles import cut_tiles, join_tiles, tile_shares
from tests.networks import reference


@pytest.mark.parametrize(("fuse", "expected"), [(True, "out_fuse"), (False, "out_nofuse")])
def test_attention_gives_the_golden_output(shared: Path, fuse: bool, expected: str) -> None:
    golden = np.load(shared / "golden" / "contextual_attention.npz")
    features, mask = torch.from_numpy(golden["features"]), torch.from_numpy(golden["mask"])
    result, _ = ContextualAttention(fuse=fuse)(features, mask=mask)
    assert (result - torch.from_numpy(golden[expected])).abs().max() < 1e-4


@torch.no_grad()
def test_attention_equals_a_plain_implementation_with_a_mask_for_each_sample() -> None:
    features, mask = scene(count=3)
    result, _ = ContextualAttention()(features, mask=mask)
    torch.testing.assert_close(result, reference.contextual_attention(features, mask), atol=1e-5, rtol=1e-5)


def scene(count: int = 2, height: int = 16, width: int = 24) -> tuple[torch.Tensor, torch.Tensor]:
    """Random features and one different hole a sample, at four times the size."""
    features = torch.randn(count, 6, height, width, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(count, 1, 4 * height, 4 * width)
    for i in range(count):
        mask[i, :, 8 * i : 8 * i + 24, 16 : 40 + 8 * i] = 1
    return features, mask


@pytest.mark.parametrize("fuse", [True, False])
@pytest.mark.parametrize("rows", [1, 3, 7])
def test_blocks_of_queries_change_nothing(fuse: bool, rows: int) -> None:
    features, mask = scene()
    whole, flow = ContextualAttention(fuse=fuse)(features, mask=mask, return_flow=True)
    scores_of_a_row = 2 * 12 * 8 * 12
    blocks = ContextualAttention(fuse=fuse, max_scores=rows * scores_of_a_row)
    result, block_flow = blocks(features, mask=mask, return_flow=True)
    assert (whole - result).abs().max() < 1e-5
    assert flow is not None
    assert block_flow is not None
    assert torch.equal(flow, block_flow)


def test_every_sample_has_its_own_mask() -> None:
    features, mask = scene()
    attention = ContextualAttention()
    both, _ = attention(features, mask=mask)
    apart = torch.cat([attention(features[i : i + 1], mask=mask[i : i + 1])[0] for i in range(2)])
    assert (both - apart).abs().max() < 1e-5
    swapped, _ = attention(features, mask=mask.flip(0))
    assert (both - swapped).abs().max() > 0.1, "the masks must matter for this test to mean anything"


def test_nothing_is_borrowed_from_the_hole() -> None:
    features, mask = scene(count=1)
    _, flow = ContextualAttention()(features, mask=mask, return_flow=True)
    assert flow is not None
    hole = torch.nn.functional.max_pool2d(mask, 8)[0, 0] > 0  # the hole at the scale of the flow
    assert not hole[flow[:, 0], flow[:, 1]].any()


def test_flow_finds_an_exact_copy() -> None:
    features = torch.randn(1, 8, 32, 32, generator=torch.Generator().manual_seed(1))
    features = features / features.norm(dim=1, keepdim=True)  # so that no patch wins by its length
    _, flow = ContextualAttention(fuse=False)(features, return_flow=True)
    assert flow is not None
    rows, columns = torch.meshgrid(torch.arange(16), torch.arange(16), indexing="ij")
    inner = (slice(None), slice(1, -1), slice(1, -1))
    assert torch.equal(flow[0][inner], torch.stack((rows, columns))[inner])


def test_gradients_flow_to_foreground_and_background() -> None:
    foreground = torch.randn(1, 4, 8, 8, requires_grad=True)
    background = torch.randn(1, 4, 12, 8, requires_grad=True)
    ContextualAttention(max_scores=100)(foreground, background)[0].square().sum().backward()
    for tensor in (foreground, background):
        assert tensor.grad is not None
        assert tensor.grad.abs().sum() > 0


def test_summed_shares_of_tiles_paste_what_overlapping_patches_paste() -> None:
    generator = torch.Generator().manual_seed(0)
    background = torch.randn(2, 3, 10, 12, generator=generator)
    attention = torch.rand(2, 4, 5, 5, 6, generator=generator)  # 4 x 5 places of the result, 5 x 6 patches
    tiles = tile_shares(attention) @ cut_tiles(background, 2)
    patches = torch.nn.functional.unfold(background, 4, stride=2, padding=1)
    pasted = torch.nn.functional.fold(
        patches @ attention.flatten(3).flatten(1, 2).transpose(1, 2), (8, 10), 4, stride=2, padding=1
    )
    torch.testing.assert_close(join_tiles(tiles.unflatten(1, (5, 6)), 2), pasted, atol=1e-4, rtol=1e-5)


def test_bfloat16_stays_near_float32() -> None:
    features, mask = scene()
    exact, _ = ContextualAttention()(features, mask=mask)
    rounded, _ = ContextualAttention()(features.bfloat16(), mask=mask)
    assert rounded.dtype == torch.bfloat16
    assert (rounded.float() - exact).abs().mean() < 0.02 * exact.abs().mean()


def test_an_odd_side_is_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 2, not 7"):
        ContextualAttention()(torch.zeros(1, 1, 8, 7))


def test_aligned_index_rounds_halves_up_and_keeps_both_ends() -> None:
    assert aligned_index(6, 3, torch.device("cpu")).tolist() == [0, 3, 5]
    assert aligned_index(5, 1, torch.device("cpu")).tolist() == [0]


def test_style_transfer_of_the_paper(shared: Path) -> None:
    folder = shared / "golden" / "style_transfer"
    names = ("bnw_butterfly.png", "bike.jpg", "bike_style_out.png")
    butterfly, bike, expected = (np.asarray(cv2.imread(str(folder / name))) for name in names)
    butterfly = cv2.resize(butterfly, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_CUBIC)
    style, content = (
        torch.from_numpy(x[: x.shape[0] // 2 * 2, : x.shape[1] // 2 * 2].astype(np.float32)).permute(2, 0, 1)[None]
        for x in (butterfly, bike)
    )
    result, _ = ContextualAttention(fuse=False)(content, style)
    pixels = result[0].permute(1, 2, 0).clamp(0, 255).round().numpy()
    h, w = (min(a, b) for a, b in zip(pixels.shape[:2], expected.shape[:2], strict=True))
    assert np.abs(pixels[:h, :w] - expected[:h, :w]).mean() < 2


def test_smooth_attention_leaves_no_lattice_of_one_repeated_patch() -> None:
    features = torch.rand(1, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    features[..., 6:10, 6:10] = 0.5  # a flat hole: all its places choose the same patch
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 6:10, 6:10] = 1

    def lattice(smooth: bool) -> float:
        hole = ContextualAttention(fuse=False, softmax_scale=1000.0, smooth=smooth)(features, mask=mask)[0][
            ..., 7:9, 7:9
        ]
        checks = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
        return float((hole * checks).sum((2, 3)).abs().mean())

    assert lattice(smooth=False) > 0.05
    assert lattice(smooth=True) < 0.25 * lattice(smooth=False)
