"""How the models of the small-image study are trained: one loop for each way to learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Generator, Tensor
from torch.optim import Adam, RMSprop

from inpaint_core.networks.autoencoder import Autoencoder
from inpaint_core.networks.dcgan import DCGANDiscriminator
from inpaint_core.networks.pixel_cnn import PixelCNN
from inpaint_core.networks.pixel_rnn import PixelRNN
from train.core.data import PhotoLoader
from train.core.gan import InTwoBatches, entropy_critic, entropy_generator, frozen
from train.core.losses import hole_and_known_l2
from train.core.run import Run
from train.core.small_photos import centre_quarter, pixel_optimizer
from train.small_images.augment import augment

SIZE = 32  # side of the photos in pixels


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What every model has."""

    batch: int = 32
    warmup: int = 100  # steps over which the learning rate grows from zero


@dataclass(frozen=True, kw_only=True)
class Autoencoding(Settings):
    """A fully convolutional encoder and decoder trained with the squared error: the Euclidean CNN."""

    encoder: str = "plain"
    width: int = 32  # features of the first layer
    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float = 5.0  # largest norm of the generator's gradient
    known: float = 0.2  # weight of the known part's error beside the hole's 1

    def network(self) -> Autoencoder:
        """The untrained network."""
        return Autoencoder(width=self.width, encoder=self.encoder, halvings=3)


@dataclass(frozen=True, kw_only=True)
class Adversarial(Autoencoding):
    """The same with DCGAN's discriminator of the hole and its surroundings."""

    adversarial: float = 0.002  # weight of the adversarial loss beside the squared error
    critic_width: int = 32
    critic_lr: float = 4e-4


@dataclass(frozen=True, kw_only=True)
class Wasserstein(Adversarial):
    """With a Wasserstein critic (Arjovsky et al. 2017): clipped weights, no normalisation, trained to convergence."""

    adversarial: float = 0.02
    critic_lr: float = 5e-5
    clipped: float = 0.01  # largest weight of the critic
    critic_steps: int = 5  # of the critic for one of the generator ...
    critic_first: int = (
        25  # ... but at the beginning, and after every `critic_again`, for this many of the generator's,
    )
    critic_most: int = 25  # the critic gets this many, which takes it to convergence
    critic_again: int = 500


@dataclass(frozen=True, kw_only=True)
class Likelihood(Settings):
    """A pixel network, trained by maximum likelihood."""

    kind: Literal["pixel_cnn", "pixel_rnn"]
    batch: int = 16
    width: int = 48
    depth: int  # blocks of PixelCNN, layers of PixelRNN
    lr: float = 2e-3
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float = 1.0

    def network(self) -> PixelCNN | PixelRNN:
        """The untrained network."""
        network = PixelCNN if self.kind == "pixel_cnn" else PixelRNN
        return network(self.width, self.depth, "logistic_mixture")


def train(settings: Settings, run: Run, photos: PhotoLoader) -> None:
    """Train a model in the way its settings ask for; its weights end in `run.ema["generator"]`."""
    match settings:
        case Likelihood():
            train_likelihood(settings, run, photos)
        case Wasserstein():
            train_wasserstein(settings, run, photos)
        case Adversarial():
            train_adversarial(settings, run, photos)
        case Autoencoding():
            train_autoencoder(settings, run, photos)


def train_autoencoder(settings: Autoencoding, run: Run, photos: PhotoLoader) -> None:
    """Squared error alone."""
    network = settings.network()
    generator = run.add("generator", network, generator_optimizer(settings, network), ema=True)
    run.load()
    for step, batch in run.steps(photos):
        truth, mask = augmented(batch.image, photos.generator(step))
        loss = hole_and_known_l2(generator(truth, mask), truth, mask, settings.known)
        run.log(squared=loss, gradient_norm=run.backward(loss, "generator", settings.clip))


