"""The small-image study's augmentation: hue, saturation and blur of photos in a batch."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

HUE = 0.05  # of a full turn, either way
SATURATION = 0.3  # either way
BLURRED = 0.25  # share of the photos
SIGMA = (0.3, 1.0)  # pixels
REACH = 2  # pixels from the middle of a blur


def augment(image: Tensor, generator: Generator) -> Tensor:
    """Turn hues, change saturations, blur some photos: N x 3 x H x W in [0, 1] -> the same, in 256 steps of colour.

    Args:
        image: the photos.
        generator: of random numbers, on the CPU, whatever the photos' device.
    """
    random = torch.rand(4, len(image), generator=generator).to(image.device)
    image = turn_hue(image, (random[0] * 2 - 1) * HUE)
    grey = image.mean(1, keepdim=True)
    image = grey + (image - grey) * (1 + (random[1] * 2 - 1) * SATURATION).view(-1, 1, 1, 1)
    sigma = SIGMA[0] + random[2] * (SIGMA[1] - SIGMA[0])
    blurred = (random[3] < BLURRED).view(-1, 1, 1, 1)
    image = torch.where(blurred, blur(image, sigma), image).clamp(0, 1)
    return ((image * 255).round() / 255).contiguous(memory_format=torch.channels_last)


def turn_hue(image: Tensor, turns: Tensor) -> Tensor:
    """Colours turned around the grey axis: N x 3 x H x W, N turns -> the same shape, unclamped."""
    angle = turns.view(-1, 1, 1) * 2 * math.pi
    one = torch.eye(3, device=image.device)
    third = torch.full((3, 3), 1 / 3, device=image.device)
    across = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]], device=image.device) / math.sqrt(3)
    matrix = angle.cos() * one + (1 - angle.cos()) * third + angle.sin() * across  # Rodrigues' formula
    return torch.einsum("nij,njhw->nihw", matrix, image)


def blur(image: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian blur, each photo by its own sigma in pixels: N x 3 x H x W, N -> N x 3 x H x W."""
    place = torch.arange(-REACH, REACH + 1, device=image.device)
    kernel = torch.exp(-(place**2) / (2 * sigma[:, None] ** 2))
    kernel = kernel / kernel.sum(1, keepdim=True)  # (N, K)
    count, channels, height, width = image.shape
    planes = F.pad(image, (REACH,) * 4, mode="replicate").transpose(0, 1)  # (3, N, H', W'): a group a photo
    planes = F.conv2d(planes, kernel[:, None, None, :], groups=count)
    planes = F.conv2d(planes, kernel[:, None, :, None], groups=count)
    return planes.transpose(0, 1).reshape(count, channels, height, width)
