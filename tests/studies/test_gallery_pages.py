"""A figure of the gallery is kept exactly as long as nothing that it was drawn from has changed."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "docs" / "gallery_pages.py"


@pytest.fixture
def pages(tmp_path, monkeypatch):
    """The module with a repository of its own, and a study in it that is drawn."""
    spec = importlib.util.spec_from_file_location("gallery_pages", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, folder in {"ROOT": ".", "STUDIES": "analyses", "PAGES": "gallery"}.items():
        monkeypatch.setattr(module, name, tmp_path / folder)
    for folder in ("analyses/flows", "dynlab", "gallery"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "analyses/flows/one.py").write_text('"""One | study.\n\nIts text."""\n\nX = 1\n')
    (tmp_path / "dynlab/used.py").write_text("Y = 1\n")
    (tmp_path / "dynlab/other.py").write_text("Z = 1\n")
    (tmp_path / "gallery/one.png").touch()
    files = ("analyses/flows/one.py", "dynlab/used.py")
    record = {
        "seconds": 1.5,
        "versions": module.versions(),
        "files": {name: module.hash_of(tmp_path / name) for name in files},
    }
    (tmp_path / "gallery/one.json").write_text(json.dumps(record))
    return module


def test_kept_while_nothing_changes(pages):
    assert pages.is_kept(pages.STUDIES / "flows/one.py")
    (pages.ROOT / "dynlab/other.py").write_text("Z = 2\n")  # not loaded by the study
    assert pages.is_kept(pages.STUDIES / "flows/one.py")


@pytest.mark.parametrize("name", ["analyses/flows/one.py", "dynlab/used.py"])
def test_drawn_anew_when_a_source_changes(pages, name):
    (pages.ROOT / name).write_text("changed = True\n")
    assert not pages.is_kept(pages.STUDIES / "flows/one.py")
    (pages.ROOT / name).unlink()
    assert not pages.is_kept(pages.STUDIES / "flows/one.py")


def test_drawn_anew_when_a_package_or_the_figure_is_another(pages, monkeypatch):
    study = pages.STUDIES / "flows/one.py"
    monkeypatch.setattr(pages, "versions", lambda: {"numpy": "0"})
    assert not pages.is_kept(study)


def test_a_missing_figure_is_drawn(pages):
    (pages.PAGES / "one.png").unlink()
    assert not pages.is_kept(pages.STUDIES / "flows/one.py")


def test_what_a_figure_depends_on_are_our_own_sources(pages, monkeypatch):
    used = pages.ROOT / "dynlab/used.py"
    data = pages.ROOT / "analyses/flows/cell.ode"
    data.write_text("x'=1\n")
    module = type(sys)("dynlab_used")
    module.__file__ = str(used)
    monkeypatch.setitem(sys.modules, "dynlab_used", module)
    read = {data, pages.ROOT / "gallery/one.png", SOURCE, pages.ROOT / "dynlab/used.nbi"}
    assert pages.ours(read) == [data, used]


def test_pages_of_studies_that_are_no_more_are_deleted(pages):
    for name in ("gone.png", "gone-small.png", "gone.json", "gone.md"):
        (pages.PAGES / name).touch()
    pages.forget({"one"})
    assert {path.name for path in pages.PAGES.iterdir()} == {"one.png", "one.json"}


def test_the_page_and_the_index_show_the_study(pages):
    script = pages.STUDIES / "flows/one.py"
    pages.write_page(script)
    pages.write_index([script])
    page, index = ((pages.PAGES / f"{name}.md").read_text() for name in ("one", "index"))
    assert page.startswith("# One | study\n")
    assert "Its text." in page
    assert "analyses/flows/one.py" in page
    assert "## Flows" in index
    assert "(one-small.png)](one.md)" in index
    assert "\nOne | study <one>\n" in index
