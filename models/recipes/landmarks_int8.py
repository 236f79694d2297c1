"""Converts the 256 px face mesh to int8 activations: tried, measured in models/REPORT.md, not good enough to ship.

The network is a chain of bottlenecks, h = PReLU(h + pointwise(depthwise(PReLU(conv(h))))). Its channels are first
brought to like ranges, as for SFace; the last layer stays in float32: one step of an int8 output is a whole pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from device.vision.inference import Model, Runtime
from models.recipes.sface import prelu, prelu_for_int8

Array = NDArray[np.float32]
Activation = Callable[[tf.Tensor, Array], tf.Tensor]
_EXPONENTS = {"inner": 0.5, "trunk": 0.8}  # parts of the way to equal ranges; the best of six pairs tried
_OP = schema.BuiltinOperator


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One operator: its kind, the indices of its tensors, and its options."""

    kind: int
    inputs: tuple[int, ...]
    output: int
    options: Any


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """The network up to its last feature map, and the last layer: landmarks = matrix @ features + offset."""

    nodes: tuple[Node, ...]
    constants: Mapping[tuple[int, int], Array]
    start: int
    features: int
    matrix: Array
    offset: Array


class HeadlessModel(Model):
    """The int8 network, with the last layer in float32 behind it; always sure of a face."""

    def __init__(self, weights: bytes, mesh: Mesh, runtime: Runtime) -> None:
        super().__init__(weights, runtime)
        self._mesh = mesh

    def run(self, tensor: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Returns landmarks, a high logit of presence, and nothing of use, as the published model does."""
        (features,) = super().run(tensor)
        landmarks = self._mesh.matrix @ features.ravel() + self._mesh.offset
        return [landmarks, np.full(1, 9, np.float32), np.zeros(1, np.float32)]


def read_mesh(source: bytes) -> Mesh:
    """Reads the published file; `constants` are by operator and input, since operators share some."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(bytearray(source), 0))
    graph = model.subgraphs[0]
    stored: dict[int, Array] = {}
    nodes: list[Node] = []
    constants: dict[tuple[int, int], Array] = {}
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        kind = int(max(code.builtinCode, code.deprecatedBuiltinCode))
        inputs = tuple(int(index) for index in operator.inputs)
        if kind == _OP.DEQUANTIZE:
            stored[int(operator.outputs[0])] = _constant(model, inputs[0], np.float16)
            continue
        for place, index in enumerate(inputs):
            if index in stored:
                constants[len(nodes), place] = stored[index]
            elif kind == _OP.PAD and place == 1:
                constants[len(nodes), place] = _constant(model, index, np.int32)
        nodes.append(Node(kind, inputs, int(operator.outputs[0]), operator.builtinOptions))
    last = next(at for at, node in enumerate(nodes) if graph.tensors[node.output].name == b"Identity")
    features = nodes[last].inputs[0]
    end = next(at for at, node in enumerate(nodes) if node.output == features) + 1
    matrix = constants[last, 1].reshape(len(constants[last, 2]), -1)
    return Mesh(tuple(nodes[:end]), constants, int(graph.inputs[0]), features, matrix, constants[last, 2])


def _constant(model: schema.ModelT, index: int, stored_as: type) -> Array:
    tensor = model.subgraphs[0].tensors[index]
    raw = bytes(bytearray(model.buffers[tensor.buffer].data))
    return np.frombuffer(raw, stored_as).astype(np.float32).reshape(tensor.shape)


def to_int8(mesh: Mesh, crops: Array, activation: Activation) -> bytes:
    """Returns the TFLite model from (1, 256, 256, 3), 0..1, to the last feature map; calibrated on (N, 256, 256, 3)."""

    def run(face: tf.Tensor) -> tf.Tensor:
        return _run(mesh, face, activation)[mesh.features]

    network = tf.function(run, input_signature=[tf.TensorSpec((1, 256, 256, 3), tf.float32, "face")])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([network.get_concrete_function()])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]

    def samples() -> Iterator[list[Array]]:
        for crop in crops:
            yield [crop[None]]

    converter.representative_dataset = samples
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return bytes(converter.convert())


