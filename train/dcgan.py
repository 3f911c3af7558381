"""Train a DCGAN (Radford et al., ICLR 2016): the generative prior of `latent_search`.

One device:   python -m train.dcgan --data faces/ --val-small other-faces/ --steps 20000 --out runs/dcgan --export
Many:         accelerate launch -m train.dcgan (the same options)
Continue:     the same with --resume
Scenes:       --prior scenes: exported as latent_search_scenes, which latent_search tries beside the faces
Wasserstein:  --objective wgan: clipped weights, RMSprop, --critic-first and --critic-steps updates of the critic
On a CPU:     --width 40 --critic-width 32: a third of the paper's work
As published: --smoothing 1 --no-cosine

Where it departs from the paper:
- The discriminator's target for real photos is 0.9 (one-sided label smoothing, Salimans et al. 2016).
- The learning rates fall as a cosine; photos are mirrored half of the time.
- The exponential moving average of the weights is exported, with batch statistics measured anew.
- Of the Wasserstein paper only the schedule differs: many updates of the critic once at the start, not now and then.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from torch import Generator, Tensor
from torch.optim import Adam, Optimizer, RMSprop
from torchvision.utils import save_image

from inpaint_core import metrics
from inpaint_core.networks.dcgan import DCGAN, DCGANGenerator, draw_latents
from train.core.cli import run_cli
from train.core.config import PhotoConfig
from train.core.data import CropOptions, load_photos
from train.core.export import export, measure_batch_statistics
from train.core.gan import InTwoBatches, entropy_critic, entropy_generator, frozen
from train.core.photo_bank import PhotoBank
from train.core.run import Run
from train.core.sources import expand
from train.core.validation import centre_crops

METHODS = {"faces": "latent_search", "scenes": "latent_search_scenes"}
PARTS = {"generator": ("generator.", ""), "critic": ("discriminator.", "critic.")}  # of the one file of an export
STATISTICS_SAMPLES = 512  # over which the batch statistics of the EMA generator are measured
VALIDATION_PHOTOS = 500  # at most
SHEET = 128  # samples in a picture


# It inherits, from train/core:
# - the run: out, resume, init, steps, minutes, total_minutes, checkpoint_minutes, log_every, batch, accumulate,
#   seed, precision, warmup, cosine, ema_decay
# - photos and export: data, val, eval_every, export, export_to, stored, mix, val_small, size, grid_every, cache
@dataclass(frozen=True, kw_only=True)
class Config(PhotoConfig):
    """Both networks, and the two objectives with which they can be trained."""

    size: int = 64  # side of the photos in pixels
    batch: int = 64  # photos a step, all processes together
    ema_decay: float = 0.995  # of the exponential moving average of the weights, which is what is exported
    prior: Literal["faces", "scenes"] = "faces"  # what the photos show; decides the checkpoint's name
    width: int = 64  # features of the generator before its last layer
    critic_width: int = 64  # features of the discriminator's first layer
    latent: int = 100  # length of the latent vector
    objective: Literal["entropy", "wgan"] = "entropy"
    lr: float = 2e-4  # of the generator
    critic_lr: float = 2e-4  # of the discriminator
    betas: tuple[float, float] = (0.5, 0.999)  # of both Adams
    smoothing: float = 0.9  # the discriminator's target for real photos
    wgan_lr: float = 5e-5  # of both RMSprops
    clip: float = 0.01  # largest weight of a Wasserstein critic
    critic_first: int = 100  # updates of a Wasserstein critic before the generator's first ...
    critic_steps: int = 5  # ... and between two of them, which keeps it near its optimum


def main(config: Config) -> Run:
    """Train, validate, export; returns the run as it ended."""
    run = Run(config)

    # ---- networks
    arguments: dict[str, Any] = {
        name: getattr(config, name) for name in ("size", "width", "latent", "critic_width", "objective")
    }
    network = DCGAN(**arguments)
    critic_network = InTwoBatches(network.discriminator)
    optimizer: Optimizer
    critic_optimizer: Optimizer
    if config.objective == "wgan":
        optimizer = RMSprop(network.generator.parameters(), config.wgan_lr)
        critic_optimizer = RMSprop(network.discriminator.parameters(), config.wgan_lr)
    else:
        optimizer = Adam(network.generator.parameters(), config.lr, config.betas, fused=True)
        critic_optimizer = Adam(network.discriminator.parameters(), config.critic_lr, config.betas, fused=True)
    generator = run.add("generator", network.generator, optimizer, ema=True)
    critic = run.add("critic", critic_network, critic_optimizer)
    run.load(PARTS)

    # ---- data
    loader = load_photos(config, run, CropOptions(jitter=0, whole=True))  # whole, for a face has its place
    files = expand([*config.val_small, *config.val]) if run.main else []
    held_out = centre_crops(PhotoBank.load(files), VALIDATION_PHOTOS, config.size) if files else None
    held_out_features = features(held_out) if held_out is not None else None

    # ---- validation
    def refresh_statistics() -> None:
        latents = draw_latents(STATISTICS_SAMPLES, config.latent, Generator().manual_seed(1)).to(run.device)
        measure_batch_statistics(run.ema["generator"], ((batch,) for batch in latents.split(64)))

    @torch.no_grad()
    def samples(count: int) -> Tensor:
        """Photos that the EMA generator draws, count x 3 x S x S, of the same latents every time."""
        latents = draw_latents(count, config.latent, Generator().manual_seed(0)).to(run.device)
        return torch.cat([run.ema["generator"](batch) for batch in latents.split(64)]).float().cpu()

    def measure() -> dict[str, Any]:
        """The Fréchet distance of as many samples as there are validation photos; it depends on their number."""
        if held_out is None or held_out_features is None:
            return {}
        distance = float(metrics.frechet_distance(features(samples(len(held_out))), held_out_features))
        figures = {f"samples_{config.size}": {"frechet": distance, "photos": len(held_out)}}
        entry = {"step": run.step, "images_seen": run.step * config.batch, **figures}
        with (run.out / "validation.jsonl").open("a") as log:
            log.write(json.dumps(entry) + "\n")
        return figures

    # ---- the loop
    for step, photos in run.steps(loader):
        real = photos.image
        latents = draw_latents(len(real), config.latent, loader.generator(step)).to(run.device)

        if config.objective == "entropy":
            fake = generator(latents)
            real_scores, fake_scores = critic((real,), (fake.detach(),))
            loss = entropy_critic(real_scores, fake_scores, config.smoothing)
            run.backward(loss, "critic")
            with frozen(critic_network), run.autocast():
                adversarial = entropy_generator(network.discriminator(fake))
            run.log(critic=loss, adversarial=adversarial, gradient_norm=run.backward(adversarial, "generator"))
        elif (
            step < config.critic_first or (step - config.critic_first) % (config.critic_steps + 1) < config.critic_steps
        ):
            with torch.no_grad():
                fake = generator(latents)
            real_scores, fake_scores = critic((real,), (fake,))
            distance = real_scores.float().mean() - fake_scores.float().mean()
            run.backward(-distance, "critic")
            with torch.no_grad():
                for parameter in critic_network.parameters():
                    parameter.clamp_(-config.clip, config.clip)
            run.log(distance=distance)
        else:
            fake = generator(latents)
            with frozen(critic_network), run.autocast():
                adversarial = -network.discriminator(fake).float().mean()
            run.log(adversarial=adversarial, gradient_norm=run.backward(adversarial, "generator"))

        if held_out is not None and (run.due(config.grid_every) or run.due(config.eval_every)):
            refresh_statistics()
            if run.due(config.grid_every):
                (run.out / "grids").mkdir(exist_ok=True)
                save_image(samples(SHEET), run.out / "grids" / f"{run.step:07d}.png", nrow=16)
            if run.due(config.eval_every):
                measure()

    # ---- export: the EMA generator and the discriminator, for the search evaluates both
    if config.export:
        refresh_statistics()
        network.generator = cast(DCGANGenerator, run.ema["generator"])
        export(run, METHODS[config.prior], arguments, network=network.eval(), measure=measure)
    return run


@torch.inference_mode()
def features(images: Tensor) -> Tensor:
    """AlexNet's features of N x 3 x S x S in [0, 1], of which the Fréchet distance is taken: N x 256.

    Raises:
        InpaintError: AlexNet's weights are absent.
    """
    return torch.cat([metrics.alexnet_features(batch) for batch in images.split(64)])


if __name__ == "__main__":
    run_cli(main, Config)
