"""How long a text takes to become an expression, against the same expression typed in Python.

Run by name: ``pytest -m benchmark tests/benchmarks``.  Each round holds equations like those of
Lorenz, in symbols never seen before: sympy remembers what it has built, and a first building is
ten times dearer.  Python's side of the comparison multiplies and adds our symbols; it reads no text
and checks nothing.
"""

from __future__ import annotations

import itertools
import time

import pytest

from dynlab.symbolic.reader import built, read_tree
from dynlab.symbolic.tree import symbol

pytestmark = pytest.mark.benchmark

EQUATIONS = ("sigma*(y - x)", "x*(rho - z) - y", "x*y - beta*z")
NAMES = ("x", "y", "z", "sigma", "rho", "beta")
REPEATS, ROUNDS = 7, 40


def microseconds(work, items):
    began = time.thread_time()
    for item in items:
        work(item)
    return (time.thread_time() - began) / len(items) * 1e6


def rounds(letters):
    """Yield texts, the trees of their names, and Python functions of the same text."""
    for number in itertools.islice(letters, ROUNDS):
        names = {f"{n}{number}": ("name", f"{n}{number}") for n in NAMES}
        symbols = [symbol(n) for n in names]
        for line in EQUATIONS:
            text = line
            for n in NAMES:
                text = text.replace(n, f"{n}{number}")
            yield text, names, eval(f"lambda {', '.join(names)}: {text}"), symbols


def test_reading_an_equation(record_property):
    """At most 100 microseconds from text to tree, and less than sympy needs for building it."""
    letters = itertools.count()
    read, whole, again, python = [], [], [], []
    for _ in range(REPEATS):
        items = list(rounds(letters))
        python.append(microseconds(lambda i: i[2](*i[3]), items))
        items = list(rounds(letters))
        read.append(microseconds(lambda i: read_tree(i[0], i[1], where="it"), items))
        whole.append(
            microseconds(lambda i: built(read_tree(*i[:2], where="it"), where="it"), items)
        )
        again.append(
            microseconds(lambda i: built(read_tree(*i[:2], where="it"), where="it"), items)
        )
    record_property("ratio", min(whole) / min(python))
    print(
        f"text to tree {min(read):.0f}, to expression {min(whole):.0f}, the second time "
        f"{min(again):.0f}, sympy alone {min(python):.0f} microseconds"
    )
