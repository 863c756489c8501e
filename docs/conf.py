"""How the pages are built: ``sphinx-build -W -b html docs docs/_build``."""

import ast
import importlib.util
import os
import runpy
import sys
from pathlib import Path

from sphinx.directives.code import CodeBlock

os.environ.setdefault("MPLBACKEND", "Agg")

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

project = "dynlab"
author = "The dynlab developers"
copyright = author

#: With myst-nb the notebooks are executed when the pages are built; without it their cells are shown.
HAS_NOTEBOOKS = importlib.util.find_spec("myst_nb") is not None

extensions = [
    "myst_nb" if HAS_NOTEBOOKS else "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
]
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
exclude_patterns = ["_build"]
default_role = "code"

html_theme = "furo" if importlib.util.find_spec("furo") else "alabaster"
html_title = "dynlab"

napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_preserve_defaults = True

GALLERY_INDEX = """# Gallery

Each figure is drawn by a script in `analyses/`, when these pages are built.

```{{toctree}}
:maxdepth: 1

{names}
```
"""

GALLERY_PAGE = """# {title}

![{title}]({name}.png)

{text}

```{{literalinclude}} ../../{script}
:language: python
:lines: {first}-
```
"""


def draw_gallery(app: object) -> None:
    """Run every study and write its figure and its page."""
    folder = HERE / "gallery"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.md"):
        old.unlink()
    scripts = sorted((ROOT / "analyses").rglob("*.py"))
    for script in scripts:
        write_gallery_page(folder, script)
    names = "\n".join(script.stem for script in scripts)
    (folder / "index.md").write_text(GALLERY_INDEX.format(names=names), encoding="utf-8")


def write_gallery_page(folder: Path, script: Path) -> None:
    import matplotlib.pyplot as plt  # after the choice of its backend above

    source = script.read_text(encoding="utf-8")
    tree = ast.parse(source)
    title, _, text = (ast.get_docstring(tree) or script.stem).partition("\n")
    runpy.run_path(str(script))["study"]().savefig(folder / f"{script.stem}.png", dpi=150)
    plt.close("all")
    page = GALLERY_PAGE.format(
        title=title.rstrip("."),
        name=script.stem,
        text=text.strip(),
        script=script.relative_to(ROOT).as_posix(),
        first=tree.body[1].lineno,
    )
    (folder / f"{script.stem}.md").write_text(page, encoding="utf-8")


def keep_bars(app: object, what: str, name: str, obj: object, options: object, lines: list) -> None:
    """Let the bars of |x| in a docstring stand: reStructuredText takes them for a substitution."""
    for number, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            parts = line.split("``")
            parts[::2] = [part.replace("|", r"\|") for part in parts[::2]]
            lines[number] = "``".join(parts)


class CodeCell(CodeBlock):
    """A cell of a notebook, shown and not executed."""

    def run(self) -> list:
        self.arguments = ["python"]
        return super().run()


def setup(app: object) -> None:
    if not HAS_NOTEBOOKS:
        app.add_directive("code-cell", CodeCell)
    app.connect("builder-inited", draw_gallery)
    app.connect("autodoc-process-docstring", keep_bars)
