"""Tokens, requests and bundles are hostile until they prove otherwise: each fault is one line, and changes nothing."""

import json
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from device.enrolment.steps import finish, prepare_enrolment, prepare_rotation
from device.wire.enrolment import EnrolmentError, read_bundle, read_request, read_token, write_request
from device.wire.envelope import Kind, SigningKey, sign
from device.wire.fields import decode_base64url
from provisioning.vault import ProvisioningError
from tests.provisioning.shop import NOW, days, open_shop


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """A token, a request and its bundle, with the shop that made them."""
    shop = open_shop(tmp_path_factory.mktemp("papers"))
    token = shop.token()
    request = prepare_enrolment(shop.generations(), token)
    bundle = shop.answer(request)
    yield shop, token, request, bundle
    shop.records.close()


def one_line(error):
    text = str(error.value)
    return text and "\n" not in text and text.isprintable()


def damage(raw, cut, at, byte):
    """One byte changed, or the end cut off."""
    return raw[: at % len(raw)] if cut else raw[: at % len(raw)] + bytes([byte]) + raw[at % len(raw) + 1 :]


ANY_DAMAGE = (st.booleans(), st.integers(0, 2**16), st.integers(0, 255))


@given(*ANY_DAMAGE)
def test_a_damaged_bundle_is_never_installed(papers, cut, at, byte):
    _, token, _, bundle = papers
    damaged = damage(bundle, cut, at, byte)
    try:
        authority, identity = read_bundle(damaged, token.root)
    except EnrolmentError as error:
        assert "\n" not in str(error)
    else:
        assert (authority, identity) == read_bundle(bundle, token.root)


@given(*ANY_DAMAGE)
def test_a_damaged_request_is_never_answered(papers, cut, at, byte):
    shop, _, request, bundle = papers
    damaged = damage(request, cut, at, byte)
    try:
        answer = shop.answer(damaged)
    except (EnrolmentError, ProvisioningError) as error:
        assert "\n" not in str(error)
    else:
        assert answer == bundle


@given(*ANY_DAMAGE)
def test_a_damaged_token_reads_as_a_token_or_not_at_all(papers, cut, at, byte):
    text = papers[1].text()
    changed = damage(text.encode(), cut, at, byte).decode("latin-1")
    try:
        read_token(changed)
    except EnrolmentError as error:
        assert "\n" not in str(error)


