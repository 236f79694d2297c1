"""Every parser, a little each time: hypothesis looks for what `tests/fuzz/run` looks for at length."""

import random

import pytest
from fuzz import LONGEST_INPUT, tried
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutated
from parsers import parsers

PARSERS = parsers()


@pytest.mark.parametrize("name", PARSERS)
def test_whatever_comes_is_understood_or_refused(name):
    parser = PARSERS[name]
    any_bytes = st.binary(max_size=300)
    mutations = st.builds(
        lambda raw, seed: mutated(raw, parser.corpus, random.Random(seed), LONGEST_INPUT),
        st.sampled_from(parser.corpus),
        st.integers(0, 2**32),
    )

    @settings(max_examples=max(10, int(60 * parser.share)), deadline=None)
    @given(st.one_of(any_bytes, mutations, mutations))
    def search(raw: bytes) -> None:
        tried(name, parser, raw)

    search()


@pytest.mark.parametrize("name", PARSERS)
def test_the_corpus_is_understood(name):
    """Otherwise the search would never get behind the first check."""
    parser, understood = PARSERS[name], 0
    for raw in parser.corpus:
        try:
            parser.parse(raw)
        except parser.errors:
            continue
        understood += 1
    assert understood


X448_TOO_SHORT = b"""-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VvBCIEIGZ1enpmdXp6ZnV6emZ1enpmdXp6ZnV6emZ1enpmdXp6
-----END PRIVATE KEY-----
"""
JPEG_2000 = b"\x00\x00\x00\x0cjP  \r\n\x87\n\x00\x00\x00\x14ftypjp2 \x00\x00\x00\x00jp2 " + bytes(600)


@pytest.mark.parametrize(
    ("name", "raw"),
    [("signing key", X448_TOO_SHORT), ("unsealing key", X448_TOO_SHORT), ("picture", JPEG_2000)],
)
def test_what_was_found_once_is_refused(name, raw):
    with pytest.raises(PARSERS[name].errors):
        PARSERS[name].parse(raw)
