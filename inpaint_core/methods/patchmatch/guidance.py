"""Guides (stub while porting)."""
from __future__ import annotations
from dataclasses import dataclass
import numpy as np

@dataclass(frozen=True)
class Guide:
    planes: np.ndarray
    pull: np.ndarray
    line: np.ndarray
    turns: np.ndarray
    rail: np.ndarray
    def sources(self, usable: np.ndarray) -> np.ndarray:
        return np.zeros((0, 3), np.float32)

def no_guide(places: np.ndarray) -> Guide:
    count = len(places)
    return Guide(np.zeros((1, 1, 4), np.float32), np.zeros((1, 1), np.float32), np.zeros((count, 3), np.float32), np.zeros(count, bool), np.zeros((count, 2), np.float32))
