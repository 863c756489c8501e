"""Progress: what runs inside what, how long it will take, and who is told."""

from __future__ import annotations

import io
import logging
import sys

import pytest

import dynlab as dl
from dynlab import progress
from dynlab.errors import SettingError
from dynlab.progress import Told, tick


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves when told."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_computation_inside_another_stands_below_it(clock):
    told = Told(every=0.0)
    lines = []
    for tick_heard in [
        (0, 2, "sweep"), (0, 1, "I = 0.1"), (1, 4, "integrate"), (4, 4, "integrate"), (1, 1, "I = -2e-3"),
        (1, 2, "sweep"), (0, 3, "exponents"), (2, 2, "sweep"),
    ]:  # fmt: skip
        clock[0] += 1
        assert told.hears(*tick_heard)
        lines.append([level.note for level in told.levels])
    assert lines == [
        ["sweep"],
        ["sweep", "I = 0.1"],
        ["sweep", "I = 0.1", "integrate"],
        ["sweep", "I = 0.1", "integrate"],
        ["sweep", "I = -2e-3"],
        ["sweep"],
        ["sweep", "exponents"],
        ["sweep"],
    ]


def test_the_time_left_follows_the_pace(clock):
    told = Told(every=0.0)
    told.hears(0, 10, "x")
    clock[0] += 6
    told.hears(3, 10, "x")
    assert told.levels[0].remaining(clock[0]) == pytest.approx(14)  # 3 of 10 in 6 s: 2 s each
    assert told.line() == "x 30% (14 s left)"


def test_what_begins_again_has_a_new_pace(clock):
    told = Told(every=0.0)
    for done in (0, 9):
        told.hears(done, 10, "x")
        clock[0] += 100
    told.hears(0, 10, "x")
    clock[0] += 1
    told.hears(5, 10, "x")
    assert told.levels[0].remaining(clock[0]) == pytest.approx(1)


def test_one_that_is_done_makes_room(clock):
    told = Told(every=0.0)
    told.hears(1, 1, "transient")
    told.hears(0, 1, "exponents")
    assert [level.note for level in told.levels] == ["exponents"]


def test_questions_without_a_note_are_no_progress(clock):
    told = Told(every=0.0)
    assert not told.hears(0.0, 1.0, "")
    assert told.levels == []


def test_ticks_between_two_drawings_are_cheap_and_silent(clock):
    told = Told(every=1.0)
    heard = []
    for _ in range(100):
        clock[0] += 0.1
        heard.append(told.hears(1, 100, "x"))
    assert 10 <= sum(heard) <= 11


def test_a_bar_is_silent_where_nobody_looks(capsys):
    with dl.progress_bar():
        assert tick(1, 2, "x")
    captured = capsys.readouterr()
    assert captured.err == captured.out == ""


def test_a_terminal_sees_every_level(monkeypatch, clock):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with dl.progress_bar():
        for done in range(3):
            clock[0] += 5
            tick(done, 4, "sweep")
            clock[0] += 5
            tick(1, 2, "integrate")
    shown = screen.getvalue()
    assert "sweep:  50%" in shown
    assert "integrate:  50%" in shown
    assert "left" in shown
    assert shown.index("sweep") < shown.index("integrate")


def test_a_log_has_a_line_now_and_then_and_no_handler_is_installed(caplog, clock):
    assert logging.getLogger("dynlab").handlers == []
    with caplog.at_level(logging.INFO, "dynlab"), dl.progress_log(every=10):
        for done in range(100):
            clock[0] += 1
            tick(done, 100, "sweep")
    assert len(caplog.records) == 10
    assert {r.name for r in caplog.records} == {"dynlab"}
    assert caplog.records[1].getMessage() == "sweep 10% (90 s left)"


@pytest.mark.parametrize("every", [0, -1, float("nan")])
def test_a_log_needs_time_between_lines(every):
    with pytest.raises(SettingError, match="every is"), dl.progress_log(every=every):
        pass


def test_levels_of_a_real_study():
    """Branches are followed inside a diagram; the diagram is told of at the end as well."""
    seen = []
    told = Told(every=0.0)
    with dl.observe(lambda *heard: told.hears(*heard) and seen.append(told.line())):
        dl.bifurcation_diagram(dl.zoo.fitzhugh_nagumo, vary="I", over=(0, 2))
    assert any(" > " in line for line in seen)
    assert max(len(line.split(" > ")) for line in seen) <= 4
