"""Stores a float16 TFLite model's kernels as int8, one scale for each output channel; it still computes in float32.

The source models keep each constant as float16 behind a DEQUANTIZE operator. Before a kernel the operator stays, and
the constant behind it becomes symmetric int8 (TFLite's quantisation specification: zero point 0, range -127..127).
Biases and PReLU slopes, a hundredth of the bytes and the most sensitive to rounding, become plain float32: with
float16 left among them LiteRT does not hand the graph to XNNPACK and is three times slower.
"""

from __future__ import annotations

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

# Which axis of a kernel counts its output channels.
_CHANNEL_AXIS = {
    schema.BuiltinOperator.CONV_2D: 0,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D: 3,
    schema.BuiltinOperator.FULLY_CONNECTED: 0,
}


def store_weights_as_int8(source: bytes) -> bytes:
    """Returns the model with int8 convolution kernels; raises ValueError when it holds no float16 kernel."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(bytearray(source), 0))
    graph = model.subgraphs[0]
    made_by = {int(operator.outputs[0]): operator for operator in graph.operators}
    changed = 0
    for operator in graph.operators:
        axis = _CHANNEL_AXIS.get(_builtin(model, operator))
        if axis is None:
            continue
        dequantize = made_by.get(int(operator.inputs[1]))
        if dequantize is None or _builtin(model, dequantize) != schema.BuiltinOperator.DEQUANTIZE:
            continue
        kernel = graph.tensors[int(dequantize.inputs[0])]
        if kernel.type == schema.TensorType.FLOAT16:
            _quantise_constant(model, kernel, axis)
            changed += 1
    _store_rest_as_float32(model)
    if not changed:
        raise ValueError("the model holds no float16 kernel: it is not the expected source")
    model.metadata = None  # its buffers name the source file's layout, which no longer holds
    builder = flatbuffers.Builder(len(source))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def quantise_per_channel(kernel: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Returns symmetric int8 values and one scale per index of `axis`; kernel = values * scale within half a scale."""
    others = tuple(each for each in range(kernel.ndim) if each != axis)
    largest = np.abs(kernel).max(axis=others, keepdims=True)
    scale = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    return np.rint(kernel / scale).astype(np.int8), scale.ravel()


def _quantise_constant(model: schema.ModelT, tensor: schema.TensorT, axis: int) -> None:
    raw = bytes(bytearray(model.buffers[tensor.buffer].data))
    kernel = np.frombuffer(raw, np.float16).astype(np.float32).reshape(tensor.shape)
    values, scales = quantise_per_channel(kernel, axis)
    model.buffers[tensor.buffer].data = np.frombuffer(values.tobytes(), np.uint8)
    tensor.type = schema.TensorType.INT8
    tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.scale = scales
    tensor.quantization.zeroPoint = np.zeros(len(scales), np.int64)
    tensor.quantization.quantizedDimension = axis


def _store_rest_as_float32(model: schema.ModelT) -> None:
    graph = model.subgraphs[0]
    stored_at: dict[int, int] = {}
    kept = []
    for operator in graph.operators:
        constant = graph.tensors[int(operator.inputs[0])]
        if _builtin(model, operator) != schema.BuiltinOperator.DEQUANTIZE or constant.type != schema.TensorType.FLOAT16:
            operator.inputs = [stored_at.get(int(index), int(index)) for index in operator.inputs]
            kept.append(operator)
            continue
        raw = bytes(bytearray(model.buffers[constant.buffer].data))
        model.buffers[constant.buffer].data = np.frombuffer(
            np.frombuffer(raw, np.float16).astype("<f4").tobytes(), np.uint8
        )
        constant.type = schema.TensorType.FLOAT32
        stored_at[int(operator.outputs[0])] = int(operator.inputs[0])
    graph.operators = kept


def _builtin(model: schema.ModelT, operator: schema.OperatorT) -> int:
    code = model.operatorCodes[operator.opcodeIndex]
    return int(max(code.builtinCode, code.deprecatedBuiltinCode))
