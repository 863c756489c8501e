"""Every study draws one labelled figure, is short, and uses what is public."""

from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import hopfield, zoo

ROOT = Path(__file__).resolve().parents[2] / "analyses"
SCRIPTS = sorted(ROOT.rglob("*.py"))
LONGEST = 60


@pytest.fixture(autouse=True)
def _no_window():
    import matplotlib.pyplot as plt

    before = mpl.get_backend()
    plt.switch_backend("Agg")
    yield
    plt.close("all")
    plt.switch_backend(before)


def named(script: Path) -> str:
    return script.relative_to(ROOT).as_posix()


def test_there_are_studies():
    assert SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS, ids=named)
def test_study_draws_a_figure_with_labelled_axes(script):
    figure = runpy.run_path(str(script))["study"]()
    assert isinstance(figure, Figure)
    assert figure.axes
    figure.draw_without_rendering()
    outer = [ax for ax in figure.axes if ax.get_subplotspec() is not None]
    assert all(ax.get_xlabel() for ax in outer if ax.get_subplotspec().is_last_row())
    assert all(ax.get_ylabel() for ax in outer if ax.get_subplotspec().is_first_col())


@pytest.mark.parametrize("script", SCRIPTS, ids=named)
def test_study_is_short_and_cites_its_source(script):
    text = script.read_text("utf-8")
    assert text.count("\n") < LONGEST
    docstring = ast.get_docstring(ast.parse(text)) or ""
    assert re.search(r"\b(18|19|20)\d\d\b", docstring), "the docstring names no paper with its year"
    assert "figure" in docstring or "diagram" in docstring


@pytest.mark.parametrize("script", SCRIPTS, ids=named)
def test_study_uses_only_what_is_public(script):
    tree = ast.parse(script.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            ours = [a for a in node.names if a.name.split(".")[0] == "dynlab"]
            assert all((a.name, a.asname) == ("dynlab", "dl") for a in ours)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "dynlab":
            assert node.module == "dynlab"
            assert {a.name for a in node.names} <= {"hopfield", "zoo"}
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            public = {
                "dl": dl.__all__,
                "zoo": (*zoo.__all__, *zoo.names()),
                "hopfield": hopfield.__all__,
            }.get(node.value.id)
            assert public is None or node.attr in public
            assert not node.attr.startswith("_")


@pytest.mark.parametrize("script", SCRIPTS, ids=named)
def test_study_has_no_loop(script):
    tree = ast.parse(script.read_text("utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.For | ast.While)]
