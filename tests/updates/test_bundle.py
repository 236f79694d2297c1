"""The reader of bundles: whatever is not exactly what was signed is refused, and leaves nothing behind."""

import io
import json
import tempfile
from pathlib import Path

import pytest
from bundles import FILES, KEY, KEYS, bundle_bytes, claims, made, opened
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from device.updates.bundle import UpdateError, open_bundle, unpack
from device.wire.envelope import Kind, SigningKey, sign
from device.wire.update import (
    FIRST_LINE,
    MAX_MEMBER_BYTES,
    BundleKind,
    UpdateClaims,
    is_drawn,
    version_parts,
)

MEMORY = Path("/dev/shm")


def unpacked(raw: bytes) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        place = Path(folder, "release")
        unpack(opened(raw), place)
        found = {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}
        assert not list(Path(folder).glob("[!r]*"))
        return found


def test_a_bundle_unpacks_to_what_was_signed():
    assert unpacked(bundle_bytes()) == FILES


def test_a_byte_changed_left_out_or_put_in_anywhere_is_refused():
    raw = bundle_bytes({"a.yaml": b"0123456789"})
    for place in range(len(raw)):
        changes = [bytes([raw[place] ^ 1]) + raw[place + 1 :], raw[place + 1 :], b"\x00" + raw[place:], b""]
        for rest in changes[place % 2 :: 2] if place % 8 else changes:
            with pytest.raises(UpdateError):
                unpacked(raw[:place] + rest)
    with pytest.raises(UpdateError, match="goes on after its end"):
        unpacked(raw + b"\n")


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b"", "is no update bundle"),
        (b"PK\x03\x04" + bytes(100), "is no update bundle"),
        (FIRST_LINE, "tampered with or is damaged"),
        (FIRST_LINE + b"a.b.c\n", "tampered with or is damaged"),
        (FIRST_LINE + b"A" * (Kind.UPDATE.max_bytes + 5) + b"\n", r"damaged \(oversized\)"),
        (bundle_bytes(key=SigningKey(Ed25519PrivateKey.generate())), "foreign authority"),
        (bundle_bytes()[:-10], "is cut short in weights/one.tflite"),
    ],
)
def test_each_stranger_gets_its_line(raw, line):
    with pytest.raises(UpdateError, match=line):
        unpacked(raw)


def test_another_kind_of_envelope_is_no_manifest():
    raw = FIRST_LINE + sign(Kind.COMMAND, claims().write(), KEY).raw[: Kind.COMMAND.max_bytes] + b"\n"
    with pytest.raises(UpdateError, match="wrong-type"):
        unpacked(raw)


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../up", "a/../b", "a//b", "./a", ".hidden", "a/.pth", "a\\b", "a\n", "a/", "é", "a" * 161],
)
def test_a_path_that_could_surprise_is_not_understood_though_it_is_signed(path):
    document = json.loads(claims().write())
    document["members"][0]["path"] = path
    raw = FIRST_LINE + sign(Kind.UPDATE, json.dumps(document).encode(), KEY).raw + b"\n"
    with pytest.raises(UpdateError, match="does not understand"):
        open_bundle(io.BytesIO(raw), KEYS)


@pytest.mark.parametrize("paths", [("a", "a"), ("a", "a/b"), ("a/b", "a/b/c")])
def test_a_path_stands_once_and_is_a_file_or_a_folder(paths):
    members = [{"path": path, "bytes": 1, "sha256": "0" * 64} for path in paths]
    document = json.loads(claims().write()) | {"members": members}
    with pytest.raises(ValidationError, match="stands twice"):
        UpdateClaims.model_validate_json(json.dumps(document))


@pytest.mark.parametrize(("size", "count"), [(MAX_MEMBER_BYTES + 1, 1), (MAX_MEMBER_BYTES, 5)])
def test_more_bytes_than_a_card_should_take_are_not_understood(size, count):
    members = [{"path": f"m{number}", "bytes": size, "sha256": "0" * 64} for number in range(count)]
    document = json.loads(claims().write()) | {"members": members}
    raw = FIRST_LINE + sign(Kind.UPDATE, json.dumps(document).encode(), KEY).raw + b"\n"
    with pytest.raises(UpdateError, match="does not understand"):
        open_bundle(io.BytesIO(raw), KEYS)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,4}(/[a-z]{1,4}){0,2}", fullmatch=True), st.binary(max_size=64), min_size=1),
    st.data(),
)
def test_any_bundle_comes_out_as_it_went_in_and_any_change_is_refused(files, data):
    folders = {path[:end] for path in files for end, sign_ in enumerate(path) if sign_ == "/"}
    files = {path: raw for path, raw in files.items() if path not in folders} or {"a": b""}
    raw = bundle_bytes(files)
    assert unpacked(raw) == files
    place = data.draw(st.integers(0, len(raw) - 1))
    piece = data.draw(st.binary(max_size=8).filter(lambda piece: piece != raw[place : place + 3]))
    changed = raw[:place] + piece + raw[place + 3 :]
    if changed != raw:
        with pytest.raises(UpdateError):
            unpacked(changed)


def test_a_link_in_the_way_is_not_followed(tmp_path):
    (tmp_path / "release").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        unpack(made(), tmp_path / "release")


def test_a_share_is_drawn_evenly_and_only_grows():
    terminals = [f"shop-{number}" for number in range(4000)]
    first = {name for name in terminals if is_drawn(BundleKind.MODELS, 7, name, 50)}
    wider = {name for name in terminals if is_drawn(BundleKind.MODELS, 7, name, 200)}
    assert 140 < len(first) < 260 and 680 < len(wider) < 920 and first < wider
    assert all(is_drawn(BundleKind.MODELS, 7, name, 1000) for name in terminals)
    other = {name for name in terminals if is_drawn(BundleKind.MODELS, 8, name, 50)}
    assert len(first & other) < 40


@pytest.mark.parametrize(("older", "newer"), [("0.9", "0.10"), ("1", "1.0.1"), ("1.2.3", "2"), ("0.1.0", "0.1.1")])
def test_versions_are_numbers(older, newer):
    assert version_parts(older) < version_parts(newer)
    assert version_parts("1.0.0") == version_parts("1")
