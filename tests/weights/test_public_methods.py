"""`METHOD@WEIGHTS` is a method like any other, and a method without a checkpoint of its own runs with public ones."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

import inpaint_core
from inpaint_core import InpaintError, catalogue, weights
from inpaint_core.networks.context_encoder import ContextEncoder
from inpaint_core.weights.public import fetch, registry, store, table
from tests.provenance import UNTRAINED
from tests.weights.published import layout, published_state
from tests.weights.publishing import Publisher

README = Path(__file__).parents[2] / "README.md"


def photo_with_a_hole() -> tuple[np.ndarray, np.ndarray]:
    mask = np.zeros((48, 64), bool)
    mask[16:30, 20:40] = True
    return np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8), mask


def test_every_row_of_the_table_is_a_method_that_says_its_weights_and_licence() -> None:
    listed = {method.name: method for method in catalogue.public_methods()}
    known = {method.name for method in catalogue.methods()}
    for row in table.PUBLIC_WEIGHTS:
        if row.method in known:
            method = listed[row.name]
            assert method.title.endswith(row.title)
            assert method.licence == row.licence
            assert not method.ready
            assert method.train_command is None
    assert not listed.keys() & known, "methods() is what ships"


def test_names_are_unique_and_checksums_are_what_they_say() -> None:
    names = [row.name for row in table.PUBLIC_WEIGHTS]
    assert len(set(names)) == len(names)
    lengths = {"sha256": 64, "first digits of sha256": 8, "md5": 32}
    for row in table.PUBLIC_WEIGHTS:
        assert store.WORD.fullmatch(row.word)
        for file in row.files:
            assert file.url.startswith("https://")
            assert ("huggingface.co" in file.url) == (file.hub is not None), "on the Hub only with a pinned revision"
            if file.checksum is not None:
                assert len(file.checksum.digits) == lengths[file.checksum.kind]
                assert int(file.checksum.digits, 16) >= 0


def test_a_space_preloads_the_very_file_of_the_table() -> None:
    preloaded = re.findall(r"^  - (\S+/\S+) (\S+) ([0-9a-f]{40})$", README.read_text(encoding="utf-8"), re.MULTILINE)
    on_the_hub = [file.hub for row in table.PUBLIC_WEIGHTS for file in row.files if file.hub is not None]
    assert preloaded == [(repository, path, revision) for repository, revision, path in on_the_hub]


def test_public_weights_fill_beside_ours_in_one_comparison(publisher: Publisher) -> None:
    image, mask = photo_with_a_hole()
    with pytest.raises(InpaintError, match="weights get lama@small"):
        inpaint_core.inpaint(image, mask, "lama@small")
    with pytest.raises(InpaintError, match="There are no weights 'lama@large'; choose one of lama@small"):
        inpaint_core.inpaint(image, mask, "lama@large")
    assert not catalogue.get("lama@small").ready
    fetch.get("lama@small")
    assert catalogue.get("lama@small").ready
    assert catalogue.get("lama@small").title == "LaMa, Small LaMa"
    results = {each.method: each for each in inpaint_core.compare(image, mask, ["ns", "lama@small"], device="cpu")}
    for result in results.values():
        assert result.image is not None, result.error
        assert np.array_equal(result.image[~mask], image[~mask])
    assert not np.array_equal(results["ns"].image, results["lama@small"].image)  # type: ignore[arg-type]


def test_a_method_without_a_checkpoint_runs_with_the_public_weights_that_are_here(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INPAINT_CHECKPOINTS", str(tmp_path / "none"))
    image, mask = photo_with_a_hole()
    with pytest.raises(InpaintError, match="fetch public ones with 'python -m inpaint_core weights get lama'"):
        inpaint_core.inpaint(image, mask, "lama")
    fetch.get("lama")
    plain = catalogue.get("lama")
    assert (plain.name, plain.ready, plain.licence) == ("lama", True, "CC BY-NC 4.0")
    assert [method.name for method in catalogue.methods() if method.needs_weights and method.ready] == ["lama"]
    result = inpaint_core.inpaint(image, mask, "lama", device="cpu")
    assert np.array_equal(result.image, inpaint_core.inpaint(image, mask, "lama@small", device="cpu").image)
    store.remove("lama@small")
    assert not catalogue.get("lama").ready


def test_a_damaged_file_is_not_ready_and_can_be_fetched_again(publisher: Publisher) -> None:
    fetch.get("lama")
    path = store.folder_of("lama@small") / "lama.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    assert not catalogue.get("lama@small").ready
    fetch.get("lama")
    assert catalogue.get("lama@small").ready
    (path.parent / "manifest.json").write_text("{")
    assert not catalogue.get("lama@small").ready
    fetch.get("lama")
    assert catalogue.get("lama@small").ready
    assert len(publisher.asked) == 3


def test_files_imported_by_hand_are_recognised_or_named(publisher: Publisher, tmp_path: Path) -> None:
    file = tmp_path / "LaMa of my own.pth"
    file.write_bytes(publisher.files["small.pth"])
    assert store.import_file(file) == "lama@small", "by its checksum"
    with pytest.raises(InpaintError, match="is here already"):
        store.import_file(file)
    assert store.import_file(file, "lama@mine") == "lama@mine"
    file.write_bytes(publisher.files["small.pth"] + b"\0")  # another checksum, so not what is published
    assert store.import_file(file, "lama") == "lama@lama_of_my_own"
    with pytest.raises(InpaintError, match="is not the file published as lama@small"):
        store.import_file(file, "lama@small")
    with pytest.raises(InpaintError, match="holds weights of lama"):
        store.import_file(file, "glcic")
    with pytest.raises(InpaintError, match="is no name for weights"):
        store.import_file(file, "lama@../mine")
    assert store.names() == ["lama@small", "lama@lama_of_my_own", "lama@mine"]
    assert [method.name for method in catalogue.public_methods()] == store.names()
    assert catalogue.get("lama@mine").ready
    assert "not known" in catalogue.get("lama@mine").licence
    assert file.exists()
    assert publisher.asked == []


@pytest.mark.usefixtures("store")
def test_weights_that_fill_the_centre_alone_refuse_a_hole_elsewhere() -> None:
    network = ContextEncoder(4, "centre", "full", latent=8)
    network.decoder[-1].bias.data = torch.tensor([3.0, -3.0, -3.0])
    folder = store.folder_of("context_encoder@mine")
    arguments = {"width": 4, "region": "centre", "bottleneck": "full", "latent": 8}
    weights.save("context_encoder", network.state_dict(), arguments, folder, dtype="float32", **UNTRAINED)
    image = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    mask = np.zeros((300, 300), bool)
    mask[130:170, 110:150] = True
    filled = inpaint_core.inpaint(image, mask, "context_encoder@mine", device="cpu").image
    assert np.abs(filled[mask].astype(int) - (255, 0, 0)).max() < 4, "all of the hole is what the network predicts: red"
    with pytest.raises(InpaintError, match="too near to the photo's border"):
        inpaint_core.inpaint(image, np.roll(mask, 145, axis=1), "context_encoder@mine", device="cpu")


def test_other_weights_in_the_place_of_removed_ones_fill_from_then_on(publisher: Publisher, tmp_path: Path) -> None:
    fills = []
    for seed in (0, 1):
        torch.save(published_state(layout("lama", 8), seed, gain=1.25), tmp_path / "mine.pth")
        store.import_file(tmp_path / "mine.pth", "lama@mine")
        fills.append(inpaint_core.inpaint(*photo_with_a_hole(), "lama@mine", device="cpu").image)
        store.remove("lama@mine")
    assert not np.array_equal(*fills)


def test_a_name_leads_to_no_other_folder(publisher: Publisher) -> None:
    fetch.get("lama")
    store.folder_of("lama@small").joinpath("inside").mkdir()
    for name in ("lama@small/../lama@small", "lama@small/inside/..", "lama@.", "lama@"):
        with pytest.raises(InpaintError, match="There are no weights"):
            catalogue.get(name)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InpaintError, match="choose one of lama@big, lama@anime"):
        registry.find("lama@small")
    with pytest.raises(InpaintError, match="There is no method 'llama'"):
        catalogue.get("llama@big")
    with pytest.raises(InpaintError, match="There are no weights 'ns@big'; take ns itself"):
        catalogue.get("ns@big")
