"""What the pages say is true: their code runs, prints what they show, and asserts what they claim."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import tomllib
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import matplotlib as mpl
import pytest

import dynlab as dl
from dynlab import cli
from dynlab.symbolic import language

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
#: Pages in plain Python blocks; those made of cells are in test_notebooks.
PAGES = [
    ROOT / "README.md",
    DOCS / "index.md",
    DOCS / "cite.md",
    *(page for page in sorted((DOCS / "coming_from").glob("*.md")) if page.stem != "index"),
    *(page for page in sorted((DOCS / "guide").glob("*.md")) if page.stem != "index"),
]
FENCE = re.compile(r"^```(\S*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def _scratch(tmp_path, monkeypatch):
    """Figures are not shown, files go to a folder that is thrown away."""
    import matplotlib.pyplot as plt

    monkeypatch.chdir(tmp_path)
    before = mpl.get_backend()
    plt.switch_backend("Agg")
    yield
    plt.close("all")
    plt.switch_backend(before)


def blocks(page: Path) -> list[tuple[str, str, int]]:
    """Return language, text and first line of each fenced block."""
    text = page.read_text(encoding="utf-8")
    return [
        (found[1], found[3], text[: found.start(3)].count("\n")) for found in FENCE.finditer(text)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_code_of_a_page_runs_and_prints_what_it_shows(page):
    namespace: dict[str, object] = {"__name__": page.stem}
    printed = ""
    for language_name, text, line in blocks(page):
        if language_name == "python":
            source = compile("\n" * line + text, str(page), "exec")
            with contextlib.redirect_stdout(io.StringIO()) as output:
                exec(source, namespace)
            printed = output.getvalue()
        elif language_name == "text":
            assert comparable(printed) == comparable(text), f"{page.name}, line {line + 1}"


def comparable(text: str) -> str:
    """Return the text without the number of points on a branch, which round-off may change."""
    return re.sub(r"\d+ points", "points", text.strip())


@pytest.mark.parametrize(
    ("page", "written"),
    [
        ("command_line", "results/morris_lecar_I.png"),
        ("studies", "results/rest.html"),
    ],
)
def test_commands_of_a_page_run(page, written):
    for language_name, text, _ in blocks(ROOT / "docs" / "guide" / f"{page}.md"):
        if language_name == "{code-block}":
            head, _, body = text.partition("\n\n")
            Path(head.removeprefix(":caption: ")).write_text(body, encoding="utf-8")
        if language_name == "sh":
            for command in text.splitlines():
                program, *arguments = shlex.split(command)
                assert program == "dynlab"
                assert cli.main(arguments) == 0
    assert Path(written).is_file()


def test_reference_names_everything_public():
    pages = "\n".join(p.read_text("utf-8") for p in (ROOT / "docs" / "reference").glob("*.md"))
    guide = (ROOT / "docs" / "guide" / "define_a_model.md").read_text("utf-8")
    for name in dl.__all__:
        if name in language.__all__:
            assert re.search(rf"[`.(]{name}\b", guide), f"dl.{name} is in no table"
        else:
            assert re.search(rf"dynlab\.{name}\b", pages), f"dl.{name} is not in the reference"


def written() -> list[Path]:
    """Return every page that is written by hand."""
    made = {"_build", "gallery", "jupyter_execute"}
    return [p for p in sorted(DOCS.rglob("*.md")) if not made & set(p.relative_to(DOCS).parts)]


def links(page: Path) -> list[str]:
    """Return the targets of the links of a page, its code left out."""
    text = re.sub(r"`[^`\n]*`", "", FENCE.sub("", page.read_text("utf-8")))
    return re.findall(r"\]\(([^)\s]+)\)", text)


def test_links_between_pages_lead_somewhere():
    studies = {script.stem for script in (ROOT / "analyses").rglob("*.py")} | {"index"}
    for page in [ROOT / "README.md", *written()]:
        for link in links(page):
            if "://" in link:
                continue
            name, _, anchor = link.partition("#")
            target = (page.parent / name).resolve() if name else page
            where = f"{page.name} links to {link}"
            if target.parent == DOCS / "gallery":  # drawn when the pages are built
                assert target.stem.removesuffix("-small") in studies, where
            else:
                assert target.exists(), where
                assert not anchor or anchor in anchors(target), where


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_that_leave_are_addresses():
    for page in [ROOT / "README.md", *written()]:
        for link in links(page):
            if "://" in link:
                address = urlsplit(link)
                assert address.scheme == "https", f"{page.name} links to {link}"
                assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", address.netloc), link


def test_every_page_is_in_one_table_of_contents():
    listed = []
    for page in written():
        for kind, text, _ in blocks(page):
            if kind == "{toctree}":
                names = [line for line in text.splitlines() if line and not line.startswith(":")]
                listed += [(page.parent / f"{name}.md").resolve() for name in names]
    drawn = DOCS / "gallery" / "index.md"
    assert sorted(listed) == sorted([drawn, *(p for p in written() if p != DOCS / "index.md")])


def test_every_picture_says_what_it_shows():
    for page in [ROOT / "README.md", *written()]:
        for text in re.findall(r"!\[([^\]]*)\]\(", page.read_text("utf-8")):
            assert len(text.split()) > 1, f"a picture of {page.name} has no description"


def test_citation_is_of_this_version():
    text = (ROOT / "CITATION.cff").read_text("utf-8")
    said = dict(re.findall(r'^([a-z-]+): "?([^"\n]+)"?$', text, re.MULTILINE))
    assert {"cff-version", "message", "title", "type", "version", "date-released"} <= set(said)
    assert "authors:\n  - name: " in text
    assert not re.search(r"\t|:\S", re.sub(r'"[^"\n]*"|https://\S+', "", text))
    assert said["cff-version"] == "1.2.0"
    assert said["type"] == "software"
    assert said["version"] == dl.__version__
    assert date.fromisoformat(said["date-released"])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert (said["version"], said["license"]) == (project["version"], project["license"])
    bibtex = {kind: body for kind, body, _ in blocks(DOCS / "cite.md")}["bibtex"]
    assert f"title   = {{{said['title']}}}" in bibtex
    assert f"version = {{{said['version']}}}" in bibtex
    assert f"year    = {{{said['date-released'][:4]}}}" in bibtex


def test_readme_has_the_two_lines_that_set_up_a_fresh_clone():
    text = (ROOT / "README.md").read_text("utf-8")
    fenced = [body for name, body, _ in blocks(ROOT / "README.md") if name == "sh"]
    assert all(body.count("\n") == 1 and body.startswith("python3 -m venv ") for body in fenced)
    marked = text.split("<!-- test line -->\n```sh\n")
    assert len(marked) == 2
    assert marked[1].startswith("python3 -m venv .venv-test")
