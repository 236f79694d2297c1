"""Real models: one set of eyes for each runtime."""

import pytest

from device.vision.assembly import Vision, load_vision
from device.vision.inference import Runtime, available_runtimes
from device.vision.manifest import default_directory
from device.vision.reference import PortraitReader


@pytest.fixture(scope="session", params=list(Runtime), ids=str)
def vision(request) -> Vision:
    if request.param not in available_runtimes():
        pytest.skip(f"{request.param} is not installed here: this test did not run on it")
    return load_vision(default_directory(), request.param)


@pytest.fixture(scope="session")
def reader(vision) -> PortraitReader:
    return PortraitReader(vision.models)
