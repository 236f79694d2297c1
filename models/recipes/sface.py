"""Converts OpenCV Zoo's SFace (Zhong et al. 2021, "SFace: Sigmoid-Constrained Hypersphere Loss") from ONNX to TFLite.

The network is a plain chain: 27 times convolution, batch normalisation and PReLU, then batch normalisation, flatten,
a dense layer and batch normalisation. Each normalisation is folded into its neighbour; the dense layer becomes a
convolution over the whole 7 x 7 map, which the int8 scheme quantises with one scale for each output instead of one
for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import onnx
import tensorflow as tf
from numpy.typing import NDArray
from onnx import numpy_helper

INPUT_SHAPE = (1, 112, 112, 3)
_LAST_MAP = (1024, 7, 7)

Array = NDArray[np.float32]
Activation = Callable[[tf.Tensor, Array], tf.Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A convolution with its normalisation folded in and its PReLU slopes (None: linear); kernel is (H, W, in, out)."""

    kernel: Array
    bias: Array
    slopes: Array | None
    stride: int
    padding: int
    depthwise: bool


def read_layers(content: bytes) -> list[Layer]:
    """Returns the layers, the input's normalisation left out; raises ValueError when the graph is not that chain."""
    graph = onnx.load_from_string(content).graph
    constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    expected = ["Sub", "Mul", *["Conv", "BatchNormalization", "PRelu"] * 27]
    expected += ["BatchNormalization", "Dropout", "Flatten", "Gemm", "BatchNormalization"]
    if [node.op_type for node in graph.node] != expected:
        raise ValueError("the ONNX graph is not SFace's chain of 27 convolutions")
    nodes = list(graph.node)
    layers = [_convolution(nodes[at : at + 3], constants) for at in range(2, 2 + 3 * 27, 3)]
    return [*layers, _head(nodes[-5], nodes[-2], nodes[-1], constants)]


def _convolution(block: Sequence[onnx.NodeProto], constants: dict[str, Array]) -> Layer:
    conv, norm, activation = block
    attributes = {each.name: onnx.helper.get_attribute_value(each) for each in conv.attribute}
    scale, offset = _normalisation(norm, constants)
    kernel = constants[conv.input[1]] * scale[:, None, None, None]
    depthwise = attributes["group"] > 1
    order = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)  # a depthwise kernel is height, width, in, multiplier
    slopes = constants[activation.input[1]].ravel()
    return Layer(kernel.transpose(order), offset, slopes, attributes["strides"][0], attributes["pads"][0], depthwise)


def _head(before: onnx.NodeProto, dense: onnx.NodeProto, after: onnx.NodeProto, constants: dict[str, Array]) -> Layer:
    scale, offset = _normalisation(before, constants)
    weights, bias = constants[dense.input[1]].reshape(-1, *_LAST_MAP), constants[dense.input[2]]
    bias = bias + np.einsum("ochw,c->o", weights, offset)
    weights = weights * scale[None, :, None, None]
    scale, offset = _normalisation(after, constants)
    kernel = (weights * scale[:, None, None, None]).transpose(2, 3, 1, 0)
    return Layer(kernel, bias * scale + offset, None, 1, 0, False)


def _normalisation(node: onnx.NodeProto, constants: dict[str, Array]) -> tuple[Array, Array]:
    """Batch normalisation at inference as a scale and an offset for each channel."""
    gamma, beta, mean, variance = (constants[name] for name in node.input[1:5])
    (epsilon,) = (each.f for each in node.attribute if each.name == "epsilon")
    scale = gamma / np.sqrt(variance + epsilon)
    return scale, beta - mean * scale


def prelu(values: tf.Tensor, slopes: Array) -> tf.Tensor:
    """PReLU as every float runtime has it."""
    return tf.nn.relu(values) - tf.nn.relu(-values) * slopes


