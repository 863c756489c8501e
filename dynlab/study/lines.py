"""Where each key of a TOML text stands: `tomllib` tells values, and no lines.

The text has been read by `tomllib` before, so it is TOML; this walks over it once and keeps the line of every key.
The cost grows with the length of the text.  Format: TOML 1.0.0 (toml.io/en/v1.0.0).
"""

from __future__ import annotations

import re
import tomllib

__all__ = ["Path", "line_of", "lines_of"]

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE = re.compile(r"[^,\]}#\n]*")
#: Texts in quotes; three quotes first, as one quote begins them too.
_TEXTS = (
    ('"""', re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"""+', re.DOTALL)),
    ("'''", re.compile(r"'''(?:[^']|'(?!''))*'''+")),
    ('"', re.compile(r'"(?:[^"\\]|\\.)*"')),
    ("'", re.compile(r"'[^']*'")),
)


def lines_of(text: str) -> dict[Path, int]:
    r"""Return the line of every key, table and element of an array, by its path from the top.

    Examples
    --------
    >>> lines_of('a = 1\n[b]\nc = [2,\n 3]')
    {('a',): 1, ('b',): 2, ('b', 'c'): 3, ('b', 'c', 0): 3, ('b', 'c', 1): 4}
    """
    walk = _Walk(text)
    walk.document()
    return walk.found


def line_of(lines: dict[Path, int], path: Path) -> int | None:
    """Return the line of a key, or of the nearest table around it; None at the top."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


class _Walk:
    """A place in the text that moves forward."""

    def __init__(self, text: str) -> None:
        self.text, self.place = text, 0
        self.found: dict[Path, int] = {}
        self._arrays: dict[Path, int] = {}
        self._counted = (0, 1)

    def document(self) -> None:
        """Walk over the whole text."""
        table: Path = ()
        while not self._is_at_end():
            if self.text.startswith("[", self.place):
                table = self._header()
            else:
                self._pair(table)

    def _is_at_end(self) -> bool:
        self._skip(_BLANK)
        return self.place >= len(self.text)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.place)
        assert match is not None, "the text is TOML, so it matches"
        self.place = match.end()
        return match[0]

    def _note(self, path: Path) -> None:
        before, line = self._counted
        line += self.text.count("\n", before, self.place)
        self._counted = (self.place, line)
        self.found.setdefault(path, line)

    def _header(self) -> Path:
        brackets = 2 if self.text.startswith("[[", self.place) else 1
        self.place += brackets
        keys = self._key()
        self.place += brackets
        path: Path = ()
        for key in keys[:-1]:
            path = self._last((*path, key))
        path = (*path, keys[-1])
        if brackets == 2:
            self._arrays[path] = self._arrays.get(path, -1) + 1
            path = (*path, self._arrays[path])
        self._note(path)
        return path

    def _last(self, path: Path) -> Path:
        """Return the last table of an array of tables; other tables as they are."""
        return (*path, self._arrays[path]) if path in self._arrays else path

    def _key(self) -> list[str]:
        keys = []
        while True:
            self._skip(_SPACE)
            keys.append(self._one_key())
            self._skip(_SPACE)
            if not self.text.startswith(".", self.place):
                return keys
            self.place += 1

    def _one_key(self) -> str:
        for mark, pattern in _TEXTS[2:]:
            if self.text.startswith(mark, self.place):
                return str(tomllib.loads(f"x = {self._skip(pattern)}")["x"])
        return self._skip(_BARE_KEY)

    def _pair(self, table: Path) -> None:
        begin = self.place
        path = table
        for key in self._key():
            path = (*path, key)
            self._note(path)
        assert self.place > begin, "a key is not empty"
        self.place += 1  # the equals sign
        self._value(path)

    def _value(self, path: Path) -> None:
        self._skip(_SPACE)
        if self.text.startswith("[", self.place):
            self._elements(path)
        elif self.text.startswith("{", self.place):
            self._inline_table(path)
        else:
            for mark, pattern in _TEXTS:
                if self.text.startswith(mark, self.place):
                    self._skip(pattern)
                    return
            self._skip(_BARE_VALUE)

    def _elements(self, path: Path) -> None:
        self.place += 1
        number = 0
        while True:
            self._skip(_BLANK)
            if self.text.startswith("]", self.place):
                self.place += 1
                return
            if self.text.startswith(",", self.place):
                self.place += 1
                continue
            self._note((*path, number))
            self._value((*path, number))
            number += 1

    def _inline_table(self, path: Path) -> None:
        self.place += 1
        while True:
            self._skip(_BLANK)
            if self.text.startswith("}", self.place):
                self.place += 1
                return
            if self.text.startswith(",", self.place):
                self.place += 1
                continue
            self._pair(path)
