"""Batches of training photos: crops drawn from banks of decoded photos, jittered, on the run's device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from inpaint_core.errors import InpaintError
from train.core.config import Masks, Paths, PhotoConfig
from train.core.masks import draw_masks
from train.core.photo_bank import PhotoBank, cached_bank
from train.core.run import Run
from train.core.sources import expand


@dataclass(frozen=True)
class CropOptions:
    """What part of a photo a batch shows."""

    zoom: float = 1.0  # smallest side of a crop as a share of the batch's size; below 1 small crops are enlarged
    jitter: float = 0.1  # brightness, contrast and saturation change by up to this share
    whole: bool = False  # the largest central square in place of a crop


@dataclass
class Photos:
    """A batch of training photos.

    `image` float32 B x 3 x S x S and `edges` B x 1 x S x S in [0, 1]; `edges_known` bool (B,): whether an edge map came
    with the photo (else its edges are zeros). A loader may say it of each pixel, float32 B x 1 x S x S, 1 = known.
    """

    image: Tensor
    edges: Tensor
    edges_known: Tensor


class PhotoLoader:
    """Draws batches from several banks. A batch depends on (seed, step) alone, so a resumed run needs no position.

    Args:
        banks: where photos come from.
        weights: how often each bank is drawn from.
        size: side of the batch's photos.
        batch: photos of all processes together.
        seed: source of all randomness.
        process: (rank, processes): this one takes every `processes`-th photo, starting with its rank.
        device: of the batches.
        crops: what part of a photo is taken, and how its colours change.

    Raises:
        InpaintError: the batch cannot be divided among the processes.
    """

    def __init__(
        self,
        banks: Sequence[PhotoBank],
        weights: Sequence[float],
        size: int,
        batch: int,
        crops: CropOptions,
        *,
        seed: int = 0,
        process: tuple[int, int] = (0, 1),
        device: torch.device | str = "cpu",
    ) -> None:
        rank, world = process
        if batch % world:
            raise InpaintError(f"A batch of {batch} cannot be divided among {world} processes: choose a multiple.")
        self.banks = [bank.to(torch.device(device)) for bank in banks]
        self.weights = torch.tensor(weights, dtype=torch.float64)
        self.size, self.batch, self.seed, self.rank, self.world = size, batch, seed, rank, world
        self.device, self.options = torch.device(device), crops

    def generator(self, step: int) -> Generator:
        """Random numbers of one step of this process (a CPU generator: the same on any device)."""
        return Generator().manual_seed((self.seed * 1_000_003 + step) * 4096 + 1 + self.rank)

    def __call__(self, step: int) -> Photos:
        """The photos of one step: this process's share of the batch."""
        return self._draw(step, self.batch, slice(self.rank, None, self.world))

    def held_out(self, count: int) -> Photos:
        """Crops that no step draws, the same in every process (of the training photos)."""
        return self._draw(-1, count, slice(None))

    def mean_colour(self) -> tuple[float, float, float]:
        """Mean RGB of the photos in [0, 1], the banks weighted as they are drawn from; rounded to three places."""
        colours = torch.stack([bank.mean_colour().cpu() for bank in self.banks])  # (banks, 3)
        red, green, blue = (self.weights @ colours / self.weights.sum()).tolist()
        return round(red, 3), round(green, 3), round(blue, 3)

    def _draw(self, step: int, count: int, share: slice) -> Photos:
        generator = Generator().manual_seed((self.seed * 1_000_003 + step) * 4096)
        bank_of = torch.multinomial(self.weights, count, replacement=True, generator=generator)
        numbers = torch.rand(count, 10, generator=generator)
        bank_of, numbers = bank_of[share], numbers[share].to(self.device)
        image, edges, edges_known = [], [], []
        for number in range(len(self.banks)):  # grouped by bank: order within a batch does not matter
            chosen = numbers[bank_of == number]
            if len(chosen):
                crop, known = self.crop(number, chosen)
                image.append(jitter_colours(crop[:, :3], chosen[:, 7:], self.options.jitter))
                edges.append(crop[:, 3:] if crop.shape[1] == 4 else torch.zeros_like(crop[:, :1]))
                edges_known.append(known)
        photos = torch.cat(image).contiguous(memory_format=torch.channels_last)
        return Photos(photos, torch.cat(edges), torch.cat(edges_known))

    def crop(self, number: int, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """One crop a photo, mirrored half of the time, and whether it has an edge map.

        Half of the crops have the smallest side, the photo's own scale; the sides of the others are uniform up to the
        photo's short side.

        Args:
            number: of the bank.
            numbers: (B, 6 or more) in [0, 1): photo, which half, side, top, left, mirror.

        Returns:
            float32 B x 3 x S x S, or B x 4 x S x S with edges, in [0, 1], and bool (B,); see `Photos`.
        """
        bank = self.banks[number]
        index = (numbers[:, 0] * len(bank)).long()
        height, width = bank.height[index].float(), bank.width[index].float()
        largest = torch.minimum(height, width)
        if self.options.whole:
            side, top, left = largest, ((height - largest) / 2).floor(), ((width - largest) / 2).floor()
        else:
            smallest = (largest.clamp_max(self.size) * self.options.zoom).round()
            scale = torch.where(numbers[:, 1] < 0.5, torch.zeros_like(largest), numbers[:, 2])
            if self.options.zoom < 1:
                scale = numbers[:, 2]
            side = (smallest + scale * (largest - smallest)).round()
            top = (numbers[:, 3] * (height - side + 1)).floor()
            left = (numbers[:, 4] * (width - side + 1)).floor()
        return bank.crops(index, top, left, side, numbers[:, 5] < 0.5, self.size), bank.has_edges[index]


def masked_photos(loader: PhotoLoader, kinds: Masks) -> Callable[[int], tuple[Tensor, Tensor]]:
    """Batches of photos and their holes, for `Run.steps`: a function of the step.

    Args:
        loader: draws the photos, B x 3 x S x S in [0, 1].
        kinds: of the masks, B x 1 x S x S, 1 = hole.
    """

    def draw(step: int) -> tuple[Tensor, Tensor]:
        image = loader(step).image
        return image, draw_masks(kinds, len(image), loader.size, loader.generator(step), loader.device)

    return draw


def held_out_photos(loader: PhotoLoader, kinds: Masks, count: int) -> tuple[Tensor, Tensor]:
    """Photos that no step draws and their holes, always the same; shapes as for `masked_photos`."""
    image = loader.held_out(count).image
    return image, draw_masks(kinds, count, loader.size, Generator().manual_seed(loader.seed), loader.device)


def load_photos(
    config: PhotoConfig,
    run: Run,
    crops: CropOptions,
    *,
    edges: Paths = (),
    prepare: Callable[[PhotoBank], PhotoBank] | None = None,
) -> PhotoLoader:
    """The loader of a run's photos, decoded once into the run's cache.

    Args:
        config: where the photos are, and the size and number of a batch's.
        run: whose device the batches are on.
        crops: what part of a photo a batch has.
        edges: edge maps of the photos, matched by name.
        prepare: changes each bank before anything is drawn, for example `PhotoBank.reduced`.

    Raises:
        FileNotFoundError: a source is absent, or holds no photo.
        InpaintError: not one weight for each source.
    """
    with run.accelerator.local_main_process_first():
        cache = config.cache or config.out / "cache"
        banks = [cached_bank(expand([source]), expand(edges), cache) for source in config.data]
    banks = [prepare(bank) for bank in banks] if prepare is not None else banks
    if config.mix and len(config.mix) != len(banks):
        raise InpaintError(f"Give one --mix weight for each of the {len(banks)} --data sources, not {len(config.mix)}.")
    return PhotoLoader(
        banks,
        config.mix or [len(bank) for bank in banks],
        config.size,
        config.batch,
        crops,
        seed=config.seed,
        process=(run.accelerator.process_index, run.accelerator.num_processes),
        device=run.device,
    )


def jitter_colours(image: Tensor, numbers: Tensor, strength: float) -> Tensor:
    """Brightness, contrast and saturation, each changed by up to `strength`; numbers (B, 3) in [0, 1]."""
    factor = 1 + strength * (numbers * 2 - 1)
    brightness, contrast, saturation = (factor[:, i].view(-1, 1, 1, 1) for i in range(3))
    grey = image.mean(1, keepdim=True)
    image = grey + (image - grey) * saturation
    mean = image.mean((1, 2, 3), keepdim=True)
    return ((image - mean) * contrast + mean * brightness).clamp(0, 1)
