"""Small networks with drawn weights and what they made of a photo when they agreed with the papers' code.

`python -m tests.golden.networks` writes the outputs anew. Do so only after a change that is meant to change them, and
with `tests/networks/test_fidelity.py` green where the golden files of published code are.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from inpaint_core import weights
from inpaint_core.networks.autoencoder import Autoencoder
from inpaint_core.networks.context_encoder import ContextEncoder
from inpaint_core.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from inpaint_core.networks.deepfill_v1 import DeepFillV1
from inpaint_core.networks.deepfill_v2 import DeepFillV2, SNPatchDiscriminator
from inpaint_core.networks.edge_detector import EdgeDetector
from inpaint_core.networks.glcic import CompletionNetwork, GlobalLocalCritic
from inpaint_core.networks.lama import LaMa, PatchDiscriminator
from inpaint_core.networks.partial_conv import PartialConvUNet
from inpaint_core.networks.pixel_cnn import PixelCNN
from inpaint_core.networks.pixel_rnn import PixelRNN
from tests.networks.seeded import draw_state, photo, seeded
from tests.weights.published import layout

FILE = Path(__file__).with_suffix(".npz")
IMAGE, MASK, SKETCH = photo(64, 64)


def public_deepfill_v2() -> nn.Module:
    """The network without a sketch channel, its weights drawn in the public layout."""
    _, network = weights.network_from_public(draw_state(layout("deepfill_v2_nipponjo"), gain=2.0))
    return network.double()


GENERATORS: dict[str, Callable[[], nn.Module]] = {
    "autoencoder": lambda: seeded(Autoencoder(width=8), 2.0),
    "context_encoder": lambda: seeded(ContextEncoder(width=8, image_size=64), 1.5),
    "glcic": lambda: seeded(CompletionNetwork(width=8), 1.5),
    "deepfill_v1": lambda: seeded(DeepFillV1(width=8)),
    "deepfill_v2": lambda: seeded(DeepFillV2(width=8), 2.0),
    "deepfill_v2_public": public_deepfill_v2,
    "partial_conv": lambda: seeded(PartialConvUNet(width=8)),
    "lama": lambda: seeded(LaMa(width=8, blocks=2)),
}
OTHERS: dict[str, Callable[[], Tensor]] = {
    "pixel_cnn": lambda: seeded(PixelCNN(12, blocks=2, distribution="logistic_mixture"))(IMAGE[..., :8, :8]),
    "pixel_rnn": lambda: seeded(PixelRNN(12, layers=2, distribution="logistic_mixture"))(IMAGE[..., :8, :8]),
    "edge_detector": lambda: seeded(EdgeDetector(scales=(0.5, 1.0)), 1.4)(IMAGE)[0][..., ::4, ::4],
    "dcgan": lambda: seeded(DCGANGenerator(width=8, latent=10))(IMAGE[0, :, 0, :10] * 2 - 1)[..., ::4, ::4],
    "dcgan_discriminator": lambda: seeded(DCGANDiscriminator(width=8))(IMAGE),
    "glcic_critic": lambda: seeded(GlobalLocalCritic(64, 32, width=8))(IMAGE, IMAGE[..., :32, 16:48]),
    "sn_patchgan": lambda: seeded(SNPatchDiscriminator(width=8, spectral=False), 1.5)(IMAGE, MASK, SKETCH * MASK),
    "lama_discriminator": lambda: seeded(PatchDiscriminator(width=8))(IMAGE)[0],
}


@torch.no_grad()
def outputs(name: str) -> list[np.ndarray]:
    """The stages of a generator, every fourth pixel of each, or the one output of another network."""
    if name in OTHERS:
        return [OTHERS[name]().numpy()]
    output = GENERATORS[name]()(IMAGE, MASK, SKETCH)
    return [stage[..., ::4, ::4].numpy() for stage in (output if isinstance(output, tuple) else (output,))]


if __name__ == "__main__":
    found = {
        f"{name}_{number}": stage.astype(np.float32)
        for name in (*GENERATORS, *OTHERS)
        for number, stage in enumerate(outputs(name))
    }
    np.savez_compressed(FILE, **found)
