"""Critics and DCGAN: one score an image, gradients everywhere, wrong sizes refused."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from inpaint_core.networks.context_encoder import ContextPatchCritic
from inpaint_core.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from inpaint_core.networks.deepfill_v1 import WassersteinCritic
from inpaint_core.networks.glcic import GlobalLocalCritic
from inpaint_core.networks.patch_critic import PatchCritic
from inpaint_core.networks.projected_critic import ProjectedCritic

CRITICS = {
    "context": (lambda: ContextPatchCritic(64, width=4), [64]),
    "context_whole": (lambda: ContextPatchCritic(128, width=4), [128]),
    "glcic": (lambda: GlobalLocalCritic(160, 96, width=4), [160, 96]),
    "glcic_places": (lambda: GlobalLocalCritic(256, 128, width=4), [256, 128]),
    "wasserstein_local": (lambda: WassersteinCritic(128, width=4, last=8), [128]),
    "wasserstein_global": (lambda: WassersteinCritic(256, width=4), [256]),
    "dcgan": (lambda: DCGANDiscriminator(64, width=4), [64]),
    "dcgan_32": (lambda: DCGANDiscriminator(32, width=4, norm=False), [32]),
}


@pytest.mark.parametrize("name", CRITICS)
def test_a_critic_gives_one_unbounded_score_an_image_and_gradients_to_all(name: str) -> None:
    torch.manual_seed(0)
    build, sizes = CRITICS[name]
    critic: nn.Module = build()
    images = [torch.rand(3, 3, size, size, requires_grad=True) for size in sizes]
    scores = critic(*images)
    assert scores.shape == (3,)
    (scores * torch.tensor([1.0, -2.0, 0.5])).sum().backward()
    assert not [key for key, value in critic.named_parameters() if value.grad is None or not value.grad.any()]
    assert all(image.grad is not None and image.grad.any() for image in images)


@pytest.mark.parametrize(
    ("critic", "sides"),
    [(PatchCritic(width=4), [7]), (ProjectedCritic(width=4, pretrained=False), [31, 15, 7, 3])],
    ids=["patch", "projected"],
)
def test_patch_critics_give_maps_of_scores_that_depend_on_mask_and_sketch(critic: nn.Module, sides: list[int]) -> None:
    image, mask, sketch = (
        torch.rand(2, 3, 64, 64, requires_grad=True),
        torch.zeros(2, 1, 64, 64),
        torch.zeros(2, 1, 64, 64),
    )
    scores = critic.eval()(image, mask, sketch)
    assert [tuple(level.shape) for level in scores] == [(2, 1, side, side) for side in sides]
    sum(level.square().sum() for level in scores).backward()
    trained = [value for value in critic.parameters() if value.requires_grad]
    assert trained
    assert all(value.grad is not None and value.grad.any() for value in (image, *trained))
    for other in (critic(image, mask + 1, sketch), critic(image, mask, sketch + 1)):
        assert all(not torch.equal(level, before) for level, before in zip(other, scores, strict=True))


def test_a_wasserstein_critic_scores_each_image_by_itself() -> None:
    torch.manual_seed(0)
    critic = WassersteinCritic(32, width=4)
    images = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(critic(images)[:1], critic(images[:1]))


def test_a_wasserstein_critic_has_second_derivatives_for_the_penalty() -> None:
    torch.manual_seed(0)
    critic = WassersteinCritic(32, width=4)
    image = torch.rand(2, 3, 32, 32, requires_grad=True)
    (slope,) = torch.autograd.grad(critic(image).sum(), image, create_graph=True)
    slope.square().sum().backward()
    assert all(layer.weight.grad.any() for layer in critic.convolutions)


@pytest.mark.parametrize("size", [16, 32, 64])
def test_dcgan_makes_images_in_range_and_different_ones_for_different_latents(size: int) -> None:
    torch.manual_seed(0)
    generator = DCGANGenerator(size, width=4, latent=10)
    images = generator(torch.randn(4, 10))
    assert images.shape == (4, 3, size, size)
    assert images.min() >= 0
    assert images.max() <= 1
    assert (images[0] - images[1]).abs().max() > 1e-3
    images.square().sum().backward()
    assert not [key for key, value in generator.named_parameters() if value.grad is None or not value.grad.any()]


@pytest.mark.parametrize(
    "build",
    [
        lambda: DCGANGenerator(48),
        lambda: DCGANDiscriminator(4),
        lambda: ContextPatchCritic(96),
        lambda: ContextPatchCritic(4),
        lambda: GlobalLocalCritic(250, 128),
        lambda: WassersteinCritic(100),
    ],
)
def test_sizes_that_do_not_halve_evenly_are_refused(build) -> None:
    with pytest.raises(ValueError, match=r"\d"):
        build()
