"""How many random masks a second every generator draws."""

from __future__ import annotations

from functools import partial

import torch

from benchmarks.measuring import best_time
from benchmarks.section import Section
from inpaint_core import masks

BATCH, REPEATS = 16, 5


def mask_rates(sizes: tuple[int, ...] = (256, 512), device: str = "cpu") -> Section:
    """Random masks a second, square ones of these sides, drawn in batches of `BATCH`."""
    section = Section("Masks: a second", ("generator", *(f"{size} x {size}" for size in sizes)))
    for name in masks.GENERATORS:
        rates = (BATCH / best_time(partial(_draw, name, size, device), REPEATS) for size in sizes)
        section.rows.append((name, *(f"{rate:,.0f}" for rate in rates)))
    return section


def _draw(name: str, size: int, device: str) -> None:
    generator = torch.Generator().manual_seed(0)
    masks.GENERATORS[name](BATCH, size, size, generator=generator, device=device).sum().item()  # waits for a GPU
