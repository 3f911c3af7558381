"""The papers' networks written a second time, as plain functions of a state dict, to test the modules against.

Nothing here calls a layer of `inpaint_core`: convolutions, padding, normalisation and attention are spelled out from
the papers and the facts about their public code, slowly and in one way only. All take images in [0, 1] and masks of
1 = hole, as the modules do, in evaluation mode.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

State = Mapping[str, Tensor]


def normalise(state: State, name: str, x: Tensor) -> Tensor:
    """Batch normalisation by its running statistics."""
    mean, variance, weight, bias = (
        state[f"{name}.{part}"].view(1, -1, 1, 1) for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / torch.sqrt(variance + 1e-5) * weight + bias


def tensorflow_conv(x: Tensor, weight: Tensor, bias: Tensor, stride: int = 1, dilation: int = 1) -> Tensor:
    """Convolution with as many zeros as give ceil(size / stride) values, the odd one after the map."""
    padding = []
    for side in (x.shape[-1], x.shape[-2]):  # torch pads the last axis first
        needed = (math.ceil(side / stride) - 1) * stride + dilation * (weight.shape[-1] - 1) + 1 - side
        padding += [needed // 2, needed - needed // 2]
    return F.conv2d(F.pad(x, padding), weight, bias, stride=stride, dilation=dilation)


def twice(x: Tensor) -> Tensor:
    """Every pixel 2 x 2 times."""
    return x.repeat_interleave(2, -1).repeat_interleave(2, -2)


def elu(x: Tensor) -> Tensor:
    return torch.where(x > 0, x, torch.exp(x.clamp(max=0)) - 1)


# ---- GLCIC -----------------------------------------------------------------------------------------------------------

# kernel, stride (0.5: transposed convolution), dilation of every layer before the last (Iizuka et al., table 1)
GLCIC_LAYERS: Sequence[tuple[int, float, int]] = (
    (5, 1, 1), (3, 2, 1), (3, 1, 1), (3, 2, 1), (3, 1, 1), (3, 1, 1),
    (3, 1, 2), (3, 1, 4), (3, 1, 8), (3, 1, 16),
    (3, 1, 1), (3, 1, 1), (4, 0.5, 1), (3, 1, 1), (4, 0.5, 1), (3, 1, 1),
)  # fmt: skip


def glcic(state: State, image: Tensor, mask: Tensor, mean_colour: Sequence[float]) -> Tensor:
    """The completion network: mean colour in the hole, ReLU after each normalised convolution, a sigmoid at the end."""
    colour = torch.tensor(mean_colour, dtype=image.dtype).view(1, 3, 1, 1)
    x = torch.cat((image * (1 - mask) + colour * mask, mask), 1)
    for number, (kernel, stride, dilation) in enumerate(GLCIC_LAYERS):
        weight, bias = state[f"layers.{number}.0.weight"], state[f"layers.{number}.0.bias"]
        if stride == 0.5:
            x = F.conv_transpose2d(x, weight, bias, stride=2, padding=1)
        else:
            x = F.conv2d(x, weight, bias, int(stride), dilation * (kernel // 2), dilation)
        x = normalise(state, f"layers.{number}.1", x).clamp(min=0)
    return torch.sigmoid(F.conv2d(x, state["layers.16.weight"], state["layers.16.bias"], padding=1))


# ---- Context Encoder -------------------------------------------------------------------------------------------------


def context_encoder(state: State, image: Tensor, mask: Tensor, mean_colour: Sequence[float]) -> Tensor:
    """Strided encoder, a fully connected layer for each channel, 1 x 1 convolution, transposed convolutions, tanh."""
    colour = torch.tensor(mean_colour, dtype=image.dtype).view(1, 3, 1, 1)
    x = (image * (1 - mask) + colour * mask) * 2 - 1
    for number in (0, 2, 5, 8, 11):
        x = F.conv2d(x, state[f"encoder.{number}.weight"], state[f"encoder.{number}.bias"], 2, 1)
        x = normalise(state, f"encoder.{number + 1}", x) if number else x
        x = torch.where(x > 0, x, 0.2 * x)
    flat = x.flatten(2)
    channels = [
        flat[:, c] @ state["bottleneck.0.weight"][c].T + state["bottleneck.0.bias"][c] for c in range(flat.shape[1])
    ]
    x = torch.stack(channels, 1).view_as(x)
    x = F.conv2d(x, state["bottleneck.1.weight"], state["bottleneck.1.bias"])
    x = normalise(state, "bottleneck.2", x).clamp(min=0)
    for number in (0, 3, 6, 9, 12):
        x = F.conv_transpose2d(x, state[f"decoder.{number}.weight"], state[f"decoder.{number}.bias"], 2, 1)
        x = torch.tanh(x) if number == 12 else normalise(state, f"decoder.{number + 1}", x).clamp(min=0)
    return x / 2 + 0.5


# ---- PartialConv -----------------------------------------------------------------------------------------------------


def partial_conv(state: State, image: Tensor, mask: Tensor, levels: int) -> Tensor:
    """The U-Net: ReLU down, LeakyReLU of 0.2 up, features and masks upsampled and joined with those of the way down."""
    mean, std = (
        torch.tensor(values, dtype=image.dtype).view(1, 3, 1, 1)
        for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )

    def convolve(name: str, x: Tensor, valid: Tensor, stride: int) -> tuple[Tensor, Tensor]:
        weight = state[f"{name}.conv.weight"]
        padding = weight.shape[-1] // 2
        total = F.conv2d(valid, torch.ones_like(weight), None, stride, padding)
        updated = total.clamp(0, 1)
        ratio = weight[0].numel() / (total + 1e-8) * updated
        output = F.conv2d(x * valid, weight, None, stride, padding) * ratio
        if f"{name}.conv.bias" in state:
            output = (output + state[f"{name}.conv.bias"].view(1, -1, 1, 1)) * updated
        if f"{name}.norm.weight" in state:
            output = normalise(state, f"{name}.norm", output)
        return output, updated

    valid = (1 - mask).expand(-1, 3, -1, -1)
    x = (image - mean) / std * valid
    ways = [(x, valid)]
    for level in range(levels):
        x, valid = convolve(f"encoder.{level}", x, valid, 2)
        x = x.clamp(min=0)
        ways.append((x, valid))
    ways.pop()
    for name in [*(f"decoder.{level}" for level in range(levels - 1)), "head"]:
        skip, skip_valid = ways.pop()
        height, width = skip.shape[-2:]
        x, valid = (torch.cat((twice(a)[..., :height, :width], b), 1) for a, b in ((x, skip), (valid, skip_valid)))
        x, valid = convolve(name, x, valid, 1)
        x = x if name == "head" else torch.where(x > 0, x, 0.2 * x)
    return (x * std + mean).clamp(0, 1)


# ---- contextual attention, DeepFill v1 and v2 ------------------------------------------------------------------------


def aligned_shrink(x: Tensor, factor: int) -> Tensor:
    """Nearest neighbours with the first and the last pixel in place, halves rounded up: TensorFlow's align_corners."""
    for axis in (-2, -1):
        size = x.shape[axis]
        index = torch.floor(torch.linspace(0, size - 1, size // factor, dtype=torch.float64) + 0.5).long()
        x = x.index_select(axis, index)
    return x


def contextual_attention(features: Tensor, mask: Tensor) -> Tensor:
    """Sample by sample: scores by convolution with normalised patches, both fusions, softmax, pasting by deconvolution.

    Args:
        features: N x C x H x W, even sides.
        mask: N x 1 x 4H x 4W, 1 = hole.
    """
    results = []
    for x, hole in zip(features.split(1), mask.split(1), strict=True):
        small = aligned_shrink(x, 2)
        _, channels, h, w = small.shape
        keys = F.unfold(small, 3, padding=1)[0].T.view(-1, channels, 3, 3)  # (h w, C, 3, 3)
        keys = keys / keys.flatten(1).norm(dim=1).clamp(min=1e-4).view(-1, 1, 1, 1)
        usable = (F.unfold(aligned_shrink(hole, 8), 3, padding=1).mean(1) == 0).to(x.dtype)  # (1, h w)
        scores = F.conv2d(small, keys, padding=1)[0].flatten(1).T  # (h w queries, h w keys)
        eye = torch.eye(3, dtype=x.dtype).view(1, 1, 3, 3)
        scores = F.conv2d(scores[None, None], eye, padding=1)[0, 0]
        turned = scores.view(h, w, h, w).permute(1, 0, 3, 2).reshape(h * w, h * w)  # both orders column by column
        turned = F.conv2d(turned[None, None], eye, padding=1)[0, 0]
        scores = turned.view(w, h, w, h).permute(1, 0, 3, 2).reshape(h * w, h * w)
        shares = torch.softmax(10 * scores * usable, dim=1) * usable
        patches = F.unfold(x, 4, stride=2, padding=1)[0].T.view(-1, channels, 4, 4)
        results.append(F.conv_transpose2d(shares.T.view(1, h * w, h, w), patches, stride=2, padding=1) / 4)
    return torch.cat(results)


def deepfill_stack(state: State, names: Sequence[str], x: Tensor, gated: bool, last: str = "elu") -> Tensor:
    """A stack of convolutions, each with the stride, dilation or repeated pixels of its place.

    Args:
        names: "stack.number@place" of each layer; places 0 to 5 are an encoder, 6 to 9 dilated, 10 to 16 a decoder.
        gated: half of a convolution's outputs are gates.
        last: activation of the last layer: "elu", "relu" or "none" (then not gated either).
    """
    for name in names:
        path, _, place = name.partition("@")
        number = int(place)
        stride, dilation = (2 if number in (1, 3) else 1), {6: 2, 7: 4, 8: 8, 9: 16}.get(number, 1)
        x = twice(x) if number in (12, 14) else x
        x = tensorflow_conv(x, state[f"{path}.weight"], state[f"{path}.bias"], stride, dilation)
        activation = last if name == names[-1] else "elu"
        if activation == "none":
            continue
        x, gate = x.chunk(2, 1) if gated else (x, None)
        x = elu(x) if activation == "elu" else x.clamp(min=0)
        x = x if gate is None else x * torch.sigmoid(gate)
    return x


def places(stack: str, first: int, count: int) -> list[str]:
    """Names for `deepfill_stack`: the first modules of a stack, at the places `first`, `first` + 1 ..."""
    return [f"{stack}.{index}@{first + index}" for index in range(count)]


def deepfill_refinement(state: State, x: Tensor, mask: Tensor, gated: bool) -> Tensor:
    """Stage 2 of both: a dilated and an attention branch, and their common decoder."""
    convolved = deepfill_stack(state, places("refinement.conv_branch", 0, 10), x, gated)
    attended = deepfill_stack(state, places("refinement.attention_encoder", 0, 6), x, gated, "relu")
    attended = contextual_attention(attended, mask)
    attended = deepfill_stack(state, places("refinement.attention_decoder", 10, 2), attended, gated)
    both = torch.cat((convolved, attended), 1)
    return deepfill_stack(state, places("refinement.decoder", 10, 7), both, gated, "none")


def deepfill_v1(state: State, image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Both stages take RGB, ones, mask; linear heads, clipped."""
    incomplete = (image * 2 - 1) * (1 - mask)
    x = torch.cat((incomplete, torch.ones_like(mask), mask), 1)
    coarse = deepfill_stack(state, places("coarse", 0, 17), x, False, "none").clamp(-1, 1)
    x = torch.cat((incomplete + coarse * mask, torch.ones_like(mask), mask), 1)
    refined = deepfill_refinement(state, x, mask, False).clamp(-1, 1)
    return coarse / 2 + 0.5, refined / 2 + 0.5


def deepfill_v2(state: State, image: Tensor, mask: Tensor, sketch: Tensor) -> tuple[Tensor, Tensor]:
    """Stage 1 takes RGB, edges in the hole, ones, mask; stage 2 the pasted RGB alone; tanh."""
    incomplete = (image * 2 - 1) * (1 - mask)
    x = torch.cat((incomplete, sketch * mask, torch.ones_like(mask), mask), 1)
    x = deepfill_stack(state, places("coarse.encoder", 0, 10), x, True)
    coarse = torch.tanh(deepfill_stack(state, places("coarse.decoder", 10, 7), x, True, "none"))
    refined = torch.tanh(deepfill_refinement(state, incomplete + coarse * mask, mask, True))
    return coarse / 2 + 0.5, refined / 2 + 0.5
