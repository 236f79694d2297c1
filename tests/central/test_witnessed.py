"""A witnessed session: nothing that a camera made, asked for, and never verified."""

import pytest
import samples

from central.shown import as_text
from device.wire.claims import Capture, Outcome, ReferenceMark
from device.wire.request import Policy

NOTHING_SEEN = {
    "offline": False,
    "request": samples.echo(),
    "outcome": Outcome.WITNESSED,
    "reasons": ("witnessed",),
    "comparison": None,
    "challenge": None,
    "reference": None,
    "capture": Capture(source="pi-camera", frames=0, fps=0),
}
FULL = samples.result()


@pytest.mark.parametrize(
    ("grades", "changes", "reason"),
    [
        (("witnessed",), {}, None),
        (("witnessed",), {"outcome": Outcome.DECLINED, "reasons": ("declined",)}, None),
        (("witnessed",), {"outcome": Outcome.INCONCLUSIVE, "reasons": ("consent-not-given",)}, None),
        (("card",), {}, "contradicts-request"),
        (("card", "witnessed"), {}, "contradicts-request"),
        (("witnessed",), {"outcome": Outcome.VERIFIED, "reasons": ()}, "verified-without-evidence"),
        (("witnessed",), {"comparison": FULL.comparison}, "witnessed-contradicts-itself"),
        (("witnessed",), {"challenge": FULL.challenge}, "witnessed-contradicts-itself"),
        (
            ("witnessed",),
            {"reference": ReferenceMark(commitment="d" * 64, grade="card")},
            "witnessed-contradicts-itself",
        ),
        (("witnessed",), {"capture": FULL.capture}, "witnessed-contradicts-itself"),
        (("witnessed",), {"outcome": Outcome.REJECTED, "comparison": FULL.comparison}, "contradicts-request"),
        (("witnessed",), {"offline": True, "request": None}, "witnessed-contradicts-itself"),
    ],
)
def test_what_central_makes_of_it(bench, grades, changes, reason):
    bench.asks(samples.request(policy=Policy(grades=grades)))
    assert bench.judge(bench.signed(**(NOTHING_SEEN | changes)).raw).reason == reason


def test_it_is_shown_as_what_it_is_and_never_verified(bench):
    bench.asks(samples.request(policy=Policy(grades=("witnessed",))))
    envelope = bench.signed(**NOTHING_SEEN)
    assert not samples.result(**NOTHING_SEEN).is_verified
    assert bench.judge(envelope.raw).reason is None
    (held,) = bench.ledger.latest(1)
    painted = as_text(held, bench.registry, lambda text, colour: f"<{colour}>{text}")
    assert "<yellow>WITNESSED" in painted
    assert "VERIFIED" not in painted
