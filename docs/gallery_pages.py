"""The gallery: a page for each study, its figure drawn by the study itself and kept between builds.

A figure is drawn anew when the text of its study has changed, or of any file of dynlab that the study loaded
when it was last drawn, or the version of a package it stands on.  Everything drawn is kept in
``docs/gallery``; what is there after an interrupted build is not drawn again.
"""

from __future__ import annotations

import ast
import hashlib
import json
import multiprocessing
import os
import platform
import re
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
STUDIES = ROOT / "analyses"
PAGES = HERE / "gallery"
DRAWN_WITH = ("matplotlib", "networkx", "numba", "numpy", "scipy", "sympy")

#: What a folder of studies is called, in the order of the gallery.
SUBJECTS = {
    "flows": "Flows",
    "maps": "Maps",
    "neurons": "Neurons",
    "chaos": "Chaos",
    "noise": "Noise",
    "synchrony": "Synchrony",
    "networks": "Networks",
    "memory": "Memory",
    "mechanics": "Mechanics",
    "stiff": "Stiff systems",
    "text": "Models as text",
}

PAGE = """# {title}

[![{title}]({name}.png)]({name}.png)

{text}

The script. It drew the figure above in {seconds} s of the processor; run as a program it writes a larger one.

```{{literalinclude}} ../../{script}
:language: python
:lines: {first}-
```
"""


def write_gallery() -> None:
    """Draw what has to be drawn, then write every page and the index."""
    PAGES.mkdir(exist_ok=True)
    scripts = sorted(STUDIES.rglob("*.py"))
    draw([script for script in scripts if not is_kept(script)])
    forget({script.stem for script in scripts})
    for script in scripts:
        write_page(script)
    write_index(scripts)


def is_kept(script: Path) -> bool:
    """Whether the figure on the disk is what the study would draw now."""
    record = PAGES / f"{script.stem}.json"
    if not (record.is_file() and (PAGES / f"{script.stem}.png").is_file()):
        return False
    kept = json.loads(record.read_text("utf-8"))
    return kept["versions"] == versions() and all(
        hash_of(ROOT / name) == known for name, known in kept["files"].items()
    )


def versions() -> dict[str, str]:
    """Return what the figures stand on beside dynlab."""
    return {"python": platform.python_version()} | {
        name: metadata.version(name) for name in DRAWN_WITH
    }


