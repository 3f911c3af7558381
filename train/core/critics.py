"""Critics that learn from few photos, for any generator: when they join a run, and how much they count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.optim import Adam

from inpaint_core.networks.deepfill_v2 import SNPatchDiscriminator
from inpaint_core.networks.patch_critic import PatchCritic
from inpaint_core.networks.projected_critic import ProjectedCritic
from train.core.balance import adaptive_weight, gradients_at, last_layer_norms
from train.core.gan import auc, frozen, halves, hinge_critic, hinge_generator, photo_scores
from train.core.losses import shift_together
from train.core.run import Run

CRITICS = {"sn_patchgan": SNPatchDiscriminator, "patch": PatchCritic, "projected": ProjectedCritic}
CRITIC_LR = {"sn_patchgan": 1e-4, "patch": 4e-4, "projected": 4e-4}

Critic = Literal["sn_patchgan", "patch", "projected"]

HeldOut = Callable[[], tuple[Tensor, ...]]
"""() -> photos that are not trained on, the same completed, their masks and, where there are any, their sketches."""


@dataclass(frozen=True, kw_only=True)
class CriticConfig:
    """Options of `PhotoCritics`, to be inherited by the config of a script that uses them."""

    critics: tuple[Critic, ...] = ()  # that learn from few photos
    critic_start: float = 0.3  # share of the run after which critics join; at once where --init is given
    critic_alone: int = 120  # least steps that --critics train before they count, and until their AUC suffices
    critic_auc: float = 0.65  # held-out AUC from which --critics count
    critic_check: int = 60  # steps between measurements of the AUC ...
    critic_photos: int = 32  # ... on so many held-out crops
    adversarial_share: float = 0.4  # gradient of --critics as a share of the reconstruction's at the last layer
    adversarial_cap: float = 1.0  # largest weight of the adversarial term of --critics


class PhotoCritics:
    """Critics of completed photos with hinge losses inside the hole, under the run's checkpointing.

    They train without effect on the generator until they recognise held-out fills. From then on their term is
    weighted by gradients (see `train.core.balance`).

    Args:
        run: receives a network "critic_KIND" for each of `config.critics`.
        config: which critics, when they join, how much they count.
        in_channels: 4 (RGB, mask) or 5 (RGB, mask, edge).
    """

    def __init__(self, run: Run, config: CriticConfig, in_channels: int = 4) -> None:
        self.run, self.config = run, config
        self._wrapped: dict[str, nn.Module] = {}
        for kind in config.critics:
            network = CRITICS[kind](in_channels=in_channels)
            trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
            optimizer = Adam(trained, CRITIC_LR[kind], (0.5, 0.999))
            self._wrapped[f"critic_{kind}"] = run.add(f"critic_{kind}", network, optimizer)
        self.networks = {name: run.networks[name] for name in self._wrapped}

    @property
    def active(self) -> bool:
        """Whether there are critics, and they are being trained by now."""
        joined = "generator" in self.run.initialised or self.run.progress >= self.config.critic_start
        return bool(self.networks) and joined

    def counted(self, held_out: HeldOut) -> bool:
        """Whether the generator is trained against them by now; measures the AUC where it is due.

        Once they count they do so to the end: the AUC may fall again as the generator improves.
        """
        if not self.active:
            return False
        step, state = self.run.step, self.run.state
        if step == state.setdefault("critics_since", step) or step % self.config.critic_check == 0:
            state["auc"] = self.auc(*held_out())
            self.run.log(auc=state["auc"])
        alone = step - state["critics_since"]
        if alone >= self.config.critic_alone and state["auc"] >= self.config.critic_auc:
            state["critics_count"] = True
        return state.get("critics_count", False)

    @torch.no_grad()
    def auc(self, truth: Tensor, completed: Tensor, mask: Tensor, *sketch: Tensor) -> float:
        """The critics' mean AUC; images N x 3 x H x W in [0, 1], mask N x 1 x H x W, 1 = hole."""
        values = []
        with self.run.autocast():
            for critic in self.networks.values():
                real, fake = (photo_scores(critic(image, mask, *sketch), mask) for image in (truth, completed))
                values.append(auc(real, fake))
        return sum(values) / len(values)

    def adversarial(self, completed: Tensor, mask: Tensor, *sketch: Tensor) -> Tensor:
        """The generator's hinge loss, the mean over the critics, a scalar; shapes as for `auc`."""
        shifted = shift_together(completed, mask, *sketch, step=self.run.step, stride=16)
        with frozen(*self.networks.values()), self.run.autocast():
            losses = [hinge_generator(critic(*shifted), shifted[1]) for critic in self.networks.values()]
        return torch.stack(losses).mean()

    def weight(self, adversarial: Tensor, reconstruction: Tensor, output: Tensor, kernel: Tensor) -> Tensor:
        """The weight of the adversarial term by gradients at the generator's last layer, a scalar; both are logged.

        Args:
            adversarial, reconstruction: scalars computed from `output`.
            output: of the generator.
            kernel: of its last layer.
        """
        terms = {"adversarial": adversarial, "reconstruction": reconstruction}
        norms = last_layer_norms(output, kernel, gradients_at(output, terms))
        share, cap = self.config.adversarial_share, self.config.adversarial_cap
        weight = adaptive_weight(norms, "adversarial", "reconstruction", share, cap)
        self.run.log(adversarial_weight=weight, **{f"gradients/{name}": norm for name, norm in norms.items()})
        return weight

    def update(self, truth: Tensor, completed: Tensor, mask: Tensor, *sketch: Tensor) -> None:
        """One optimizer step of each critic; shapes as for `auc`."""
        images, *conditions = torch.cat((truth, completed.detach())), *(torch.cat((x, x)) for x in (mask, *sketch))
        shifted = shift_together(images, *conditions, step=self.run.step, stride=16)
        for name, critic in self._wrapped.items():
            real, fake = halves(critic(*shifted))
            loss = hinge_critic(real, fake, shifted[1][: len(truth)])
            self.run.backward(loss, name)
            self.run.log(**{name: loss})
