"""Sealing opens for one key in one context; topics carry nothing but what they should."""

from dataclasses import fields, replace

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from device.wire.sealing import (
    SEALING_OVERHEAD_BYTES,
    SealingContext,
    SealingError,
    commitment,
    reference_context,
    seal,
    unseal,
)
from device.wire.topics import Leaf, every_terminal, parse_topic, topic

KEY = X25519PrivateKey.generate()
CONTEXT = reference_context(request="r", terminal="t", purpose="p")


@given(st.binary(max_size=200))
def test_what_was_sealed_is_unsealed(plaintext):
    sealed = seal(plaintext, KEY.public_key(), CONTEXT)
    assert len(sealed) == len(plaintext) + SEALING_OVERHEAD_BYTES
    assert unseal(sealed, KEY, CONTEXT) == plaintext


@pytest.mark.parametrize("name", [field.name for field in fields(SealingContext)])
def test_every_part_of_the_context_counts(name):
    sealed = seal(b"portrait", KEY.public_key(), CONTEXT)
    with pytest.raises(SealingError):
        unseal(sealed, KEY, replace(CONTEXT, **{name: "other"}))


def test_parts_cannot_be_shifted_into_each_other():
    assert reference_context(request="ab", terminal="c", purpose="").info() != (
        reference_context(request="a", terminal="bc", purpose="").info()
    )


def test_another_key_does_not_open():
    with pytest.raises(SealingError):
        unseal(seal(b"portrait", KEY.public_key(), CONTEXT), X25519PrivateKey.generate(), CONTEXT)


@given(st.binary(max_size=120))
def test_bytes_of_any_kind_are_refused(sealed):
    with pytest.raises(SealingError):
        unseal(sealed, KEY, CONTEXT)


def test_the_commitment_is_that_of_the_contract():
    assert commitment(b"reference", b"n" * 32) == "1782d15faccf5dd3b7e75c2a3edb00679ed2bc32a562921094fddd471883937a"


@pytest.mark.parametrize("leaf", list(Leaf))
def test_topics_read_back(leaf):
    assert parse_topic(topic("shop-1", leaf)) == ("shop-1", leaf)
    assert every_terminal(leaf) == f"likeness/v1/+/{leaf}"


@pytest.mark.parametrize("terminal", ["", "+", "#", "a/b", "A", "-a", "a-", "a" * 33, "é", "a\n"])
def test_ids_that_would_change_a_topic_are_refused(terminal):
    with pytest.raises(ValueError, match="1 to 32"):
        topic(terminal, Leaf.RESULT)


@given(st.text(max_size=60))
def test_foreign_topics_are_none(name):
    assert parse_topic(name) is None


@pytest.mark.parametrize(
    "name", ["likeness/v1", "likeness/v1/a", "likeness/v1/a/b", "likeness/v1/a/result/x", "x/likeness/v1/a/result"]
)
def test_near_topics_are_none(name):
    assert parse_topic(name) is None
