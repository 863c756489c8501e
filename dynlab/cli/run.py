"""``dynlab run``: a study written as text."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from dynlab.cli.answer import Answer
from dynlab.cli.interrupt import interruptible, telling
from dynlab.result import Result
from dynlab.status import Status
from dynlab.study.study import Study
from dynlab.sweep.journal import journal_of

__all__ = ["add", "answer_of", "run"]

_EPILOG = """\
examples:
  dynlab run study.toml                 run it; write figure, data, table and a page
  dynlab run study.toml --check         only say whether it can be run
  dynlab run study.toml --output here   write to another folder than the study says

Nothing in a study is run as code, and it writes to its own folder alone: it may come from anyone. A sweep that
was stopped goes on where it was when it is run again.
"""


def add(commands: Any) -> argparse.ArgumentParser:
    """Add the command."""
    made: argparse.ArgumentParser = commands.add_parser(
        "run", help="run a study written as text (TOML)", epilog=_EPILOG,
        description="Run a study: a TOML file that says which model, which analysis, over what, and what to "
        "write.",
    )  # fmt: skip
    made.add_argument("study", type=Path, help="the file")
    made.add_argument("--check", action="store_true", help="read and check it, and run nothing")
    made.add_argument("--output", type=Path, metavar="FOLDER", help="where to write")
    return made


def run(chosen: argparse.Namespace) -> Answer:
    """Read the study, run it, and write what it asks for."""
    from dynlab.study.read import read_study

    study = read_study(chosen.study)
    folder = chosen.output if chosen.output is not None else chosen.study.parent / study.folder
    if chosen.check:
        return Answer(f"{chosen.study} is good: {study!r} writes to {folder}", _head(study))
    return answer_of(study, folder)


def answer_of(study: Study, folder: Path) -> Answer:
    """Run a study, write what it asks for, and say what was found."""
    import dynlab as dl
    from dynlab.study.page import checkpoint_of, write_study
    from dynlab.study.run import run_study

    checkpoint = None
    if study.sweep is not None and study.outputs.data:
        folder.mkdir(parents=True, exist_ok=True)
        checkpoint = checkpoint_of(study, folder)
    files: list[Path] = []
    with telling(lambda: dict.fromkeys([*files, *_kept(checkpoint)]), _GOES_ON * bool(checkpoint)):
        with interruptible(), dl.progress_bar():
            result = run_study(study, checkpoint=checkpoint)
        files.extend(write_study(study, result, folder))
    lines = [repr(result), "", *(f"wrote {path}" for path in files)]
    if checkpoint is not None and _status(result) is Status.STOPPED:
        lines.append(_GOES_ON)
    text = "\n".join(lines)
    return Answer(text, _head(study) | _document(result), _status(result), tuple(files))


_GOES_ON = "Finished points are kept: the same command goes on from here."


def _kept(checkpoint: Path | None) -> list[Path]:
    """Return the files in which the points of a sweep stand."""
    files = [] if checkpoint is None else [checkpoint, journal_of(checkpoint)]
    return [path for path in files if path.exists()]


def _head(study: Study) -> dict[str, Any]:
    return {
        "study": study.name, "title": study.title, "model": study.system.name, "function": study.function,
        "points": study.sweep.size if study.sweep else 1,
    }  # fmt: skip


def _document(result: Result) -> dict[str, Any]:
    source = getattr(result, "provenance", None)
    origin = (
        {"settings": source.settings, "seed": source.seed, "versions": source.versions}
        if source
        else {}
    )
    return {"found": repr(result), "table": result.to_table()} | origin


def _status(result: Result) -> Status:
    return getattr(result, "status", Status.OK)
