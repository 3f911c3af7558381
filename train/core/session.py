"""What every training script does around its paper: data, validation, the run, the export."""

from __future__ import annotations

import inspect
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

import torch
from torch import Generator, Tensor, nn
from torch.optim import Adam, Optimizer

from inpaint_core import weights
from inpaint_core.errors import InpaintError
from inpaint_core.masks.generators import GENERATORS
from train.core.data import PhotoBank, Photos, PhotoSampler, cached_bank, expand
from train.core.engine import Engine
from train.core.optim import Muon
from train.core.validation import Fill, Validation, ValidationSet, centre_crops

LARGEST_FILE = 10_000_000  # bytes: checkpoints that would be larger as float16 are stored as int8
STORED = ("auto", "float16", "int8", "float32")


@dataclass
class Recipe:
    """What all recipes have; a script adds what its paper needs. Numbers and words become options of the command."""

    size: int = 128  # side of the training photos
    batch: int = 8  # photos a step, all processes together
    rate: float = 3e-4  # of the generator
    average_decay: float = 0.998  # of the weights that are exported
    warmup: int = 100  # steps over which the rates rise
    cosine: bool = True  # let the rates fall as a cosine
    masks: tuple[tuple[str, float], ...] = (("deepfill", 0.3), ("free_form", 0.3), ("box", 0.25), ("centre", 0.15))
    seed: int = 0


class Check(Protocol):
    """What is measured and shown now and then during a run."""

    def measure(self, fill: Fill, step: int, images_seen: int, sketch: bool = False) -> dict[str, Any]:
        """Figures of named sets, appended to the run's log."""

    def grid(self, fill: Fill, step: int, sketch: bool = False) -> object:
        """Make a picture to look at."""


class Training(ABC):
    """A paper's networks, losses and step.

    Attributes:
        method: the catalogue's name.
        networks: by name; "generator" is averaged, exported and started from checkpoints.
        frozen: networks that are used but not trained, to be brought to the device.
        sketches: the generator takes sketches.
        whole: it is shown the largest central squares, reduced; otherwise crops of all scales.
        jitter: brightness, contrast and saturation of the photos change by up to this share.
        figure: of a check's figures the one that says what storing weights as int8 costs.
        optimizer_words: what the recipe's `optimizer`, where it has one, may be.
        started: the generator came from a checkpoint.
    """

    method: str
    sketches: ClassVar[bool] = False
    whole: ClassVar[bool] = False
    jitter: ClassVar[float] = 0.1
    figure: ClassVar[str] = "lpips"
    optimizer_words: ClassVar[tuple[str, ...]] = ("adam", "muon")

    def __init__(self, recipe: Any) -> None:
        kind = getattr(recipe, "optimizer", self.optimizer_words[0])
        if kind not in self.optimizer_words:
            raise InpaintError(f"The optimizer is {' or '.join(self.optimizer_words)}, not {kind!r}.")
        self.recipe = recipe
        self.networks: dict[str, nn.Module] = {}
        self.frozen: dict[str, nn.Module] = {}
        self.started = False

    @abstractmethod
    def optimizers(self) -> dict[str, Optimizer]:
        """For the networks that are trained, by their names."""

    @abstractmethod
    def step(self, engine: Engine, photos: Photos, dice: Generator) -> dict[str, Tensor]:
        """One step of all networks, updates included; returns what to log, detached scalars."""

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """The generator's constructor arguments, for the manifest."""

    def optimizer(self, parameters: Iterable[nn.Parameter], betas: tuple[float, float]) -> Optimizer:
        """The generator's: Muon, or Adam with these `betas`, as the recipe has it."""
        trained = [p for p in parameters if p.requires_grad]
        if self.recipe.optimizer == "muon":
            return Muon(trained, self.recipe.rate)
        return Adam(trained, self.recipe.rate, betas, fused=True)

    def fill(self, generator: nn.Module, image: Tensor, mask: Tensor, sketch: Tensor | None) -> tuple[Tensor, Tensor]:
        """What `generator` makes of a photo: (first stage, result) in [0, 1]; networks of one stage return it twice."""
        output = generator(image, mask, sketch)
        return output if isinstance(output, tuple) else (output, output)

    def prepare(self, bank: PhotoBank) -> PhotoBank:
        """What becomes of the decoded photos before any are drawn; by default nothing."""
        return bank

    def check(self, engine: Engine, session: Session) -> Check | None:
        """What is measured during the run; by default fills of validation photos, None where there are none."""
        if not session.val and not session.val_small:
            return None
        return validation(session.out, expand(session.val_small), expand(session.val), self.recipe.size)

    def exported(self, engine: Engine) -> nn.Module:
        """The network whose weights are exported: the averaged generator, unless others are needed to fill."""
        assert engine.average is not None
        return engine.average

    def masks(self, count: int, generator: Generator, device: torch.device) -> Tensor:
        """One mask a photo, its kind drawn by the recipe's shares: count x 1 x size x size, 1 = hole."""
        kinds, shares = zip(*self.recipe.masks, strict=True)
        drawn = torch.multinomial(torch.tensor(shares), count, replacement=True, generator=generator)
        size = self.recipe.size
        masks = torch.zeros(count, 1, size, size, device=device)
        for number, kind in enumerate(kinds):
            chosen = (drawn == number).nonzero()[:, 0].to(device)
            if len(chosen):
                masks[chosen] = GENERATORS[kind](len(chosen), size, size, generator=generator, device=device)
        return masks


