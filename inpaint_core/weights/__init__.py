"""Checkpoints on disk: a manifest that says what each file is, safetensors, checksums verified before anything loads.

Importing this package and asking `ready` does not import torch.
"""

from inpaint_core.weights.manifest import MANIFEST, Record, directory, ready, record_of, records, shipped
from inpaint_core.weights.networks import load_network, network_class, register
from inpaint_core.weights.public import (
    LAYOUTS,
    Converted,
    convert_public,
    load_public,
    network_from_public,
)
from inpaint_core.weights.reading import read_state_dict
from inpaint_core.weights.state import load_into
from inpaint_core.weights.storage import DTYPES, load, save

__all__ = [
    "DTYPES",
    "LAYOUTS",
    "MANIFEST",
    "Converted",
    "Record",
    "convert_public",
    "directory",
    "load",
    "load_into",
    "load_network",
    "load_public",
    "network_class",
    "network_from_public",
    "read_state_dict",
    "ready",
    "record_of",
    "records",
    "register",
    "save",
    "shipped",
]
