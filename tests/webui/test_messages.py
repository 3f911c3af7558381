"""What goes from one process to another: equal, one's own, and nothing of it left behind."""

from __future__ import annotations

import multiprocessing
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from webui.workers import messages

LARGE = np.random.default_rng(0).integers(0, 256, (301, 407, 3), np.uint8)


@pytest.mark.parametrize(
    "array",
    [LARGE, LARGE[:2], LARGE[10:-10, 5:], np.asfortranarray(LARGE), LARGE[..., 0] > 99, np.zeros((0, 4))],
    ids=["large", "small", "a part", "by columns", "a mask", "empty"],
)
def test_an_array_arrives_as_it_was_and_can_be_written_to(array: np.ndarray) -> None:
    ours, theirs = multiprocessing.Pipe()
    with ours, theirs:
        packed = messages.pack({"first": array, "second": [array, "words"]})
        sending = threading.Thread(target=messages.send, args=(ours, packed))  # a part goes through the narrow pipe
        sending.start()
        received = messages.receive(theirs)
        sending.join()
    assert received["second"][1] == "words"
    each, before = received["first"], array.copy()
    assert each.dtype == array.dtype
    assert np.array_equal(each, array)
    assert each is received["second"][0]  # sent once
    each[...] = 1
    assert np.array_equal(array, before)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux")
def test_no_file_stays_open_and_a_sender_that_ends_in_the_midst_is_an_end() -> None:
    ours, theirs = multiprocessing.Pipe()
    with ours, theirs:
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            messages.send(ours, messages.pack(LARGE))
            assert np.array_equal(messages.receive(theirs), LARGE)
        assert len(os.listdir("/proc/self/fd")) == before
        packed = messages.pack(LARGE)
        ours.send((packed.head, [each.nbytes for each in packed.arrays]))  # what announces the array, not the array
        ours.close()
        with pytest.raises(EOFError):
            messages.receive(theirs)
