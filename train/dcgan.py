"""Train a DCGAN: a network that draws pictures like those it was shown, the prior of `latent_search`.

One device:    python -m train.dcgan --data faces/ --val-small other-faces/ --steps 20000 --out runs/dcgan --export
Many:          accelerate launch -m train.dcgan --data ... --steps 20000 --out runs/dcgan
Scenes:        --prior scenes: exported as latent_search_scenes, which latent_search tries beside the faces
Wasserstein:   --objective wgan: clipped weights, RMSprop, --critic-first and --critic-steps rounds of the critic
Go on:         the same with --resume
Weights only:  the same with --resume --export
On a CPU:      --width 40 --critic-width 32: a third of the paper's work

Departs from the paper: real pictures count as 0.9 real for the discriminator (one-sided label smoothing, Salimans et
al. 2016); the rates fall as a cosine; pictures are mirrored half of the time; the weights' moving average is exported,
its batch statistics measured anew. `--smoothing 1` and `--no-cosine` are the paper's. Of the Wasserstein paper only the
schedule differs: many rounds of the critic once at the start, not now and then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F
from torch.optim import Adam, Optimizer, RMSprop
from torch.optim.swa_utils import update_bn

from inpaint_core.errors import InpaintError
from inpaint_core.networks.dcgan import DCGAN, OBJECTIVES, DCGANGenerator, draw_latents
from train.core import options, session
from train.core.adversarial import Pair, entropy_generator
from train.core.data import PhotoBank, Photos, expand
from train.core.engine import Engine
from train.core.validation import centre_crops
from train.evaluation.frechet import SampleCheck

PRIORS = {"faces": "latent_search", "scenes": "latent_search_scenes"}
SETTLING = 512  # samples over which the average's batch statistics are measured
MOST_VALIDATION = 500  # photos


@dataclass
class Recipe(session.Recipe):
    """What makes this training what it is."""

    size: int = 64  # side of the pictures
    batch: int = 64
    prior: str = "faces"  # or "scenes": what the checkpoint is called
    width: int = 64  # features of the generator before its last layer
    critic_width: int = 64  # features of the discriminator's first layer
    latent: int = 100  # numbers a picture is drawn from
    objective: str = "entropy"  # or "wgan"
    rate: float = 2e-4  # of the generator
    critic_rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)  # of both Adams
    smoothing: float = 0.9  # what the discriminator should say of a real picture
    wgan_rate: float = 5e-5  # of both RMSprops
    clip: float = 0.01  # largest weight of a Wasserstein critic
    critic_first: int = 100  # rounds of a Wasserstein critic before the first of the generator ...
    critic_steps: int = 5  # ... and between two of them: it is to be near its optimum always
    average_decay: float = 0.995


class DCGANTraining(session.Training):
    """Generator and discriminator."""

    whole: ClassVar[bool] = True  # a face has its place
    jitter: ClassVar[float] = 0.0
    figure: ClassVar[str] = "frechet"
    recipe: Recipe

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        torch.manual_seed(recipe.seed)
        if recipe.objective not in OBJECTIVES:
            raise InpaintError(f"The objective is {' or '.join(OBJECTIVES)}, not {recipe.objective!r}.")
        if recipe.prior not in PRIORS:
            raise InpaintError(f"The prior is {' or '.join(PRIORS)}, not {recipe.prior!r}.")
        self.method = PRIORS[recipe.prior]
        self.both = DCGAN(**self.arguments())
        self.critic = Pair(self.both.discriminator)
        self.networks = {"generator": self.both.generator, "critic": self.critic}

    def arguments(self) -> dict[str, Any]:
        names = ("size", "width", "latent", "critic_width", "objective")
        return {name: getattr(self.recipe, name) for name in names}

    def optimizers(self) -> dict[str, Optimizer]:
        r = self.recipe
        if r.objective == "wgan":
            return {name: RMSprop(module.parameters(), r.wgan_rate) for name, module in self.networks.items()}
        rates = {"generator": r.rate, "critic": r.critic_rate}
        return {
            name: Adam(module.parameters(), rates[name], r.betas, fused=True) for name, module in self.networks.items()
        }

    def step(self, engine: Engine, photos: Photos, dice: Generator) -> dict[str, Tensor]:
        latents = draw_latents(len(photos.image), self.recipe.latent, dice).to(photos.image.device)
        step = self.wasserstein_step if self.recipe.objective == "wgan" else self.entropy_step
        return {name: value.detach() for name, value in step(engine, photos.image, latents).items()}

    def entropy_step(self, engine: Engine, real: Tensor, latents: Tensor) -> dict[str, Tensor]:
        """The discriminator, then the generator with its non-saturating loss, on the same samples."""
        samples = engine.wrapped["generator"](latents)
        judged, made_up = engine.wrapped["critic"]((real,), (samples.detach(),))
        log = {"critic": smooth_entropy_critic(judged, made_up, self.recipe.smoothing)}
        engine.update("critic", log["critic"])
        log["opinion"] = entropy_generator(self.judge(engine, samples))
        log["gradient"] = engine.update("generator", log["opinion"])
        return log

    def wasserstein_step(self, engine: Engine, real: Tensor, latents: Tensor) -> dict[str, Tensor]:
        """One round of the critic, or of the generator where it is its turn."""
        r, number = self.recipe, engine.step
        if number < r.critic_first or (number - r.critic_first) % (r.critic_steps + 1) < r.critic_steps:
            with torch.no_grad():
                samples = engine.wrapped["generator"](latents)
            judged, made_up = engine.wrapped["critic"]((real,), (samples,))
            log = {"distance": judged.float().mean() - made_up.float().mean()}
            engine.update("critic", -log["distance"])
            with torch.no_grad():
                for parameter in self.critic.parameters():
                    parameter.clamp_(-r.clip, r.clip)
            return log
        log = {"opinion": -self.judge(engine, engine.wrapped["generator"](latents)).float().mean()}
        log["gradient"] = engine.update("generator", log["opinion"])
        return log

    def judge(self, engine: Engine, samples: Tensor) -> Tensor:
        """The discriminator's scores of the samples, whose gradient alone is wanted."""
        self.critic.requires_grad_(False)
        with engine.autocast():
            scores = self.critic.critic(samples)
        self.critic.requires_grad_(True)
        return scores

    def settled(self, engine: Engine) -> DCGANGenerator:
        """The averaged generator with its own batch statistics."""
        average = engine.average
        assert isinstance(average, DCGANGenerator)
        latents = draw_latents(SETTLING, average.latent, Generator().manual_seed(1)).to(engine.device)
        update_bn(latents.split(64), average)
        return average.eval()

    def check(self, engine: Engine, session: session.Session) -> SampleCheck | None:
        files = expand([*(session.val_small or ()), *(session.val or ())])
        if not files:
            return None

        @torch.no_grad()
        def draw(count: int) -> Tensor:
            average = self.settled(engine)
            latents = draw_latents(count, average.latent, Generator().manual_seed(0)).to(engine.device)
            return torch.cat([average(some) for some in latents.split(64)]).float().cpu()

        return SampleCheck(session.out, centre_crops(PhotoBank.load(files), MOST_VALIDATION, self.recipe.size), draw)

    def exported(self, engine: Engine) -> nn.Module:
        """The averaged generator and the discriminator: the search asks both."""
        both = DCGAN(**self.arguments()).to(engine.device)
        both.generator, both.discriminator = self.settled(engine), self.both.discriminator
        return both.eval()


def smooth_entropy_critic(real: Tensor, fake: Tensor, target: float) -> Tensor:
    """Binary cross-entropy of logits: real ones should be `target`, fake ones 0; mean of both halves."""
    wanted = torch.full_like(real, target, dtype=torch.float32)
    one = F.binary_cross_entropy_with_logits(real.float(), wanted)
    return (one + F.softplus(fake.float()).mean()) / 2


main = options.command(DCGANTraining, Recipe)

if __name__ == "__main__":
    options.start(main)
