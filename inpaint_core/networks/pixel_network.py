"""What PixelCNN and PixelRNN share: the stack around their layers, its loss, and drawing a hole value by value.

A network returns parameters N x P x 3 x H x W: for every colour value the parameters of its distribution given all
values before it in reading order (and R before G before B within a pixel).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from inpaint_core.networks.layers.masked import MaskedConv2d
from inpaint_core.networks.pixel_distribution import LEVELS, distribution

Callback = Callable[[float, Tensor], None]
"""Called with the share of the hole drawn, in [0, 1], and the images so far, N x 3 x H x W in [0, 1]."""


class Conditionals(ABC):
    """Gives the distribution of one image value after the other, in reading order, while the image is being drawn."""

    @abstractmethod
    def __call__(self, row: int, column: int, colour: int) -> Tensor:
        """Parameters (N, P) of that value, given what the image holds before it. Calls come in reading order."""


class UncachedConditionals(Conditionals):
    """Runs the whole network for every value: slow, the reference for caches.

    Args:
        network: any autoregressive network.
        image: N x 3 x H x W in [0, 1], to be drawn into by the caller.
    """

    def __init__(self, network: PixelNetwork, image: Tensor) -> None:
        self.network, self.image = network, image

    def __call__(self, row: int, column: int, colour: int) -> Tensor:
        # Nothing below this row has an influence, so the rows above and this one are enough.
        return self.network(self.image[:, :, : row + 1])[:, :, colour, row, column]


class PixelNetwork(nn.Module, ABC):
    """An autoregressive network: `forward` gives distributions, `complete` draws the hole from them.

    Args:
        features: channels of the stream, a multiple of 3.
        pixel_distribution: "softmax" or "logistic_mixture".
    """

    multiple_of = 1

    def __init__(self, features: int, pixel_distribution: str) -> None:
        super().__init__()
        self.distribution = distribution(pixel_distribution)
        parameters = 3 * self.distribution.parameters
        self.first = MaskedConv2d("A", 3, features, 7)
        self.last = nn.Sequential(
            nn.ReLU(),
            MaskedConv2d("B", features, features),
            nn.ReLU(),
            MaskedConv2d("B", features, parameters),
        )
        # Colours are nearly a linear function of the colours around them: the network need only model the rest.
        self.direct = MaskedConv2d("A", 3, parameters, 7) if self.distribution.direct else None
        if self.direct is not None:
            nn.init.zeros_(self.direct.weight)
            nn.init.zeros_(self.direct.bias)  # type: ignore[arg-type]

    @torch.no_grad()
    def predict_linearly(self, image: Tensor, total: Callable[[Tensor], Tensor] = lambda sums: sums) -> None:
        """Initialise the network to predict each value by least squares from those before it.

        Training then starts where linear prediction ends. Without a direct part (softmax) nothing happens.

        Args:
            image: N x 3 x H x W in [0, 1], whose values are to be predicted.
            total: adds up sums over the processes of a distributed training.
        """
        if self.direct is None:
            return
        last = self.last[-1]
        assert isinstance(last, MaskedConv2d)
        assert isinstance(last.bias, Tensor)
        assert isinstance(self.direct.bias, Tensor)
        reach, third = self.direct.kernel_size[0] // 2, self.distribution.parameters // 3
        colours = image.double() * 2 - 1
        seen = F.unfold(F.pad(colours, (reach, reach, reach, 0)), (reach + 1, 2 * reach + 1))  # (N, 84, H W)
        rows = torch.cat((seen, torch.ones_like(seen[:, :1]), colours.flatten(2)), dim=1)
        products = total(torch.einsum("nip,njp->ij", rows, rows))
        ones = seen.shape[1]
        last.weight.zero_()
        last.bias.zero_()
        for colour in range(3):
            mean = slice((3 * colour + 1) * third, (3 * colour + 2) * third)
            used = self.direct.mask[mean.start, :, : reach + 1].flatten().nonzero()[:, 0]
            used, wanted = F.pad(used, (0, 1), value=ones), ones + 1 + colour
            square = products[used][:, used] + 1e-6 * products[ones, ones] * torch.eye(len(used), device=image.device)
            factors = torch.linalg.solve(square, products[used, wanted])
            left = (products[wanted, wanted] - factors @ products[used, wanted]) / products[ones, ones]
            kernel = factors.new_zeros(ones).index_copy(0, used[:-1], factors[:-1]).view(3, reach + 1, -1)
            self.direct.weight[mean, :, : reach + 1] = kernel.to(self.direct.weight.dtype)
            self.direct.bias[mean] = float(factors[-1])
            # A logistic's standard deviation is pi / sqrt(3) times its scale
            scale = 0.5 * math.log(max(float(left), 1e-8)) + math.log(math.sqrt(3) / math.pi)
            # components of several widths around that scale, or all of them would get the same gradient
            widths = torch.linspace(-2.5, 1.0, third, device=image.device)
            last.bias[mean.stop : mean.stop + third] = (scale + widths).clamp_min(-6)

    @abstractmethod
    def stream(self, image: Tensor) -> Tensor:
        """N x 3 x H x W in [-1, 1] -> N x C x H x W features, each of what comes before its pixel's colour."""

    @abstractmethod
    def conditionals(self, image: Tensor, row: int) -> Conditionals:
        """Cached `Conditionals` of an image that is drawn from `row` on."""

    def forward(self, image: Tensor) -> Tensor:
        """N x 3 x H x W in [0, 1] -> N x P x 3 x H x W parameters, each given only the values before its own."""
        image = image * 2 - 1
        parameters = self.last(self.stream(image.to(self.first.weight.dtype)))
        if self.direct is not None:
            with torch.autocast(image.device.type, enabled=False):  # bfloat16 has too few digits for 256 colours
                parameters = parameters.float() + self.direct(image.to(self.direct.weight.dtype))
        return torch.unflatten(parameters, 1, (3, -1)).transpose(1, 2)

    def bits_per_dimension(self, image: Tensor, mask: Tensor | None = None) -> Tensor:
        """The training loss: mean negative log2 probability of the values, of those in the hole if a mask is given."""
        return self.bits(self(image), image, mask)

    def bits(self, parameters: Tensor, image: Tensor, mask: Tensor | None = None) -> Tensor:
        """`bits_per_dimension` of an image whose parameters `forward` gave."""
        bits = -self.distribution.log_likelihood(parameters, image) / math.log(2)
        if mask is None:
            return bits.mean()
        weight = mask.expand_as(bits)
        return (bits * weight).sum() / weight.sum().clamp_min(1)

    @torch.no_grad()
    def complete(
        self,
        image: Tensor,
        mask: Tensor,
        generator: Generator | None = None,
        temperature: float = 1.0,
        *,
        cached: bool = True,
        callback: Callback | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Draw the values of the hole one by one in reading order, each given all before it.

        What is known below a hole pixel, or to its right in its row, has no influence on it.

        Args:
            image: N x 3 x H x W in [0, 1].
            mask: N x 1 x H x W, 1 = hole.
            generator: source of the random numbers; None: one seeded with 0.
            temperature: below 1 prefers likely values; 0 takes the likeliest.
            cached: keep features of pixels that no longer change; False computes everything anew for every value.
            callback: called after each pixel with the share done and the image so far (not to be kept: it changes).

        Returns:
            The images, N x 3 x H x W in [0, 1], known pixels as they came; and N x 1 x H x W the entropy of each hole
            pixel when it was drawn, in bits, 0 elsewhere.
        """
        generator = torch.Generator().manual_seed(0) if generator is None else generator
        hole = mask[:, 0] > 0.5  # (N, H, W)
        result = torch.where(hole[:, None], torch.zeros((), dtype=image.dtype, device=image.device), image)
        entropy = torch.zeros_like(mask)
        places = hole.any(dim=0).nonzero().tolist()
        with torch.autocast(image.device.type, enabled=False):
            conditionals = (
                self.conditionals(result, places[0][0]) if cached and places else UncachedConditionals(self, result)
            )
            for number, (row, column) in enumerate(places, start=1):
                here = hole[:, row, column]
                for colour in range(3):
                    log_probabilities = self.distribution.log_probabilities(
                        conditionals(row, column, colour)
                    )  # (N, 256)
                    value = _sample(log_probabilities, generator, temperature) / (LEVELS - 1)
                    value = value.to(result.dtype)
                    result[:, colour, row, column] = torch.where(here, value, result[:, colour, row, column])
                    bits = -(log_probabilities.exp() * log_probabilities).sum(-1) / math.log(2)
                    entropy[:, 0, row, column] += torch.where(here, bits, torch.zeros_like(bits)).to(entropy.dtype)
                if callback is not None:
                    callback(number / len(places), result)
        return result, entropy


def _sample(log_probabilities: Tensor, generator: Generator, temperature: float) -> Tensor:
    """One value 0..255 for each row of (N, 256) log probabilities."""
    if temperature <= 0:
        return log_probabilities.argmax(-1)
    probabilities = torch.softmax(log_probabilities / temperature, dim=-1).to(generator.device)
    return torch.multinomial(probabilities, 1, generator=generator)[:, 0].to(log_probabilities.device)
