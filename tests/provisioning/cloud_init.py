"""cloud-init's own schema of user-data, out of Debian's package; it is unpacked and never installed."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCHEMA = Path("usr/lib/python3/dist-packages/cloudinit/config/schemas/schema-cloud-config-v1.json")


def schema(folder: Path) -> dict:
    """The schema; skips, or fails in CI, where the package cannot be had."""
    installed = Path("/") / SCHEMA
    if installed.is_file():
        return json.loads(installed.read_text())
    if shutil.which("apt-get"):
        get = ["apt-get", "-o", "APT::Sandbox::User=", "download", "cloud-init"]
        subprocess.run(get, cwd=folder, check=False, capture_output=True, timeout=60)
    for package in folder.glob("cloud-init_*.deb"):
        subprocess.run(["dpkg-deb", "-x", str(package), str(folder / "unpacked")], check=True)
        return json.loads((folder / "unpacked" / SCHEMA).read_text())
    message = "Debian's package cloud-init cannot be had (apt-get download cloud-init): this test did not run"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
