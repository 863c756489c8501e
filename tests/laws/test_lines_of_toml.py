"""Where a key of a TOML text stands: known for texts that were put together key by key."""

from __future__ import annotations

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynlab.study.lines import line_of, lines_of

WORDS = st.sampled_from(["a", "b", "rho", "x-1", "7", "two words", 'a"b', "ä", "a.b", "", "'", "#"])
TEXTS = st.text(st.sampled_from("a #[]{},=\"'\\\n.ä"), max_size=8)


class Writer:
    """Writes TOML and keeps where each key went."""

    def __init__(self):
        self.text, self.lines = "", {}

    @property
    def line(self):
        return self.text.count("\n") + 1

    def key(self, key):
        bare = key.isascii() and key.replace("-", "a").isalnum() and key
        self.text += key if bare else json.dumps(key, ensure_ascii=False)

    def value(self, path, value, blank):
        if isinstance(value, dict):
            self.text += "{ "
            for number, (key, item) in enumerate(value.items()):
                self.text += ", " if number else ""
                self.lines[(*path, key)] = self.line
                self.key(key)
                self.text += " = "
                self.value((*path, key), item, blank)
            self.text += " }"
        elif isinstance(value, list):
            self.text += "["
            for number, item in enumerate(value):
                self.text += "," if number else ""
                self.text += blank
                self.lines[(*path, number)] = self.line
                self.value((*path, number), item, blank)
            self.text += blank + "]"
        elif isinstance(value, str):
            self.string(value)
        else:
            self.text += json.dumps(value)

    def string(self, value):
        plain = json.dumps(value, ensure_ascii=False)
        if "\n" in value and not value.startswith("\n"):
            self.text += '"""' + plain[1:-1].replace("\\n", "\n") + '"""'
        elif not any(c in value for c in "'\n"):
            self.text += f"'{value}'"
        else:
            self.text += plain

    def table(self, path, content, blank, several):
        self.lines.setdefault(path, self.line)
        marks = ("[[", "]]") if several else ("[", "]")
        self.text += marks[0]
        for number, key in enumerate(k for k in path if isinstance(k, str)):
            self.text += "." if number else ""
            self.key(key)
        self.text += marks[1] + "  # [not] a = table\n"
        self.rows(path, content, blank)

    def rows(self, path, content, blank):
        for key, value in content.items():
            self.lines[(*path, key)] = self.line
            self.key(key)
            self.text += "="
            self.value((*path, key), value, blank)
            self.text += " # a comment with = \" and '\n\n"


SCALARS = st.one_of(st.integers(-99, 99), st.booleans(), TEXTS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(WORDS, SCALARS, max_size=2)
    ),
    max_leaves=6,
)
CONTENT = st.dictionaries(WORDS, VALUES, max_size=3)


@given(
    top=CONTENT,
    tables=st.dictionaries(
        st.sampled_from(["t", "u v", "w"]), st.lists(CONTENT, min_size=1, max_size=3)
    ),
    blank=st.sampled_from(["", " ", "\n", " # [x] = '\n\t"]),
)
def test_every_key_has_its_line(top, tables, blank):
    writer = Writer()
    writer.rows((), top, blank)
    for name, contents in tables.items():
        if name in top:
            continue
        for number, content in enumerate(contents):
            path = (name, number) if len(contents) > 1 else (name,)
            writer.table(path, content, blank, len(contents) > 1)
    read = tomllib.loads(writer.text)
    assert all(read[key] == value for key, value in top.items())
    assert lines_of(writer.text) == writer.lines


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("a.b.c = 1", ("a", "b", "c"), 1),
        ("\n\n[a . 'b']\nc = 1", ("a", "b", "c"), 4),
        ("[[a]]\nx = 1\n[[a.b]]\ny = 1\n[[a]]\n[[a.b]]\ny = 2", ("a", 1, "b", 0, "y"), 7),
        ("[[a]]\n[a.b]\nc = 1\n[[a]]\n[a.b]\nc = 2", ("a", 1, "b", "c"), 6),
        ('x = """\n[no]\n"""\ny = 1', ("y",), 4),
        ('x = """a""""\ny = 1', ("y",), 2),
        ("x = '''\n''''\ny = 1", ("y",), 3),
        ("x = \"a\\\\\"\ny = '\\'", ("y",), 2),
        ("x = 1979-05-27 07:32:00Z\ny = 1", ("y",), 2),
        ("x = {a = {b = 1}, c = [2, 3]}\r\ny = 1", ("y",), 2),
        ("x = {a = {b = 1}, c = [2, 3]}", ("x", "c", 1), 1),
    ],
)
def test_lines_of_what_toml_allows(text, path, line):
    tomllib.loads(text)
    assert lines_of(text)[path] == line


def test_what_has_no_line_has_that_of_its_table():
    lines = lines_of("a = 1\n[b]\nc = 1")
    assert line_of(lines, ("b", "d", "e")) == 2
    assert line_of(lines, ("d",)) is None


def test_a_long_text_takes_no_longer_than_its_length():
    text = "".join(f"[t{k}]\nx = [{', '.join(['1'] * 50)}]\n" for k in range(1000))
    assert lines_of(text)["t999", "x", 49] == 2000
