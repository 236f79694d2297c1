"""The one seam over the two TFLite runtimes; nothing else in the tree imports either."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Runtime(StrEnum):
    """A library that runs .tflite models; the value is the distribution's name."""

    TFLITE = "tflite-runtime"
    LITERT = "ai-edge-litert"


_MODULES = {Runtime.TFLITE: "tflite_runtime", Runtime.LITERT: "ai_edge_litert"}
_FILE_IDENTIFIER = b"TFL3"


class InferenceError(RuntimeError):
    """A runtime is missing or refuses a model; the message is one line that says what to do."""


def available_runtimes() -> tuple[Runtime, ...]:
    """The installed runtimes, the preferred one first; empty when there is none."""
    return tuple(runtime for runtime in (Runtime.LITERT, Runtime.TFLITE) if importlib.util.find_spec(_MODULES[runtime]))


def preferred_runtime() -> Runtime:
    """The installed runtime to use: LiteRT where both are, since it alone speeds up int8 activations."""
    available = available_runtimes()
    if not available:
        raise InferenceError("no TFLite runtime is installed: install likeness[terminal]")
    return available[0]


class Model:
    """A loaded model: one float32 input, float32 outputs; integer inputs and outputs are converted here.

    Not safe for use by two threads at once.
    """

    def __init__(self, weights: bytes, runtime: Runtime, threads: int = 1) -> None:
        """Loads `weights` (bytes of a .tflite); raises InferenceError when the runtime is missing or refuses them.

        The runtimes trust a model's offsets and crash on hostile ones: give only weights whose hash was checked.
        """
        if weights[4:8] != _FILE_IDENTIFIER:
            raise InferenceError("not a .tflite model")
        interpreter_class = _interpreter_class(runtime)
        with _native_messages_dropped():
            try:
                self._interpreter = interpreter_class(model_content=weights, num_threads=threads)
                self._interpreter.allocate_tensors()
            except (ValueError, RuntimeError) as error:
                reason = (str(error).splitlines() or ["no reason given"])[0]
                raise InferenceError(f"{runtime} cannot load the model: {reason}") from None
        inputs = self._interpreter.get_input_details()
        if len(inputs) != 1:
            raise InferenceError(f"the model has {len(inputs)} inputs instead of one")
        self.runtime = runtime
        self._input = _Port.of(inputs[0])
        self._outputs = [_Port.of(details) for details in self._interpreter.get_output_details()]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The input's shape, batch first."""
        return self._input.shape

    @property
    def output_shapes(self) -> tuple[tuple[int, ...], ...]:
        """The outputs' shapes in the order of `run`."""
        return tuple(port.shape for port in self._outputs)

    def forget(self) -> None:
        """Overwrites the interpreter's tensors: runs once on zeros."""
        self.run(np.zeros(self._input.shape, np.float32))

    def run(self, tensor: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Returns the outputs as float32 for one input, in the order the model file (and its contract) lists them."""
        self._interpreter.set_tensor(self._input.index, self._input.encoded(tensor))
        self._interpreter.invoke()
        return [port.decoded(self._interpreter.get_tensor(port.index)) for port in self._outputs]


@dataclass(frozen=True, slots=True)
class _Port:
    """An input or output tensor; integer ones mean (value - zero_point) * scale."""

    index: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scale: float
    zero_point: int

    @classmethod
    def of(cls, details: dict[str, Any]) -> _Port:
        scale, zero_point = details["quantization"]
        shape = tuple(int(length) for length in details["shape"])
        return cls(int(details["index"]), shape, np.dtype(details["dtype"]), float(scale), int(zero_point))

    def encoded(self, tensor: NDArray[np.float32]) -> NDArray[Any]:
        if self.dtype == np.float32:
            return tensor
        limits = np.iinfo(self.dtype)
        steps = np.rint(tensor / self.scale + self.zero_point)
        return np.asarray(np.clip(steps, limits.min, limits.max), self.dtype)

    def decoded(self, tensor: NDArray[Any]) -> NDArray[np.float32]:
        if self.dtype == np.float32:
            return tensor
        return (tensor.astype(np.float32) - self.zero_point) * np.float32(self.scale)


def _interpreter_class(runtime: Runtime) -> Any:
    try:
        return importlib.import_module(f"{_MODULES[runtime]}.interpreter").Interpreter
    except ImportError as error:
        reason = (str(error).splitlines() or ["it is not installed"])[0]
        raise InferenceError(f"{runtime} cannot be used ({reason}): install likeness[terminal]") from None


@contextlib.contextmanager
def _native_messages_dropped() -> Iterator[None]:
    """Points file descriptor 2 at nothing while a runtime announces its delegates; its errors come as exceptions.

    Neither runtime has a switch for these lines. Models are loaded at start, before other threads write.
    """
    saved, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nothing)
