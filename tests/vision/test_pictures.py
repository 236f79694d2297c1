import resource
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from device.vision.pictures import MAX_BYTES, PictureError, decode_picture, read_picture

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
EXTENSIONS = [".jpg", ".png", ".webp", ".bmp", ".ppm"]


def encoded(extension: str, image: np.ndarray | None = None) -> bytes:
    if image is None:
        image = np.zeros((60, 40, 3), np.uint8)
        image[:30] = (200, 30, 30)  # red above (R G B)
    _, content = cv2.imencode(extension, image[..., ::-1])
    return content.tobytes()


def turned_by_exif(jpeg: bytes, orientation: int) -> bytes:
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    segment = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_each_format_comes_as_upright_rgb(extension: str) -> None:
    image = decode_picture(encoded(extension))
    assert image.shape == (60, 40, 3)
    assert image.dtype == np.uint8
    red, green, _ = image[10, 20]
    assert red > 150 > green


def test_the_exif_orientation_is_obeyed() -> None:
    upside_down = decode_picture(turned_by_exif(encoded(".jpg"), 3))
    on_its_side = decode_picture(turned_by_exif(encoded(".jpg"), 6))
    assert upside_down[50, 20, 0] > 150
    assert on_its_side.shape == (40, 60, 3)


def test_grey_and_transparent_pictures_come_as_rgb() -> None:
    _, grey = cv2.imencode(".pgm", np.full((9, 8), 77, np.uint8))
    _, deep = cv2.imencode(".png", np.full((9, 8, 4), 40000, np.uint16))
    assert (decode_picture(grey.tobytes()) == 77).all()
    assert decode_picture(deep.tobytes()).shape == (9, 8, 3)


def test_a_large_picture_is_scaled_down() -> None:
    assert decode_picture(encoded(".png", np.zeros((1000, 4096, 3), np.uint8))).shape == (500, 2048, 3)


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.97])
def test_a_truncated_picture_is_refused(extension: str, share: float) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    content = encoded(extension, noise)
    with pytest.raises(PictureError):
        decode_picture(content[: int(len(content) * share)])


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "empty"),
        (b"hello, I am a portrait", "not a JPEG"),
        (b"GIF89a" + b"\0" * 100, "not a JPEG"),
        (
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 100_000, 100_000) + bytes(13) + b"IEND" + bytes(4),
            "cannot be handled",
        ),
        (b"P6 999999999 999999999 255\n", "cannot be handled"),
        (b"P6 0 7 255\n", "cannot be handled"),
        (b"BM" + bytes(16) + struct.pack("<ii", -4, 9) + bytes(30), "cannot be handled"),
        (b"\xff\xd8\xff" + b"\xff" * 50, "truncated"),
        (b"x" * (MAX_BYTES + 1), "larger than 32 MiB"),
    ],
)
def test_bad_content_is_one_clear_line(content: bytes, fault: str) -> None:
    with pytest.raises(PictureError, match=fault) as refusal:
        decode_picture(content)
    assert "\n" not in str(refusal.value)


def test_a_fault_names_the_file(tmp_path: Path) -> None:
    text = tmp_path / "portrait.jpg"
    text.write_text("no picture")
    with pytest.raises(PictureError, match=r"portrait\.jpg: not a JPEG"):
        read_picture(text)
    with pytest.raises(PictureError, match=r"gone\.jpg: cannot be read: No such file"):
        read_picture(tmp_path / "gone.jpg")
    with pytest.raises(PictureError, match="cannot be read: Is a directory"):
        read_picture(tmp_path)
    with pytest.raises(PictureError, match="not a file name"):
        read_picture(Path("nul\0byte.jpg"))


@given(st.binary(max_size=300), st.sampled_from([b"", *(encoded(extension)[:16] for extension in EXTENSIONS)]))
@example(b"", b"\xff\xd8\xff")
def test_any_bytes_are_a_picture_or_refused(content: bytes, beginning: bytes) -> None:
    try:
        image = decode_picture(beginning + content)
    except PictureError as error:
        assert "\n" not in str(error)
    else:
        assert image.ndim == 3


@given(st.sampled_from(EXTENSIONS), st.integers(0, 10**6), st.binary(min_size=1, max_size=6))
def test_a_damaged_picture_is_decoded_or_refused(extension: str, place: int, damage: bytes) -> None:
    content = bytearray(encoded(extension))
    at = place % len(content)
    content[at : at + len(damage)] = damage
    try:
        decode_picture(bytes(content))
    except PictureError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("head", [b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"])
def test_jpeg_2000_never_reaches_its_decoder(head):
    with pytest.raises(PictureError, match="not a JPEG, PNG"):
        decode_picture(head + bytes(600))


def test_a_png_chunk_longer_than_the_file_takes_no_memory():
    raw = encoded(".png", np.zeros((8, 8, 3), np.uint8))
    at = raw.index(b"IDAT") - 4
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(PictureError, match="truncated"):
        decode_picture(raw[:at] + struct.pack(">I", 3 << 29) + raw[at + 4 :])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024
