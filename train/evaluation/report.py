"""What measured fills amount to: means with bootstrap intervals, shares of Navier-Stokes, tables and plots."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.section import Section

METRICS = ("l1", "l2", "psnr", "ssim", "lpips", "tv")
TITLES = {"l1": "L1", "l2": "L2", "psnr": "PSNR", "ssim": "SSIM", "lpips": "LPIPS", "tv": "TV"}
BASELINE = "ns"
RESAMPLES = 2000
RATIOS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 1.0)  # borders of the groups by hole ratio


@dataclass(frozen=True)
class Fill:
    """One photo, one mask, one method."""

    photo: str
    masks: str  # the generator's name
    ratio: float  # share of the photo that is hole
    method: str
    seconds: float
    metrics: dict[str, float] = field(default_factory=dict)  # of `inpaint_core.metrics.measure`: over all, and hole_...


@dataclass(frozen=True)
class Estimate:
    """A mean over photos and the 95 % interval of its bootstrap, which is no number (NaN) for a single photo."""

    mean: float
    low: float
    high: float

    def __format__(self, form: str) -> str:
        interval = f" [{self.low:{form}}, {self.high:{form}}]" if self.low == self.low else ""
        return f"{self.mean:{form}}{interval}"


def bootstrap(
    values: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray] = lambda means: means[0], seed: int = 0
) -> Estimate:
    """A statistic of means, and how far it moves when the photos are drawn again with replacement.

    Args:
        values: float, rows x photos: several values of the same photos are drawn together.
        statistic: of the rows' means, an array of rows x resamples -> resamples.
    """
    mean = float(statistic(values.mean(axis=1, keepdims=True))[0])
    if values.shape[1] < 2:
        return Estimate(mean, np.nan, np.nan)
    dice = np.random.default_rng(seed)
    drawn = dice.integers(0, values.shape[1], (RESAMPLES, values.shape[1]))
    spread = statistic(np.stack([row[drawn].mean(axis=1) for row in values]))
    low, high = np.percentile(spread, (2.5, 97.5))
    return Estimate(mean, float(low), float(high))


def mean_of(fills: Sequence[Fill], name: str) -> Estimate:
    """The mean of a metric (or of "seconds") over fills of one method."""
    values = [fill.seconds if name == "seconds" else fill.metrics[name] for fill in fills]
    return bootstrap(np.array([values]))


def share_of(fills: Sequence[Fill], baseline: Sequence[Fill], name: str) -> Estimate:
    """The mean of a metric as a share of the baseline's mean, over the photos and masks that both filled."""
    theirs = {(fill.photo, fill.masks): fill.metrics[name] for fill in baseline}
    pairs = [(fill.metrics[name], theirs[key]) for fill in fills if (key := (fill.photo, fill.masks)) in theirs]
    return bootstrap(np.array(pairs).T, lambda means: means[0] / means[1])


def write_csv(path: Path, fills: Iterable[Fill]) -> None:
    """Every fill a row."""
    rows = [{**{k: v for k, v in asdict(fill).items() if k != "metrics"}, **fill.metrics} for fill in fills]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: Path) -> list[Fill]:
    """What `write_csv` wrote."""
    own = {each.name for each in fields(Fill)} - {"metrics"}
    with path.open(newline="") as file:
        return [
            Fill(
                row["photo"], row["masks"], float(row["ratio"]), row["method"], float(row["seconds"]),
                {name: float(value) for name, value in row.items() if name not in own},
            )
            for row in csv.DictReader(file)
        ]  # fmt: skip


def of_method(fills: Iterable[Fill], method: str) -> list[Fill]:
    return [fill for fill in fills if fill.method == method]


def unique(words: Iterable[str]) -> list[str]:
    """In the order in which they first come."""
    return list(dict.fromkeys(words))


