"""Means over photos and ratios to the baseline's, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from train.evaluation.records import FillRecord

RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A statistic over photos and its 95 % bootstrap interval, NaN for a single photo; all NaN for none."""

    mean: float
    low: float = np.nan
    high: float = np.nan

    def __format__(self, form: str) -> str:
        if np.isnan(self.mean):
            return ""
        interval = f" [{self.low:{form}}, {self.high:{form}}]" if self.low == self.low else ""
        return f"{self.mean:{form}}{interval}"


def bootstrap(
    values: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray] = lambda means: means[0], seed: int = 0
) -> Estimate:
    """A statistic of means, and how far it moves when the photos are resampled with replacement.

    Args:
        values: float, rows x photos: several values of the same photos are resampled together.
        statistic: of the rows' means, rows x resamples -> resamples; by default the first row's mean.
        seed: of the resampling.
    """
    if not values.size:
        return Estimate(np.nan)
    mean = float(statistic(values.mean(axis=1, keepdims=True))[0])
    count = values.shape[1]
    if count < 2:
        return Estimate(mean)
    resamples = np.random.default_rng(seed).integers(0, count, (RESAMPLES, count))
    resampled = statistic(np.stack([row[resamples].mean(axis=1) for row in values]))
    low, high = np.percentile(resampled, (2.5, 97.5))
    return Estimate(mean, float(low), float(high))


def mean_of(records: Sequence[FillRecord], metric: str) -> Estimate:
    """The mean of a metric over fills of one method; fills without it (NaN) do not count."""
    values = np.array([[record.metrics[metric] for record in records]])
    return bootstrap(values[:, ~np.isnan(values[0])])


def ratio_to(records: Sequence[FillRecord], baseline: Sequence[FillRecord], metric: str) -> Estimate:
    """The mean of a metric over the baseline's mean, on the photos and masks that both filled."""
    reference = {(record.photo, record.masks): record.metrics[metric] for record in baseline}
    pairs = [
        (record.metrics[metric], reference[key])
        for record in records
        if (key := (record.photo, record.masks)) in reference
    ]
    return bootstrap(np.array(pairs).T, lambda means: means[0] / means[1])
