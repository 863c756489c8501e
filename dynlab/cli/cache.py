"""``dynlab cache``: where compiled code is kept, how much, and clearing it."""

from __future__ import annotations

import argparse
import shutil
from typing import Any

from dynlab.cli.answer import Answer

__all__ = ["add", "run"]

_EPILOG = """\
examples:
  dynlab cache                       where it is and how large
  dynlab cache --clear               remove compiled code, and nothing else

DYNLAB_CACHE names another directory.
"""


def add(commands: Any) -> argparse.ArgumentParser:
    """Add the command."""
    made: argparse.ArgumentParser = commands.add_parser(
        "cache", help="show, or clear, the directory of compiled code", epilog=_EPILOG,
        description="Show where compiled code is kept and how much there is. It is made again on use, "
        "so clearing it costs time and loses nothing.",
    )  # fmt: skip
    made.add_argument("--clear", action="store_true", help="remove it; it is made again on use")
    return made


def run(chosen: argparse.Namespace) -> Answer:
    """Return the size of the cache, or clear it."""
    from dynlab.kernels import caching

    place, folders = caching.root(), caching.folders()
    files = [p for folder in folders for p in folder.rglob("*") if p.is_file()]
    size = sum(p.stat().st_size for p in files)
    data = {"directory": place, "files_in_cache": len(files), "bytes": size, "key": caching.key()}
    if not chosen.clear:
        text = f"{place}: {len(files)} files, {size / 1e6:.1f} MB (this version: {caching.key()})"
        return Answer(text, data)
    for folder in folders:
        shutil.rmtree(folder)
    text = "\n".join(f"removed {folder}" for folder in folders) or f"{place}: nothing to remove"
    return Answer(text, data | {"removed": folders})
