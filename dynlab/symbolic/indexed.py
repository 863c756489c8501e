"""Quantities indexed over a network: entries, sums over links or nodes, and what they run over.

``theta[i]`` and ``A[i, j]`` are symbols that know their base and their indices, so everything that works on
symbols (differentiation, common subexpressions, the search for removable singularities) works on
them.  A sum is one node of the tree; it is never written out.

``A[i, j]`` is the weight from j to i.  A sum over j runs over the links into i if its summand holds a
per-link quantity at ``[i, j]``, and over all nodes of j's set otherwise.  This is decided once, when
the equations are checked (`resolved`), and kept in the sum: a derivative may lose the quantity.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, ClassVar

import sympy
from sympy.core.symbol import Str

from dynlab.errors import DefinitionError

__all__ = [
    "Element",
    "Index",
    "Indexed",
    "NodeMean",
    "NodeSum",
    "canonical",
    "collect_intermediates",
    "each",
    "element",
    "free_indices",
    "index_sets",
    "nodes",
    "renamed",
    "resolved",
    "sums_of",
]

Shapes = Mapping[str, tuple[str, ...]]

#: Indices in the order in which a rule uses them: first its own, then those of its sums.
LETTERS = ("i", "j", "k", "l", "m", "n", "o", "p", "q", "r")


class Element(sympy.Symbol):
    """One entry of an indexed quantity: ``theta[i]``, ``A[i, j]``."""

    __slots__ = ("base", "indices")
    base: str
    indices: tuple[str, ...]


@cache
def element(base: str, *indices: str) -> Element:
    """Return the symbol of an entry."""
    made: Element = Element.__xnew__(Element, f"{base}[{', '.join(indices)}]", real=True)
    made.base = base
    made.indices = indices
    return made


class Reduction(sympy.Expr):
    """A sum or mean over an index; never evaluated.

    Its arguments are the summand and the index; once resolved also the set that the index runs over
    and, over links, the index and set of the node that they lead into.
    """

    is_commutative = True
    is_real = True
    is_extended_real = True
    word: ClassVar[str]

    @property
    def summand(self) -> sympy.Expr:
        """What is added up."""
        return self.args[0]

    @property
    def index(self) -> str:
        """The index that runs."""
        return str(self.args[1])

    @property
    def runs(self) -> str:
        """The set that the index runs over; empty before the sum is resolved."""
        return str(self.args[2]) if len(self.args) > 2 else ""

    @property
    def own(self) -> str:
        """The index of the node that the links lead into; empty for a sum over all nodes."""
        return str(self.args[3]) if len(self.args) > 3 else ""

    @property
    def over(self) -> str:
        """The set of the node that the links lead into; empty for a sum over all nodes."""
        return str(self.args[4]) if len(self.args) > 4 else ""

    def of(self, summand: sympy.Expr) -> Reduction:
        """Return the same sum of something else."""
        return type(self)(summand, *self.args[1:])

    def _sympystr(self, printer: Any) -> str:
        return f"{self.word}({printer._print(self.summand)}, {self.index})"

    def _eval_derivative(self, variable: sympy.Symbol) -> sympy.Expr:
        raise NotImplementedError("sums are differentiated by symbolic.derivatives")


class NodeSum(Reduction):
    """Sum over links or nodes."""

    word = "Sum"

    def _latex(self, printer: Any) -> str:
        return rf"\sum_{{{self.index}}} {printer.parenthesize(self.summand, 30)}"


class NodeMean(Reduction):
    """Sum divided by the number of its terms; 0 if there are none."""

    word = "Mean"

    def _latex(self, printer: Any) -> str:
        return rf"\left\langle {printer._print(self.summand)} \right\rangle_{{{self.index}}}"


class _NoNumber:
    """Something of an equation that must not be calculated with; says so."""

    __slots__ = ()

    def _complaint(self) -> str:
        raise NotImplementedError

    def _refuse(self, *_: Any) -> Any:
        raise DefinitionError(self._complaint())

    __neg__ = __abs__ = _sympy_ = _refuse
    __add__ = __sub__ = __mul__ = __truediv__ = __pow__ = __mod__ = _refuse
    __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rpow__ = __rmod__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = _refuse


class Index(_NoNumber):
    """A letter that runs over the nodes of a network; see `nodes`."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name

    def _complaint(self) -> str:
        return (
            f"the index {self.name} stands in an equation as if it were a number. An index picks an "
            f"entry, x[{self.name}]; for a number per node declare a parameter n: dl.PerNode."
        )


