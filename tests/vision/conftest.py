"""Every vision test runs on both runtimes."""

import functools

import pytest

from device.vision.inference import Runtime, available_runtimes
from device.vision.manifest import Models, default_directory, load_models
from device.vision.reference import PortraitReader


@functools.cache
def _models(runtime: Runtime) -> Models:
    return load_models(default_directory(), runtime)


@pytest.fixture(scope="session", params=list(Runtime), ids=str)
def runtime(request: pytest.FixtureRequest) -> Runtime:
    if request.param not in available_runtimes():
        pytest.skip(f"{request.param} is not installed: nothing was tested on it")
    return request.param


@pytest.fixture(scope="session")
def models(runtime: Runtime) -> Models:
    return _models(runtime)


@pytest.fixture(scope="session")
def reader(models: Models) -> PortraitReader:
    return PortraitReader(models)
