"""What arrives at central in the order of the vectors: custody, verdict, reason, and the holes that are left."""

import pytest
from contract_central import Central
from contract_files import read

VECTORS = read("custody")


@pytest.mark.parametrize("scenario", VECTORS, ids=lambda scenario: scenario["name"])
def test_each_arrival_gets_its_verdict(scenario, tmp_path):
    central = Central(tmp_path, scenario["requests"], rehearsal=scenario["rehearsal"])
    try:
        for arrival in scenario["arrivals"]:
            take = central.take_evidence if arrival.get("leaf") == "evidence" else central.take
            assert take(arrival["terminal"], arrival["envelope"].encode()) == arrival["expect"]
        assert central.gaps("shop-1") == scenario["gaps"]
    finally:
        central.ledger.close()


def test_every_reason_is_there():
    reasons = {arrival["expect"] for scenario in VECTORS for arrival in scenario["arrivals"]}
    named = {reason.removeprefix("quarantined: ") for reason in reasons if reason.startswith("quarantined")}
    assert named == {
        "fork", "stale-epoch", "unanchored-epoch", "malformed-claims", "revoked", "not-live", "plan-mismatch",
        "steps-contradict-plan", "light-mismatch", "comparison-contradicts-itself", "verified-without-evidence",
        "unknown-request", "contradicts-request", "too-many-results", "unknown-result", "contradicts-result",
        "witnessed-contradicts-itself",
    }  # fmt: skip
