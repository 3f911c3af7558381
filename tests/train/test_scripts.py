"""Every paper's training script: it learns, goes on where it stopped, and what it exports fills holes."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from typer.testing import CliRunner

from inpaint_core import weights
from inpaint_core.errors import InpaintError
from inpaint_core.masks.pixelate import mosaic
from inpaint_core.methods import feed_forward
from inpaint_core.networks.partial_conv import PartialConvUNet
from train import autoencoder, context_encoder, deepfill_v1, glcic, partial_conv
from train.core import options, session
from train.core.data import PhotoBank, Photos, PhotoSampler
from train.core.engine import CHECKPOINT, Engine
from train.core.session import Training

SIZE = 64


@dataclass
class Script:
    """A script at a size for tests.

    Attributes:
        module, training: the script's module and its class there.
        options: of the recipe.
        falls: what must fall in twenty steps on one batch, and to which share of its first value.
        method: the catalogue's name of what it exports, if not the test's own.
        rate: of a short run.
    """

    module: Any
    training: str
    falls: dict[str, float]
    options: dict[str, Any] = field(default_factory=dict)
    method: str = ""
    rate: float = 3e-3

    def make(self, **options: Any) -> Training:
        own = {"size": SIZE, "batch": 2, **self.options, **options}
        return getattr(self.module, self.training)(self.module.Recipe(**own))


PLAIN = {"features": 0.0, "style": 0.0}  # PartialConv without its frozen trunk, whose weights may not be here
SCRIPTS = {
    "autoencoder": Script(autoencoder, "AutoencoderTraining", {"squared": 0.6}, {"width": 8}),
    "context_encoder": Script(
        context_encoder, "ContextEncoderTraining", {"squared": 0.6, "critic": 0.9}, {"width": 8, "critic_width": 8}
    ),
    "context_encoder centre": Script(
        context_encoder,
        "ContextEncoderTraining",
        {"squared": 0.6, "critic": 0.9},
        {"width": 8, "critic_width": 8, "region": "centre"},
        "context_encoder",
    ),
    "glcic": Script(
        glcic,
        "GLCICTraining",
        {"squared": 0.6},
        {"width": 8, "critic_width": 4, "completion": 0.5, "critic_alone": 0.2},
    ),
    "deepfill_v1": Script(
        deepfill_v1,
        "DeepFillV1Training",
        {"refined": 0.8, "coarse": 0.9},
        {"width": 8, "critic_width": 4, "critic_from": 0.6, "critic_steps": 2},
        rate=1e-3,
    ),
    "deepfill_v1_mosaic": Script(
        deepfill_v1,
        "DeepFillV1Training",
        {"refined": 0.8, "coarse": 0.9},
        {"width": 8, "critic_width": 4, "critic_from": 0.6, "critic_steps": 2, "mosaic": True},
        rate=1e-3,
    ),
    "partial_conv": Script(
        partial_conv, "PartialConvTraining", {"hole": 0.7, "known": 0.7}, {"width": 8, "levels": 5, **PLAIN}
    ),
}
each_script = pytest.mark.parametrize("name", SCRIPTS)


def engine_of(training: Training, out: Path, steps: int, **options: Any) -> Engine:
    settings = {"precision": "no", "warmup": 1, "cosine": False, **options}
    return Engine(out, training.networks, training.optimizers(), steps=steps, **settings)


def batch_of(photos: Path, count: int = 2) -> Photos:
    return PhotoSampler([PhotoBank.load([photos])], [1.0], SIZE, count, jitter=0)(0)


def overfit(training: Training, engine: Engine, photos: Photos) -> list[dict[str, torch.Tensor]]:
    """Train on one batch with the same holes at every step."""
    logs: list[dict[str, torch.Tensor]] = []

    def step(number: int) -> dict[str, torch.Tensor]:
        logs.append(training.step(engine, photos, torch.Generator().manual_seed(0)))
        return logs[-1]

    assert engine.fit(step)
    return logs


@each_script
def test_the_loss_falls_on_an_overfit_batch(name: str, photos: Path, tmp_path: Path) -> None:
    script = SCRIPTS[name]
    training = script.make(rate=script.rate)
    logs = overfit(training, engine_of(training, tmp_path, 20), batch_of(photos))
    assert len(logs) == 20
    for word, share in script.falls.items():
        values = [float(log[word]) for log in logs if word in log]
        assert values[-1] < share * values[0], f"{word}: {values}"


@each_script
def test_muon_trains_every_generator_too(name: str, photos: Path, tmp_path: Path) -> None:
    training = SCRIPTS[name].make(rate=3e-3, optimizer="muon")
    logs = overfit(training, engine_of(training, tmp_path, 12), batch_of(photos))
    word = next(iter(SCRIPTS[name].falls))
    values = [float(log[word]) for log in logs if word in log]
    assert values[-1] < 0.9 * values[0], values


@each_script
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_run_in_two_sessions_equals_one_and_its_export_fills(name: str, photos: Path, tmp_path: Path) -> None:
    script = SCRIPTS[name]
    options: dict[str, Any] = {"data": [photos], "steps": 10, "precision": "no", "size": SIZE, "batch": 2}
    options |= script.options
    script.module.main(out=tmp_path / "one", **options)
    script.module.main(out=tmp_path / "two", minutes=0.0, **options)
    begun = torch.load(tmp_path / "two" / CHECKPOINT, weights_only=True)
    assert begun["step"] == 1
    script.module.main(out=tmp_path / "two", resume=True, export=True, **options)
    one, two = (torch.load(tmp_path / run / CHECKPOINT, weights_only=True) for run in ("one", "two"))
    assert two["step"] == 10
    for network, state in one["modules"].items():
        for key, tensor in state.items():
            assert torch.equal(tensor, two["modules"][network][key]), f"{network}.{key}"

    method_name = script.method or name
    method = getattr(feed_forward, method_name)()
    method.folder, method.engine, method.precision = tmp_path / "two" / "export", "torch", torch.float32
    image, mask = batch_of(photos).image, torch.zeros(2, 1, SIZE, SIZE)
    mask[..., 16:48, 16:48] = 1
    filled = method.fill(image, mask).image
    assert filled.shape == image.shape
    assert filled.isfinite().all()
    average = script.make().networks["generator"].eval()
    average.load_state_dict(two["average"])
    with torch.no_grad():
        expected = average(image, mask)
    expected = expected[-1] if isinstance(expected, tuple) else expected
    torch.testing.assert_close(filled, expected, atol=0.01, rtol=0)  # stored as float16

    record = json.loads((tmp_path / "two" / "export" / "manifest.json").read_text())["checkpoints"][0]
    assert record["method"] == method_name
    assert record["steps"] == 10
    assert record["extra"]["complete"] is True


@each_script
def test_bf16_and_the_perceptual_term_train_too(name: str, shared: Path, photos: Path, tmp_path: Path) -> None:
    training = SCRIPTS[name].make(perceptual=0.1)
    training.started = True  # a trained generator hears everything from the first step on
    engine = engine_of(training, tmp_path, 6, precision="bf16")
    logs = overfit(training, engine, batch_of(photos))
    assert any(float(log.get("perceptual", 0)) > 0 for log in logs)
    for parameter in training.networks["generator"].parameters():
        assert parameter.isfinite().all()


def test_every_script_has_a_command_line_and_says_how_to_run_it() -> None:
    for name in ("autoencoder", "context_encoder", "glcic", "deepfill_v1", "partial_conv"):
        module = importlib.import_module(f"train.{name}")
        assert module.__doc__ is not None
        assert f"python -m train.{name} --data" in module.__doc__
        assert "Departs from" in module.__doc__
        app = typer.Typer()
        app.command()(module.main)
        result = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
        assert result.exit_code == 0
        for option in ("--resume", "--minutes", "--rate", "--width", "--masks"):
            assert option in result.output


def test_the_context_encoders_patch_is_the_hole_and_its_overlap(photos: Path, tmp_path: Path) -> None:
    training = SCRIPTS["context_encoder centre"].make(overlap=4, squared=1.0)
    mask = training.masks(2, torch.Generator(), torch.device("cpu"))
    assert mask[:, :, 20:44, 20:44].all(), "64 px: the central 32 less 4 on each side"
    assert mask.sum() == 2 * 24 * 24
    log = overfit(training, engine_of(training, tmp_path, 1), batch_of(photos))[0]
    assert "critic" not in log, "with all weight on the squared error there is nothing to judge"


def test_glcics_phases_follow_each_other(photos: Path, tmp_path: Path) -> None:
    training = SCRIPTS["glcic"].make()
    engine = engine_of(training, tmp_path, 10)
    before = {}

    def step(number: int) -> dict[str, torch.Tensor]:
        before[number] = [tensor.clone() for tensor in training.networks["generator"].parameters()]
        return training.step(engine, batch_of(photos), torch.Generator().manual_seed(number))

    logs: list[set[str]] = []
    engine.fit(lambda number: logs.append(set(log := step(number))) or log)  # type: ignore[func-returns-value]
    assert all("critic" not in log and "squared" in log for log in logs[:5])
    assert all("critic" in log and "squared" not in log for log in logs[5:7])
    assert all({"critic", "squared", "opinion"} <= log for log in logs[7:])
    changed = [any((a != b).any() for a, b in zip(before[i], before[i + 1], strict=True)) for i in range(9)]
    assert changed == [True] * 5 + [False] * 2 + [True] * 2, "alone the critic leaves the completion network as it is"


def test_deepfill_v1s_critics_work_more_often_than_its_generator(photos: Path, tmp_path: Path) -> None:
    training = SCRIPTS["deepfill_v1"].make(critic_from=0.0, critic_steps=5, rate=1e-3)
    logs = overfit(training, engine_of(training, tmp_path, 24), batch_of(photos))
    assert [number for number, log in enumerate(logs) if "refined" in log] == [5, 11, 17, 23]
    judged = [log for log in logs if "distance" in log]
    assert judged[-1]["distance"] > judged[0]["distance"], "the critics tell real photos from completed ones"
    assert judged[-1]["penalty"] < judged[0]["penalty"]


def test_the_mosaic_variant_sees_the_blocks_and_nothing_else(photos: Path) -> None:
    training = SCRIPTS["deepfill_v1_mosaic"].make()
    assert training.arguments()["keep_hole"]
    image, mask = batch_of(photos).image, torch.zeros(2, 1, SIZE, SIZE)
    mask[..., 16:48, 16:48] = 1
    network = training.networks["generator"].eval()
    with torch.no_grad():
        filled = training.fill(network, image, mask, None)[1]
        same_blocks = training.fill(network, mosaic(image, mask, SIZE // 16), mask, None)[1]
        other = training.fill(network, torch.where(mask > 0, 1 - image, image), mask, None)[1]
    torch.testing.assert_close(filled, same_blocks, atol=1e-4, rtol=0)
    assert not torch.allclose(filled, other)


def test_critics_without_a_weight_are_not_even_asked(photos: Path, tmp_path: Path) -> None:
    training = SCRIPTS["deepfill_v1"].make(adversarial=0.0, critic_from=0.0)
    logs = overfit(training, engine_of(training, tmp_path, 3), batch_of(photos))
    assert all("refined" in log and "opinion" not in log and "distance" not in log for log in logs)


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
def test_partial_convs_second_phase_freezes_the_encoders_statistics(
    optimizer: str, photos: Path, tmp_path: Path
) -> None:
    training = SCRIPTS["partial_conv"].make(second_from=0.5, optimizer=optimizer)
    network = training.networks["generator"]
    assert isinstance(network, PartialConvUNet)
    engine = engine_of(training, tmp_path, 8)
    seen: list[tuple[torch.Tensor, torch.Tensor, float]] = []

    def step(number: int) -> dict[str, torch.Tensor]:
        log = training.step(engine, batch_of(photos), torch.Generator().manual_seed(number))
        norms = (network.encoder[1].norm, network.decoder[1].norm)
        means = [norm.running_mean.clone() for norm in norms]  # type: ignore[union-attr]
        seen.append((means[0], means[1], engine.optimizers["generator"].param_groups[0]["lr"]))
        return log

    engine.fit(step)
    encoder, decoder, rate = zip(*seen, strict=True)
    assert not torch.equal(encoder[0], encoder[3])
    assert torch.equal(encoder[3], encoder[7])
    assert not torch.equal(decoder[3], decoder[7])
    assert rate[:4] == (2e-4,) * 4
    assert rate[4:] == (5e-5,) * 4


def test_partial_convs_feature_losses_are_zero_for_the_truth_only(shared: Path, photos: Path, tmp_path: Path) -> None:
    truth = batch_of(photos).image
    losses = partial_conv.FeatureLosses("squeeze")
    assert [float(loss) for loss in losses((truth, truth), truth)] == pytest.approx([0, 0], abs=1e-5)
    blurred = torch.nn.functional.avg_pool2d(truth, 5, 1, 2)
    assert all(float(loss) > 0.01 for loss in losses((blurred, truth), truth))

    training = SCRIPTS["partial_conv"].make(features=0.025, style=1.0, rate=3e-3)
    training.frozen["trunk"].requires_grad_(False)
    training.started = True  # else they join only once colours are right
    logs = overfit(training, engine_of(training, tmp_path, 12), batch_of(photos))
    assert logs[-1]["features"] < logs[0]["features"]
    assert logs[-1]["style"] < logs[0]["style"]


def test_the_export_of_a_large_network_is_int8_and_says_what_that_costs(
    shared: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "LARGEST_FILE", 10_000)  # lowered, so that a small network counts as a large one
    options = {"steps": 12, "rate": 1e-2, "size": SIZE, "batch": 4, "width": 8, "precision": "no", "export": True}
    autoencoder.main(data=[photos], val_small=[photos], out=tmp_path, **options)
    record = weights.records(tmp_path / "export")["autoencoder"]
    assert record.dtype == "int8"
    assert 0 < abs(record.extra["lpips_change"]) < 0.05
    figures = [json.loads(line) for line in (tmp_path / "validation.jsonl").read_text().splitlines()]
    assert record.metrics[f"centre_{SIZE}"] == figures[-1][f"centre_{SIZE}"], "the figures of the stored weights"


def test_holes_are_chosen_on_the_command_line(photos: Path, tmp_path: Path) -> None:
    words = ["centre", "narrow=0.5"]
    assert options.parse_masks(words) == (("centre", 1.0), ("narrow", 0.5))
    for wrong in ("round", "box=many"):
        with pytest.raises(InpaintError):
            options.parse_masks([wrong])
    short = {"steps": 1, "size": SIZE, "batch": 2, "width": 4, "precision": "no", "export": True, "stored": "int8"}
    autoencoder.main(data=[photos], out=tmp_path, masks=words, **short)
    record = weights.records(tmp_path / "export")["autoencoder"]
    assert record.extra["recipe"]["masks"] == [["centre", 1.0], ["narrow", 0.5]]
    assert record.dtype == "int8"
    with pytest.raises(InpaintError, match="float16"):
        autoencoder.main(data=[photos], out=tmp_path, **{**short, "stored": "int4"})


def test_what_a_user_can_mend_is_one_sentence_and_exit_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["glcic", "--data", str(tmp_path / "nothing"), "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as stop:
        options.start(glcic.main)
    assert stop.value.code == 2
    assert capsys.readouterr().err.strip().splitlines()[-1] == f"nothing is there by the name {tmp_path / 'nothing'}"
    with pytest.raises(InpaintError, match="adadelta"):
        SCRIPTS["glcic"].make(optimizer="sgd")


def test_a_manifest_names_the_script_and_no_folder_of_this_machine(tmp_path: Path) -> None:
    words = ["--data", str(tmp_path / "shards-*.tar"), "--data", "photos/", "--steps", "9"]
    for name in ("glcic", "deepfill_v1_mosaic"):
        script = "glcic" if name == "glcic" else "deepfill_v1"
        told = session.told(SCRIPTS[name].make(), words)
        assert told == f"python -m train.{script} --data shards-*.tar --data photos/ --steps 9"
