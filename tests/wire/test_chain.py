"""The chain: whatever order results come in, holes show, and forks are never linked."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.wire.chain import GENESIS, ChainHead, ChainPosition, Standing, Surroundings, classify


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def chain(length: int, epoch: int = 1, branch: str = "") -> list[tuple[ChainPosition, str]]:
    head, links = ChainHead(epoch), []
    for number in range(length):
        position, sha256 = head.next(), digest(f"{branch}{epoch}/{number}")
        links.append((position, sha256))
        head = head.advanced(sha256)
    return links


class Holder:
    """A server that links what may be linked, as central's ledger does."""

    def __init__(self, epoch: int = 1) -> None:
        self.epoch, self.links, self.forks = epoch, {}, set()

    def take(self, position: ChainPosition, sha256: str) -> Standing:
        head = max(self.links, default=None)
        same, before, after = (self.links.get((position.epoch, position.seq + step)) for step in (0, -1, 1))
        known = Surroundings(
            head=ChainHead(*head, self.links[head][1]) if head else ChainHead(self.epoch),
            same=same and same[1],
            before=before and before[1],
            after=after and after[0],
            prev_is_fork=position.prev in self.forks,
            approved=self.epoch,
        )
        standing = classify(position, sha256, known)
        if standing in (Standing.NEXT, Standing.GAP, Standing.FILLS_GAP, Standing.ANCHOR):
            self.links[position.epoch, position.seq] = (position.prev, sha256)
        elif standing is not Standing.DUPLICATE:
            self.forks.add(sha256)
        return standing


def test_in_order():
    holder = Holder()
    assert {holder.take(*link) for link in chain(20)} == {Standing.NEXT}


def test_redelivery_is_a_duplicate():
    holder, links = Holder(), chain(3)
    for link in links:
        holder.take(*link)
    assert [holder.take(*link) for link in links] == [Standing.DUPLICATE] * 3


@given(st.permutations(range(8)))
def test_any_order_ends_in_the_same_whole_chain_without_forks(order):
    holder, links = Holder(), chain(8)
    standings = [holder.take(*links[index]) for index in order]
    assert Standing.FORK not in standings and len(holder.links) == 8


@given(st.integers(1, 6), st.lists(st.tuples(st.booleans(), st.integers(0, 8)), max_size=30))
def test_two_chains_from_one_outbox_never_mix(common, deliveries):
    mine = chain(9)
    theirs = mine[:common]
    head = ChainHead(1, common, mine[common - 1][1])
    for number in range(common, 9):
        sha256 = digest(f"clone/{number}")
        theirs.append((head.next(), sha256))
        head = head.advanced(sha256)
    holder = Holder()
    for link in mine:
        holder.take(*link)
    for cloned, index in deliveries:
        standing = holder.take(*(theirs if cloned else mine)[index])
        assert standing is (Standing.FORK if cloned and index >= common else Standing.DUPLICATE)
    assert {sha256 for _, sha256 in holder.links.values()} == {sha256 for _, sha256 in mine}


def test_what_follows_a_fork_is_a_fork_and_not_a_gap():
    holder, links = Holder(), chain(3)
    for link in links:
        holder.take(*link)
    rolled_back = ChainHead(1, 2, links[1][1])
    branch = (rolled_back.next(), digest("branch"))
    after = (rolled_back.advanced(branch[1]).next(), digest("after branch"))
    assert [holder.take(*branch), holder.take(*after)] == [Standing.FORK] * 2


@pytest.mark.parametrize(("epoch", "standing"), [(1, Standing.STALE_EPOCH), (3, Standing.UNANCHORED_EPOCH)])
def test_other_epochs(epoch, standing):
    assert Holder(epoch=2).take(ChainPosition(epoch, 1, GENESIS), digest("x")) is standing


def test_a_first_result_that_follows_something_is_a_fork():
    assert Holder().take(ChainPosition(1, 1, digest("x")), digest("y")) is Standing.FORK


def test_a_gap_is_filled_by_the_very_result_only():
    holder, links = Holder(), chain(3)
    assert holder.take(*links[0]) is Standing.NEXT
    assert holder.take(*links[2]) is Standing.GAP
    assert holder.take(links[1][0], digest("another")) is Standing.FORK
    assert holder.take(*links[1]) is Standing.FILLS_GAP


def anchored(epoch: int, branch: str = "") -> tuple[ChainPosition, str]:
    return ChainPosition(epoch, 0, digest("what was before")), digest(f"anchor {epoch}{branch}")


def after(anchor: tuple[ChainPosition, str], length: int) -> list[tuple[ChainPosition, str]]:
    head, links = ChainHead(anchor[0].epoch, 0, anchor[1]), []
    for number in range(length):
        position, sha256 = head.next(), digest(f"{anchor[1]}/{number}")
        links.append((position, sha256))
        head = head.advanced(sha256)
    return links


def test_an_epoch_goes_on_from_its_anchor():
    holder, anchor = Holder(epoch=1), anchored(2)
    for link in chain(3):
        holder.take(*link)
    holder.epoch = 2
    assert holder.take(*anchor) is Standing.ANCHOR
    assert {holder.take(*link) for link in after(anchor, 3)} == {Standing.NEXT}
    assert holder.take(*anchor) is Standing.DUPLICATE
    assert holder.take(*chain(4)[3]) is Standing.STALE_EPOCH


def test_nobody_links_an_anchor_that_the_registry_does_not_name():
    holder = Holder(epoch=1)
    assert holder.take(*chain(1)[0]) is Standing.NEXT
    assert holder.take(*anchored(2)) is Standing.UNANCHORED_EPOCH
    assert holder.take(*anchored(1)) is Standing.FORK
    holder.epoch = 3
    assert holder.take(*anchored(2)) is Standing.UNANCHORED_EPOCH


def test_an_epoch_has_one_anchor():
    holder = Holder(epoch=2)
    assert holder.take(*anchored(2)) is Standing.ANCHOR
    assert holder.take(*anchored(2, "another")) is Standing.FORK
    assert holder.take(*anchored(1)) is Standing.STALE_EPOCH


def test_a_result_before_its_anchor_is_not_linked():
    holder, anchor = Holder(epoch=2), anchored(2)
    assert holder.take(*after(anchor, 1)[0]) is Standing.UNANCHORED_EPOCH
    assert holder.take(ChainPosition(2, 1, GENESIS), digest("without")) is Standing.UNANCHORED_EPOCH


def test_the_first_result_names_the_anchor():
    holder = Holder(epoch=2)
    holder.take(*anchored(2))
    assert holder.take(ChainPosition(2, 1, GENESIS), digest("x")) is Standing.FORK
    assert holder.take(*after(anchored(2), 3)[2]) is Standing.GAP
