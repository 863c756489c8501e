"""How the pages are built: ``sphinx-build -W -b html docs docs/_build``."""

import importlib.util
import os
import sys
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.directives.code import CodeBlock
from sphinx.util.docutils import SphinxDirective

# Studies choose their backend themselves, and notebooks show their figures by their own.
os.environ.pop("MPLBACKEND", None)

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

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
nb_execution_in_temp = True
# What a system shows of itself in a notebook is set between dollars.
myst_mathjax_classes = "tex2jax_process|mathjax_process|math|output_area|text_html"
mathjax3_config = {"tex": {"inlineMath": [["\\(", "\\)"], ["$", "$"]]}}
exclude_patterns = ["_build", "jupyter_execute"]
default_role = "code"

html_theme = "furo" if importlib.util.find_spec("furo") else "alabaster"
html_title = "dynlab"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False

napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_preserve_defaults = True


def draw_gallery(app: object) -> None:
    """Draw the studies that have changed since they were drawn, and write their pages."""
    import gallery_pages  # beside this file, which is on the path by now

    gallery_pages.write_gallery()


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


class Measured(SphinxDirective):
    """A table made of what was measured: ``accuracy`` or ``speed``."""

    required_arguments = 1

    def run(self) -> list:
        import measured  # beside this file

        name = self.arguments[0]
        self.env.note_dependency(str(measured.FOLDER / f"{name}.json"))
        lines = measured.TABLES[name](measured.read(name)).splitlines()
        container = nodes.container()
        self.state.nested_parse(StringList(lines, source=f"{name}.json"), 0, container)
        return [container]


def setup(app: object) -> None:
    app.add_directive("measured", Measured)
    if not HAS_NOTEBOOKS:
        app.add_directive("code-cell", CodeCell)
    app.connect("builder-inited", draw_gallery)
    app.connect("autodoc-process-docstring", keep_bars)
