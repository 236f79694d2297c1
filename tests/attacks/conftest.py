"""The cast that the attack tests are played by."""

import pytest

from device.evaluation.redteam.cast import Cast
from device.evaluation.redteam.gallery import Gallery
from device.vision.assembly import load_vision
from device.vision.inference import available_runtimes
from device.vision.manifest import default_directory


@pytest.fixture(scope="session")
def casts(media):
    """A cast on each runtime that is installed here."""
    return [Cast(load_vision(default_directory(), runtime), Gallery(media)) for runtime in available_runtimes()]
