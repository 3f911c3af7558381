"""Every bad argument is one sentence that says what to do."""

import numpy as np
import pytest

import inpaint_core
from inpaint_core import InpaintError


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"image": "photo.jpg"}, id="a path for an image"),
        pytest.param({"image": np.zeros((20, 20), np.uint8)}, id="a grey array"),
        pytest.param({"image": np.zeros((20, 20, 4), np.uint8)}, id="four channels"),
        pytest.param({"image": np.zeros((3, 20, 20), np.uint8)}, id="channels first"),
        pytest.param({"image": np.zeros((20, 20, 3), np.float32)}, id="floats"),
        pytest.param({"image": np.full((20, 20, 3), np.nan)}, id="an image of NaN"),
        pytest.param({"image": np.zeros((0, 20, 3), np.uint8)}, id="no pixels"),
        pytest.param({"image": None}, id="no image"),
        pytest.param({"mask": np.zeros((20, 20), bool)}, id="an empty mask"),
        pytest.param({"mask": np.ones((20, 20), bool)}, id="a full mask"),
        pytest.param({"mask": np.ones((10, 20), bool)}, id="a mask of another size"),
        pytest.param({"mask": np.full((20, 20), np.nan)}, id="a mask of NaN"),
        pytest.param({"mask": np.ones((20, 20, 7), bool)}, id="a mask of seven channels"),
        pytest.param({"mask": None}, id="no mask"),
        pytest.param({"mask": np.array([["a"] * 20] * 20)}, id="a mask of text"),
        pytest.param({"mask": np.ones((2, 20, 20), bool)}, id="two masks"),
        pytest.param({"image": np.zeros((1, 1, 3), np.uint8), "mask": np.ones((1, 1), bool)}, id="1 x 1, all hole"),
        pytest.param({"method": "photoshop"}, id="an unknown method"),
        pytest.param({"method": ""}, id="an empty method name"),
        pytest.param({"sketch": np.zeros((5, 5), bool)}, id="a sketch of another size"),
        pytest.param({"sketch": np.full((20, 20), np.inf)}, id="a sketch of infinities"),
        pytest.param({"device": "cuda:99"}, id="a device that is not here"),
        pytest.param({"device": "toaster"}, id="no device at all"),
        pytest.param({"refine": "sharpen"}, id="an unknown refinement"),
    ],
)
def test_bad_arguments_are_one_sentence_that_says_what_to_do(arguments):
    mask = np.zeros((20, 20), bool)
    mask[5:9, 5:9] = True
    given = {"image": np.zeros((20, 20, 3), np.uint8), "mask": mask, "method": "ns"} | arguments
    with pytest.raises(InpaintError) as caught:
        inpaint_core.inpaint(**given)
    sentence = str(caught.value)
    assert 20 < len(sentence) < 300
    assert sentence.endswith(".")
    assert "\n" not in sentence
