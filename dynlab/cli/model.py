"""Which system a word on the command line means, and the settings that go with it."""

from __future__ import annotations

import argparse
import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dynlab.errors import DefinitionError, SettingError
from dynlab.symbolic.system import System

__all__ = ["add_model", "add_output", "chosen_model", "number_of", "stem_of"]

_MODEL = "a name from 'dynlab models', a model file (.toml, .ode, .xml), or file.py:name"


def add_model(command: argparse.ArgumentParser) -> None:
    """Let a command take a model and its settings."""
    command.add_argument("model", help=_MODEL)
    command.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="set a parameter"
    )


def add_output(command: argparse.ArgumentParser) -> None:
    """Let a command choose where it writes."""
    command.add_argument(
        "--output", type=Path, default=Path("dynlab-results"), metavar="FOLDER",
        help="where to write (default: %(default)s)",
    )  # fmt: skip


def chosen_model(chosen: argparse.Namespace) -> System:
    """Return the model that was named, with its settings."""
    return _model(chosen.model)(**_settings(chosen.set))


def stem_of(*words: str) -> str:
    """Return the name of files without its ending."""
    return re.sub(r"\W+", "_", "_".join(words))


def number_of(text: str, name: str) -> float:
    """Return a number, or say which setting is none."""
    try:
        return float(text)
    except ValueError:
        raise SettingError(f"{name!r} is set to {text!r}, which is not a number.") from None


def _model(text: str) -> System:
    """Return a zoo model, one from a model file, or the system of that name in a Python file."""
    from dynlab import zoo
    from dynlab.text.files import ENDINGS, read_model

    if text.lower().endswith(ENDINGS):
        return read_model(text)
    if ":" not in text:
        if text.endswith(".py"):
            raise SettingError(f"{text!r} names no system in the file; write {text}:name.")
        return zoo.get(text)
    file, _, name = text.rpartition(":")
    return _from_python(Path(file), name)


def _from_python(path: Path, name: str) -> System:
    if not path.is_file():
        raise SettingError(
            f"there is no file {str(path)!r}. Give the path of a Python file: file.py:name."
        )
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise SettingError(f"{str(path)!r} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Any = getattr(module, name, None)
    if not isinstance(found, System):
        systems = [k for k, v in vars(module).items() if isinstance(v, System)]
        raise DefinitionError(
            f"{str(path)!r} defines no system {name!r}. It defines: {', '.join(systems) or 'none'}."
        )
    return found


def _settings(texts: Sequence[str]) -> dict[str, float]:
    values = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise SettingError(f"--set {text!r} is not of the form NAME=VALUE.")
        values[name.strip()] = number_of(value, name)
    return values
