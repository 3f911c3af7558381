"""Train PixelCNN or PixelRNN with Diagonal BiLSTM layers: the likelihood of whole small photos, value by value.

One device:   python -m train.pixel_networks --data 'shards/*.tar' --steps 100000 --out runs/pixel_cnn --export
PixelRNN:     the same with --network pixel_rnn
Many:         accelerate launch -m train.pixel_networks (the same options)
Continue:     the same with --resume
As published: --width 126 --blocks 15 --distribution softmax, or --width 126 --layers 12 --distribution softmax

Where it departs from the paper (van den Oord et al., ICML 2016):
- A mixture of logistics in place of 256 free probabilities: it learns from fewer photos, and starts from the best
  linear prediction of a value from those before it.
- Adam in place of RMSProp; narrower networks.
- Scenes reduced to 32 px beside or in place of CIFAR-10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from inpaint_core.networks.pixel_cnn import PixelCNN
from inpaint_core.networks.pixel_network import PixelNetwork
from inpaint_core.networks.pixel_rnn import PixelRNN
from train.core.cli import run_cli
from train.core.config import PhotoConfig
from train.core.data import CropOptions, load_photos
from train.core.export import export
from train.core.run import Run
from train.core.small_photos import PixelValidation, pixel_optimizer


# It inherits, from train/core:
# - the run: out, resume, init, steps, minutes, total_minutes, checkpoint_minutes, log_every, batch, accumulate,
#   seed, precision, warmup, cosine, ema_decay
# - photos and export: data, val, eval_every, export, export_to, stored, mix, val_small, size, grid_every, cache
@dataclass(frozen=True, kw_only=True)
class Config(PhotoConfig):
    """Which network, how large, and its optimizer."""

    network: Literal["pixel_cnn", "pixel_rnn"] = "pixel_cnn"
    size: int = 32  # side of the photos in pixels, which are reduced to it whole
    batch: int = 16  # photos a step, all processes together
    ema_decay: float = 0.995  # of the exponential moving average of the weights, which is what is exported
    width: int = 48  # features inside a block, or units of an LSTM: the paper's h; a multiple of 3
    blocks: int = 8  # of PixelCNN
    layers: int = 3  # of PixelRNN
    distribution: Literal["logistic_mixture", "softmax"] = "logistic_mixture"  # softmax over 256 values: the paper's
    lr: float = 2e-3  # of all but the linear prediction, which has a tenth of it
    betas: tuple[float, float] = (0.9, 0.99)  # of Adam
    clip: float = 1.0  # largest norm of the gradient


def main(config: Config) -> Run:
    """Train, validate, export; returns the run as it ended."""
    run = Run(config)

    # ---- network
    arguments: dict[str, Any] = {"width": config.width, "distribution": config.distribution}
    network: PixelNetwork
    if config.network == "pixel_cnn":
        arguments["blocks"] = config.blocks
        network = PixelCNN(**arguments)
    else:
        arguments["layers"] = config.layers
        network = PixelRNN(**arguments)
    generator = run.add("generator", network, pixel_optimizer(network, config.lr, config.betas), ema=True)
    run.load()

    # ---- data
    loader = load_photos(config, run, CropOptions(jitter=0, whole=True), prepare=lambda bank: bank.reduced(config.size))
    validation = PixelValidation(config, run, run.ema["generator"])
    if run.step == 0 and not run.initialised:
        first = loader(0).image
        network.predict_linearly(first, run.accelerator.reduce)  # the same in all processes
        run.ema["generator"].load_state_dict(network.state_dict())

    # ---- the loop
    for _, photos in run.steps(loader):
        bits = network.bits(generator(photos.image), photos.image)
        run.log(bits_per_dimension=bits, gradient_norm=run.backward(bits, "generator", config.clip))
        validation.after_step()

    # ---- export
    if config.export:
        export(run, config.network, arguments, measure=validation.measure)
    return run


if __name__ == "__main__":
    run_cli(main, Config)