@dataclass(kw_only=True)
class Course:
    """Where a run starts, where it goes, and how long it lasts."""

    out: Path = field(metadata={"help": "the run's folder"})
    steps: int = field(default=100_000, metadata={"help": "length of the run"})
    minutes: float | None = field(default=None, metadata={"help": "end this session gracefully after so long"})
    total_minutes: float | None = field(default=None, metadata={"help": "end the run, and the cosine, after so long"})
    checkpoint_minutes: float = field(default=5.0, metadata={"help": "time between checkpoints"})
    eval_every: int = field(default=500, metadata={"help": "steps between validations"})
    init: Path | None = field(
        default=None, metadata={"help": "start from this exported generator, or from all networks of a run's last.pt"}
    )
    resume: bool = field(default=False, metadata={"help": "go on from the run's checkpoint"})
    export: bool = field(default=False, metadata={"help": "write the averaged weights at the end"})
    export_to: Path | None = field(
        default=None, metadata={"help": "folder of weights and manifest; default OUT/export"}
    )
    precision: str = field(default="bf16", metadata={"help": "bf16 or no"})


@dataclass(kw_only=True)
class Session(Course):
    """A course, and the photos of a network that fills holes."""

    data: list[Path] = field(metadata={"help": "folder, tar shard or quoted pattern of them; repeat for more groups"})
    mix: list[float] | None = field(default=None, metadata={"help": "a weight for each --data; default: photos"})
    edges: list[Path] | None = field(default=None, metadata={"help": "a teacher's edge maps, matched by name"})
    val: list[Path] | None = field(default=None, metadata={"help": "validation photos of 256 px or more"})
    val_small: list[Path] | None = field(default=None, metadata={"help": "validation photos of the training size"})
    grid_every: int = field(default=250, metadata={"help": "steps between pictures"})
    cache: Path | None = field(default=None, metadata={"help": "folder for decoded photos; default OUT/cache"})
    stored: str = field(default="auto", metadata={"help": "float16, int8, or auto: int8 where float16 passes 10 MB"})


def run(training: Training, session: Session) -> Engine:
    """Train, validate, export; returns the engine at the end of the session.

    Raises:
        InpaintError: `init` is no checkpoint of this network, or `stored` no way to store weights.
        FileNotFoundError: data that is not there.
        NonFiniteLoss: see `Engine.fit`.
    """
    recipe = training.recipe
    if session.stored not in STORED:
        raise InpaintError(f"Weights are stored as {', '.join(STORED)}, not as {session.stored!r}.")
    engine = begin(training, session)
    accelerator = engine.accelerator

    with accelerator.local_main_process_first():
        cache = session.cache or session.out / "cache"
        loaded = (cached_bank(expand([source]), expand(session.edges), cache) for source in session.data)
        banks = [training.prepare(bank) for bank in loaded]
    sampler = PhotoSampler(
        banks,
        session.mix or [len(bank) for bank in banks],
        recipe.size,
        recipe.batch,
        recipe.seed,
        accelerator.process_index,
        accelerator.num_processes,
        engine.device,
        jitter=training.jitter,
        whole=training.whole,
    )

    @torch.no_grad()
    def fill(image: Tensor, mask: Tensor, sketch: Tensor | None) -> tuple[Tensor, Tensor]:
        placed = [None if x is None else x.to(engine.device) for x in (image, mask, sketch)]
        assert engine.average is not None
        with engine.autocast():
            first, result = training.fill(engine.average, *placed)  # type: ignore[arg-type]
        return first.float().cpu(), result.float().cpu()

    def validate() -> dict[str, Any]:
        if check is None:
            return {}
        return check.measure(fill, engine.step, engine.step * recipe.batch, training.sketches)

    check = training.check(engine, session) if engine.main else None
    every: list[tuple[int, Callable[[], object]]] = []
    if check is not None:
        every.append((session.grid_every, lambda: check.grid(fill, engine.step, training.sketches)))
        every.append((session.eval_every, validate))
    complete = engine.fit(lambda number: training.step(engine, sampler(number), sampler.generator(number)), every)
    if engine.main and session.export:
        export(training, session, engine, validate, complete)
    return engine


