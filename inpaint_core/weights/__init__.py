"""Checkpoints on disk: a manifest that says what each file is, safetensors, checksums verified before anything loads.

Importing this package and asking `ready` does not import torch.
"""

from inpaint_core.weights.manifest import MANIFEST, Record, directory, ready, record_of, records
from inpaint_core.weights.networks import load_network, load_public_network, network_class, register
from inpaint_core.weights.state import load_into, read_state_dict
from inpaint_core.weights.storage import DTYPES, load, save

__all__ = [
    "DTYPES",
    "MANIFEST",
    "Record",
    "directory",
    "load",
    "load_into",
    "load_network",
    "load_public_network",
    "network_class",
    "read_state_dict",
    "ready",
    "record_of",
    "records",
    "register",
    "save",
]
