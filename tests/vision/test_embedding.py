import numpy as np
import pytest

from device.vision.embedding import Embedder, fuse, normalised, similarity
from device.vision.manifest import Models


def crop(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (112, 112, 3)).astype(np.uint8)


def test_an_embedding_is_a_unit_vector_and_repeats(models: Models) -> None:
    embedder = Embedder(models.embedding)
    first, other, again = (embedder.embed_crop(crop(seed)) for seed in (1, 2, 1))
    assert first.shape == (128,)
    assert first.dtype == np.float32
    assert np.linalg.norm(first) == pytest.approx(1)
    np.testing.assert_array_equal(first, again)
    assert similarity(first, other) < 0.999


def test_the_input_is_scaled_as_the_model_was_trained() -> None:
    values = normalised(np.array([0, 127, 128, 255], np.uint8))
    np.testing.assert_allclose(values, np.array([-127.5, -0.5, 0.5, 127.5]) / 128)


def test_similarity_is_a_cosine_within_bounds() -> None:
    a = np.zeros(128, np.float32)
    a[0] = 1
    assert similarity(a, a) == 1
    assert similarity(a, -a) == -1
    assert similarity(a * np.float32(1.0001), a) == 1


def test_fused_views_have_unit_length_and_lie_between() -> None:
    a, b = np.eye(128, dtype=np.float32)[:2]
    fused = fuse([a, b])
    assert np.linalg.norm(fused) == pytest.approx(1)
    assert similarity(fused, a) == pytest.approx(similarity(fused, b))
    with pytest.raises(ValueError, match="no embedding"):
        fuse([])
    with pytest.raises(ValueError, match="without length"):
        fuse([a, -a])