def hash_of(path: Path) -> str:
    """Return the hash of a file, or nothing where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def draw(scripts: list[Path]) -> None:
    """Run each study in a process of its own, as many at once as there are cores."""
    # A process that has forked from one with the packages loaded starts in no time, and has loaded of
    # dynlab what its study needs and nothing else.
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload(["matplotlib.pyplot", *DRAWN_WITH])
    workers = max(1, min(len(scripts), os.cpu_count() or 1))
    with ProcessPoolExecutor(workers, mp_context=context, max_tasks_per_child=1) as pool:
        drawings = {pool.submit(draw_one, str(script)): script for script in scripts}
        for done in as_completed(drawings):
            print(f"gallery: {drawings[done].stem} {done.result():.1f} s", flush=True)


def draw_one(script: str) -> float:
    """Draw one study, write its figure, and last the record that says what it was drawn from."""
    import runpy

    sys.path.insert(0, str(ROOT))
    read: set[Path] = {Path(script)}

    def note(event: str, arguments: tuple) -> None:
        if event == "open" and isinstance(arguments[0], str):
            read.add(Path(arguments[0]).resolve())

    sys.addaudithook(note)
    os.environ["MPLBACKEND"] = "Agg"
    import matplotlib.pyplot as plt

    start = processor_seconds()
    figure = runpy.run_path(script)["study"]()
    seconds = processor_seconds() - start
    save(figure, Path(script).stem)
    plt.close("all")
    record = {
        "seconds": round(seconds, 1),
        "versions": versions(),
        "files": {path.relative_to(ROOT).as_posix(): hash_of(path) for path in ours(read)},
    }
    (PAGES / f"{Path(script).stem}.json").write_text(json.dumps(record, indent=1), "utf-8")
    return seconds


def processor_seconds() -> float:
    """Return what this process and those it waited for have used, whatever else the machine does."""
    return sum(os.times()[:4])


def ours(read: set[Path]) -> list[Path]:
    """Return the files of this repository among those read and the modules loaded."""
    loaded = {Path(m.__file__) for m in list(sys.modules.values()) if getattr(m, "__file__", None)}
    folders = (ROOT / "dynlab", STUDIES)
    return sorted(
        path
        for path in read | loaded
        if path.is_file()
        and path.suffix not in {".pyc", ".nbi", ".nbc"}
        and any(path.is_relative_to(folder) for folder in folders)
    )


def save(figure: object, name: str) -> None:
    """Write a figure, and a small one for the index."""
    from PIL import Image

    figure.savefig(PAGES / f"{name}.png", dpi=150)
    with Image.open(PAGES / f"{name}.png") as image:
        width, height = image.size  # of many panels the first, at a size at which it can be seen
        small = image.convert("RGB").crop((0, 0, min(width, height * 8 // 5), min(height, width)))
        small.thumbnail((640, 400), Image.Resampling.LANCZOS)
        small.save(PAGES / f"{name}-small.png", optimize=True)


def forget(names: set[str]) -> None:
    """Delete what belongs to studies that are no more."""
    for path in [*PAGES.glob("*.md"), *PAGES.glob("*.png"), *PAGES.glob("*.json")]:
        if path.stem.removesuffix("-small") not in names:
            path.unlink()


def write_page(script: Path) -> None:
    """Write the page of a study: its title, figure, text and source."""
    tree = ast.parse(script.read_text("utf-8"))
    _, _, text = (ast.get_docstring(tree) or "").partition("\n")
    record = json.loads((PAGES / f"{script.stem}.json").read_text("utf-8"))
    page = PAGE.format(
        title=title_of(script),
        name=script.stem,
        text=text.strip(),
        seconds=record["seconds"],
        script=script.relative_to(ROOT).as_posix(),
        first=tree.body[1].lineno,
    )
    write_if_new(PAGES / f"{script.stem}.md", page)


def title_of(script: Path) -> str:
    """Return the first line of a study's docstring."""
    docstring = ast.get_docstring(ast.parse(script.read_text("utf-8"))) or script.stem
    return docstring.partition("\n")[0].rstrip(".")


def in_short(title: str) -> str:
    """Return a title up to its first comma, colon or question mark, for the list beside the pages."""
    return re.split(r"[,:?]", title)[0]


def write_index(scripts: list[Path]) -> None:
    """Write the index: small figures, subject by subject."""
    subjects = {script.parent.name for script in scripts}
    order = [*(s for s in SUBJECTS if s in subjects), *sorted(subjects - set(SUBJECTS))]
    lines = [
        "# Gallery",
        "",
        f"{len(scripts)} studies, most of them of a figure in print. Each is a",
    ]
    lines += [
        "script of less than a page; its figure is drawn by it when these pages are built.",
        "",
    ]
    for subject in order:
        lines += [
            f"## {SUBJECTS.get(subject, subject.capitalize())}",
            "",
            "::::{container} cards",
            "",
        ]
        for script in scripts:
            if script.parent.name == subject:
                title = title_of(script)
                lines += [
                    ":::{container} card",
                    f"[![{title}]({script.stem}-small.png)]({script.stem}.md)",
                ]
                lines += ["", f"[{title}]({script.stem}.md)", ":::", ""]
        lines += ["::::", ""]
    lines += ["```{toctree}", ":hidden:", ":maxdepth: 1", ""]
    listed = [script for subject in order for script in scripts if script.parent.name == subject]
    lines += [f"{in_short(title_of(script))} <{script.stem}>" for script in listed]
    lines += ["```", ""]
    write_if_new(PAGES / "index.md", "\n".join(lines))


def write_if_new(path: Path, text: str) -> None:
    """Write a page unless it stands there already, so that sphinx does not read it again."""
    if not (path.is_file() and path.read_text("utf-8") == text):
        path.write_text(text, "utf-8")
