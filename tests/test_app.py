"""The server as it is started: ended by a signal, it leaves no process and no file behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psutil

from tests.waiting import until

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 120.0  # seconds; the machine may be busy


def test_sigterm_ends_the_server_its_processes_and_its_files(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"GRADIO_SERVER_PORT": str(port), "INPAINT_WORKERS": "2", "TMPDIR": str(tmp_path)}
    server = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env={**os.environ, **settings})
    try:
        until(lambda: _is_healthy(port), PATIENCE)
        until(lambda: len(psutil.Process(server.pid).children(recursive=True)) >= 3, PATIENCE)  # the workers start
        children = psutil.Process(server.pid).children(recursive=True)
        assert list(tmp_path.glob("inpainting-studio-*"))
        server.send_signal(signal.SIGTERM)
        server.wait(PATIENCE)
        assert server.returncode == 0
        until(lambda: not any(child.is_running() for child in children), PATIENCE)
        assert not list(tmp_path.glob("inpainting-studio-*"))
    finally:
        server.kill()


def _is_healthy(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").is_success
    except httpx.HTTPError:
        return False
