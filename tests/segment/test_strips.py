"""Prediction in strips: the same probabilities, in bounded memory."""

import subprocess
import sys

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.core.classes import ClassList
from factory.segment.checkpoint import Trained
from factory.segment.models import SegmenterSpec, build
from factory.segment.predict import Predictor
from factory.segment.strips import strips
from factory.segment.working import Working

SPEC = SegmenterSpec(architecture="unet", encoder="tu-mobilenetv3_small_050", decoder_channels=16, decoder_dropout=0.0)
TRAINED = Trained(
    model=build(SPEC, ClassList.of(["a", "b", "c"]), weights=None, seed=0), working=Working(), tile_hw=(32, 48), step=0
)


def picture(size_hw):
    """Noise."""
    return np.random.default_rng(0).integers(0, 256, (*size_hw, 3), np.uint8)


def joined(predictor, image):
    """All strips, after a look at where they lie."""
    found, below = [], 0
    for top, strip in strips(predictor, image):
        assert top == below
        below += strip.shape[1]
        found.append(strip.cpu().numpy())
    return np.concatenate(found, axis=1)


@settings(deadline=None, max_examples=8)
@given(
    size=st.tuples(st.integers(1, 150), st.integers(1, 150)),
    overlap=st.sampled_from([0.0, 0.3, 0.5, 0.8]),
    batch=st.integers(1, 9),
)
def test_strips_are_the_whole_to_the_bit(size, overlap, batch):
    """Whatever the size, the overlap and the batch."""
    predictor = Predictor(trained=TRAINED, overlap=overlap, batch=batch)
    np.testing.assert_array_equal(joined(predictor, picture(size)), predictor(picture(size)))


@settings(deadline=None, max_examples=8)
@given(
    size=st.tuples(st.integers(1, 300), st.integers(1, 80)), working=st.tuples(st.integers(1, 90), st.integers(1, 90))
)
def test_at_another_working_size_they_are_the_whole_up_to_rounding(size, working):
    """Shrunk or enlarged."""
    predictor = Predictor(trained=TRAINED, size=working)
    np.testing.assert_allclose(joined(predictor, picture(size)), predictor(picture(size)), atol=1e-5)


MEASURED = """
import re
from pathlib import Path
import numpy as np
from factory.segment.predict import Predictor
from factory.segment.strips import strips
from factory.segment.working import Working
from tests.segment.test_strips import TRAINED

def mebibytes(what):
    return int(re.search(what + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024

def many(_):
    return lambda tiles: tiles[:, :1].expand(-1, 100, -1, -1)

image, before = np.zeros((1600, 800, 3), np.uint8), mebibytes("VmRSS")
for size in (None, (300, 300)):
    predictor = Predictor(trained=TRAINED, tile=(150, 150), size=size, overlap=0.2, batch=4, tta=many)
    assert sum(strip.found_khw.shape[1] for strip in strips(predictor, image)) == 1600
print(mebibytes("VmHWM") - before)
"""


def test_memory_does_not_hold_every_class_of_every_pixel():
    """A hundred classes of these pixels alone are 488 MiB; a band of tiles is 46."""
    ended = subprocess.run([sys.executable, "-c", MEASURED], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) < 300
