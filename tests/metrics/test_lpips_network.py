"""The network behind LPIPS: loaded once, and missing with a reason."""

from __future__ import annotations

import socket
import sys
import threading
import time

import pytest
import torch

from inpaint_core import metrics
from inpaint_core.errors import InpaintError
from inpaint_core.metrics import lpips_network
from tests.metrics.tensors import tensors


def test_loading_lpips_leaves_the_random_state_alone():
    lpips_network.forget()
    torch.manual_seed(5)
    expected = torch.rand(4)
    torch.manual_seed(5)
    lpips_network.network("alex")
    assert torch.equal(torch.rand(4), expected)


def test_lpips_loads_once_for_many_threads(monkeypatch):
    lpips_network.forget()
    loaded = []
    load = lpips_network.load

    def slow_load(name, folder):
        loaded.append(name)
        time.sleep(0.05)
        return load(name, folder)

    monkeypatch.setattr(lpips_network, "load", slow_load)
    image = torch.rand(1, 3, 32, 32)
    threads = [threading.Thread(target=metrics.lpips, args=(image, 1 - image)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loaded == ["lpips_alex"]


def test_lpips_loaded_while_measuring_can_still_train(pair):
    lpips_network.forget()
    metrics.measure(pair[0], pair[1])
    image = torch.rand(1, 3, 32, 32, requires_grad=True)
    metrics.lpips(image, torch.rand(1, 3, 32, 32)).sum().backward()
    assert image.grad is not None


def test_without_the_shipped_file_everything_but_lpips_is_measured(pair, offline, monkeypatch):
    monkeypatch.setattr(lpips_network, "shipped", lambda: offline)
    values = metrics.measure(*pair)
    assert set(values) == {p + n for p in ("", "hole_") for n in ("l1", "l2", "psnr", "ssim", "tv")}
    reason = metrics.lpips_unavailable_reason()
    assert reason is not None
    assert "lpips_alex.safetensors" in reason
    with pytest.raises(InpaintError, match="missing or damaged"):
        metrics.lpips(*tensors(*pair[:2]))


def test_weights_that_cannot_be_downloaded_are_named(pair, offline):
    with pytest.raises(InpaintError, match="could not be downloaded") as caught:
        metrics.lpips(*tensors(*pair[:2]), net="squeeze")
    assert "squeezenet1_1-b8a52dc0.pth" in str(caught.value)
    assert str(offline) in str(caught.value)
    assert not list(offline.rglob("*.partial"))


def test_a_network_that_never_answers_does_not_hold_the_page(offline, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(10)
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setattr(lpips_network, "CONNECT_SECONDS", 0.3)
        assert metrics.lpips_unavailable_reason("squeeze") is not None
        silent.accept()[0].close()  # it was asked
        while _was_asked(silent):  # perhaps more than once
            pass
        assert metrics.lpips_unavailable_reason("squeeze") is not None
        assert not _was_asked(silent)  # remembered: the second photo does not wait again


def _was_asked(server: socket.socket) -> bool:
    """Whether somebody has connected to it since the last call."""
    server.setblocking(False)
    try:
        server.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def test_a_broken_weights_file_is_named(offline):
    broken = offline / "hub" / "checkpoints" / "squeezenet1_1-b8a52dc0.pth"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"half a download")
    assert str(broken) in (metrics.lpips_unavailable_reason("squeeze") or "")


def test_without_the_package_the_reason_says_what_to_install(offline, monkeypatch):
    monkeypatch.setitem(sys.modules, "lpips", None)
    assert "pip install lpips" in (metrics.lpips_unavailable_reason() or "")


def test_the_reason_is_none_where_lpips_works():
    assert metrics.lpips_unavailable_reason() is None
