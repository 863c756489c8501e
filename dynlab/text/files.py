"""Model files: read and written by the ending of their name."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from dynlab.errors import SettingError, StoreError
from dynlab.symbolic.system import System
from dynlab.text.ode_file import from_ode, to_ode
from dynlab.text.sbml import from_sbml
from dynlab.text.toml import from_toml, to_toml

__all__ = ["ENDINGS", "read_model", "read_text", "write_model"]

Format = TypeVar("Format")

#: No file is read beyond this.
SIZE_LIMIT = 10_000_000

_READERS: Mapping[str, Callable[[str], System]] = {
    ".toml": from_toml, ".ode": from_ode, ".xml": from_sbml, ".sbml": from_sbml,
}  # fmt: skip
_WRITERS: Mapping[str, Callable[[System], str]] = {".toml": to_toml, ".ode": to_ode}

#: How the names of model files end.
ENDINGS = tuple(_READERS)


def read_model(path: str | os.PathLike[str]) -> System:
    """Read a model from a file: ``.toml``, XPPAUT ``.ode``, or SBML (``.xml``, ``.sbml``).

    A model file is data.  Nothing in it is ever run, so it may come from anyone.

    Parameters
    ----------
    path
        The file; its ending tells the format.

    Returns
    -------
    System
        The model.  Without a name of its own it is called after the file.

    Raises
    ------
    StoreError
        If the file is absent, empty, larger than 10 MB, or not a text in UTF-8.
    TextError
        If the text is no model; the message tells where.
    UnsupportedSystemError
        If the model uses something that dynlab does not have; the message names it.

    Examples
    --------
    >>> import dynlab as dl, tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = dl.write_model(dl.zoo.lorenz, path=pathlib.Path(folder) / "lorenz.toml")
    ...     dl.read_model(path) == dl.zoo.lorenz
    True
    """
    source = Path(path)
    reader = _by_ending(source, _READERS, "read")
    system = reader(read_text(source, "model"))
    stem = re.sub(r"\W+", "_", source.stem)
    return replace(system, name=stem) if system.name == "model" and stem else system


def write_model(system: System, *, path: str | os.PathLike[str]) -> Path:
    """Write a model to a file: ``.toml``, or XPPAUT ``.ode``.

    Parameters
    ----------
    system
        The model.
    path
        The file; its ending tells the format.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    StoreError
        If the file cannot be written.
    UnsupportedSystemError
        If the format does not hold a part of the system.

    Examples
    --------
    >>> import dynlab as dl, tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     dl.write_model(dl.zoo.henon, path=pathlib.Path(folder) / "henon.ode").name
    'henon.ode'
    """
    target = Path(path)
    text = _by_ending(target, _WRITERS, "written")(system)
    try:
        target.write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise StoreError(f"cannot write {str(target)!r}: {error}. Choose another path.") from error
    return target


def _by_ending(path: Path, known: Mapping[str, Format], what: str) -> Format:
    ending = path.suffix.lower()
    if ending not in known:
        raise SettingError(
            f"{str(path)!r} does not tell its format; models are {what} as {', '.join(known)}. "
            "Change the ending of its name."
        )
    return known[ending]


def read_text(source: Path, what: str) -> str:
    """Return the text of a file, never reading more than the limit; ``what`` it is stands in messages."""
    try:
        with source.open("rb") as stream:
            data = stream.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        raise StoreError(f"there is no file {str(source)!r}. Check the path.") from None
    except (OSError, ValueError) as error:
        raise StoreError(f"cannot read {str(source)!r}: {error}. Check the path.") from error
    if not data:
        raise StoreError(f"{str(source)!r} is empty, so it is no {what}. Is it the right file?")
    if len(data) > SIZE_LIMIT:
        raise StoreError(
            f"{str(source)!r} is larger than {SIZE_LIMIT // 10**6} MB, which no {what} is. "
            "Is it the right file?"
        )
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise StoreError(f"{str(source)!r} is in UTF-16; a {what} is a text in UTF-8. Convert it.")
    if b"\0" in data:
        raise StoreError(f"{str(source)!r} holds NUL bytes: it is no text. Is it the right file?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StoreError(
            f"{str(source)!r} is not a text in UTF-8 (byte {error.start}). Convert it to UTF-8."
        ) from None
