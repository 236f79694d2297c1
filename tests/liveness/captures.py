"""A face captured as well as can be."""

from device.signals import CaptureQuality, View

GOOD_CAPTURE = CaptureQuality(
    eye_distance=90.0,
    margin=0.5,
    mouth_opening=0.01,
    brightness=0.5,
    under_exposed=0.0,
    over_exposed=0.0,
    dynamic_range=7.0,
    uniformity=0.9,
    eye_visibility=0.7,
    sharpness=0.5,
)
NEUTRAL = View(
    width=0.5,
    centre_x=0.5,
    centre_y=0.5,
    yaw=2.0,
    pitch=-8.0,
    roll=0.0,
    left_eye=0.28,
    right_eye=0.30,
    quality=GOOD_CAPTURE,
)