def equalised(mesh: Mesh, crops: Array) -> Mesh:
    """Returns the same function with the channels of each activation nearer to like ranges (Nagel et al. 2019).

    Inside a bottleneck each activation has factors of its own. The activations that the sums join share one vector,
    from the first layer to the last, because a channel passes through all of them.
    """
    widest = _widest(mesh, crops)
    constants = dict(mesh.constants)
    made_at = {node.output: at for at, node in enumerate(mesh.nodes)}
    sums = [node.output for node in mesh.nodes if node.kind == _OP.ADD]
    shared = np.zeros(max(len(widest[each]) for each in sums))
    for each in sums:
        shared[: len(widest[each])] = np.maximum(shared[: len(widest[each])], widest[each] / widest[each].max())
    trunk = _factors(shared, _EXPONENTS["trunk"])

    def divide(at: int, by: Array) -> None:  # the kernel's output channels lie first
        constants[at, 1] = constants[at, 1] / by[:, None, None, None]
        constants[at, 2] = constants[at, 2] / by

    divide(0, trunk[: len(constants[0, 2])])
    for at, node in enumerate(mesh.nodes):
        if node.kind != _OP.DEPTHWISE_CONV_2D:
            continue
        before = made_at[mesh.nodes[made_at[node.inputs[0]]].inputs[0]]
        after = next(place for place, each in enumerate(mesh.nodes) if node.output in each.inputs)
        wide = np.maximum(widest[mesh.nodes[before].output], widest[node.inputs[0]])
        one, other = (_factors(each, _EXPONENTS["inner"]) for each in (wide, widest[node.output]))
        divide(before, one)
        constants[before, 1] = constants[before, 1] * trunk[: constants[before, 1].shape[3]]
        constants[at, 1], constants[at, 2] = constants[at, 1] * one / other, constants[at, 2] / other
        constants[after, 1] = constants[after, 1] * other
        divide(after, trunk[: len(constants[after, 2])])
    matrix = (mesh.matrix.reshape(len(mesh.offset), -1, len(trunk)) * trunk).reshape(mesh.matrix.shape)
    as_float = {key: value.astype(np.float32) for key, value in constants.items()}
    return Mesh(mesh.nodes, as_float, mesh.start, mesh.features, matrix.astype(np.float32), mesh.offset)


def _factors(widest: NDArray[Any], exponent: float) -> Array:
    bounded = np.maximum(widest, 1e-3 * widest.max())
    return np.asarray((bounded / np.exp(np.log(bounded).mean())) ** exponent, np.float32)


def _widest(mesh: Mesh, crops: Array) -> dict[int, Array]:
    """For each tensor the largest magnitude of each channel."""
    outputs = [node.output for node in mesh.nodes]

    def run(faces: tf.Tensor) -> list[tf.Tensor]:
        values = _run(mesh, faces, prelu)
        return [tf.reduce_max(tf.abs(values[each]), axis=[0, 1, 2]) for each in outputs]

    widest = tf.function(run)
    batches = [widest(crops[at : at + 8]) for at in range(0, len(crops), 8)]
    found = [np.max([each.numpy() for each in channel], axis=0) for channel in zip(*batches, strict=True)]
    return dict(zip(outputs, found, strict=True))


def _run(mesh: Mesh, faces: tf.Tensor, activation: Activation) -> dict[int, tf.Tensor]:
    values = {mesh.start: faces}
    for at, node in enumerate(mesh.nodes):
        values[node.output] = _applied(mesh, at, [values.get(index) for index in node.inputs], activation)
    return values


def _applied(mesh: Mesh, at: int, inputs: list[tf.Tensor], activation: Activation) -> tf.Tensor:
    node, constants = mesh.nodes[at], mesh.constants
    if node.kind == _OP.PRELU:
        return activation(inputs[0], constants[at, 1].ravel())
    if node.kind == _OP.ADD:
        return inputs[0] + inputs[1]
    if node.kind == _OP.MAX_POOL_2D:
        return tf.nn.max_pool2d(inputs[0], 2, 2, "VALID")
    if node.kind == _OP.PAD:
        return tf.pad(inputs[0], constants[at, 1].astype(int).tolist())
    convolve = tf.nn.conv2d if node.kind == _OP.CONV_2D else tf.nn.depthwise_conv2d
    around = "VALID" if node.options.padding == schema.Padding.VALID else "SAME"
    strides = [1, node.options.strideH, node.options.strideW, 1]
    return convolve(inputs[0], constants[at, 1].transpose(1, 2, 3, 0), strides, around) + constants[at, 2]


ACTIVATIONS: Mapping[str, Activation] = {"PReLU": prelu, "PReLU rewritten for XNNPACK": prelu_for_int8}
