"""Paper before a camera: a portrait as a sheet that is tilted and bent."""

import itertools
import math

import cv2
import numpy as np


def sheet(picture, arc: int, tilt: int):
    """A print bent to an arc (degrees of a cylinder, negative is hollow) and tilted about its axis, 640x480."""
    height, width = picture.shape[:2]
    focal, half = 960.0, 400 / height * width / 2
    across = np.linspace(-1.0, 1.0, 161)
    bend, turn = math.radians(arc) / 2, math.radians(tilt)
    flat = abs(bend) < 1e-3
    x = across * half if flat else half / bend * np.sin(across * bend)
    z = across * 0.0 if flat else half / bend * (1.0 - np.cos(across * bend))
    x, z = x * math.cos(turn) - z * math.sin(turn), x * math.sin(turn) + z * math.cos(turn)
    columns, tall = focal * x / (focal + z) + 320, focal * 200 / (focal + z)
    canvas = np.full((480, 640, 3), 110, np.uint8)
    for place, (left, right) in enumerate(itertools.pairwise(range(161))):
        if columns[right] - columns[left] < 0.05:  # hidden behind the bend
            continue
        strip(
            canvas,
            picture,
            (place / 160 * width, (place + 1) / 160 * width),
            columns[[left, right]],
            tall[[left, right]],
        )
    return canvas


def strip(canvas, picture, source, columns, tall) -> None:
    height = picture.shape[0]
    (one, other), (left, right) = source, columns
    corners = np.float32([(one, 0), (other, 0), (other, height), (one, height)])
    seen = np.float32([(left, 240 - tall[0]), (right, 240 - tall[1]), (right, 240 + tall[1]), (left, 240 + tall[0])])
    first, last = max(int(left) - 1, 0), min(int(right) + 2, 640)
    if last <= first:
        return
    seen -= np.float32([first, 0])
    drawn = cv2.warpPerspective(picture, cv2.getPerspectiveTransform(corners, seen), (last - first, 480))
    mask = np.zeros((480, last - first), np.uint8)
    cv2.fillConvexPoly(mask, np.int32(np.round(seen)), 1)
    canvas[:, first:last][mask > 0] = drawn[mask > 0]
