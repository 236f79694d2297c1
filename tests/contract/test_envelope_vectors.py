"""Every single envelope of the vectors is opened, or refused for the one reason that it names."""

import pytest
from contract_files import public_keys, read
from schemas import CLAIM_SETS

from device.wire.envelope import EnvelopeError, Kind, open_envelope
from device.wire.fields import ClaimsError

VECTORS = read("envelopes")
KEYS = public_keys()


def reason(vector) -> str:
    raw = vector["envelope"].encode() if "envelope" in vector else bytes.fromhex(vector["envelope_hex"])
    kind = Kind(f"likeness-{vector['kind']}+jwt")
    try:
        envelope = open_envelope(raw, kind, KEYS[kind])
        CLAIM_SETS[vector["kind"]].read(envelope.payload)
    except EnvelopeError as error:
        return error.fault.value
    except ClaimsError:
        return "malformed-claims"
    assert envelope.sha256 == vector["sha256"]
    return "opened"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['kind']}: {vector['name']}")
def test_it_is_opened_or_refused_for_its_reason(vector):
    assert reason(vector) == vector["expect"]


def test_there_are_many_bad_ones_and_no_two_with_one_name():
    assert sum(vector["expect"] != "opened" for vector in VECTORS) >= 300
    assert len({(vector["kind"], vector["name"]) for vector in VECTORS}) == len(VECTORS)
