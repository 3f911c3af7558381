"""How far a completed photo is from the true one: L1, L2, PSNR, SSIM, LPIPS, total variation, Fréchet distance.

Every function takes `image` and `reference`, float N x 3 x H x W in [0, 1], and returns one number a sample, (N,).
With a `mask`, N x 1 x H x W and 1 = hole, only the hole is measured. Wrong shapes, values that are not finite or
outside [0, 1] and a mask without a hole raise InpaintError.

Units: L1 and L2 are of pixel values in [0, 1]. `scale=255` gives the 0..255 convention (L1 times 255, L2 times 255
squared) of the talk's animals table in docs/SYSTEMS.md A, taken over the whole image, not the hole: Navier-Stokes on
256 x 256 animals with a centre hole of 128 x 128 gives 9.64 and 803 so, the table says 9.68 and 810. `scale=1` times
100 is the per cent of the DeepFill papers, `scale=255` with a mask the L1 per hole pixel.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from inpaint_core.errors import InpaintError
from inpaint_core.metrics import perceptual

SSIM_WINDOW, SSIM_SIGMA = 11, 1.5
SSIM_C1, SSIM_C2 = 0.01**2, 0.03**2
SSIM_BAND = 256  # rows at a time: five blurred maps of a 12-megapixel photo at once would take gigabytes


def l1(image: Tensor, reference: Tensor, mask: Tensor | None = None, *, scale: float = 1.0) -> Tensor:
    """Mean absolute difference, (N,), times `scale` (255 for the 0..255 convention).

    >>> l1(torch.full((1, 3, 4, 4), 0.75), torch.full((1, 3, 4, 4), 0.5))
    tensor([0.2500])
    """
    image, reference, mask = _checked(image, reference, mask)
    return scale * _mean((image - reference).abs(), mask)


def l2(image: Tensor, reference: Tensor, mask: Tensor | None = None, *, scale: float = 1.0) -> Tensor:
    """Mean squared difference (MSE), (N,), times `scale` squared (255 for the 0..255 convention).

    >>> l2(torch.full((1, 3, 4, 4), 0.75), torch.full((1, 3, 4, 4), 0.5))
    tensor([0.0625])
    """
    image, reference, mask = _checked(image, reference, mask)
    return scale**2 * _mean((image - reference).square(), mask)


def psnr(image: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
    """Peak signal-to-noise ratio in dB, (N,): -10 log10 of the L2 (of the hole's L2 with a mask); inf where equal.

    >>> psnr(torch.full((1, 3, 4, 4), 0.75), torch.full((1, 3, 4, 4), 0.5))
    tensor([12.0412])
    """
    return -10 * torch.log10(l2(image, reference, mask))


def ssim(image: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
    """Structural similarity, (N,), 1 = equal (Wang et al. 2004, section III.B), mean over the three channels.

    Gaussian window 11 x 11 with sigma 1.5, C1 = 0.01^2, C2 = 0.03^2, population covariance. Without a mask the mean
    goes over the windows that lie inside the image (over all of them where a side is below 11), with a mask over the
    windows centred on hole pixels, the image mirrored at its border: in both cases what scikit-image gives with
    `gaussian_weights=True, use_sample_covariance=False`.

    >>> photo = torch.rand(2, 3, 16, 16)
    >>> ssim(photo, photo)
    tensor([1., 1.])
    """
    image, reference, mask = _checked(image, reference, mask)
    return _ssim_of(_ssim_map(image, reference), mask)


def lpips(image: Tensor, reference: Tensor, mask: Tensor | None = None, *, net: str = "alex") -> Tensor:
    """Learned perceptual distance, (N,), 0 = equal; `net` is "alex" or "squeeze" (Zhang et al. 2018, version 0.1).

    Without a mask the published value. With one, the mean over the hole of the spatial map (each layer's distances
    brought to the photo's size), so what the hole does to features of pixels beside it does not count. A side below
    32 pixels is padded to 32 by repeating the border; a large photo is measured in tiles with the same result.
    Raises InpaintError where package or weights are absent and cannot be downloaded.
    """
    image, reference, mask = _checked(image, reference, mask)
    return _lpips_of(perceptual.distance_maps(image, reference, net), mask, image.shape[2:])


def lpips_unavailable_reason(net: str = "alex") -> str | None:
    """Why LPIPS cannot be had here, in one sentence, or None where it can; loads the network if nobody has yet."""
    try:
        perceptual.network(net)
    except perceptual.LpipsUnavailable as error:
        return str(error)
    return None


def total_variation(image: Tensor, mask: Tensor | None = None, *, scale: float = 1.0) -> Tensor:
    """Mean absolute difference of horizontal and vertical neighbours, (N,), times `scale`; 0 for a single pixel.

    With a mask, over the pairs of which at least one pixel lies in the hole, so a seam around it counts.

    >>> total_variation(torch.tensor([0.0, 1.0, 0.0]).expand(1, 3, 1, 3))
    tensor([1.])
    """
    image, _, mask = _checked(image, None, mask)
    touched = torch.ones_like(image[:, :1]) if mask is None else mask
    total = count = torch.zeros(len(image), device=image.device)
    for axis in (2, 3):
        here, there = slice(None, -1), slice(1, None)
        before, after = ((..., part, slice(None)) if axis == 2 else (..., part) for part in (here, there))
        pairs = torch.maximum(touched[before], touched[after])
        total = total + ((image[after] - image[before]).abs() * pairs).sum(dim=(1, 2, 3))
        count = count + pairs.sum(dim=(1, 2, 3)) * image.shape[1]
    return scale * total / count.clamp(min=1)


def alexnet_features(image: Tensor) -> Tensor:
    """Features for `frechet_distance`: N x 256, AlexNet's last convolution in LPIPS's trunk, averaged over the image.

    Raises InpaintError where LPIPS's package or weights are absent.
    """
    image, _, _ = _checked(image, None, None)
    return perceptual.trunk_features(image)


def frechet_distance(features: Tensor, reference_features: Tensor) -> Tensor:
    """Fréchet distance of two sets of features, each N x D with N >= 2, as Gaussians: a float64 scalar tensor.

    |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) with means and sample covariances (Heusel et al. 2017, equation 6). It
    is biased upwards for few samples: compare only sets of the same size, better with N well above D. On features of
    `alexnet_features` it ranks methods; it is not the FID of papers, which is on Inception's features.

    >>> spread = torch.tensor([[-1.0], [1.0]])
    >>> frechet_distance(spread, spread + 3)
    tensor(9., dtype=torch.float64)
    """
    for each in (features, reference_features):
        if each.ndim != 2 or len(each) < 2 or each.shape[1] != features.shape[1]:
            raise InpaintError(
                "The Fréchet distance needs two sets of N x D features, the same D and N of 2 or more, "
                f"instead of {tuple(features.shape)} and {tuple(reference_features.shape)}."
            )
        if not torch.isfinite(each).all():
            raise InpaintError("The features contain values that are not finite: look for a NaN before this step.")
    ours, theirs = features.double(), reference_features.double()
    covariance, reference_covariance = (torch.cov(each.T).reshape(2 * (each.shape[1],)) for each in (ours, theirs))
    # The trace of (S1 S2)^(1/2) by the symmetric S1^(1/2) S2 S1^(1/2), which has the same eigenvalues: no complex
    # numbers, and singular covariances (fewer samples than dimensions) are fine.
    values, vectors = torch.linalg.eigh(covariance)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    cross = torch.linalg.eigvalsh(root @ reference_covariance @ root).clamp(min=0).sqrt().sum()
    offset = (ours.mean(dim=0) - theirs.mean(dim=0)).square().sum()
    distance = offset + covariance.trace() + reference_covariance.trace() - 2 * cross
    return distance.clamp(min=0)  # rounding may leave -1e-15 between equal sets


def measure(
    image: np.ndarray, reference: np.ndarray, mask: np.ndarray | None = None, lpips: bool = True
) -> dict[str, float]:
    """Every metric of one photo, for the page and the command line.

    `image` and `reference` are uint8 H x W x 3; `mask` is H x W, bool or numbers, above 0 = hole. Returns `l1, l2,
    psnr, ssim, lpips, tv` over the whole photo and with a mask the same with `hole_` before the name; L1, L2 and TV
    of pixel values in [0, 1], PSNR in dB (inf where equal). The lpips keys are missing where LPIPS was not asked for
    or cannot be had: `lpips_unavailable_reason()` says why. Every value is that of the full-size photo, 12
    megapixels too: SSIM goes by bands and LPIPS by tiles, skipping those where both photos are equal.
    """
    ours, theirs = _photo(image, "photo"), _photo(reference, "reference")
    hole = None if mask is None else _hole(mask)
    masks = {"": None} if hole is None else {"": None, "hole_": hole}
    values: dict[str, Tensor] = {}
    _checked(ours, theirs, hole)
    with torch.inference_mode():
        quality = _ssim_map(ours, theirs)
        try:
            maps = perceptual.distance_maps(ours, theirs) if lpips else None
        except perceptual.LpipsUnavailable:
            maps = None  # the keys' absence and lpips_unavailable_reason() tell
        for prefix, where in masks.items():
            values[prefix + "l1"] = l1(ours, theirs, where)
            values[prefix + "l2"] = l2(ours, theirs, where)
            values[prefix + "psnr"] = -10 * torch.log10(values[prefix + "l2"])
            values[prefix + "ssim"] = _ssim_of(quality, where)
            if maps is not None:
                values[prefix + "lpips"] = _lpips_of(maps, where, ours.shape[2:])
            values[prefix + "tv"] = total_variation(ours, where)
    return {name: value.item() for name, value in values.items()}


def _checked(image: Tensor, reference: Tensor | None, mask: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
    """The arguments as float32, checked; a missing reference comes back as the image."""
    for name, each in (("image", image), ("reference", image if reference is None else reference)):
        if not torch.is_tensor(each) or each.ndim != 4 or each.shape[1] != 3 or not each.numel():
            raise InpaintError(f"The {name} must be a tensor of shape N x 3 x H x W, not {_shape(each)}.")
        if not each.is_floating_point():
            raise InpaintError(f"The {name} must be float in [0, 1], not {each.dtype}: divide 0..255 values by 255.")
        low, high = (value.item() for value in each.detach().aminmax())
        if not (abs(low) < float("inf") and abs(high) < float("inf")):  # aminmax hands a NaN on
            raise InpaintError(f"The {name} contains values that are not finite: look for a NaN before this step.")
        if low < -0.001 or high > 1.001:
            raise InpaintError(f"The {name} must lie in [0, 1], not in [{low:.3g}, {high:.3g}]: rescale or clamp it.")
    reference = image if reference is None else reference
    if image.shape != reference.shape:
        raise InpaintError(
            f"Image and reference must have one size, not {_shape(image)} and {_shape(reference)}: resize one of them."
        )
    if mask is None:
        return image.float(), reference.float(), None
    expected = (len(image), 1, *image.shape[2:])
    if not torch.is_tensor(mask) or tuple(mask.shape) != expected:
        raise InpaintError(f"The mask must have the image's size, shape {expected}, not {_shape(mask)}.")
    mask = mask.float()
    if not ((mask == 0) | (mask == 1)).all():
        raise InpaintError("The mask must be 1 in the hole and 0 elsewhere: round it first.")
    if not mask.amax(dim=(1, 2, 3)).all():
        raise InpaintError("The mask has no hole to measure: mark at least one pixel, or measure without a mask.")
    return image.float(), reference.float(), mask


def _shape(value: object) -> str:
    return str(tuple(value.shape)) if isinstance(value, (Tensor, np.ndarray)) else type(value).__name__


def _mean(values: Tensor, mask: Tensor | None) -> Tensor:
    """Mean of N x C x H x W values of every sample, over the hole where there is a mask: (N,)."""
    if mask is None:
        return values.mean(dim=(1, 2, 3))
    return (values * mask).sum(dim=(1, 2, 3)) / (mask.sum(dim=(1, 2, 3)) * values.shape[1])


def _lpips_of(maps: list[Tensor], mask: Tensor | None, size: tuple[int, ...]) -> Tensor:
    return perceptual.whole(maps) if mask is None else _mean(perceptual.spatial(maps, *size), mask)


def _ssim_of(quality: Tensor, mask: Tensor | None) -> Tensor:
    half = SSIM_WINDOW // 2
    if mask is None and min(quality.shape[2:]) >= SSIM_WINDOW:
        quality = quality[:, :, half:-half, half:-half]
    return _mean(quality, mask)


def _ssim_map(image: Tensor, reference: Tensor) -> Tensor:
    """SSIM of the window around every pixel, mean of the channels: N x 1 x H x W."""
    half = SSIM_WINDOW // 2
    # Mirrored with the border pixel repeated, as scikit-image does; torch's own "reflect" leaves it out.
    rows, columns = (
        torch.from_numpy(np.pad(np.arange(side), half, mode="symmetric")).to(image.device) for side in image.shape[2:]
    )
    bands = []
    for top in range(0, image.shape[2], SSIM_BAND):
        band = rows[top : top + SSIM_BAND + 2 * half]
        x, y = (each[:, :, band][:, :, :, columns] for each in (image, reference))
        mean_x, mean_y, xx, yy, xy = _blurred(torch.stack((x, y, x * x, y * y, x * y)))
        luminance = (2 * mean_x * mean_y + SSIM_C1) / (mean_x**2 + mean_y**2 + SSIM_C1)
        structure = (2 * (xy - mean_x * mean_y) + SSIM_C2) / (xx - mean_x**2 + yy - mean_y**2 + SSIM_C2)
        bands.append((luminance * structure).mean(dim=1, keepdim=True))
    return torch.cat(bands, dim=2)


def _blurred(stack: Tensor) -> Tensor:
    """The last two dimensions under the Gaussian window, which must fit inside: each shrinks by 10.

    Eleven shifted sums an axis: on a CPU a tenth of the time and memory of a convolution of one channel.
    """
    weights = [math.exp(-((i - SSIM_WINDOW // 2) ** 2) / (2 * SSIM_SIGMA**2)) for i in range(SSIM_WINDOW)]
    for axis in (-2, -1):
        size = stack.shape[axis] - SSIM_WINDOW + 1
        total = stack.narrow(axis, 0, size) * (weights[0] / sum(weights))
        for i in range(1, SSIM_WINDOW):
            total.add_(stack.narrow(axis, i, size), alpha=weights[i] / sum(weights))
        stack = total
    return stack


def _photo(pixels: np.ndarray, name: str) -> Tensor:
    """uint8 H x W x 3 as float 1 x 3 x H x W in [0, 1]."""
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise InpaintError(f"The {name} must be uint8 pixels of shape H x W x 3, not {_shape(pixels)}.")
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))[None]).float() / 255


def _hole(mask: np.ndarray) -> Tensor:
    """H x W, above 0 = hole, as float 1 x 1 x H x W."""
    if not isinstance(mask, np.ndarray) or mask.ndim != 2:
        raise InpaintError(f"The mask must be an array of shape H x W, not {_shape(mask)}.")
    return torch.from_numpy((mask > 0)[None, None].astype(np.float32))
