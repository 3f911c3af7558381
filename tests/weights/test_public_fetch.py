"""Fetching public weights from a publisher on localhost: what arrives, and every way in which it can fail."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from inpaint_core import InpaintError, weights
from inpaint_core.files import digest_of
from inpaint_core.weights.public import download, fetch, registry, store
from inpaint_core.weights.public.published import Checksum
from tests.weights.conftest import changed, publish
from tests.weights.publishing import REVISION, WARNING_PAGE, Publisher

ROOT = Path(__file__).parents[2]


def refused(name: str = "lama@small") -> str:
    """The one sentence with which a fetch fails; nothing may be taken for weights after it."""
    with pytest.raises(InpaintError) as caught:
        fetch.get(name)
    assert not store.ready("lama@small")
    assert store.names() == []
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


def leftovers() -> set[str]:
    """What is in the folder of the set."""
    folder = store.folder_of("lama@small")
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def test_what_is_fetched_is_the_published_network_and_says_where_it_is_from(publisher: Publisher) -> None:
    seen: list[tuple[int, int | None]] = []
    record = fetch.get("lama@small", lambda here, total: seen.append((here, total)))
    size = len(publisher.files["small.pth"])
    assert seen[-1] == (size, size)
    assert store.names() == ["lama@small"]
    assert store.ready("lama@small")
    assert leftovers() == {"lama.safetensors", "manifest.json"}, "the published file is not kept beside ours"
    assert (record.licence, record.data) == ("CC BY-NC 4.0", "nothing")
    assert record.extra["url"] == publisher.url("small.pth")
    assert record.extra["published_sha256"] == registry.rows()[0].files[0].checksum.digits  # type: ignore[union-attr]
    published = weights.network_from_public(weights.read_state_dict(write(publisher, "copy.pth")))[1]
    fetched = weights.load_network("lama", store.folder_of("lama@small"))
    for name, tensor in published.state_dict().items():
        assert torch.equal(fetched.state_dict()[name], tensor)
    publisher.files.clear()
    assert fetch.get("lama") == record, "what is here is not fetched again, and a method's name means its first set"


def write(publisher: Publisher, name: str) -> Path:
    """The published file as one that was fetched by hand."""
    path = store.directory() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(publisher.files["small.pth"])
    return path


def test_a_cut_connection_is_resumed(publisher: Publisher) -> None:
    publisher.cuts = [100_000, 50_000]
    fetch.get("lama@small")
    assert [asked for _, asked in publisher.asked] == ["", "bytes=100000-", "bytes=150000-"]
    assert store.ready("lama@small")


def test_a_connection_that_stays_cut_is_resumed_by_the_next_call(publisher: Publisher) -> None:
    publisher.cuts = [100_000] + [0] * download.ATTEMPTS
    assert "100,000 bytes are here" in refused()
    publisher.asked.clear()
    fetch.get("lama@small")
    assert publisher.asked == [("small.pth", "bytes=100000-")]
    assert leftovers() == {"lama.safetensors", "manifest.json"}


def test_a_part_of_another_version_is_not_continued(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    right = publisher.files["small.pth"]
    publisher.files["small.pth"] = b"an earlier version" * 10_000
    publisher.cuts = [100_000] + [0] * download.ATTEMPTS
    refused()
    publisher.files["small.pth"] = right
    fetch.get("lama@small")
    assert store.ready("lama@small")


@pytest.mark.parametrize(
    ("kind", "digits"), [("sha256", "0" * 64), ("first digits of sha256", "00000000"), ("md5", "0" * 32)]
)
def test_a_file_with_a_wrong_checksum_is_deleted_and_said(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, kind: Any, digits: str
) -> None:
    publish(monkeypatch, changed(checksum=Checksum(kind, digits)))
    message = refused()
    assert "which was deleted" in message
    assert digits in message
    assert leftovers() == set()


def test_a_damaged_file_without_a_known_checksum_is_refused(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(monkeypatch, changed(checksum=None))
    whole = publisher.files["small.pth"]
    publisher.files["small.pth"] = whole[: len(whole) // 2]
    refused()
    publisher.files["small.pth"] = whole
    fetch.get("lama@small")
    assert store.ready("lama@small")


def test_weights_of_another_method_are_refused(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(monkeypatch, changed(method="glcic"))
    assert "holds weights of lama" in refused("glcic@small")


def test_without_network_the_sentence_says_how_to_do_it_by_hand(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(monkeypatch, changed(url="http://127.0.0.1:9/small.pth"))
    message = refused()
    assert "cannot be reached" in message
    assert "weights import FILE --method lama@small" in message


def test_a_second_address_is_tried_when_the_first_has_moved(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = changed()
    moved = replace(row.files[0], url=publisher.url("moved.pth"))
    publish(monkeypatch, replace(row, files=(moved, row.files[0])))
    assert fetch.get("lama").extra["url"] == publisher.url("small.pth")
    store.remove("lama@small")
    publish(monkeypatch, replace(row, files=(moved, moved)))
    assert refused().count("answers with status 404") == 2


def test_the_page_before_a_large_download_is_confirmed_and_any_other_page_refused(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(monkeypatch, changed(url=publisher.url("uc?id=small.pth")))
    publisher.pages["uc"] = "<html><p>Too many users have viewed this file</p></html>"
    assert "a page in place of the file" in refused()
    publisher.pages["uc"] = WARNING_PAGE.format(address=publisher.address).replace("weights.pth", "small.pth")
    fetch.get("lama")
    assert store.ready("lama@small")


def test_without_room_on_the_disk_nothing_is_begun(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(store.directory().parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=download.ROOM_TO_LEAVE + 1000))
    assert "make room" in refused()
    assert leftovers() == set()


def no_space(*_: object) -> None:
    """What writing a file gives on a full disk."""
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_fills_up_during_the_download_is_left_without_it(publisher: Publisher) -> None:
    with pytest.raises(InpaintError, match="is full") as caught:
        fetch.get("lama", progress=no_space)
    assert str(caught.value).endswith(".")
    assert leftovers() == set()


def test_a_disk_that_fills_up_while_ours_is_written_keeps_the_published_file_only(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr("inpaint_core.weights.storage.write_atomically", no_space)
        assert "is full" in refused()
    assert leftovers() == {"small.pth"}
    fetch.get("lama")
    assert publisher.asked == [("small.pth", "")], "it is not fetched again"


def test_two_callers_at_once_fetch_it_once(publisher: Publisher) -> None:
    publisher.slow = threading.Event()
    waited: list[bool] = []
    done = []
    first = threading.Thread(target=lambda: done.append(fetch.get("lama")))
    first.start()
    while not publisher.asked:
        first.join(0.01)

    def waiting() -> None:
        waited.append(True)
        assert publisher.slow is not None
        publisher.slow.set()

    done.append(fetch.get("lama", waiting=waiting))
    first.join()
    assert waited == [True]
    assert done[0] == done[1]
    assert len(publisher.asked) == 1


def test_another_process_that_fetches_it_is_waited_for(publisher: Publisher) -> None:
    program = (
        "import sys; from inpaint_core.weights.public import store\n"
        "with store.one_at_a_time('lama@small'): print('held', flush=True); sys.stdin.readline()"
    )
    other = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, text=True, stdin=-1, stdout=-1)
    assert other.stdin is not None
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    waited: list[int] = []

    def waiting() -> None:
        waited.append(len(publisher.asked))
        other.communicate("go\n")

    fetch.get("lama", waiting=waiting)
    assert waited == [0], "nothing is fetched while the other process is at it"
    assert store.ready("lama@small")


def test_an_archive_gives_the_checkpoint_inside(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "big.zip", "w") as archive:
        archive.writestr("big/models/best.ckpt", publisher.files["small.pth"])
    publisher.files["big.zip"] = (tmp_path / "big.zip").read_bytes()
    checksum = Checksum("sha256", digest_of(tmp_path / "big.zip"))
    archived = {"url": publisher.url("big.zip"), "name": "big.zip", "checksum": checksum}
    publish(monkeypatch, changed(**archived, member="big/models/other.ckpt"))
    assert "no archive with big/models/other.ckpt in it" in refused()
    publisher.asked.clear()
    publish(monkeypatch, changed(**archived, member="big/models/best.ckpt"))
    fetch.get("lama")
    assert store.ready("lama@small")
    assert publisher.asked == [], "the archive with the right checksum was kept"
    assert leftovers() == {"lama.safetensors", "manifest.json"}


def test_a_server_fetches_at_its_start_what_the_environment_names_and_starts_without(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    fetch.fetch_at_start(said.append)
    assert said == []
    monkeypatch.setenv("INPAINT_FETCH", "glcic@none, lama")
    fetch.fetch_at_start(said.append)
    assert "There are no public weights 'glcic@none'" in said[0]
    assert said[1].startswith("The public weights lama@small are here; their licence: CC BY-NC 4.0")
    assert store.ready("lama@small")


@pytest.fixture
def hub(publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publisher:
    """The publisher as the Hugging Face Hub, with an empty cache; the row's file is there."""
    from huggingface_hub import constants

    address = publisher.address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", publisher.address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    publisher.files[f"someone/lama/resolve/{REVISION}/small.pth"] = publisher.files["small.pth"]
    publish(monkeypatch, changed(url=f"https://huggingface.co/someone/lama/resolve/{REVISION}/small.pth"))
    return publisher


