"""The quick parts of the proofs on the real stack; the long ones are run by hand: docs/hardware-proofs.md."""

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NEEDED = {"arm64": ["qemu-aarch64-static", "unshare", "dpkg-deb"], "camera": ["gcc", "unshare", "dpkg-deb"]}
CANNOT = 2  # what the scripts end with where packages cannot be had


@pytest.mark.parametrize("proof", NEEDED)
def test_the_quick_part_of_a_proof(proof, tmp_path):
    missing = [command for command in NEEDED[proof] if shutil.which(command) is None]
    if missing:
        pytest.skip(f"the {proof} proof did not run: {', '.join(missing)} not installed")
    command = [HERE / proof, "--quick", "--keep", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == CANNOT:
        pytest.skip(f"the {proof} proof did not run: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stdout + done.stderr
