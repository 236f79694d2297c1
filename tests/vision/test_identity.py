"""Identity through a session: any two frames have to be of one person."""

import numpy as np
import pytest

from device.vision.embedding import fuse
from device.vision.identity import IdentityTrail


def unit(*values):
    vector = np.zeros(128, np.float32)
    vector[: len(values)] = values
    return vector / np.linalg.norm(vector)


def test_a_first_frame_that_resembles_two_people_does_not_join_them():
    one, other = unit(1, 0), unit(0, 1)
    trail = IdentityTrail()
    assert trail.add(0.0, fuse([one, other]), 1.0) == 1.0
    assert trail.add(0.2, one, 1.0) == pytest.approx(0.707, abs=0.001)
    assert trail.add(0.4, other, 1.0) == pytest.approx(0.0, abs=1e-6)


def test_only_frames_of_the_span_are_compared():
    trail = IdentityTrail()
    trail.add(0.0, unit(1, 0), 9.0)
    trail.add(1.0, unit(1, 0.1), 1.0)
    compared = trail.compare(unit(1, 0), 0.4, 0.5, 2.0)
    assert compared is not None
    assert compared.compared_at == (1.0,)
    assert trail.compare(unit(1, 0), 0.4, 5.0, 6.0) is None


def test_the_least_likeness_counts_frames_outside_of_the_span_too():
    trail = IdentityTrail()
    trail.add(0.0, unit(0, 1), 9.0)
    trail.add(1.0, unit(1, 0), 1.0)
    compared = trail.compare(unit(1, 0), 0.4, 0.5, 2.0)
    assert compared is not None
    assert compared.match
    assert compared.least_likeness == pytest.approx(0.0, abs=1e-6)


def test_what_is_forgotten_is_overwritten_and_the_repr_shows_nothing():
    trail, embedding = IdentityTrail(), unit(1, 2, 3)
    trail.add(0.0, embedding, 1.0)
    assert "array" not in repr(trail)
    trail.forget()
    assert not embedding.any()
    assert trail.compare(unit(1), 0.4, 0.0, 1.0) is None