def begin(training: Training, course: Course) -> Engine:
    """The engine of a run whose networks have the weights it starts from, or goes on with, on their devices.

    Raises:
        InpaintError: `init` is no checkpoint of this network.
    """
    recipe = training.recipe
    if course.init is not None:
        start_from(training, course.init)
    engine = Engine(
        course.out,
        training.networks,
        training.optimizers(),
        steps=course.steps,
        average_decay=recipe.average_decay,
        warmup=recipe.warmup,
        cosine=recipe.cosine,
        total_minutes=course.total_minutes,
        minutes=course.minutes,
        checkpoint_minutes=course.checkpoint_minutes,
        precision=course.precision,
    )
    engine.images_per_step = recipe.batch
    if course.resume:
        engine.resume()
    for network in training.frozen.values():
        network.to(engine.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return engine


def start_from(training: Training, path: Path) -> None:
    """Take the generator of an exported file, or of a run's checkpoint its averaged generator and the critics too.

    Raises:
        InpaintError: the file is no checkpoint of this network.
    """
    if path.suffix == ".pt":
        stored = torch.load(path, map_location="cpu", weights_only=True)
        states = {**stored["modules"], "generator": stored["average"]}
    else:
        states = {"generator": weights.read_state_dict(path)}
    for name, state in states.items():
        weights.load_into(training.networks[name], state, str(path))
    training.started = True


def validation(out: Path, small: list[Path], large: list[Path], size: int) -> Validation:
    """The fixed validation sets: all photos reduced to `size`, and the large ones at 256."""
    image = torch.cat([centre_crops(PhotoBank.load(files), 40, size) for files in (small, large) if files])
    sets = [ValidationSet.of(f"{kind}_{size}", image, kind) for kind in ("centre", "free_form")]
    if large and size < 256:
        photos = centre_crops(PhotoBank.load(large), 24, 256)
        sets += [ValidationSet.of(f"{kind}_256", photos, kind) for kind in ("centre", "free_form")]
    return Validation(out, sets)


def export(
    training: Training, session: Session, engine: Engine, validate: Callable[[], dict[str, Any]], complete: bool
) -> None:
    """Write the network exported and its manifest entry, by default as int8 if float16 would pass `LARGEST_FILE`.

    The entry's metrics are of the weights as they are stored; of int8 ones it also says, as `lpips_change` (or that of
    the training's own figure), how far LPIPS on the first validation set moved.
    """
    network = training.exported(engine)
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    floats = sum(tensor.numel() for tensor in state.values() if tensor.is_floating_point())
    dtype = session.stored
    if dtype == "auto":
        dtype = "int8" if 2 * floats > LARGEST_FILE else "float16"
    folder = session.export_to or session.out / "export"

    photos = ", ".join(source.name for source in (*(session.val_small or ()), *(session.val or ())))

    def write(metrics: dict[str, Any], **extra: Any) -> weights.Record:
        return weights.save(
            training.method,
            state,
            training.arguments(),
            folder,
            dtype=dtype,
            command=told(training, sys.argv[1:]),
            data=", ".join(source.name for source in session.data),
            steps=engine.step,
            images_seen=engine.step * training.recipe.batch,
            metrics=metrics and {**metrics, "images": f"central squares of {photos}; see train/session.py"},
            licence="see MODEL_CARD.md",
            recipe=asdict(training.recipe),
            minutes=round(engine.elapsed / 60, 1),
            device=str(engine.device),
            processes=engine.accelerator.num_processes,
            complete=complete,
            **extra,
        )

    measured = validate()
    record = write(measured)
    if dtype == "int8" and measured:
        weights.load_into(network, weights.load(training.method, folder)[1], str(folder / record.file))
        stored, first = validate(), next(iter(measured))
        change = stored[first][training.figure] - measured[first][training.figure]
        record = write(stored, **{f"{training.figure}_change": change})
        network.load_state_dict(state)
    print(f"exported {record.file}, {record.bytes / 1e6:.1f} MB {dtype}, after {engine.step} steps")


def told(training: Training, words: Sequence[str]) -> str:
    """The command as a manifest tells it: without the folders of the machine it ran on."""
    script = Path(inspect.getfile(type(training))).stem  # a class of the module that was started is in "__main__"
    return " ".join([f"python -m train.{script}", *(Path(w).name if Path(w).is_absolute() else w for w in words)])
