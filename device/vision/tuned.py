"""The file in which `likeness-terminal tune` keeps its choice, and which the configuration names as `models.tuned`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from device.settings import Settings, SettingsError, load_settings
from device.vision.inference import Runtime
from device.vision.manifest import Manifest, ModelError, Sha256

MAX_THREADS = 4
ROLES = ("detector", "landmarks", "embedding")


class Tuned(Settings):
    """A runtime, its threads for each model, and the sha256 of the variant for each role."""

    runtime: Runtime
    threads: Annotated[int, Field(ge=1, le=MAX_THREADS)]
    detector: Sha256
    landmarks: Sha256
    embedding: Sha256

    @property
    def chosen(self) -> dict[str, str]:
        """Role to sha256."""
        return {role: getattr(self, role) for role in ROLES}

    def as_yaml(self) -> str:
        """The file's text."""
        chosen = "".join(f'{role}: "{sha256}"\n' for role, sha256 in self.chosen.items())
        head = "# Written by `likeness-terminal tune`. After an update of the models: run it again.\n"
        return f"{head}runtime: {self.runtime}\nthreads: {self.threads}\n{chosen}"


def load_tuned(path: Path, manifest: Manifest) -> Tuned:
    """Reads the file; raises ModelError when it is faulty, or names a variant that the manifest no longer lists."""
    try:
        tuned = load_settings(path, Tuned)
    except SettingsError as error:
        raise ModelError(str(error)) from None
    for role, sha256 in tuned.chosen.items():
        listed = {variant.sha256 for variant in getattr(manifest, role).variants_for(tuned.runtime)}
        if sha256 not in listed:
            raise ModelError(
                f"{path}: stale: its {role} {sha256[:12]}.. is none of the installed variants for {tuned.runtime}: "
                f"run likeness-terminal tune --out {path}"
            )
    return tuned
