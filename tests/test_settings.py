"""YAML into a model: whatever is wrong with the file ends as lines that name file and line."""

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, model_validator

from device.settings import MAX_BYTES, Settings, SettingsError, load_settings, parse_settings, read_private_file

WHERE = re.compile(r"f\.yaml:[1-9]\d*: \S")


class Lamp(Settings):
    name: str
    watts: int = 5
    lit: bool = False
    bought: date | None = None
    place: Path | None = None

    @model_validator(mode="after")
    def _not_dark(self) -> "Lamp":
        if self.lit and self.watts == 0:
            raise ValueError("a lit lamp needs watts: give more than 0")
        return self


class Room(Settings):
    lamps: dict[str, Lamp] = Field(default_factory=dict)
    doors: tuple[int, ...] = ()
    height_m: float = 2.5


def faults(text: str, model: type[Settings] = Room) -> list[str]:
    with pytest.raises(SettingsError) as refusal:
        parse_settings(text, "f.yaml", model)
    assert str(refusal.value).splitlines() == refusal.value.faults
    return refusal.value.faults


def test_a_good_file_becomes_the_model():
    room = parse_settings("# a room\nlamps:\n  desk: {name: d, watts: 7}\ndoors: [1, 2]\n", "f.yaml", Room)
    assert room == Room(lamps={"desk": Lamp(name="d", watts=7)}, doors=(1, 2))
    with pytest.raises(ValueError, match="frozen"):
        room.doors = ()


def test_every_fault_is_told_in_the_order_of_the_file():
    text = "lamps:\n  desk:\n    name: d\n    wats: 7\n  wall:\n    watts: many\ndoors: [1,\n  two]\nheight_m: .nan\n"
    assert faults(text) == [
        "f.yaml:4: lamps.desk.wats: is not a known key: remove it or mend its spelling",
        "f.yaml:5: lamps.wall.name: is missing: add it",
        "f.yaml:6: lamps.wall.watts: Input should be a valid integer, unable to parse string as an integer"
        " (found 'many')",
        "f.yaml:8: doors.1: Input should be a valid integer, unable to parse string as an integer (found 'two')",
        "f.yaml:9: height_m: Input should be a finite number (found nan)",
    ]


def test_values_that_contradict_each_other_are_told_at_their_mapping_and_in_order():
    text = "lamps:\n  desk:\n    name: d\n    lit: true\n    watts: 0\ndoor: 1\n"
    assert faults(text) == [
        "f.yaml:2: lamps.desk: a lit lamp needs watts: give more than 0",
        "f.yaml:6: door: is not a known key: remove it or mend its spelling",
    ]


def test_a_key_that_stands_twice_is_refused_at_each_repetition():
    text = "doors: [1]\nlamps:\n  desk: {name: a}\n  'desk': {name: b}\ndoors: [2]\ndoors: [3]\n"
    assert faults(text) == [
        "f.yaml:4: lamps.desk: stands twice: remove one",
        "f.yaml:5: doors: stands twice: remove one",
        "f.yaml:6: doors: stands twice: remove one",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("doors: &d [1]\nlamps: *d\n", "f.yaml:2: not YAML: aliases (*name) are not supported, write the value out"),
        ("a: &a\n  b: *a\n", "f.yaml:2: not YAML: aliases"),
        ("height_m: 1\n<<: {height_m: 2}\n", "f.yaml:2: <<: merging is not supported: write the values out"),
        ("height_m: 1\ndoors: [1\n", "f.yaml:3: not YAML: expected ',' or ']'"),
        ("height_m: 1\n\tdoors: 2\n", "f.yaml:2: not YAML: found character '\\t'"),
        ("height_m: 1\n---\nheight_m: 2\n", "f.yaml:2: not YAML: but found another document"),
        ("height_m: 1\ndoors: \x07\n", "f.yaml:2: not YAML: holds a control character: remove it"),
        ("? [a]\n: 1\n", "f.yaml:1: not YAML: found unhashable key"),
        ("", "f.yaml:1: expected a mapping (key: value), found nothing"),
        ("- 1\n- 2\n", "f.yaml:1: expected a mapping (key: value), found a list"),
        ("hello", "f.yaml:1: expected a mapping (key: value), found a str"),
        ("1: 2", "f.yaml:1: 1: Keys should be strings"),
        ("!!python/object/apply:os.getcwd []", "f.yaml:1: not YAML: could not determine a constructor"),
    ],
)
def test_what_is_no_settings_file_is_refused(text, fault):
    (only,) = faults(text)
    assert only.startswith(fault)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("2024-99-99", "timestamp"),
        ("!!timestamp soon", "timestamp"),
        ("!!bool maybe", "bool"),
        ("!!int ''", "int"),
        ("!!float ''", "float"),
        ("0x_", "int"),
        ("9" * 5000, "int"),
    ],
)
def test_a_value_that_python_cannot_build_is_told_with_its_line(value, kind):
    assert faults(f"height_m: 1\ndoors:\n- 1\n- {value}\n") == [f"f.yaml:4: not YAML: not a valid {kind}"]