def prelu_for_int8(values: tf.Tensor, slopes: Array) -> tf.Tensor:
    """The same function as x + sign(c) relu(-|c| x), c = 1 - slope: XNNPACK has no int8 PReLU, but it has these."""
    c = 1 - slopes
    excess = tf.nn.relu(values * -np.abs(c))
    return values + (excess * np.sign(c) if (c < 0).any() else excess)


def to_float16(layers: Sequence[Layer]) -> bytes:
    """Returns the TFLite model with float16 weights that computes in float32."""
    converter = _converter(layers, prelu)
    converter.target_spec.supported_types = [tf.float16]
    return bytes(converter.convert())


def to_int8(layers: Sequence[Layer], calibration: Array) -> bytes:
    """Returns the TFLite model in full int8, input and output too; calibrated on (N, 112, 112, 3) normalised crops."""
    converter = _converter(equalised(layers, calibration), prelu_for_int8)

    def samples() -> Iterator[list[Array]]:
        for crop in calibration:
            yield [crop[None]]

    converter.representative_dataset = samples
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def equalised(layers: Sequence[Layer], calibration: Array) -> list[Layer]:
    """Returns the same function with the channels of each activation brought to like ranges (Nagel et al. 2019).

    int8 activations share one scale for all channels, so a wide one costs the narrow ones their resolution. A PReLU
    passes a positive factor through: what one layer divides by, the next multiplies back in. The exponents, parts of
    the way to equal ranges (smaller before a dense layer, whose weights then share a scale with the factors), were
    chosen for the highest mean cosine to the float original on faces that had no part in the calibration.
    """
    result = list(layers)
    for at, largest in enumerate(_widest_activations(layers, calibration)):
        layer, after = result[at], result[at + 1]
        widest = np.maximum(largest, 1e-3 * largest.max())
        factor = (widest / np.exp(np.log(widest).mean())) ** (0.75 if after.depthwise else 0.5)
        outgoing = factor[:, None] if layer.depthwise else factor
        result[at] = replace(layer, kernel=layer.kernel / outgoing, bias=layer.bias / factor)
        result[at + 1] = replace(after, kernel=after.kernel * factor[:, None])
    return result


def _widest_activations(layers: Sequence[Layer], calibration: Array) -> list[Array]:
    """For each layer but the last, the largest magnitude of each channel after its PReLU."""

    def run(values: tf.Tensor) -> list[tf.Tensor]:
        found = []
        for layer in layers[:-1]:
            values = _activated(layer, _apply(layer, values), prelu)
            found.append(tf.reduce_max(tf.abs(values), axis=[0, 1, 2]))
        return found

    widest = tf.function(run)
    batches = [widest(calibration[at : at + 32]) for at in range(0, len(calibration), 32)]
    return [np.max([each.numpy() for each in channel], axis=0) for channel in zip(*batches, strict=True)]


def _converter(layers: Sequence[Layer], activation: Activation) -> tf.lite.TFLiteConverter:
    def run(values: tf.Tensor) -> tf.Tensor:
        for layer in layers:
            values = _activated(layer, _apply(layer, values), activation)
        return values

    network = tf.function(run, input_signature=[tf.TensorSpec(INPUT_SHAPE, tf.float32, "face")])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([network.get_concrete_function()])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return converter


def _activated(layer: Layer, values: tf.Tensor, activation: Activation) -> tf.Tensor:
    return values if layer.slopes is None else activation(values, layer.slopes)


def _apply(layer: Layer, values: tf.Tensor) -> tf.Tensor:
    around = "SAME" if layer.padding else "VALID"
    if layer.padding and layer.stride > 1:  # "SAME" would pad an even side on one end only
        values = tf.pad(values, [[0, 0], [layer.padding] * 2, [layer.padding] * 2, [0, 0]])
        around = "VALID"
    strides = [1, layer.stride, layer.stride, 1]
    convolve = tf.nn.depthwise_conv2d if layer.depthwise else tf.nn.conv2d
    return convolve(values, layer.kernel, strides, around) + layer.bias
