"""Stores a float16 TFLite model's kernels as int8, one scale for each output channel; it still computes in float32.

The source models keep each constant as float16 behind a DEQUANTIZE operator. Before a kernel the operator stays, and
the constant behind it becomes symmetric int8 (TFLite's quantisation specification: zero point 0, range -127..127).
Biases and PReLU slopes, a hundredth of the bytes and the most sensitive to rounding, become plain float32: with
float16 left among them LiteRT does not hand the graph to XNNPACK and is three times slower.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

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


def store_weights_as_int8(source: bytes, refined: str | None = None) -> bytes:
    """Returns the model with int8 convolution kernels; raises ValueError when it holds no float16 kernel.

    The kernel that makes the output named `refined` is stored twice, the second time what the first lost by rounding,
    and both products are added: 16 bits for the one kernel that needs them, in operators that every runtime speeds up.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(bytearray(source), 0))
    graph = model.subgraphs[0]
    made_by = {int(operator.outputs[0]): operator for operator in graph.operators}
    changed = 0
    for operator in list(graph.operators):
        axis = _CHANNEL_AXIS.get(_builtin(model, operator))
        if axis is None:
            continue
        dequantize = made_by.get(int(operator.inputs[1]))
        if dequantize is None or _builtin(model, dequantize) != schema.BuiltinOperator.DEQUANTIZE:
            continue
        kernel = graph.tensors[int(dequantize.inputs[0])]
        if kernel.type == schema.TensorType.FLOAT16:
            lost = _quantise_constant(model, kernel, axis)
            if refined is not None and graph.tensors[int(operator.outputs[0])].name == refined.encode():
                _add_what_was_lost(model, operator, dequantize, lost, axis)
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


def _quantise_constant(model: schema.ModelT, tensor: schema.TensorT, axis: int) -> NDArray[np.float32]:
    """Makes a float16 constant int8; returns what the rounding lost."""
    raw = bytes(bytearray(model.buffers[tensor.buffer].data))
    kernel = np.frombuffer(raw, np.float16).astype(np.float32).reshape(tensor.shape)
    values, scales = quantise_per_channel(kernel, axis)
    _store_int8(model, tensor, values, scales, axis)
    return kernel - values * np.expand_dims(scales, tuple(each for each in range(kernel.ndim) if each != axis))


def _store_int8(
    model: schema.ModelT, tensor: schema.TensorT, values: NDArray[np.int8], scales: NDArray[np.float32], axis: int
) -> None:
    model.buffers[tensor.buffer].data = np.frombuffer(values.tobytes(), np.uint8)
    tensor.type = schema.TensorType.INT8
    tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.scale = scales
    tensor.quantization.zeroPoint = np.zeros(len(scales), np.int64)
    tensor.quantization.quantizedDimension = axis


def _add_what_was_lost(
    model: schema.ModelT,
    operator: schema.OperatorT,
    dequantize: schema.OperatorT,
    lost: NDArray[np.float32],
    axis: int,
) -> None:
    """Puts a second product with the kernel `lost` beside `operator`, and the sum of both in its place."""
    graph = model.subgraphs[0]
    stored = _new_tensor(model, lost.shape, "refinement", constant=True)
    _store_int8(model, graph.tensors[stored], *quantise_per_channel(lost, axis), axis)
    kernel = _new_tensor(model, lost.shape, "refinement_dequantized")
    output = int(operator.outputs[0])
    shape = graph.tensors[output].shape
    coarse, fine = (_new_tensor(model, shape, name) for name in ("coarse", "fine"))
    nothing = _new_tensor(model, (lost.shape[axis],), "no_bias", constant=True)
    model.buffers[graph.tensors[nothing].buffer].data = np.zeros(4 * lost.shape[axis], np.uint8)
    operator.outputs = [coarse]
    second = copy.copy(operator)
    second.inputs, second.outputs = [operator.inputs[0], kernel, nothing], [fine]
    loading = copy.copy(dequantize)
    loading.inputs, loading.outputs = [stored], [kernel]
    added = schema.OperatorT()
    added.opcodeIndex = next(
        index
        for index, code in enumerate(model.operatorCodes)
        if max(code.builtinCode, code.deprecatedBuiltinCode) == schema.BuiltinOperator.ADD
    )
    added.inputs, added.outputs = [coarse, fine], [output]
    added.builtinOptionsType, added.builtinOptions = schema.BuiltinOptions.AddOptions, schema.AddOptionsT()
    at = next(index for index, each in enumerate(graph.operators) if each is operator)
    graph.operators[at + 1 : at + 1] = [loading, second, added]


def _new_tensor(model: schema.ModelT, shape: Sequence[int], name: str, *, constant: bool = False) -> int:
    """Adds a float32 tensor; returns its index. A constant has a buffer of its own, the others share the empty one."""
    tensor = schema.TensorT()
    tensor.shape, tensor.name, tensor.type = np.array(shape, np.int32), name.encode(), schema.TensorType.FLOAT32
    tensor.buffer = 0
    if constant:
        tensor.buffer = len(model.buffers)
        model.buffers.append(schema.BufferT())
    graph = model.subgraphs[0]
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


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
