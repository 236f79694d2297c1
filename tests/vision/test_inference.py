import os

import numpy as np
import pytest

from device.vision.inference import InferenceError, Model, Runtime, available_runtimes, preferred_runtime
from device.vision.manifest import Models, default_directory

WEIGHTS = default_directory() / "detector.tflite"


def test_a_model_names_its_shapes_and_answers_in_float32(runtime: Runtime) -> None:
    model = Model(WEIGHTS.read_bytes(), runtime)
    outputs = model.run(np.zeros(model.input_shape, np.float32))
    assert model.input_shape == (1, 128, 128, 3)
    assert model.output_shapes == ((1, 896, 16), (1, 896, 1))
    assert [output.shape for output in outputs] == list(model.output_shapes)
    assert {output.dtype for output in outputs} == {np.dtype(np.float32)}


def test_outputs_are_the_caller_s_own(runtime: Runtime) -> None:
    model = Model(WEIGHTS.read_bytes(), runtime)
    first = model.run(np.zeros(model.input_shape, np.float32))
    kept = [output.copy() for output in first]
    model.run(np.ones(model.input_shape, np.float32))
    for output, copy in zip(first, kept, strict=True):
        np.testing.assert_array_equal(output, copy)


def test_integer_input_and_output_are_converted_at_the_seam(models: Models, runtime: Runtime) -> None:
    noise = np.random.default_rng(1).uniform(-1, 1, models.embedding.input_shape).astype(np.float32)
    (output,) = models.embedding.run(noise)
    (saturated,) = models.embedding.run(noise * 1e6)
    assert output.dtype == np.float32
    assert np.isfinite(saturated).all()
    assert len(np.unique(output)) > 20


@pytest.mark.parametrize("weights", [b"", b"TFL3", b"not a model at all"])
def test_what_is_no_model_is_refused(runtime: Runtime, weights: bytes) -> None:
    with pytest.raises(InferenceError, match=r"not a \.tflite model"):
        Model(weights, runtime)


def test_a_model_of_an_unknown_schema_version_is_refused_in_one_line(runtime: Runtime) -> None:
    model = bytearray(WEIGHTS.read_bytes())
    table = int.from_bytes(model[:4], "little")
    fields = table - int.from_bytes(model[table : table + 4], "little", signed=True)
    version = table + int.from_bytes(model[fields + 4 : fields + 6], "little")
    model[version : version + 4] = (99).to_bytes(4, "little")
    with pytest.raises(InferenceError, match="cannot load the model") as refusal:
        Model(bytes(model), runtime)
    assert "\n" not in str(refusal.value)


def test_loading_says_nothing_on_standard_error(runtime: Runtime, capfd: pytest.CaptureFixture[str]) -> None:
    Model(WEIGHTS.read_bytes(), runtime)
    os.write(2, b"still open")
    assert capfd.readouterr().err == "still open"


def test_litert_is_preferred() -> None:
    assert preferred_runtime() == available_runtimes()[0]
    assert set(available_runtimes()) <= set(Runtime)


def test_a_missing_runtime_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tflite_runtime.interpreter", None)
    with pytest.raises(InferenceError, match=r"tflite-runtime cannot be used .*install likeness"):
        Model(WEIGHTS.read_bytes(), Runtime.TFLITE)