SIGNS = 'aZ0-_.\0\n\u202e\u00e9\ud800"\\'
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(SIGNS, max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(SIGNS, max_size=12), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(["root", "authority", "identity", "result", "request", "token", "approval", "id", "proof"])


@given(st.binary(max_size=300) | st.dictionaries(NAMES, JSON).map(lambda document: json.dumps(document).encode()))
def test_whatever_is_no_document_is_one_line(raw):
    for read in (lambda: read_bundle(raw, "A" * 43), lambda: read_request(raw), lambda: read_token(str(raw))):
        with pytest.raises(EnrolmentError) as error:
            read()
        assert one_line(error)


@given(st.dictionaries(NAMES, JSON))
def test_a_document_of_the_right_form_and_wrong_content(papers, changes):
    _, token, request, bundle = papers
    for raw, read in ((request, read_request), (bundle, lambda made: read_bundle(made, token.root))):
        changed = json.dumps(json.loads(raw) | changes).encode()
        try:
            read(changed)
        except EnrolmentError as error:
            assert "\n" not in str(error)


def test_a_foreign_authority(papers, tmp_path):
    shop, token, request, _ = papers
    other = open_shop(tmp_path)
    bundle = other.answer(prepare_enrolment(other.generations(), other.token()))
    other.records.close()
    with pytest.raises(EnrolmentError, match="comes from a foreign authority"):
        finish(shop.generations(), bundle, NOW)
    foreign = prepare_enrolment(other.generations(), token)
    assert foreign != request
    with pytest.raises(ProvisioningError, match="used already, by another request"):
        shop.answer(foreign)


def test_the_identity_of_one_bundle_under_the_statement_of_another(papers, tmp_path):
    _, token, _, bundle = papers
    other = open_shop(tmp_path)
    foreign = json.loads(other.answer(prepare_enrolment(other.generations(), other.token())))
    other.records.close()
    mixed = json.dumps(json.loads(bundle) | {"identity": foreign["identity"]}).encode()
    with pytest.raises(EnrolmentError, match="identity was tampered with or is damaged"):
        read_bundle(mixed, token.root)


def test_a_bundle_for_another_terminal(papers):
    shop = papers[0]
    ours = shop.keys
    shop.keys = ours.with_name("elsewhere")
    bundle = shop.answer(prepare_enrolment(shop.generations(), shop.token("shop-18")))
    shop.keys = ours
    with pytest.raises(EnrolmentError, match="is for terminal shop-18, this one is shop-17"):
        finish(shop.generations(), bundle, NOW)


def test_a_clock_at_1970(papers):
    shop, _, request, bundle = papers
    begin = datetime(1970, 1, 1, tzinfo=UTC)
    with pytest.raises(EnrolmentError, match=r"clock says 1970-01-01, but the bundle was signed on 2026-11-22: set"):
        finish(shop.generations(), bundle, begin)
    with pytest.raises(ProvisioningError, match="this computer's clock says 1970-01-01: set it"):
        shop.answer(request, begin)
    with pytest.raises(ProvisioningError, match="this computer's clock says 1970"):
        shop.token(now=begin)
    assert shop.generations().current is None


def signed_again(shop, bundle, *, identity=None, authority=None):
    """The bundle with other claims, under the authority's true signatures: what a mistake there would look like."""
    document = json.loads(bundle)
    for name, kind, key, changes in (
        ("authority", Kind.AUTHORITY, shop.authority.root, authority),
        ("identity", Kind.IDENTITY, shop.authority.issuing, identity),
    ):
        payload = json.loads(decode_base64url(document[name].split(".")[1])) | (changes or {})
        document[name] = sign(kind, json.dumps(payload).encode(), key).raw.decode()
    return json.dumps(document).encode()


def test_a_wrongly_issued_bundle_is_not_installed(shop, tmp_path):
    request = prepare_enrolment(shop.generations(), shop.token())
    bundle = shop.answer(request)
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
    span = (NOW - days(1), NOW + days(1))
    other = open_shop(tmp_path)
    other.records.close()
    issue = shop.authority.clients.issue_client
    ours = x509.load_der_x509_csr(read_request(request)[2].csr).public_key()
    for certificate, line in (
        (issue("shop-17", stranger, *span), "is not for this terminal's key"),
        (issue("shop-18", ours, *span), "is not for this terminal's key"),
        (other.authority.clients.issue_client("shop-17", ours, *span), "is not of the bundle's authority"),
        (issue("shop-17", ours, NOW - days(2), NOW), "expired on 2026-11-22"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "is damaged"),
    ):
        wrong = signed_again(shop, bundle, identity={"certificate": certificate.decode()})
        with pytest.raises(EnrolmentError, match=line):
            finish(shop.generations(), wrong, NOW)
        assert shop.generations().current is None
    assert finish(shop.generations(), signed_again(shop, bundle), NOW).epoch == 1


def test_an_older_statement_or_epoch_is_not_installed(shop):
    request = prepare_enrolment(shop.generations(), shop.token())
    finish(
        shop.generations(),
        signed_again(shop, shop.answer(request), authority={"serial": 3}, identity={"epoch": 4}),
        NOW,
    )
    bundle = shop.answer(prepare_rotation(shop.generations(), new_keys=False))
    with pytest.raises(EnrolmentError, match="older than the one in use"):
        finish(shop.generations(), bundle, NOW)
    with pytest.raises(EnrolmentError, match="for chain epoch 1, this terminal is in 4 already"):
        finish(shop.generations(), signed_again(shop, bundle, authority={"serial": 3}), NOW)
    newer = signed_again(shop, bundle, authority={"serial": 3}, identity={"epoch": 4})
    assert finish(shop.generations(), newer, NOW).epoch == 4


@pytest.mark.parametrize("unsealing", [bytes(32), (1).to_bytes(32, "little")])
def test_an_unsealing_key_that_everybody_could_open_is_refused(shop, unsealing):
    _, _, claims = read_request(prepare_enrolment(shop.generations(), shop.token()))
    weak = claims.model_copy(update={"unsealing": unsealing})
    key = SigningKey(Ed25519PrivateKey.generate())
    with pytest.raises(EnrolmentError, match="not one that anything may be sealed to"):
        shop.answer(write_request(weak, key, shop.token()))


def test_a_request_that_does_not_prove_its_tls_key_is_refused(shop):
    _, _, claims = read_request(prepare_enrolment(shop.generations(), shop.token()))
    key = SigningKey(Ed25519PrivateKey.generate())
    for csr, line in (
        (claims.csr[:-1] + bytes([claims.csr[-1] ^ 1]), "does not prove|is damaged"),
        (b"\x30\x00", "is damaged"),
    ):
        with pytest.raises(EnrolmentError, match=line):
            shop.answer(write_request(claims.model_copy(update={"csr": csr}), key, shop.token()))
    other = claims.model_copy(update={"iss": "shop-18"})
    with pytest.raises(EnrolmentError, match="name two different terminals"):
        shop.answer(write_request(other, key, shop.token("shop-18")))