def test_a_file_of_the_hub_comes_at_its_pinned_revision_and_stays_in_the_hubs_cache(hub: Publisher) -> None:
    seen: list[tuple[int, int | None]] = []
    fetch.get("lama", lambda here, total: seen.append((here, total)))
    assert store.ready("lama@small")
    size = len(hub.files["small.pth"])
    assert seen[-1] == (size, size)
    assert fetch.in_hub_cache(registry.rows()[0].files[0]) is not None
    assert leftovers() == {"lama.safetensors", "manifest.json"}


def test_a_space_takes_over_what_was_preloaded_without_network(hub: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch.get("lama")
    store.remove("lama@small")
    hub.files.clear()
    said: list[str] = []
    fetch.fetch_at_start(said.append)
    assert said == [], "not anywhere else than on a Space"
    monkeypatch.setenv("SPACE_ID", "someone/studio")
    fetch.fetch_at_start(said.append)
    assert [sentence[:40] for sentence in said] == ["The public weights lama@small are here; "]
    assert store.ready("lama@small")


def test_a_wrong_file_of_the_hub_is_deleted_from_its_cache(hub: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(monkeypatch, changed(checksum=Checksum("sha256", "0" * 64)))
    assert "which was deleted" in refused()
    assert fetch.in_hub_cache(registry.rows()[0].files[0]) is None
    hub.files.clear()
    assert "is not there" in refused()
    assert not store.folder_of("lama@small").exists()
