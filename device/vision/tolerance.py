"""How far a variant of a model may lie from the float original, on the check pictures (device.evaluation.tune_check).

The check finds a runtime or a processor that computes something else; how good a variant is on many faces stands in
models/REPORT.md. So the limits lie well above what the shipped variants show there, and far below what would matter.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from device.settings import Settings

Share = Annotated[float, Field(gt=0, lt=1)]


class DetectorTolerance(Settings):
    """`overlap`: the least intersection over union of the found box and the original's."""

    overlap: Share


class LandmarksTolerance(Settings):
    """What may differ from the original's landmarks.

    Attributes:
        distance: the landmarks' mean distance, as a share of the distance between the eyes.
        openness: the mean difference of an eye's openness (eye aspect ratio) over the postures.
        yaw_deg: the difference of the head's yaw, in each posture.
    """

    distance: Share
    openness: Share
    yaw_deg: Annotated[float, Field(gt=0, lt=90)]


class EmbeddingTolerance(Settings):
    """`similarity`: the least cosine to the original's embedding of the same crop."""

    similarity: Share
