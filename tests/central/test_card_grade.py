"""The printed card: what central asked for is what the result has to say."""

import json

import pytest
import samples

from central.assessment import Asked, Distrust, disagreement
from device.wire.claims import Grade, ReferenceMark
from device.wire.request import Policy, RequestClaims, SealedReference
from device.wire.sealing import SEALING_OVERHEAD_BYTES, commitment

SEALED = SealedReference(
    sealed=bytes(SEALING_OVERHEAD_BYTES + 1), commitment=commitment(samples.PORTRAIT, samples.NONCE)
)


def request(*grades: Grade, reference: SealedReference | None = None) -> RequestClaims:
    echo = samples.echo()
    return RequestClaims(
        iss="central",
        aud=samples.TERMINAL,
        jti=echo.id,
        iat=samples.NOW,
        exp=samples.NOW + 300,
        boot=samples.BOOT,
        nonce=samples.NONCE,
        policy=Policy(grades=grades),
        reference=reference,
        **echo.model_dump(exclude={"id"}),
    )


def answered(grade: str, reference: str = SEALED.commitment):
    mark = ReferenceMark(commitment=reference, grade=grade)
    return samples.result(offline=False, request=samples.echo(), reference=mark)


@pytest.mark.parametrize(
    ("asked", "grade", "agrees"),
    [
        (request(Grade.REQUEST, reference=SEALED), "request", True),
        (request(Grade.REQUEST, Grade.CARD, reference=SEALED), "request", True),
        (request(Grade.REQUEST, reference=SEALED), "card", False),
        (request(Grade.REQUEST, Grade.CARD, reference=SEALED), "card", False),
        (request(Grade.CARD), "card", True),
        (request(Grade.CARD), "request", False),
        (request(Grade.CARD), "a-grade-of-a-later-version", False),
        (request(Grade.REQUEST), "card", False),
    ],
)
def test_the_result_s_grade_is_the_one_that_was_asked_for(asked, grade, agrees):
    assert disagreement(answered(grade), Asked.of(asked)) is (None if agrees else Distrust.CONTRADICTS_REQUEST)


def test_a_card_s_commitment_is_any_that_the_terminal_made():
    assert disagreement(answered("card", "d" * 64), Asked.of(request(Grade.CARD))) is None


def test_a_request_of_before_grades_means_a_reference_that_was_sent():
    asked = request(Grade.REQUEST, reference=SEALED)
    old = asked.model_dump(mode="json", exclude_none=True)
    del old["policy"]["grades"]
    assert RequestClaims.read(json.dumps(old).encode()).policy.grades == (Grade.REQUEST,)
