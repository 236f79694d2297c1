"""Central with nothing but a memory: the rules of `central` and of the wire, as the custody vectors need them."""

from __future__ import annotations

import itertools
from typing import Any

from contract_files import public_keys, read

from central.assessment import contradiction, disagreement
from device.wire.anchor import AnchorClaims
from device.wire.chain import ChainHead, ChainPosition, Standing, Surroundings, classify
from device.wire.claims import ResultClaims, ResultPlace
from device.wire.envelope import Envelope, EnvelopeError, Kind, kind_among, open_envelope
from device.wire.fields import ClaimsError
from device.wire.request import RequestClaims
from device.wire.topics import CARRIES, Leaf

KEYS = public_keys()
REGISTRY = read("keys")
OWNERS = {key["kid"]: key for key in REGISTRY["results"]}
LINKED = {Standing.NEXT, Standing.GAP, Standing.FILLS_GAP, Standing.ANCHOR}


class Central:
    def __init__(self, requests: list[str], *, rehearsal: bool) -> None:
        self.rehearsal = rehearsal
        opened = [open_envelope(raw.encode(), Kind.REQUEST, KEYS[Kind.REQUEST]) for raw in requests]
        self.requests = {claims.jti: claims for claims in (RequestClaims.read(envelope.payload) for envelope in opened)}
        self.links: dict[str, dict[tuple[int, int], tuple[str, str]]] = {}
        self.known: dict[str, str] = {}
        self.apart: set[str] = set()
        self.answers: dict[str, int] = {}

    def take(self, terminal: str, raw: bytes) -> str:
        try:
            kind = kind_among(raw, CARRIES[Leaf.RESULT])
            envelope = open_envelope(raw, kind, KEYS[kind])
            claims: Any = (AnchorClaims if kind is Kind.ANCHOR else ResultPlace).read(envelope.payload)
        except EnvelopeError as error:
            return f"refused: {error.fault.value}"
        except ClaimsError:
            return "refused: malformed"
        if not OWNERS[envelope.kid]["terminal"] == terminal == claims.iss:
            return "refused: other-terminal"
        place = claims.position if kind is Kind.ANCHOR else ChainPosition(claims.epoch, claims.seq, claims.prev)
        if envelope.sha256 not in self.known:
            self.known[envelope.sha256] = self._judge(terminal, envelope, place)
        return self.known[envelope.sha256]

    def _judge(self, terminal: str, envelope: Envelope, place: ChainPosition) -> str:
        links = self.links.setdefault(terminal, {})
        standing = classify(place, envelope.sha256, self._surroundings(terminal, place))
        if standing not in LINKED:
            self.apart.add(envelope.sha256)
            return f"quarantined: {standing.value}"
        links[place.epoch, place.seq] = (place.prev, envelope.sha256)
        distrust = self._distrust(terminal, envelope)
        return f"quarantined: {distrust}" if distrust else "accepted"

    def _surroundings(self, terminal: str, place: ChainPosition) -> Surroundings:
        links, approved = self.links[terminal], REGISTRY["terminals"][terminal]["epoch"]
        newest = max(links, default=None)
        same, before, after = (links.get((place.epoch, place.seq + step)) for step in (0, -1, 1))
        return Surroundings(
            head=ChainHead(*newest, links[newest][1]) if newest else ChainHead(approved),
            same=same and same[1],
            before=before and before[1],
            after=after and after[0],
            prev_is_fork=place.prev in self.apart,
            approved=approved,
        )

    def _distrust(self, terminal: str, envelope: Envelope) -> str | None:
        revoked = OWNERS[envelope.kid]["revoked"] or REGISTRY["terminals"][terminal]["revoked"]
        if envelope.kind is Kind.ANCHOR:
            return "revoked" if revoked else None
        try:
            claims = ResultClaims.read(envelope.payload)
        except ClaimsError:
            return "malformed-claims"
        if revoked:
            return "revoked"
        if not claims.is_live and not self.rehearsal:
            return "not-live"
        return contradiction(claims) or self._against_request(claims)

    def _against_request(self, claims: ResultClaims) -> str | None:
        if claims.request is None:
            return None
        asked = self.requests.get(claims.request.id)
        if asked is None:
            return "unknown-request"
        if self.answers.get(asked.jti, 0) >= asked.policy.attempts:
            return "too-many-results"
        if (wrong := disagreement(claims, asked)) is not None:
            return wrong
        self.answers[asked.jti] = self.answers.get(asked.jti, 0) + 1
        return None

    def gaps(self, terminal: str) -> list[list[int]]:
        places = [0, *sorted(seq for _, seq in self.links.get(terminal, {}))]
        return [[1, a + 1, b - 1] for a, b in itertools.pairwise(places) if b > a + 1]
