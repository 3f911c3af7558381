"""The Fréchet distance of two sets of features."""

from __future__ import annotations

import torch
from torch import Tensor

from inpaint_core.errors import InpaintError


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
