"""The network behind LPIPS: loaded once, and missing with a reason."""

from __future__ import annotations

import socket
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from inpaint_core import metrics
from inpaint_core.errors import InpaintError
from inpaint_core.metrics import lpips_network
from tests.metrics.tensors import tensors


def test_loading_lpips_leaves_the_random_state_alone(weights, monkeypatch):
    lpips_network.forget()
    torch.manual_seed(5)
    expected = torch.rand(4)
    torch.manual_seed(5)
    lpips_network.network("alex")
    assert torch.equal(torch.rand(4), expected)


def test_lpips_loads_once_for_many_threads(weights, monkeypatch):
    lpips_network.forget()
    files = []
    load = torch.load

    def slow_load(path, **options):
        files.append(Path(path).name)
        time.sleep(0.05)
        return load(path, **options)

    monkeypatch.setattr(torch, "load", slow_load)
    image = torch.rand(1, 3, 32, 32)
    threads = [threading.Thread(target=metrics.lpips, args=(image, 1 - image)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(files) == ["alex.pth", "alexnet-owt-7be5be79.pth"]


def test_lpips_loaded_while_measuring_can_still_train(weights, monkeypatch, pair):
    lpips_network.forget()
    metrics.measure(pair[0], pair[1])
    image = torch.rand(1, 3, 32, 32, requires_grad=True)
    metrics.lpips(image, torch.rand(1, 3, 32, 32)).sum().backward()
    assert image.grad is not None


def test_without_weights_and_network_everything_but_lpips_is_measured(pair, offline):
    started = time.monotonic()
    values = metrics.measure(*pair)
    assert set(values) == {p + n for p in ("", "hole_") for n in ("l1", "l2", "psnr", "ssim", "tv")}
    reason = metrics.lpips_unavailable_reason()
    assert reason is not None
    assert "alexnet-owt-7be5be79.pth" in reason
    assert str(offline) in reason
    assert time.monotonic() - started < 5
    with pytest.raises(InpaintError, match="could not be downloaded"):
        metrics.lpips(*tensors(*pair[:2]))
    assert not list(offline.rglob("*.partial"))


def test_a_network_that_never_answers_does_not_hold_the_page(offline, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setattr(lpips_network, "CONNECT_SECONDS", 0.3)
        started = time.monotonic()
        assert metrics.lpips_unavailable_reason() is not None
        waited = time.monotonic() - started
        assert 0.2 < waited < 5
        # Remembered: the second photo does not wait again.
        started = time.monotonic()
        assert metrics.lpips_unavailable_reason() is not None
        assert time.monotonic() - started < 0.1


def test_a_broken_weights_file_is_named(offline):
    broken = offline / "hub" / "checkpoints" / "alexnet-owt-7be5be79.pth"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"half a download")
    assert str(broken) in (metrics.lpips_unavailable_reason() or "")


def test_without_the_package_the_reason_says_what_to_install(offline, monkeypatch):
    monkeypatch.setitem(sys.modules, "lpips", None)
    assert "pip install lpips" in (metrics.lpips_unavailable_reason() or "")


def test_the_reason_is_none_where_lpips_works(weights):
    assert metrics.lpips_unavailable_reason() is None
