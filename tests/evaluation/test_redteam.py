"""The battery's bookkeeping: jobs, seeds, rates, reports and a clean stop."""

import json
import sys
from dataclasses import replace

import pytest

from device.__main__ import main
from device.evaluation.redteam import command_line
from device.evaluation.redteam.battery import BATTERY
from device.evaluation.redteam.campaign import Progress, Setting, jobs_of
from device.evaluation.redteam.gallery import Gallery
from device.evaluation.redteam.journal import JOURNAL
from device.evaluation.redteam.report import JSON, PICTURE, TEXT, Report, as_markdown, write
from device.evaluation.redteam.screen_species import script_for, surplus_script
from device.evaluation.redteam.species import Claim
from device.evaluation.redteam.summary import bona_fide_rate, summarise
from device.evaluation.redteam.trial import Trial, session_seed
from device.vision.inference import Runtime
from device.wire.plan import DEFAULT_ACTIONS, MAX_PAUSE_S, MAX_REACTION_S, MIN_PAUSE_S, Action, possible_plans

BY_NAME = {species.name: species for species in BATTERY}
REJECTED = Trial("print-moved", "a", 0, 7, "rejected", ("flat-face",), None, True, tuple(sorted(DEFAULT_ACTIONS)))


def trials(name, verified, identities):
    """Trials of a species; `verified` and `identities` tell for each session whether and who."""
    return [
        replace(
            REJECTED,
            species=name,
            identity=identity,
            number=number,
            outcome="verified" if passed else "rejected",
            reasons=() if passed else ("flat-face",),
        )
        for number, (passed, identity) in enumerate(zip(verified, identities, strict=True))
    ]


@pytest.fixture
def setting(tmp_path):
    return Setting(tmp_path, Runtime.LITERT, None, 1)


def summary(name, verified, identities):
    (made,) = summarise(BATTERY, trials(name, verified, identities))
    return made


def test_an_identity_is_accepted_when_any_of_its_sessions_was():
    made = summary("print-moved", [True, False, True, False], "aabb")
    assert (made.sessions, made.verified, made.identities, made.accepted) == (4, 2, 2, 2)
    assert (made.rate.hits, made.rate.trials) == (2, 2)
    assert made.holds is False


def test_a_covered_species_holds_without_one_acceptance():
    made = summary("print-moved", [False] * 60, [str(number) for number in range(60)])
    assert made.holds is True
    assert made.rate.high == pytest.approx(0.0596, abs=1e-4)
    assert made.reasons == (("flat-face", 60),)


@pytest.mark.parametrize(("verified", "holds"), [(0, True), (2, True), (5, True), (6, False), (20, False)])
def test_a_guess_holds_while_its_interval_reaches_the_chance(verified, holds):
    made = summary("replay-edited", [number < verified for number in range(60)], "a" * 60)
    assert made.guess == pytest.approx(1 / 32)
    assert made.holds is holds


def test_bona_fide_rates_count_sessions():
    made = summarise(BATTERY, trials("bona-fide", [True] * 19 + [False], "abcd" * 5))
    total = bona_fide_rate(made)
    assert (total.hits, total.trials) == (1, 20)
    assert made[0].holds is True


def test_a_residual_claims_nothing():
    assert summary("puppet", [True], "a").holds is None


def test_jobs_keep_an_identity_together_and_leave_out_what_nobody_can_play():
    jobs = jobs_of(BATTERY, Gallery(None), 2)
    assert [job.number for job in jobs] == sorted(job.number for job in jobs)
    assert {job.identity for job in jobs} == {"astronaut"}
    played = {job.species for job in jobs}
    assert "print-bent" in played
    assert not {"replay-deaf", "recording-tilted", "splice-soft", "stranger"} & played


def test_a_session_seed_depends_on_its_place_alone():
    seeds = {session_seed(1, name, number) for name in BY_NAME for number in range(10)}
    assert len(seeds) == 10 * len(BY_NAME)
    assert session_seed(1, "puppet", 0) == session_seed(1, "puppet", 0) != session_seed(2, "puppet", 0)


