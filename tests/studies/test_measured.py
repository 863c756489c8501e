"""The page on accuracy and speed shows what was measured: its data are whole, and their tables say them."""

from __future__ import annotations

import importlib
import json
import math
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture
def measured(monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    return importlib.import_module("measured")


@pytest.fixture
def checks(monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    return list(importlib.import_module("accuracy_checks").checks())


def rows_of(table):
    """Return the cells of each row, a bar that is escaped left in its cell."""
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [line.replace(r"\|", "!").strip("|").split("|") for line in lines]


@pytest.mark.parametrize("name", ["accuracy", "speed"])
def test_data_are_small_and_say_where_they_come_from(measured, name):
    path = measured.FOLDER / f"{name}.json"
    assert path.stat().st_size < 60_000
    made = json.loads(path.read_text("utf-8"))["made"]
    assert {"date", "dynlab", "python", "packages", "processor", "cores"} <= set(made)
    table = measured.TABLES[name](measured.read(name))
    assert made["date"] in table
    assert made["processor"] in table


def test_accuracy_is_of_the_checks_that_there_are(measured, checks):
    found = {row["what"]: row for row in measured.read("accuracy")["checks"]}
    assert list(found) == [check.what for check in checks]
    for check in checks:
        assert found[check.what]["truth"] == pytest.approx(check.truth, rel=1e-14)
        assert found[check.what]["source"] == check.source


def test_what_is_shown_as_accurate_is(measured):
    """Nothing off by more than its own doubt, ten digits of a reference, or a thousandth at the most."""
    for row in measured.read("accuracy")["checks"]:
        off = abs(row["value"] - row["truth"])
        assert off < 1e-3 * abs(row["truth"]), row["what"]
        assert math.isfinite(row["value"])


def test_quick_checks_are_as_they_were_measured(measured, checks):
    """Points that are solved for do not depend on the processor beyond rounding."""
    found = {row["what"]: row for row in measured.read("accuracy")["checks"]}
    solved = [check for check in checks if check.what.startswith(("Hopf point", "onset of sync"))]
    assert len(solved) == 3
    for check in solved:
        value, _ = check.compute()
        assert value == pytest.approx(found[check.what]["value"], rel=1e-11)


def test_tables_have_a_cell_for_each_column(measured):
    for name in ("accuracy", "speed"):
        rows = rows_of(measured.TABLES[name](measured.read(name)))
        assert len(rows) > 10
        assert {len(row) for row in rows} == {5 if name == "accuracy" else 3}


def test_a_run_of_the_benchmarks_becomes_a_table(measured, tmp_path, monkeypatch):
    monkeypatch.setattr(measured, "FOLDER", tmp_path)
    run = {
        "machine_info": {"cpu": {"brand_raw": "A chip"}},
        "datetime": "2026-01-02T03:04:05",
        "benchmarks": [
            {
                "fullname": "b.py::test_located_spikes[x-2.0]",
                "stats": {"min": 0.0125},
                "extra_info": {"ratio": 3},
            }
        ],
        "said": {
            "b.py::test_located_spikes[x-2.0]": {
                "subject": "Spikes", "outcome": "passed", "said": ["9 times | 8"],
            },
            "b.py::test_peer": {"subject": "Spikes", "outcome": "skipped", "said": []},
            "b.py::test_slow": {"subject": "Spikes", "outcome": "failed", "said": ["slow"]},
        },
    }  # fmt: skip
    (tmp_path / "run.json").write_text(json.dumps(run), "utf-8")
    measured.record_speed(tmp_path / "run.json", "Other work was running.")
    table = measured.speed_table(measured.read("speed"))
    assert "2026-01-02" in table
    assert "A chip" in table
    assert "Other work was running." in table
    assert r"| located spikes (x, 2.0) | 12.5 ms | 9 times \| 8; ratio: 3 |" in table
    assert "| slow | - | slow; a bound was not met |" in table
    assert "not there: peer." in table


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "-"), (2.0, "2 s"), (0.0123, "12.3 ms"), (4.56e-5, "45.6 µs"), (7e-9, "7 ns")],
)
def test_times_have_few_digits(measured, seconds, words):
    assert measured.duration(seconds) == words
