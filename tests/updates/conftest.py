"""A folder in memory, as the tests of power cuts have it."""

from tests.provisioning import conftest

quick = conftest.quick
