"""The example of docs/central.md, as it stands there, with a storage of its own: it decides what the ledger decides."""

import re
from pathlib import Path

import samples
from bench import Bench
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from central.assessment import Asked
from device.wire.chain import ChainHead
from device.wire.envelope import Kind, open_envelope, sign
from device.wire.receipt import ReceiptClaims, Verdict

DOCUMENT = Path(__file__).parents[2] / "docs" / "central.md"


class Storage:
    """Dictionaries: what another server has in its database."""

    def __init__(self, asked):
        self.refused, self.linked, self.apart, self.verdicts, self.asked, self.answers = [], {}, set(), {}, asked, 0
        self.heads = {}

    def count(self, terminal, reason):
        self.refused.append((terminal, reason))

    def head(self, terminal):
        return self.heads.get(terminal)

    def digest_at(self, *place):
        return self.linked.get(place, (None, None))[0]

    def prev_at(self, *place):
        return self.linked.get(place, (None, None))[1]

    def is_apart(self, terminal, digest):
        return (terminal, digest) in self.apart

    def request_of(self, claims):
        return (self.asked, self.answers) if claims and claims.request else (None, 0)

    def keep(self, opened, judgement):
        if opened.sha256 in self.verdicts:  # a duplicate of something set apart
            return
        place = opened.position
        self.verdicts[opened.sha256] = judgement.verdict, judgement.distrust and judgement.distrust.value
        if not judgement.linked:
            self.apart.add((opened.terminal, opened.sha256))
            return
        self.linked[opened.terminal, place.epoch, place.seq] = opened.sha256, place.prev
        head = self.heads.get(opened.terminal, ChainHead(0))
        if (place.epoch, place.seq) > (head.epoch, head.seq):
            self.heads[opened.terminal] = ChainHead(place.epoch, place.seq, opened.sha256)
        self.answers += bool(opened.claims and opened.claims.request and judgement.verdict is Verdict.ACCEPTED)

    def verdict(self, digest):
        return self.verdicts[digest]


def example(bench, monkeypatch):
    """Runs the page's code where the registry lies; returns its function."""
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    monkeypatch.chdir(bench.folder)
    names = {}
    exec(compile(code, str(DOCUMENT), "exec"), names)
    return names["on_result"]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.lists(st.integers(0, 8), min_size=1, max_size=14))
def test_the_example_decides_what_the_ledger_decides(tmp_path_factory, monkeypatch, order):
    bench = Bench(tmp_path_factory.mktemp("bench"))
    bench.asks(samples.request())
    answer = {"offline": False, "request": samples.echo(), "reference": samples.card()}
    raws = [
        bench.signed().raw,
        bench.signed(**answer).raw,
        bench.signed(challenge=None).raw,
        bench.signed(**answer).raw,
    ]
    first = ChainHead(1, 1, open_envelope(raws[0], Kind.RESULT, bench.registry.keys).sha256)
    bench.head = first
    raws += [bench.signed(iat=samples.NOW + 1).raw, bench.signed().raw, bench.anchor("shop-1", epoch=2).raw, b"x"]
    raws.append(sign(Kind.RESULT, samples.result(terminal="shop-2").write(), bench.keys["shop-2"]).raw)
    on_result, storage = example(bench, monkeypatch), Storage(Asked.of(samples.request()))
    for index in order:
        entry = bench.judge(raws[index])
        receipts = on_result("shop-1", raws[index], storage, bench.requests, samples.NOW)
        keys = {bench.requests.kid: bench.requests.private.public_key()}
        read = [ReceiptClaims.read(open_envelope(receipt.raw, Kind.RECEIPT, keys).payload) for receipt in receipts]
        assert [said for receipt in read for said in receipt.entries] == ([entry] if entry else [])
    assert sorted(storage.refused) == sorted(
        (terminal, reason) for terminal, reason, times in bench.ledger.refusals() for _ in range(times)
    )
    bench.ledger.close()
