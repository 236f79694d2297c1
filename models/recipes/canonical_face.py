"""Reads MediaPipe's canonical face out of the geometry metadata in the landmark bundle and writes it as text.

The metadata is a serialised mediapipe.face_geometry.GeometryPipelineMetadata: field 1 is a Mesh3d whose field 3 holds
the vertex buffer (x, y, z, u, v for each vertex), each field 2 is a WeightedLandmarkRef (1: landmark, 2: weight) of the
Procrustes basis.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_MESH, _BASIS, _VERTEX_BUFFER = 1, 2, 3
_VARINT, _BYTES, _FIXED32 = 0, 2, 5
_FLOATS_PER_VERTEX = 5


def canonical_face_csv(metadata: bytes) -> str:
    """Returns one line for each vertex: x, y, z in centimetres and the vertex' weight in the Procrustes fit."""
    coordinates: list[float] = []
    weights: dict[int, float] = {}
    for number, value in _fields(metadata):
        if number == _MESH and isinstance(value, bytes):
            coordinates += [_float(each) for field, each in _fields(value) if field == _VERTEX_BUFFER]
        elif number == _BASIS and isinstance(value, bytes):
            reference = dict(_fields(value))
            landmark = reference.get(1, 0)
            if isinstance(landmark, int):
                weights[landmark] = _float(reference[2])
    lines = ["x_cm,y_cm,z_cm,procrustes_weight"]
    for index in range(len(coordinates) // _FLOATS_PER_VERTEX):
        position = coordinates[index * _FLOATS_PER_VERTEX :][:3]
        lines.append(",".join(f"{value:.7g}" for value in (*position, weights.get(index, 0))))
    return "\n".join(lines) + "\n"


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Each field of a protocol buffers message: its number and its undecoded value."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == _VARINT:
            number, at = _varint(message, at)
            yield tag >> 3, number
            continue
        if kind == _BYTES:
            length, at = _varint(message, at)
        elif kind == _FIXED32:
            length = 4
        else:
            raise ValueError(f"the geometry metadata hold a field of wire type {kind}: not the expected source")
        yield tag >> 3, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _float(value: int | bytes) -> float:
    if not isinstance(value, bytes):
        raise TypeError("the geometry metadata hold an integer where a float is expected")
    return float(struct.unpack("<f", value)[0])