def nodes(letters: str) -> Any:
    """Return indices that run over the nodes of a network.

    Parameters
    ----------
    letters
        Names of the indices, separated by blanks.

    Returns
    -------
    Index or tuple of Index
        One index, or as many as there are names.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def consensus(x: dl.PerNode, *, A: dl.PerLink = 1.0):
    ...     i, j = dl.nodes("i j")
    ...     return {x[i]: dl.Sum(A[i, j] * (x[j] - x[i]), j)}
    >>> consensus
    <flow consensus: x' = Sum(A[i, j]*(-x[i] + x[j]), j); A = 1>
    """
    names = str(letters).split()
    for name in names:
        if not name.isidentifier() or names.count(name) > 1:
            raise DefinitionError(
                f"{letters!r} names no indices. Write different letters with blanks between them: "
                'i, j = dl.nodes("i j").'
            )
    if not names:
        raise DefinitionError('dl.nodes got no names. Write i, j = dl.nodes("i j").')
    found = tuple(Index(name) for name in names)
    return found[0] if len(found) == 1 else found


class Indexed(_NoNumber):
    """An indexed state or parameter inside the body of a definition: ``theta[i]``, ``A[i, j]``."""

    __slots__ = ("count", "name")

    def __init__(self, name: str, count: int) -> None:
        self.name = name
        self.count = count

    def __getitem__(self, key: Any) -> Element:
        keys = key if isinstance(key, tuple) else (key,)
        if not all(isinstance(k, Index) for k in keys):
            raise DefinitionError(
                f"{self.name}[{key!r}] is not an entry that an equation can name. Indices come from "
                'dl.nodes: i, j = dl.nodes("i j").'
            )
        if len(keys) != self.count:
            form = "[i]" if self.count == 1 else "[i, j]"
            raise DefinitionError(
                f"{self.name} has {self.count} ind{'ex' if self.count == 1 else 'ices'} and is given "
                f"{len(keys)}. Write {self.name}{form}."
            )
        return element(self.name, *(k.name for k in keys))

    def __iter__(self) -> Iterator[Any]:
        raise DefinitionError(f"{self.name} cannot be unpacked. Write {self.name}[i].")

    def _complaint(self) -> str:
        form = "[i]" if self.count == 1 else "[i, j]"
        return (
            f"{self.name} stands without its index. Write {self.name}{form}, with i from dl.nodes."
        )

    def __repr__(self) -> str:
        return self.name


_collector: contextvars.ContextVar[list[tuple[str, str, Any]] | None] = contextvars.ContextVar(
    "intermediates", default=None
)


@contextlib.contextmanager
def collect_intermediates() -> Iterator[list[tuple[str, str, Any]]]:
    """Gather what `each` defines in the block: name, index, expression."""
    found: list[tuple[str, str, Any]] = []
    token = _collector.set(found)
    try:
        yield found
    finally:
        _collector.reset(token)


def each(index: Any, expression: Any) -> Indexed:
    """Name an intermediate quantity that is computed once per node, such as a hidden layer.

    Parameters
    ----------
    index
        The index over whose nodes it is computed.
    expression
        Its value at that node.

    Returns
    -------
    Indexed
        Something to be indexed like a state: ``h[i]``.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def layered(y: dl.PerNode("out"), *, W: dl.PerLink("hid", "out") = 1.0,
    ...             V: dl.PerLink("out", "hid") = 1.0):
    ...     i, j, k = dl.nodes("i j k")
    ...     h = dl.each(j, dl.tanh(dl.Sum(W[j, k] * y[k], k)))
    ...     return {y[i]: -y[i] + dl.Sum(V[i, j] * h[j], j)}
    >>> layered.declared
    ('y',)
    """
    found = _collector.get()
    if found is None:
        raise DefinitionError("dl.each stands outside a definition. Use it inside @dl.flow.")
    if not isinstance(index, Index):
        raise DefinitionError(f"dl.each({index!r}, ...) needs an index first: i = dl.nodes('i').")
    name = f"_each{len(found)}"
    found.append((name, index.name, expression))
    return Indexed(name, 1)


# -- what an expression holds ----------------------------------------------------------------


def reduction(kind: type[Reduction], summand: Any, index: str, *where: str) -> Reduction:
    """Return a sum or mean; `where` is the set, or the set and the index and set of the target."""
    return kind(summand, Str(index), *map(Str, where))


def sums_of(expression: Any) -> list[Reduction]:
    """Return the outermost sums of an expression, each once."""
    found: dict[Reduction, None] = {}
    pending = [expression]
    while pending:
        e = pending.pop()
        if isinstance(e, Reduction):
            found[e] = None
        elif e.has(Reduction):
            pending += e.args
    return sorted(found, key=sympy.default_sort_key)


def elements_outside(expression: Any) -> set[Element]:
    """Return the entries that stand outside all sums."""
    if isinstance(expression, Element):
        return {expression}
    if isinstance(expression, Reduction):
        return set()
    return set().union(*(elements_outside(a) for a in expression.args))


