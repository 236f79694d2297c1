"""What a birth says of its chain, against what is held: an outbox that went back or lost something shows at once."""

import pytest
import samples

from central.heads import chain_alarms
from device.wire.chain import GENESIS


@pytest.fixture
def held(bench):
    """Central holds the first four results of an epoch, made at 10, 20, 30 and 40 s, and not the fifth."""
    made = [bench.signed(uptime_s=10.0 * number) for number in range(1, 6)]
    for envelope in made[:4]:
        bench.judge(envelope.raw)
    return [envelope.sha256 for envelope in made]


def alarms(bench, **birth):
    said = {"iat": samples.NOW, "uptime_s": 45.0, "waiting": 0} | birth
    return [alarm.sentence for alarm in chain_alarms(bench.ledger.database, "shop-1", samples.birth(**said))]


def test_an_honest_terminal_is_left_alone(bench, held):
    assert alarms(bench, head_seq=4, head_sha256=held[3]) == []
    assert alarms(bench, head_seq=5, head_sha256=held[4], waiting=1) == []
    assert alarms(bench, head_seq=2, head_sha256=held[1], uptime_s=25.0) == []  # a birth that came late
    assert alarms(bench, head_seq=0, head_sha256=GENESIS, boot=samples.OTHER_BOOT, iat=samples.NOW - 90) == []
    assert alarms(bench, epoch=2, head_seq=0, head_sha256=GENESIS) == []
    assert alarms(bench, epoch=None, head_seq=None, head_sha256=None, waiting=None) == []


@pytest.mark.parametrize("birth", [{}, {"boot": samples.OTHER_BOOT, "iat": samples.NOW + 60, "uptime_s": 3.0}])
def test_an_outbox_that_was_put_back_shows_without_a_further_result(bench, held, birth):
    (told,) = alarms(bench, head_seq=2, head_sha256=held[1], **birth)
    assert "was put back" in told and "seq 2" in told


def test_a_clone_shows_by_its_newest_result(bench, held):
    (told,) = alarms(bench, head_seq=4, head_sha256="c" * 64)
    assert "not the one that is held" in told


@pytest.mark.parametrize(("head", "waiting", "gone"), [(5, 0, 1), (9, 3, 2)])
def test_a_truncated_chain_shows_when_fewer_wait_than_are_missing(bench, held, head, waiting, gone):
    (told,) = alarms(bench, head_seq=head, head_sha256="d" * 64, waiting=waiting)
    assert f"{gone} results before it are neither" in told


def test_gaps_count_as_missing(bench, held):
    for _ in range(3):
        last = bench.signed()
    bench.judge(last.raw)
    assert alarms(bench, head_seq=8, head_sha256=last.sha256, waiting=3) == []
    (told,) = alarms(bench, head_seq=8, head_sha256=last.sha256, waiting=2)
    assert "1 results before it are neither" in told
