"""The notebooks of the pages: every cell runs, and every number that the text claims stands in one."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib as mpl
import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
STUDIES = [page for page in sorted((DOCS / "notebooks").glob("*.md")) if page.stem != "index"]
NOTEBOOKS = [DOCS / "tutorial.md", *STUDIES]
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def _no_window(tmp_path, monkeypatch):
    import matplotlib.pyplot as plt

    monkeypatch.chdir(tmp_path)
    before = mpl.get_backend()
    plt.switch_backend("Agg")
    yield
    plt.close("all")
    plt.switch_backend(before)


def test_there_are_three():
    assert len(NOTEBOOKS) >= 3


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_runs(notebook):
    text = notebook.read_text(encoding="utf-8")
    namespace: dict[str, object] = {"__name__": "__main__"}
    for cell in CELL.finditer(text):
        above = text[: cell.start(1)].count("\n")
        exec(compile("\n" * above + cell[1], str(notebook), "exec"), namespace)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_number_of_the_text_is_in_a_cell(notebook):
    text = notebook.read_text(encoding="utf-8").split("---\n", 2)[2]
    code = "\n".join(CELL.findall(text))
    claimed = re.findall(r"\d+\.\d+", CELL.sub("", text))
    assert claimed
    for number in claimed:
        assert number in code or f"{number}0" in code, f"{number} is claimed and not computed"
    assert "assert" in code