@cache
def free_indices(expression: Any) -> frozenset[str]:
    """Return the indices that are not bound by a sum."""
    if isinstance(expression, Element):
        return frozenset(expression.indices)
    if isinstance(expression, Reduction):
        own = {expression.own} if expression.own else set()
        return (free_indices(expression.summand) - {expression.index}) | own
    return frozenset().union(*(free_indices(a) for a in expression.args))


def renamed(expression: Any, names: Mapping[str, str]) -> Any:
    """Return the expression with its free indices renamed."""
    if isinstance(expression, Element):
        return element(expression.base, *(names.get(i, i) for i in expression.indices))
    if isinstance(expression, Reduction):
        inner = {old: new for old, new in names.items() if old != expression.index}
        found = expression.of(renamed(expression.summand, inner))
        if not expression.own:
            return found
        own = Str(names.get(expression.own, expression.own))
        return type(found)(*found.args[:3], own, *found.args[4:])
    if not expression.args or not expression.has(Element, Reduction):
        return expression
    return expression.func(*(renamed(a, names) for a in expression.args))


def canonical(expression: Any, free: tuple[str, ...]) -> Any:
    """Return the expression with its indices named in order of their depth.

    `free` are its own indices, as written; they become i (and j).  Two rules that differ by the letters
    of their indices alone become equal.
    """
    marked = renamed(expression, {old: f"#{k}" for k, old in enumerate(free)})
    lettered = _lettered(marked, len(free))
    return renamed(lettered, {f"#{k}": LETTERS[k] for k in range(len(free))})


def _lettered(expression: Any, depth: int) -> Any:
    if isinstance(expression, Reduction):
        if depth >= len(LETTERS):
            raise DefinitionError(f"sums are nested more than {len(LETTERS)} deep.")
        letter = LETTERS[depth]
        inner = renamed(expression.summand, {expression.index: f"#b{depth}"})
        done = renamed(_lettered(inner, depth + 1), {f"#b{depth}": letter})
        return type(expression)(done, Str(letter), *expression.args[2:])
    if not expression.args or not expression.has(Reduction):
        return expression
    return expression.func(*(_lettered(a, depth) for a in expression.args))


def resolved(expression: Any, shapes: Shapes, where: str) -> Any:
    """Return the expression with each sum told what it runs over.

    Raises
    ------
    DefinitionError
        If a summand does not depend on the index, or it is not clear which links are meant.
    """
    done = {}
    for sum_ in sums_of(expression):
        summand = resolved(sum_.summand, shapes, where)
        sets = index_sets(summand, shapes, where)
        if sum_.index not in sets:
            raise DefinitionError(
                f"in {where}, the summand of {sum_} does not depend on {sum_.index}. "
                "Multiply by the number of terms instead, or index a quantity with it."
            )
        own = _own_index(sum_, summand, where)
        target = (own, sets[own]) if own else ()
        done[sum_] = reduction(type(sum_), summand, sum_.index, sets[sum_.index], *target)
    return expression.xreplace(done) if done else expression


def _own_index(sum_: Reduction, summand: Any, where: str) -> str:
    """Return the index of the node whose links a sum runs over, or nothing."""
    per_link = [e for e in elements_outside(summand) if len(e.indices) == 2]
    if any(e.indices[0] == sum_.index for e in per_link):
        raise DefinitionError(
            f"in {where}, {sum_} runs over the first index of a per-link quantity. A[i, j] is the "
            "weight from j to i, and sums run over j; declare the links the other way round."
        )
    found = {e.indices[0] for e in per_link if e.indices[1] == sum_.index}
    if len(found) > 1:
        raise DefinitionError(
            f"in {where}, {sum_} runs over the links of {' and '.join(sorted(found))} at once. "
            "Write it as separate sums."
        )
    return next(iter(found), "")


def index_sets(expression: Any, shapes: Shapes, where: str) -> dict[str, str]:
    """Return the node set of each free index; raise if one index is used for two sets."""
    found: dict[str, str] = {}
    pairs: list[tuple[str, str, Any]] = []
    for e in elements_outside(expression):
        if e.base not in shapes or len(shapes[e.base]) != len(e.indices):
            raise DefinitionError(f"in {where}, {e} is not an entry of an indexed quantity.")
        pairs += [(i, s, e) for i, s in zip(e.indices, shapes[e.base], strict=True)]
    for sum_ in sums_of(expression):
        inner = index_sets(sum_.summand, shapes, where)
        pairs += [(i, s, sum_) for i, s in inner.items() if i != sum_.index]
        pairs += [(sum_.own, sum_.over, sum_)] if sum_.own else []
    for index, set_name, e in pairs:
        if found.setdefault(index, set_name) != set_name:
            raise DefinitionError(
                f"in {where}, the index {index} runs over {found[index]!r} and, in {e}, over "
                f"{set_name!r}. Use another letter for one of them."
            )
    return found
