"""PixelCNN: an image as a product of conditional distributions, by masked convolutions (van den Oord et al. 2016).

Departures from the paper: the width is a multiple of 3 (126 in place of 128), so that features divide evenly among the
colours; `distribution` may be a mixture of logistics, whose parameters get a linear function of the pixels before
added. The stack has the known blind spot to the right above a pixel.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from inpaint_core.networks.layers.masked import MaskedConv2d
from inpaint_core.networks.pixel_network import Conditionals, PixelNetwork


class ResidualBlock(nn.Module):
    """ReLU 1 x 1 to half the features, ReLU 3 x 3, ReLU 1 x 1 back, and a shortcut (figure 5, right)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        half = features // 2
        self.narrow = MaskedConv2d("B", features, half)
        self.middle = MaskedConv2d("B", half, half, 3)
        self.widen = MaskedConv2d("B", half, features)

    def reduce(self, features: Tensor) -> Tensor:
        """The 3 x 3 convolution's input: N x C x H x W -> N x C/2 x H x W."""
        return F.relu(self.narrow(F.relu(features)))

    def expand(self, features: Tensor, middle: Tensor) -> Tensor:
        """The block's output: N x C x H x W, and the 3 x 3 convolution's N x C/2 x H x W -> N x C x H x W."""
        return features + self.widen(F.relu(middle))

    def forward(self, features: Tensor) -> Tensor:
        """N x C x H x W -> the same shape."""
        return self.expand(features, self.middle(self.reduce(features)))


class PixelCNN(PixelNetwork):
    """7 x 7 masked convolution of kind A, residual blocks of kind B, two 1 x 1 layers, a distribution for each value.

    Args:
        width: h of the paper, features inside a block; the stream between them has twice as many. A multiple of 3.
        blocks: residual blocks, 15 in the paper for CIFAR-10.
        distribution: "softmax" over 256 values (the paper) or "logistic_mixture".
    """

    def __init__(self, width: int = 126, blocks: int = 15, distribution: str = "softmax") -> None:
        super().__init__(2 * width, distribution)
        self.blocks = nn.ModuleList(ResidualBlock(2 * width) for _ in range(blocks))

    def stream(self, image: Tensor) -> Tensor:
        """See `PixelNetwork.stream`."""
        features = self.first(image)
        for block in self.blocks:
            features = block(features)
        return features

    def conditionals(self, image: Tensor, row: int) -> Conditionals:
        """See `PixelNetwork.conditionals`."""
        return _CachedConvolutions(self, image, row)


class _CachedConvolutions(Conditionals):
    """Keeps the input of each block's 3 x 3 convolution, so that a pixel costs one pixel's work in every layer.

    Args:
        network: the network.
        image: N x 3 x H x W in [0, 1], to be drawn into by the caller from `row` on.
        row: the first row that changes.
    """

    def __init__(self, network: PixelCNN, image: Tensor, row: int) -> None:
        self.network, self.image = network, image
        self.first = network.first.past()
        self.direct = network.direct.past() if network.direct is not None else None
        blocks = [block for block in network.blocks if isinstance(block, ResidualBlock)]
        self.narrows = [block.narrow.past() for block in blocks]
        self.middles = [block.middle.past() for block in blocks]
        self.widens = [block.widen.past() for block in blocks]
        self.ends = [layer.past() for layer in network.last if isinstance(layer, MaskedConv2d)]
        count, _, height, width = image.shape
        self.width = width
        # One pixel more above, left and right of the image; three for the colours, for the 7 x 7 convolution.
        self.colours = image.new_zeros(count, 3, height + 3, width + 6)
        self.features = [image.new_zeros(count, past.weight.shape[1], height + 1, width + 2) for past in self.middles]
        self.row, self.column = row, 0  # all before is known to the cache
        if row:
            self._copy_colours(0, row)
            self._run(0, row, 0, width)

    def __call__(self, row: int, column: int, colour: int) -> Tensor:
        self._copy_colours(self.row, row + 1)
        while self.row < row:
            self._run(self.row, self.row + 1, self.column, self.width)
            self.row, self.column = self.row + 1, 0
        if self.column < column:
            self._run(row, row + 1, self.column, column)
        stream = self._run(row, row + 1, column, column + 1)
        self.column = column + 1 if colour == 2 else column  # blue has no influence on features of its own pixel
        parameters = self.ends[1](F.relu(self.ends[0](F.relu(stream))))
        if self.direct is not None:
            parameters = parameters + self.direct(self.colours[:, :, row : row + 4, column : column + 7])
        return parameters[:, :, 0, 0].unflatten(1, (3, -1))[:, colour]

    def _copy_colours(self, top: int, bottom: int) -> None:
        """Copy the colours of these rows of the image into the cache."""
        self.colours[:, :, top + 3 : bottom + 3, 3:-3] = self.image[:, :, top:bottom] * 2 - 1

    def _run(self, top: int, bottom: int, left: int, right: int) -> Tensor:
        """The stream in a rectangle, N x C x h x w, all of whose past is in the cache; brings it into the cache."""
        if left == right:
            return self.image
        stream = self.first(self.colours[:, :, top : bottom + 3, left : right + 6])
        for narrow, middle, widen, cache in zip(self.narrows, self.middles, self.widens, self.features, strict=True):
            cache[:, :, top + 1 : bottom + 1, left + 1 : right + 1] = F.relu(narrow(F.relu(stream)))
            around = middle(cache[:, :, top : bottom + 1, left : right + 2])
            stream = stream + widen(F.relu(around))
        return stream
