"""Keys under the credential that systemd hands over: encrypted on the disk, and of no use without it."""

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from device.delivery.at_rest import CREDENTIAL, passphrase
from device.delivery.keys import create_terminal_keys, load_terminal_keys
from device.delivery.pipe import tls_context
from device.settings import SettingsError
from device.wire.keys import private_pem

SECRETS = ("result.key", "unsealing.key", "tls.key")


@pytest.fixture
def credential(tmp_path, monkeypatch):
    """The folder of credentials of a service of this machine."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / CREDENTIAL).write_text("0123456789abcdef\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    return folder / CREDENTIAL


@pytest.fixture
def encrypted(tmp_path, made, keys, credential):
    """A terminal's folder with its secrets encrypted."""
    folder = tmp_path / "keys"
    folder.mkdir()
    tls = load_pem_private_key(keys.tls.key.read_bytes(), None)
    secrets = {"result.key": keys.result_key.private, "unsealing.key": keys.unsealing_key, "tls.key": tls}
    for path in keys.tls.key.parent.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
        (folder / path.name).chmod(0o600)
    for name, key in secrets.items():
        (folder / name).write_bytes(private_pem(key, passphrase()))
    return folder


def test_new_keys_are_encrypted_where_there_is_a_credential(tmp_path, credential):
    create_terminal_keys(tmp_path / "new")
    for name in SECRETS:
        path = tmp_path / "new" / name
        assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
        assert path.stat().st_mode & 0o777 == 0o600


def test_encrypted_keys_are_the_same_keys(encrypted, keys):
    loaded = load_terminal_keys(encrypted)
    assert loaded.result_key.kid == keys.result_key.kid
    assert tls_context(loaded.tls).cert_store_stats()["x509_ca"] == 1
    assert "0123456789abcdef" not in repr(loaded)


def test_a_stolen_cards_keys_open_nowhere_else(encrypted, credential):
    credential.write_text("another machine's")
    with pytest.raises(SettingsError, match=r"credential does not open it.*enrol with a new token"):
        load_terminal_keys(encrypted)


def test_whoever_has_no_credential_is_told_how(encrypted, monkeypatch):
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(SettingsError, match="as root, use likeness-service"):
        load_terminal_keys(encrypted)


def test_plain_keys_are_read_beside_a_credential(made, keys, credential):
    loaded = load_terminal_keys(keys.tls.key.parent)
    assert loaded.result_key.kid == keys.result_key.kid
    tls_context(loaded.tls)


@pytest.mark.parametrize("environ", [{}, {"CREDENTIALS_DIRECTORY": ""}, {"CREDENTIALS_DIRECTORY": "/nonexistent"}])
def test_without_a_credential_there_is_no_passphrase(environ):
    assert passphrase(environ) is None