@pytest.mark.parametrize("bomb", ["[" * 100_000, "{a: " * 50_000, "- " * 50_000, "? " * 50_000, "[" * 33 + "]" * 33])
def test_a_nesting_bomb_is_refused(bomb):
    (only,) = faults(bomb)
    assert only == "f.yaml:1: not YAML: nested more than 32 deep"


def test_thirty_two_levels_are_no_bomb():
    (only,) = faults("doors: " + "[" * 31 + "1" + "]" * 31)
    assert only.startswith("f.yaml:1: doors.0: Input should be a valid integer (found [[[")
    many = ", ".join("[1, {a: [2]}]" for _ in range(100))
    assert len(faults(f"doors: [{many}]")) == 100


@pytest.mark.parametrize(("key", "shown"), [(r"a\nb", r"a\nb"), (r"\e[2J", r"\x1b[2J"), (r"\u202e", r"\u202e")])
def test_a_fault_is_one_printable_line_whatever_the_key(key, shown):
    assert faults(f'"{key}": 1') == [f"f.yaml:1: {shown}: is not a known key: remove it or mend its spelling"]


@pytest.mark.parametrize("place", [r"a\0b", r"\ud800"])
def test_a_place_that_no_file_can_have_is_refused(place):
    assert faults(f'name: n\nplace: "{place}"', Lamp) == [
        "f.yaml:2: place: holds a NUL or half a character: write plain text"
    ]


@given(st.text() | st.text(alphabet="ab: -?[]{}&*!|>'\"#%\n\t0123.<=~", max_size=60))
def test_any_text_is_a_model_or_a_list_of_faults(text):
    try:
        parse_settings(text, "f.yaml", Room)
    except SettingsError as error:
        assert error.faults
        assert all(WHERE.match(fault) and fault.isprintable() for fault in error.faults)


YAML_PARTS = (
    *("lamps", "name", "watts", "bought", ": ", "\n", "\n  ", "- ", "? ", "[", "]", "{", "}", '"', "&x ", "*x", "<<"),
    *("!!bool ", "!!int ", "!!float ", "!!timestamp ", "!!omap ", "!!set ", "!!binary ", "!!pairs ", "!<x> ", "%YAML"),
    *("---", "1", "0x", "-", ".", "_", "2001-01-01", "T", "12:00:00", "+99:99", r"\u12", r"\0", "é", "\ud800", "\0"),
)


@given(st.lists(st.sampled_from(YAML_PARTS), max_size=10).map("".join))
def test_any_yaml_is_a_model_or_a_list_of_faults(text):
    test_any_text_is_a_model_or_a_list_of_faults.hypothesis.inner_test(text)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    for path, why in ((tmp_path / "none.yaml", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(SettingsError) as refusal:
            load_settings(path, Room)
        assert refusal.value.faults == [f"{path}: cannot be read: {why}"]


def test_a_file_that_is_not_text_is_refused_with_the_line(tmp_path):
    path = tmp_path / "room.yaml"
    path.write_bytes(b"height_m: 2\ndoors: [1]\nlamps: \xff\xfe\n")
    with pytest.raises(SettingsError) as refusal:
        load_settings(path, Room)
    assert refusal.value.faults == [f"{path}:3: not UTF-8 text"]


def test_a_file_that_is_too_large_is_refused(tmp_path):
    path = tmp_path / "room.yaml"
    path.write_bytes(b"#" * MAX_BYTES)
    with pytest.raises(SettingsError, match=r"room\.yaml:1: expected a mapping"):
        load_settings(path, Room)
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(SettingsError) as refusal:
        load_settings(path, Room)
    assert refusal.value.faults == [f"{path}: larger than 256 KiB: not a settings file"]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o700, 0o604])
def test_a_secret_that_others_may_read_is_refused(tmp_path, mode):
    path = tmp_path / "result.key"
    path.write_bytes(b"secret")
    path.chmod(mode)
    with pytest.raises(SettingsError) as refusal:
        read_private_file(path)
    assert refusal.value.faults == [f"{path}: its mode is {mode:04o}, so that others may touch a secret: chmod 600 it"]
    path.chmod(0o600)
    assert read_private_file(path) == b"secret"
