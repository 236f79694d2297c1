"""Every language has every message, and every message has a sound that is over in time."""

import json
import subprocess
import wave
from importlib import resources

import pytest

from device.panel.catalogue import LANGUAGES, CatalogueError, load_catalogue
from device.panel.sentences import KEYS
from device.voice.rendering import VoiceError, make_sounds
from device.voice.sounds import MANIFEST, load_sounds, read_manifest
from device.wire.claims import SpokenConsent
from device.wire.plan import MAX_REACTION_S

SLOW_REACTION_S = 0.9
BUTTONS = {"en": ("START", "CANCEL"), "es": ("START", "CANCEL"), "zh-CN": ("开始键", "取消键"), "hi": ("स्टार्ट", "कैंसल")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_missing_and_none_is_left_over(language):
    catalogue = load_catalogue(language)
    assert set(catalogue.messages) == KEYS
    assert all(text.strip() == text and text for text in catalogue.messages.values())
    assert len(set(catalogue.messages.values())) == len(KEYS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_consent_names_both_buttons_and_every_language_has_the_same_version(language):
    catalogue = load_catalogue(language)
    assert all(button in catalogue.messages["scene.consent"] for button in BUTTONS[language])
    assert catalogue.consent == load_catalogue("en").consent
    assert SpokenConsent(version=catalogue.consent, language=language, whole=True)


def test_each_catalogue_is_a_language_and_no_other_is_read():
    files = {file.name for file in (resources.files("device.panel") / "catalogues").iterdir()}
    assert files == {f"{language}.json" for language in LANGUAGES}
    with pytest.raises(CatalogueError, match=r"choose from en, zh-CN, es, hi"):
        load_catalogue("../en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_prompt_has_a_sound(folder, language, caplog):
    sounds = load_sounds(folder, load_catalogue(language))
    assert set(sounds) == KEYS
    assert not caplog.records
    for path in sounds.values():
        with wave.open(str(path)) as sound:
            assert (sound.getsampwidth(), sound.getnchannels()) == (2, 1)
            assert 0.4 < sound.getnframes() / sound.getframerate() < 10


@pytest.mark.parametrize("language", LANGUAGES)
def test_whoever_waits_for_the_end_of_a_cue_still_answers_in_time(folder, language):
    for key in (key for key in KEYS if key.startswith("cue.")):
        with wave.open(str(folder / language / f"{key}.wav")) as sound:
            assert sound.getnframes() / sound.getframerate() <= MAX_REACTION_S - SLOW_REACTION_S, key


@pytest.mark.parametrize("language", ["zh-CN", "hi", "es"])
def test_the_voice_speaks_its_own_language(language):
    """Of espeak-ng's two Mandarin voices one takes pinyin for English and reads the tones out as numbers."""
    catalogue = load_catalogue(language)
    command = ["espeak-ng", "-q", "-x", "-b", "1", "-v", catalogue.voice, "--stdin"]
    text = "\n".join(text for text in catalogue.messages.values() if not {"START", "SIM"} & set(text.split()))
    told = subprocess.run(command, input=text, check=True, capture_output=True, encoding="utf-8", timeout=30).stdout
    assert "(en)" not in told


def test_what_is_spoken_is_made_once_and_again_when_the_text_changes(tmp_path, folder):
    made = tmp_path / "voice"
    english = load_catalogue("en")
    short = type(english)("en", "English", "en-gb", 170, "1", {"scene.idle": "Ready.", "cue.blink": "Blink."})
    assert make_sounds(made, [short]) == 2
    assert make_sounds(made, [short]) == 0
    longer = type(english)("en", "English", "en-gb", 170, "1", short.messages | {"cue.blink": "Blink, please."})
    assert set(load_sounds(made, longer)) == {"scene.idle"}
    assert make_sounds(made, [longer]) == 1
    assert set(load_sounds(made, longer)) == {"scene.idle", "cue.blink"}
    assert set(load_sounds(made, short)) == {"scene.idle"}  # after a roll-back, too, nothing speaks another text
    (made / "en" / "cue.blink.wav").unlink()
    assert make_sounds(made, [longer]) == 1


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{", b"\xff", b'{"en/cue.blink.wav": 7}', b"[" * 100_000])
def test_a_manifest_that_says_nothing_is_no_manifest(tmp_path, manifest, caplog):
    (tmp_path / MANIFEST).write_bytes(manifest)
    assert not any("en/scene" in name for name in read_manifest(tmp_path))
    assert load_sounds(tmp_path, load_catalogue("en")) == {}
    assert f"{len(KEYS)} of {len(KEYS)} sentences are missing or out of date" in caplog.text


def test_without_espeak_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VoiceError, match=r"^espeak-ng is not installed: sudo apt-get install espeak-ng$"):
        make_sounds(tmp_path / "voice", [load_catalogue("en")])
    assert json.loads((tmp_path / "voice" / MANIFEST).read_bytes()) == {}


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "voice").write_text("a file")
    with pytest.raises(VoiceError, match="voice: cannot be written"):
        make_sounds(tmp_path / "voice", [load_catalogue("en")])
