"""Every parser that the broker, a card or a file can reach: what it may be given, and what it may raise.

A parser here takes bytes and either understands them or raises one of its own errors. Whatever else comes out of it is
a crash. Where a signature stands before a parser, the corpus is the signed payload and goes in behind it: a key may be
stolen, and central's parsers meet the keys of every terminal.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import samples
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from central.assessment import Asked, contradiction, disagreement
from central.config import CentralSettings
from central.evidence import EvidenceError, open_evidence
from central.registry import (
    KeyOwner,
    Registry,
    RegistryFile,
    ResultKeyEntry,
    TerminalEntry,
    public_key_text,
    registry_text,
)
from central.verify import RefusedError, open_result
from device.camera.calibration import Calibration
from device.config import TerminalSettings
from device.delivery.keys import _parse_epoch
from device.enrolment.identity import certificate_of
from device.liveness.limits import Limits, read_tally
from device.settings import SettingsError, parse_settings
from device.updates.bundle import UpdateError, check_end, member_bytes, open_bundle
from device.updates.state import Release, State
from device.vision.pictures import PictureError, decode_picture
from device.wire.enrolment import EnrolmentError, read_bundle, read_request, read_token
from device.wire.envelope import Envelope, EnvelopeError, Kind, SigningKey, kind_among, open_envelope, sign
from device.wire.evidence import EvidencePack
from device.wire.fields import Claims, ClaimsError
from device.wire.keys import (
    KeyFormatError,
    parse_sealing_key,
    parse_signing_key,
    parse_unsealing_key,
    parse_verification_keys,
    private_pem,
    public_pem,
)
from device.wire.receipt import ReceiptClaims, ReceiptEntry, Verdict
from device.wire.sealing import SealingError, evidence_context, seal, unseal
from device.wire.topics import Leaf, parse_topic, topic
from device.wire.update import FIRST_LINE, BundleKind
from tests.provisioning.shop import open_shop
from tests.updates import bundles

KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(b"fuzz" * 8))
SEALING = X25519PrivateKey.from_private_bytes(b"seal" * 8)
ENTRY = TerminalEntry(
    outlet="o",
    result_keys=(ResultKeyEntry(public=public_key_text(KEY.private.public_key())),),
    unsealing_key=public_key_text(SEALING.public_key()),
)
REGISTRY = Registry(
    {KEY.kid: KEY.private.public_key()}, {KEY.kid: KeyOwner("shop-1", revoked=False)}, {"shop-1": ENTRY}
)
REPOSITORY = Path(__file__).parents[2]
CALIBRATION = (
    b'rotation: 90\nmirrored: false\ncalibrated: "2026-11-22T12:00:00+00:00"\ncamera: imx708 at i2c\n'
    b"brightness: 0.5\nface_width: 0.3\n"
)


@dataclass(frozen=True)
class Parser:
    """One parser.

    Attributes:
        errors: how it may say no.
        corpus: what it understands.
        share: of all inputs, against 1 for the others: slow ones get less.
    """

    parse: Callable[[bytes], object]
    errors: tuple[type[Exception], ...]
    corpus: list[bytes]
    share: float = 1.0


def parsers() -> dict[str, Parser]:
    """All of them, by name."""
    return _envelopes() | _claims() | _sealed() | _texts() | _enrolment() | _updates() | {"picture": _pictures()}


def _envelopes() -> dict[str, Parser]:
    raw = [sign(kind, claims.write(), KEY).raw for kind, claims in _messages().items()]
    vectors = json.loads((REPOSITORY / "tests" / "vectors" / "envelopes.json").read_text())
    raw += [vector["envelope"].encode() for vector in vectors if len(vector.get("envelope", "")) in range(1, 5000)][
        :150
    ]
    made = {
        f"envelope {kind.name.lower()}": Parser(
            lambda given, kind=kind: open_envelope(given, kind, REGISTRY.keys), (EnvelopeError,), raw
        )
        for kind in _messages()
    }
    made["kind"] = Parser(lambda given: kind_among(given, [Kind.RESULT, Kind.ANCHOR]), (EnvelopeError,), raw)
    made["result at central"] = Parser(lambda given: open_result(given, "shop-1", REGISTRY), (RefusedError,), raw)
    made["signed result at central"] = Parser(_signed_result, (RefusedError,), [_messages()[Kind.RESULT].write()], 0.3)
    topics = [topic("shop-1", leaf).encode() for leaf in Leaf]
    made["topic"] = Parser(lambda given: parse_topic(given.decode("utf-8", "replace")), (), topics)
    return made


def _signed_result(payload: bytes) -> object:
    """Behind the signature: what a terminal with a genuine key may say."""
    try:
        raw = sign(Kind.RESULT, payload, KEY).raw
    except EnvelopeError:
        return None
    return open_result(raw, "shop-1", REGISTRY)


def _messages() -> dict[Kind, Claims]:
    entry = ReceiptEntry(epoch=1, seq=1, sha256="a" * 64, verdict=Verdict.QUARANTINED, reason="fork")
    return {
        Kind.RESULT: samples.result(offline=False, request=samples.echo(), reference=samples.card()),
        Kind.BIRTH: samples.birth(),
        Kind.REQUEST: samples.request(),
        Kind.RECEIPT: ReceiptClaims(iss="central", aud="shop-1", iat=samples.NOW, entries=(entry,)),
        Kind.COMMAND: samples.command(),
        Kind.REPLY: samples.reply(),
        Kind.HEALTH: samples.health(),
        Kind.EVIDENCE: samples.evidence(),
        Kind.ANCHOR: samples.anchor(),
    }


def _claims() -> dict[str, Parser]:
    asked = Asked.of(samples.request())

    def result(given: bytes) -> None:
        claims = type(_messages_of_result).read(given)
        contradiction(claims)
        disagreement(claims, asked)

    _messages_of_result = samples.result()
    made = {
        f"claims {kind.name.lower()}": Parser(type(claims).read, (ClaimsError,), [claims.write()])
        for kind, claims in _messages().items()
        if kind is not Kind.RESULT
    }
    results = [_messages()[Kind.RESULT].write(), samples.result().write()]
    made["claims result, judged"] = Parser(result, (ClaimsError,), results)
    made["claims evidence pack"] = Parser(EvidencePack.read, (ClaimsError,), [samples.pack().write()])
    made["claims asked"] = Parser(Asked.read, (ClaimsError,), [asked.write()])
    return made


def _sealed() -> dict[str, Parser]:
    context = evidence_context(result=samples.evidence().result, terminal="shop-1", purpose="p")
    sealed = seal(samples.pack().write(), SEALING.public_key(), context)
    envelope = Envelope(Kind.EVIDENCE, KEY.kid, b"", b"")
    assert envelope.raw == b""

    def opened(given: bytes) -> object:
        resealed = seal(given, SEALING.public_key(), context) if given else b""
        claims = samples.evidence().model_copy(update={"sealed": resealed})
        asker = samples.result(offline=False, request=samples.echo(purpose="p"))
        return open_evidence("shop-1", claims, asker, SEALING)

    return {
        "sealed": Parser(lambda given: unseal(given, SEALING, context), (SealingError,), [sealed]),
        "evidence, sealed by a terminal": Parser(opened, (EvidenceError,), [samples.pack().write()], 0.2),
    }


def _texts() -> dict[str, Parser]:
    """Files: keys, configuration, registry; and what the outbox remembers."""
    secret, unseal_pem = private_pem(KEY.private), private_pem(SEALING)
    public, sealing = public_pem(KEY.private.public_key()), public_pem(SEALING.public_key())
    pems, wrong = [secret, unseal_pem, public, sealing, public * 3], (KeyFormatError,)

    def settings(model: type) -> Callable[[bytes], object]:
        return lambda given: parse_settings(given.decode("utf-8", "replace"), "file", model)

    terminal = b"keys: keys\noutbox: o.sqlite\nbroker: {host: broker.example, port: 8883}\ncamera: {kind: pi-camera}\n"
    central = (
        b"ledger: l.sqlite\nregistry: r.yaml\nbroker:\n  host: b\n  authority: ca.pem\n"
        b"  receiver: {certificate: c.pem, key: c.key}\n  desk: {certificate: c.pem, key: c.key}\n"
        b"keys: {requests: r, receipts: s}\nrules: {clocks: null, hot_terminals: {results: 5}}\n"
    )
    tally = b'{"boot": "b", "failures": [1.0], "paused_until": 0.0, "attempts": [["r", 1]], "under_way": true}'
    return {
        "signing key": Parser(parse_signing_key, wrong, pems, 0.5),
        "unsealing key": Parser(parse_unsealing_key, wrong, pems, 0.5),
        "verification keys": Parser(parse_verification_keys, wrong, pems, 0.5),
        "sealing key": Parser(parse_sealing_key, wrong, pems, 0.5),
        "chain epoch": Parser(_parse_epoch, wrong, [b"2\n", b"9007199254740991"]),
        "terminal.yaml": Parser(settings(TerminalSettings), (SettingsError,), [terminal], 0.05),
        "central.yaml": Parser(settings(CentralSettings), (SettingsError,), [central], 0.05),
        "registry": Parser(settings(RegistryFile), (SettingsError,), [registry_text({"shop-1": ENTRY}).encode()], 0.05),
        "calibration": Parser(settings(Calibration), (SettingsError,), [CALIBRATION], 0.1),
        "tally": Parser(lambda given: read_tally(given.decode("utf-8", "replace"), "b", 9.0, Limits()), (), [tally]),
    }


def _enrolment() -> dict[str, Parser]:
    """What lies on the boot partition, and what the authority answers."""
    with tempfile.TemporaryDirectory() as folder:
        shop = open_shop(Path(folder))
        token, generations = shop.token(), shop.generations()
        from device.enrolment.steps import prepare_enrolment  # noqa: PLC0415

        request = prepare_enrolment(generations, token)
        bundle = shop.answer(request)
        shop.records.close()

    def identity(given: bytes) -> None:
        certificate_of(read_bundle(given, token.root)[1])

    no = (EnrolmentError,)
    return {
        "token": Parser(lambda given: read_token(given.decode("utf-8", "replace")), no, [token.text().encode()]),
        "enrolment request": Parser(read_request, no, [request], 0.5),
        "enrolment bundle": Parser(identity, no, [bundle], 0.5),
    }


def _updates() -> dict[str, Parser]:
    """What lies on a USB stick or comes from the network, and what the card remembers."""

    def bundle(given: bytes) -> None:
        stream = io.BytesIO(given)
        for member in open_bundle(stream, bundles.KEYS).claims.members:
            for _ in member_bytes(stream, member):
                pass
        check_end(stream)

    def signed(payload: bytes) -> None:
        try:
            manifest = sign(Kind.UPDATE, payload, bundles.KEY).raw
        except EnvelopeError:
            return
        bundle(FIRST_LINE + manifest + b"\n" + b"".join(bundles.FILES.values()))

    trial = State().installed(BundleKind.MODELS, Release(number=7, version="1", content="c" * 64, seal="d" * 64))
    failed, no = trial.given_back(BundleKind.MODELS, "camera"), (UpdateError,)
    return {
        "update bundle": Parser(bundle, no, [bundles.bundle_bytes()], 0.5),
        "signed update manifest": Parser(signed, no, [bundles.claims().write()], 0.5),
        "state of updates": Parser(State.read, (ClaimsError,), [trial.write(), failed.write()]),
    }


def _pictures() -> Parser:
    picture = np.random.default_rng(1).integers(0, 255, (64, 48, 3), np.uint8)
    kinds = (".jpg", ".png", ".webp", ".bmp", ".ppm")
    corpus = [cv2.imencode(kind, picture)[1].tobytes() for kind in kinds]
    return Parser(decode_picture, (PictureError,), corpus, 0.2)
