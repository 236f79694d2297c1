"""A folder in memory, as the tests of power cuts have it."""

from tests.provisioning.conftest import quick as quick
