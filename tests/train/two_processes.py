"""Sessions of a training script, each by two processes: `python -m tests.train.two_processes SCRIPT SESSION...`.

The processes get from their environment what torchrun gives them, but are forks of one that has imported everything.

SCRIPT is a module, a SESSION its command line as a JSON list; they run one after the other.
"""

from __future__ import annotations

import importlib
import json
import os
import socket
import sys
from types import ModuleType

import torch.multiprocessing
import tyro

PROCESSES = 2


def work(rank: int, script: ModuleType, words: list[str], port: int) -> None:
    """Be one process of a session."""
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": PROCESSES, "LOCAL_WORLD_SIZE": PROCESSES}
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in {**place, **meeting}.items()})
    script.main(tyro.cli(script.Config, args=words))


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


if __name__ == "__main__":
    script = importlib.import_module(sys.argv[1])
    for session in map(json.loads, sys.argv[2:]):
        torch.multiprocessing.start_processes(work, (script, session, free_port()), PROCESSES, start_method="fork")