def test_a_script_fits_whatever_the_pauses_are():
    """What is guessed is the order: the times of a good script never fail."""
    lasts = {Action.TURN_LEFT: 1.75, Action.TURN_RIGHT: 1.75, Action.BLINK: 0.86, Action.BLINK_TWICE: 0.81}
    for plan in possible_plans(DEFAULT_ACTIONS):
        ready = 0.0
        for at, action in script_for(plan):
            earliest, latest = ready + MIN_PAUSE_S, ready + MAX_PAUSE_S
            assert at > latest
            assert at + 0.3 < earliest + MAX_REACTION_S
            ready = at + lasts[action]


def test_a_script_with_blinks_to_spare_is_in_order():
    times = [at for at, _ in surplus_script(Action.TURN_LEFT)]
    assert times == sorted(times)


def test_the_report_names_residuals_and_says_when_it_is_partial(setting, tmp_path):
    played = trials("print-moved", [False], "a") + trials("puppet", [True], "a")
    report = Report(setting, 3, played, summarise(BATTERY, played))
    text = as_markdown(report)
    assert "PARTIAL: stopped after 2 of 3 sessions" in text
    assert "`puppet`: 1 of 1 identities were accepted" in text
    write(report, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted((JSON, PICTURE, TEXT))
    document = json.loads((tmp_path / "out" / JSON).read_text())
    assert (document["complete"], document["holds"], document["planned"], document["played"]) == (False, True, 3, 2)
    assert document["species"][0]["rate"]["high"] == pytest.approx(0.975)


def test_every_claim_has_a_colour_in_the_picture(setting, tmp_path):
    names = ("print-moved", "replay-edited", "puppet", "bona-fide")
    played = [trial for name in names for trial in trials(name, [False], "a")]
    assert {BY_NAME[name].claim for name in names} == set(Claim)
    report = Report(setting, 4, played, summarise(BATTERY, played))
    write(report, tmp_path)
    assert (tmp_path / PICTURE).stat().st_size > 10_000


def test_a_stopped_campaign_reports_what_was_played(monkeypatch, capsys):
    def run(jobs, setting, workers, tell):
        yield REJECTED
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "run", run)
    monkeypatch.setattr(command_line.signal, "signal", lambda *_: None)
    assert main(["redteam", "--species", "print-moved", "--sessions", "2"]) == command_line.STOPPED
    assert "PARTIAL: stopped after 1 of 2 sessions" in capsys.readouterr().out


def test_a_stopped_campaign_goes_on_where_it_was(monkeypatch, capsys, tmp_path):
    began = []

    def run(jobs, setting, workers, tell):
        began.append([job.number for job in jobs])
        yield replace(REJECTED, number=jobs[0].number)
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "run", run)
    monkeypatch.setattr(command_line.signal, "signal", lambda *_: None)
    command = ["redteam", "--species", "print-moved", "--sessions", "3", "--out", str(tmp_path)]
    main(command)
    with (tmp_path / JOURNAL).open("a") as journal:
        journal.write('{"species": "print-mo')  # the power went in the middle of a line
    main(command)
    assert began == [[0, 1, 2], [1, 2]]
    assert "PARTIAL: stopped after 2 of 3 sessions" in capsys.readouterr().out
    assert main([*command, "--seed", "2"]) == 2
    assert "belongs to another seed, runtime or models" in capsys.readouterr().err
    (tmp_path / JOURNAL).write_text("no journal\n")
    assert main(command) == 2
    assert "is no journal of a campaign" in capsys.readouterr().err


def test_whoever_is_not_usable_is_left_out_and_the_next_one_plays(media):
    gallery = Gallery(media)
    every = list(gallery.documents())
    jobs = jobs_of([BY_NAME["stranger"]], gallery, 3, lambda name: name != every[1])
    assert [job.identity for job in jobs] == [every[0], every[2], every[3]]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--species", "print-mooved"], "print-mooved: no such species"),
        (["--sessions", "0"], "'0' is no count"),
        (["--jobs", "many"], "'many' is no count"),
        (["--media", "/nowhere"], "/nowhere: no pairs/london"),
        (["--species", "splice-soft"], "name the evaluation media"),
    ],
)
def test_bad_input_is_told_in_one_line(arguments, says, capsys):
    try:
        status = main(["redteam", *arguments])
    except SystemExit as left:
        status = left.code
    assert status == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_progress_tells_the_time_left(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    tell = Progress(10)
    tell(1, 1.0)
    tell(5, 100.0)
    tell(10, 200.0)
    assert capsys.readouterr().err.splitlines() == [
        "5 of 10 sessions, about 2 min left",
        "10 of 10 sessions, about 0 min left",
    ]