def train_adversarial(settings: Adversarial, run: Run, photos: PhotoLoader) -> None:
    """Squared error and an adversarial loss; the discriminator is updated first, on the same photos."""
    network = settings.network()
    discriminator = DCGANDiscriminator(SIZE // 2, settings.critic_width)
    critic_optimizer = Adam(discriminator.parameters(), settings.critic_lr, (0.5, 0.999), fused=True)
    generator = run.add("generator", network, generator_optimizer(settings, network), ema=True)
    critic = run.add("critic", InTwoBatches(discriminator), critic_optimizer)
    run.load()
    for step, batch in run.steps(photos):
        truth, mask = augmented(batch.image, photos.generator(step))
        filled = generator(truth, mask)
        completed = torch.where(mask > 0, filled, truth)

        loss = entropy_critic(*critic((middle(truth),), (middle(completed.detach()),)))
        run.backward(loss, "critic")
        run.log(critic=loss)

        squared = hole_and_known_l2(filled, truth, mask, settings.known)
        with frozen(discriminator), run.autocast():
            adversarial = entropy_generator(discriminator(middle(completed)))
        loss = squared + settings.adversarial * adversarial
        run.log(squared=squared, adversarial=adversarial)
        run.log(gradient_norm=run.backward(loss, "generator", settings.clip))


def train_wasserstein(settings: Wasserstein, run: Run, photos: PhotoLoader) -> None:
    """Squared error and the score of a Wasserstein critic, which has several steps for each of the generator's."""
    network = settings.network()
    discriminator = DCGANDiscriminator(SIZE // 2, settings.critic_width, norm=False)
    critic_optimizer = RMSprop(discriminator.parameters(), settings.critic_lr)
    generator = run.add("generator", network, generator_optimizer(settings, network), ema=True)
    critic = run.add("critic", InTwoBatches(discriminator), critic_optimizer)
    run.state = {"generator_steps": 0, "critic_steps": 0}  # the latter since the generator's last
    run.load()
    for step, batch in run.steps(photos):
        truth, mask = augmented(batch.image, photos.generator(step))
        converging = run.state["generator_steps"] % settings.critic_again < settings.critic_first

        if run.state["critic_steps"] < (settings.critic_most if converging else settings.critic_steps):
            run.state["critic_steps"] += 1
            with torch.no_grad():
                completed = torch.where(mask > 0, generator(truth, mask), truth)
            real, fake = critic((middle(truth),), (middle(completed),))
            distance = real.float().mean() - fake.float().mean()
            run.backward(-distance, "critic")
            run.log(distance=distance)
            with torch.no_grad():
                for parameter in discriminator.parameters():
                    parameter.clamp_(-settings.clipped, settings.clipped)
        else:
            run.state = {"generator_steps": run.state["generator_steps"] + 1, "critic_steps": 0}
            filled = generator(truth, mask)
            squared = hole_and_known_l2(filled, truth, mask, settings.known)
            with frozen(discriminator), run.autocast():
                adversarial = -discriminator(middle(torch.where(mask > 0, filled, truth))).float().mean()
            loss = squared + settings.adversarial * adversarial
            run.log(squared=squared, adversarial=adversarial)
            run.log(gradient_norm=run.backward(loss, "generator", settings.clip))


def train_likelihood(settings: Likelihood, run: Run, photos: PhotoLoader) -> None:
    """Bits per dimension of whole photos, from the best linear prediction on."""
    network = settings.network()
    optimizer = pixel_optimizer(network, settings.lr, settings.betas)
    generator = run.add("generator", network, optimizer, ema=True)
    run.load()
    if run.step == 0:
        network.predict_linearly(augmented(photos(0).image, photos.generator(0))[0], run.accelerator.reduce)
        run.ema["generator"].load_state_dict(network.state_dict())
    for step, batch in run.steps(photos):
        truth, _ = augmented(batch.image, photos.generator(step))
        bits = network.bits(generator(truth), truth)
        run.log(bits_per_dimension=bits, gradient_norm=run.backward(bits, "generator", settings.clip))


def generator_optimizer(settings: Autoencoding, network: Autoencoder) -> Adam:
    """The generator's Adam."""
    return Adam(network.parameters(), settings.lr, settings.betas, fused=True)


def augmented(image: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Photos with the study's augmentation, and the hole of each: N x 3 x S x S and N x 1 x S x S, 1 = hole."""
    truth = augment(image, generator)
    return truth, centre_quarter(len(truth), truth.shape[-1]).to(truth.device)


def middle(image: Tensor) -> Tensor:
    """The input of the discriminator: the central half of each side."""
    quarter = image.shape[-1] // 4
    return image[..., quarter:-quarter, quarter:-quarter].contiguous(memory_format=torch.channels_last)
