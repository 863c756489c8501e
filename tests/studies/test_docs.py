"""What the pages say is true: their code runs, prints what they show, and asserts what they claim."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path

import matplotlib as mpl
import pytest

import dynlab as dl
from dynlab import cli
from dynlab.symbolic import language

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "guide").glob("*.md"))]
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


def test_links_between_pages_lead_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        if "_build" in page.parts or "gallery" in page.parts:
            continue
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_readme_has_the_two_lines_that_set_up_a_fresh_clone():
    text = (ROOT / "README.md").read_text("utf-8")
    fenced = [body for name, body, _ in blocks(ROOT / "README.md") if name == "sh"]
    assert all(body.count("\n") == 1 and body.startswith("python3 -m venv ") for body in fenced)
    marked = text.split("<!-- test line -->\n```sh\n")
    assert len(marked) == 2
    assert marked[1].startswith("python3 -m venv .venv-test")
