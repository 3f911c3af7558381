"""The contestants of the small-image study: what each learns from, and how it fills the centre of 32 x 32 pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor, nn
from torch.optim import Adam, Optimizer, RMSprop

from inpaint_core.methods.autoregressive import best
from inpaint_core.networks.autoencoder import Autoencoder
from inpaint_core.networks.dcgan import DCGANDiscriminator
from inpaint_core.networks.pixel_network import PixelNetwork
from train import pixel_cnn, pixel_rnn
from train.core import pixels, session
from train.core.adversarial import Pair, entropy_critic, entropy_generator
from train.core.data import Photos
from train.core.engine import Engine
from train.core.losses import hole_and_known_l2
from train.small_images.augment import augment

SIZE = 32
SAMPLES = 8  # fills that a pixel network draws of a photo
BATCH = 25  # photos filled at once


@dataclass
class Recipe(session.Recipe):
    """What the contestants of one forward pass have."""

    size: int = SIZE
    batch: int = 32
    width: int = 32  # features of the first layer
    encoder: str = "plain"
    rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float = 5.0  # largest norm of the generator's gradient
    known: float = 0.2  # weight of the known part's error beside the hole's 1
    adversarial: float = 0.0  # weight of the critic's opinion beside the squared error
    critic_width: int = 32
    critic_rate: float = 4e-4
    clipped: float = 0.01  # largest weight of a Wasserstein critic
    critic_steps: int = 5  # of a Wasserstein critic for one of the generator ...
    critic_first: int = 25  # ... steps of the generator, at the beginning and after every `critic_again`, for which
    critic_most: int = 25  # the critic gets so many, which takes it to convergence
    critic_again: int = 500
    average_decay: float = 0.995


class OnePass(session.Training):
    """A fully convolutional encoder and decoder trained with the squared error: the Euclidean CNN."""

    whole: ClassVar[bool] = True
    jitter: ClassVar[float] = 0.0
    method = "study"
    recipe: Recipe

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        torch.manual_seed(recipe.seed)
        self.generator = Autoencoder(**self.arguments())
        self.networks: dict[str, nn.Module] = {"generator": self.generator}

    def arguments(self) -> dict[str, Any]:
        return {"width": self.recipe.width, "encoder": self.recipe.encoder, "halvings": 3}

    def optimizers(self) -> dict[str, Optimizer]:
        r = self.recipe
        return {"generator": Adam(self.generator.parameters(), r.rate, r.betas, fused=True)}

    def step(self, engine: Engine, photos: Photos, dice: Generator) -> dict[str, Tensor]:
        truth = augment(photos.image, dice)
        mask = pixels.centre_quarter(len(truth), truth.shape[-1]).to(truth.device)
        log = self.losses(engine, truth, mask)
        return {name: value.detach() for name, value in log.items()}

    def losses(self, engine: Engine, truth: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """One update of the generator; returns what to log."""
        filled = engine.wrapped["generator"](truth, mask)
        squared = hole_and_known_l2(filled, truth, mask, self.recipe.known)
        return {"squared": squared, "gradient": engine.update("generator", squared, self.recipe.clip)}


class Adversarial(OnePass):
    """The same with a critic of the hole and its surroundings, without fully connected layers (DCGAN's)."""

    normalised = True

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        self.critic = Pair(DCGANDiscriminator(recipe.size // 2, recipe.critic_width, norm=self.normalised))
        self.networks["critic"] = self.critic

    def optimizers(self) -> dict[str, Optimizer]:
        r = self.recipe
        critic = Adam(self.critic.parameters(), r.critic_rate, (0.5, 0.999), fused=True)
        return {**super().optimizers(), "critic": critic}

    def middle(self, image: Tensor) -> Tensor:
        """What the critic sees: the central half of each side."""
        quarter = image.shape[-1] // 4
        return image[..., quarter:-quarter, quarter:-quarter].contiguous(memory_format=torch.channels_last)

    def opinion(self, engine: Engine, completed: Tensor) -> Tensor:
        """The critic's scores of completed photos, whose gradient alone is wanted."""
        self.critic.requires_grad_(False)
        with engine.autocast():
            scores = self.critic.critic(self.middle(completed))
        self.critic.requires_grad_(True)
        return scores

    def generator_step(
        self, engine: Engine, truth: Tensor, mask: Tensor, judge: Callable[[Tensor], Tensor]
    ) -> dict[str, Tensor]:
        """One update of the generator: `judge` makes a loss of the critic's scores; returns what to log."""
        filled = engine.wrapped["generator"](truth, mask)
        completed = torch.where(mask > 0, filled, truth)
        squared = hole_and_known_l2(filled, truth, mask, self.recipe.known)
        opinion = judge(self.opinion(engine, completed))
        loss = squared + self.recipe.adversarial * opinion
        norm = engine.update("generator", loss, self.recipe.clip)
        return {"squared": squared, "opinion": opinion, "gradient": norm}

    def judged(self, engine: Engine, truth: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The critic's scores of real and of completed photos, for an update of the critic."""
        with torch.no_grad():
            completed = torch.where(mask > 0, engine.wrapped["generator"](truth, mask), truth)
        return engine.wrapped["critic"]((self.middle(truth),), (self.middle(completed),))

    def losses(self, engine: Engine, truth: Tensor, mask: Tensor) -> dict[str, Tensor]:
        critic = entropy_critic(*self.judged(engine, truth, mask))
        engine.update("critic", critic)
        return {"critic": critic, **self.generator_step(engine, truth, mask, entropy_generator)}


class Wasserstein(Adversarial):
    """With a Wasserstein critic (Arjovsky et al. 2017): clipped weights, no normalisation, trained to convergence."""

    normalised = False

    def optimizers(self) -> dict[str, Optimizer]:
        r = self.recipe
        return {**super().optimizers(), "critic": RMSprop(self.critic.parameters(), r.critic_rate)}

    def losses(self, engine: Engine, truth: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """One round of the critic, or of the generator when its turn has come."""
        r, memory = self.recipe, engine.memory
        done = memory.get("generator_steps", 0)
        wanted = r.critic_most if done % r.critic_again < r.critic_first else r.critic_steps
        if memory.get("critic_steps", 0) < wanted:
            memory["critic_steps"] = memory.get("critic_steps", 0) + 1
            real, fake = self.judged(engine, truth, mask)
            distance = real.float().mean() - fake.float().mean()
            engine.update("critic", -distance)
            with torch.no_grad():
                for parameter in self.critic.parameters():
                    parameter.clamp_(-r.clipped, r.clipped)
            return {"distance": distance}
        memory["generator_steps"], memory["critic_steps"] = done + 1, 0
        return self.generator_step(engine, truth, mask, lambda scores: -scores.float().mean())


class StudyPixelCNN(pixel_cnn.PixelCNNTraining):
    """PixelCNN with the study's augmentation."""

    def step(self, engine: Engine, photos: Photos, dice: Generator) -> dict[str, Tensor]:
        return super().step(engine, Photos(augment(photos.image, dice), photos.edges, photos.has_edges), dice)


class StudyPixelRNN(pixel_rnn.PixelRNNTraining):
    """Diagonal BiLSTM with the study's augmentation."""

    def step(self, engine: Engine, photos: Photos, dice: Generator) -> dict[str, Tensor]:
        return super().step(engine, Photos(augment(photos.image, dice), photos.edges, photos.has_edges), dice)


@torch.no_grad()
def fill_at_once(network: nn.Module, image: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """The fill of a network of one pass, under the name ""."""
    filled = torch.cat([network(*some) for some in zip(image.split(BATCH), mask.split(BATCH), strict=True)])
    return {"": filled.float().clamp(0, 1)}


@torch.no_grad()
def fill_by_pixel(network: nn.Module, image: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """What a pixel network draws: "" the fill kept of `SAMPLES`, "one sample", and "mean of samples"."""
    assert isinstance(network, PixelNetwork)
    generator = Generator().manual_seed(0)
    found: dict[str, list[Tensor]] = {"": [], "one sample": [], f"mean of {SAMPLES} samples": []}
    for some, hole in zip(image.split(BATCH), mask.split(BATCH), strict=True):
        several, holes = some.repeat_interleave(SAMPLES, 0), hole.repeat_interleave(SAMPLES, 0)
        drawn, _ = network.complete(several, holes, generator)
        chosen = best(network, drawn, holes, SAMPLES)
        every = drawn.unflatten(0, (-1, SAMPLES))
        fills = every[torch.arange(len(some)), chosen], every[:, 0], every.mean(1)
        for kept, fill in zip(found.values(), fills, strict=True):
            kept.append(fill)
    return {name: torch.cat(fills) for name, fills in found.items()}


@dataclass(frozen=True)
class Contestant:
    """One row of the study, or several: of a pixel network also those of other ways to use its samples.

    Attributes:
        title: as the table says it.
        poster: the row of the poster's table it stands beside.
        make: its training.
        recipe: of that training.
        share: of the study's time, relative to the others'.
        fill: makes of network, photos and masks the fills by name.
    """

    title: str
    poster: str
    make: Callable[[Any], session.Training]
    recipe: session.Recipe
    share: float = 1.0
    fill: Callable[[nn.Module, Tensor, Tensor], dict[str, Tensor]] = field(default=fill_at_once)


CONTESTANTS = {
    **{
        f"autoencoder_{encoder}": Contestant(
            f"Autoencoder, {title} encoder", "Euclidean CNN", OnePass, Recipe(encoder=encoder)
        )
        for encoder, title in (("vgg", "VGG"), ("inception", "Inception"), ("resnet", "ResNet"), ("alexnet", "AlexNet"))
    },
    "dcgan": Contestant("DCGAN-style adversarial", "DCGAN", Adversarial, Recipe(adversarial=0.002), 1.5),
    "wgan": Contestant(
        "WGAN, clipped weights", "WGAN", Wasserstein, Recipe(adversarial=0.02, critic_rate=5e-5, warmup=500), 2.5
    ),
    "pixel_cnn": Contestant("PixelCNN", "PixelCNN", StudyPixelCNN, pixel_cnn.Recipe(), 3.0, fill_by_pixel),
    "pixel_rnn": Contestant(
        "PixelRNN, Diagonal BiLSTM", "Diagonal BiLSTM", StudyPixelRNN, pixel_rnn.Recipe(), 3.0, fill_by_pixel
    ),
}
