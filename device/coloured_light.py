"""The coloured light of one session: what the ring shows, which frames are measured, and what is made of them.

The code runs from the challenge's first frame to its last, under the cues and not between them: it adds no second to
a session, and whoever answers the light has to answer the cues in the very same frames. Only neutral faces are
measured, since a turned one is lit otherwise.
"""

from __future__ import annotations

from dataclasses import replace

from device.liveness.light import LightFinding, LightSample, judge_light
from device.liveness.rules import Rules
from device.liveness.session import Answered, Cued, Ended, Pausing, Positioning, State
from device.signals import Face, Frame, View
from device.vision.chroma import measure_chroma
from device.wire.light import DARK, WHITE, Duties, LightCode, LightVerdict

RISE_S = 1.0  # from dark to white, while the customer takes position


class ColouredLight:
    """Shows a session's code and remembers how the light in the face changed: numbers only, no pixels."""

    def __init__(self, code: LightCode) -> None:
        self.code = code
        self._samples: list[LightSample] = []

    def ring(self, state: State, at: float) -> Duties:
        """What the ring shows at `at`, seconds on the frames' clock.

        White already while the customer takes position: exposure and white balance settle in the very light in which
        they are then held.
        """
        if isinstance(state, Positioning):
            share = min(max((at - state.since) / RISE_S, 0.0), 1.0)
            return WHITE[0] * share, WHITE[1] * share, WHITE[2] * share
        return self.code.duties(at - state.record.started_at) if isinstance(state, Pausing | Cued) else DARK

    def measure(self, state: State, frame: Frame, face: Face, view: View, rules: Rules) -> View:
        """Adds the chroma to a neutral view of the challenge, and remembers it."""
        if not isinstance(state, Pausing | Cued) or not _is_neutral(state, view, rules):
            return view
        chroma = measure_chroma(frame.image, face)
        if chroma is not None:
            self._samples.append(LightSample(frame.taken_at - state.record.started_at, chroma))
        return replace(view, chroma=chroma)

    def judge(self, final: Answered | Ended) -> LightFinding:
        """What the light showed; a session that ended early was not measured to its end, and is not judged."""
        if isinstance(final, Ended):
            return LightFinding(LightVerdict.NOT_MEASURED)
        return judge_light(self._samples, self.code)


def _is_neutral(state: Pausing | Cued, view: View, rules: Rules) -> bool:
    off = max(abs(state.track.yaw_from_neutral(view)), abs(state.track.pitch_from_neutral(view)))
    return off < rules.neutral_deg