def table(fills: Sequence[Fill], over: str) -> str:
    """A markdown table of the methods.

    Args:
        fills: of one kind of masks or one group.
        over: "" for metrics over the whole photo, "hole_" for those over the hole.
    """
    names = [name for name in METRICS if over + name in fills[0].metrics]
    baseline = of_method(fills, BASELINE)
    shares = [name for name in ("l1", "lpips") if baseline and name in names]
    heads = ["method", "photos", *(TITLES[name] for name in names), *(f"{TITLES[n]} / ns" for n in shares), "seconds"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for method in unique(fill.method for fill in fills):
        own = of_method(fills, method)
        cells = [method, str(len(own))]
        cells += [f"{mean_of(own, over + name):{'.2f' if name == 'psnr' else '.4f'}}" for name in names]
        cells += [f"{share_of(own, baseline, over + name):.3f}" for name in shares]
        cells.append(f"{np.median([fill.seconds for fill in own]):.3f}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def as_markdown(section: Section) -> str:
    """A section of the benchmark as a markdown table, its note below."""
    lines = [f"| {' | '.join(section.columns)} |", "|---" * len(section.columns) + "|"]
    lines += [f"| {' | '.join(row)} |" for row in section.rows]
    return "\n".join(lines) + (f"\n\n{section.note}" if section.note else "")


def by_ratio(fills: Sequence[Fill]) -> dict[str, list[Fill]]:
    """The fills in groups of hole ratio, "10 % to 20 %" and so on, without empty groups."""
    groups = {}
    for low, high in pairwise(RATIOS):
        inside = [fill for fill in fills if low < fill.ratio <= high]
        if inside:
            groups[f"{low:.0%} to {high:.0%}"] = inside
    return groups


def markdown(fills: Sequence[Fill], heading: str) -> str:
    """The whole report: for each kind of masks over hole and photo, then by hole ratio."""
    parts = [
        f"# {heading}",
        "Means with 95 % bootstrap intervals over photos; `/ ns` is the share of Navier-Stokes' mean on the same "
        "photos and masks. L1, L2 and TV are of pixel values in [0, 1], PSNR in dB, LPIPS with AlexNet; seconds are "
        "medians.",
    ]
    for kind in unique(fill.masks for fill in fills):
        of_kind = [fill for fill in fills if fill.masks == kind]
        parts += [f"## {kind} masks, over the hole", table(of_kind, "hole_")]
        parts += [f"## {kind} masks, over the photo", table(of_kind, "")]
        groups = by_ratio(of_kind)
        if len(groups) > 1:
            for name, group in groups.items():
                parts += [f"### {kind} masks, hole of {name}, over the hole", table(group, "hole_")]
    return "\n\n".join(parts) + "\n"


def plot(fills: Sequence[Fill], path: Path) -> None:
    """L1, PSNR, SSIM and LPIPS in the hole against the hole ratio, a line a method with its interval."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    names = [name for name in ("l1", "psnr", "ssim", "lpips") if "hole_" + name in fills[0].metrics]
    figure, axes = pyplot.subplots(1, len(names), figsize=(4.2 * len(names), 3.6), layout="constrained", squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        methods = unique(fill.method for fill in fills)
        palette = pyplot.get_cmap("tab10" if len(methods) <= 10 else "tab20")
        for number, method in enumerate(methods):
            groups = by_ratio(of_method(fills, method)).values()
            place = [float(np.mean([fill.ratio for fill in group])) for group in groups]
            found = [mean_of(group, "hole_" + name) for group in groups]
            colour = palette(number)
            axis.plot(place, [each.mean for each in found], "o-", label=method, color=colour, markersize=4)
            low, high = [each.low for each in found], [each.high for each in found]
            axis.fill_between(place, low, high, color=colour, alpha=0.15, linewidth=0)
        axis.set_title(f"{TITLES[name]} in the hole")
        axis.set_xlabel("hole ratio")
        axis.grid(alpha=0.3)
    axes[0][0].legend(fontsize="small")
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
