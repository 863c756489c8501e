"""Binding a rule to a network: sizes, links (rows of a sparse matrix) and values per node and link.

The rule is compiled; what stands here is data.  A graph, a matrix and an all-to-all network all become
the same thing once: for each node of the target set the list of its sources, in rising order, and one
number per link for each per-link quantity.  A networkx edge u -> v is the entry ``A[v, u]``.
"""

from __future__ import annotations

import functools
import hashlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import DegenerateWarning, SettingError, UnknownNameError
from dynlab.names import finite

__all__ = ["AllToAll", "Bound", "Links", "bind", "with_values"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


class Quantity(Protocol):
    """A state or parameter: its name and the sets that it is indexed over."""

    @property
    def name(self) -> str: ...
    @property
    def shape(self) -> tuple[Any, ...]: ...


class Rule(Protocol):
    """What binding needs to know of a system."""

    @property
    def name(self) -> str: ...
    @property
    def quantities(self) -> tuple[Any, ...]: ...
    @property
    def shapes(self) -> dict[str, tuple[str, ...]]: ...
    @property
    def bound(self) -> Bound | None: ...


_MOST_NODES = 50_000_000


@dataclass(frozen=True, slots=True)
class AllToAll:
    """The network in which every node is linked to every node, itself included.

    Parameters
    ----------
    size
        Number of nodes.  It may be left out where sizes are given otherwise.

    Examples
    --------
    >>> import dynlab as dl
    >>> swarm = dl.zoo.kuramoto.on(dl.AllToAll(3))
    >>> swarm.state_names
    ('theta[0]', 'theta[1]', 'theta[2]')
    """

    size: int | None = None

    def __post_init__(self) -> None:
        if self.size is not None:
            object.__setattr__(self, "size", _size(self.size, "dl.AllToAll"))


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """Which nodes of a source set act on which nodes of a target set.

    ``sources[first[i]:first[i + 1]]`` are the sources of node i, rising.
    """

    target: str
    source: str
    first: Integers
    sources: Integers

    @property
    def count(self) -> int:
        """How many links there are."""
        return len(self.sources)

    @property
    def targets(self) -> Integers:
        """The target of each link, in order."""
        return np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))

    def is_full(self, sources: int) -> bool:
        """Whether every node of the target has every one of so many sources."""
        return self.count == (len(self.first) - 1) * sources


@dataclass(frozen=True, eq=False)
class Bound:
    """Sizes, links and values that a rule over a network is bound to.

    Parameters
    ----------
    sizes
        Number of nodes of each set.
    links
        One entry per pair of target and source set.
    values
        Per-node values, and per-link values in the order of the links, of states (their start) and
        parameters that are not uniform.
    draws
        For each drawn quantity its seed, in words, so that it can be drawn again.
    """

    sizes: dict[str, int]
    links: tuple[Links, ...] = ()
    values: dict[str, Array] = field(default_factory=dict)
    draws: dict[str, str] = field(default_factory=dict)

    @functools.cached_property
    def digest(self) -> bytes:
        """Hash of everything here."""
        state = hashlib.sha256()
        for name, size in sorted(self.sizes.items()):
            state.update(f"{name}={size};".encode())
        for links in self.links:
            state.update(f"{links.target}<{links.source}".encode())
            state.update(links.first.tobytes() + links.sources.tobytes())
        for name, values in sorted(self.values.items()):
            state.update(name.encode() + values.tobytes())
        return state.digest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bound) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def between(self, target: str, source: str) -> Links:
        """Return the links of a pair of sets."""
        return next(a for a in self.links if (a.target, a.source) == (target, source))

    def count(self, shape: tuple[str, ...]) -> int:
        """Return how many numbers a quantity of that shape holds."""
        if not shape:
            return 1
        return self.sizes[shape[0]] if len(shape) == 1 else self.between(*shape).count

    def values_of(self, name: str, shape: tuple[str, ...], default: float) -> Array:
        """Return the values of a quantity, one for each node or link; the default where not given."""
        return self.values[name] if name in self.values else np.full(self.count(shape), default)

    def place(self, name: str, shape: tuple[str, ...], indices: Sequence[int]) -> int:
        """Return where a node, or the link ``[target, source]``, stands among the numbers of a quantity.

        Raises
        ------
        SettingError
            If there is no such node or link; `name` is what the message calls it.
        """
        for index, over in zip(indices, shape, strict=True):
            if not 0 <= index < self.sizes[over]:
                raise SettingError(
                    f"{name!r} names node {index}, and there are {self.sizes[over]}, counted from 0. "
                    f"Give an index up to {self.sizes[over] - 1}."
                )
        if len(indices) == 1:
            return indices[0]
        target, source = indices
        links = self.between(*shape)
        sources = links.sources[links.first[target] : links.first[target + 1]]
        near = np.flatnonzero(sources == source)
        if not near.size:
            raise SettingError(
                f"there is no link from {source} to {target}, so {name!r} has no value. Bind a network "
                "that has it; a zero in a dense matrix is no link."
            )
        return int(links.first[target] + near[0])

    def to_arrays(self) -> dict[str, Any]:
        """Return everything as named arrays, for files."""
        arrays: dict[str, Any] = {f"size {n}": np.array([s]) for n, s in self.sizes.items()}
        for a in self.links:
            arrays[f"first {a.target} {a.source}"] = a.first
            arrays[f"sources {a.target} {a.source}"] = a.sources
        arrays |= {f"value {n}": v for n, v in self.values.items()}
        return arrays | {f"draw {n}": np.array([text]) for n, text in self.draws.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Bound:
        """Rebuild what `to_arrays` gave; every part is checked."""
        split = {tuple(key.split(" ")): value for key, value in arrays.items()}
        sizes = {k[1]: _size(v[0], k[1]) for k, v in split.items() if k[0] == "size"}
        links = tuple(
            _checked_links(
                Links(k[1], k[2], np.asarray(v, np.int64), np.asarray(split["sources", *k[1:]], np.int64)),
                sizes,
            )
            for k, v in split.items() if k[0] == "first"
        )  # fmt: skip
        values = {
            k[1]: _finite(np.asarray(v, float), k[1]) for k, v in split.items() if k[0] == "value"
        }
        draws = {k[1]: str(v[0]) for k, v in split.items() if k[0] == "draw"}
        return cls(sizes, links, values, draws)


def bind(system: Rule, network: Any, links: Mapping[str, Any] | None) -> Bound:
    """Return what a system is bound to by ``system.on(network, links=...)``."""
    node_sets, pairs = _declared(system)
    if not node_sets:
        raise SettingError(
            f"{system.name!r} has no quantity per node or link, so there is nothing to bind. "
            "Declare a state as theta: dl.PerNode."
        )
    if isinstance(network, Mapping):
        sizes, given = _sizes(network, node_sets, system), dict(links or {})
    else:
        if links is not None:
            raise SettingError(
                "links= goes with sizes: system.on({'exc': 400, 'inh': 100}, links={...}). "
                "A graph or matrix brings its links itself."
            )
        if len(node_sets) > 1:
            raise SettingError(
                f"{system.name!r} has the node sets {', '.join(node_sets)}. Give a size for each, "
                f"and the links by name: system.on({{{node_sets[0]!r}: 100, ...}}, links={{...}})."
            )
        size = _order(network)
        sizes = {node_sets[0]: size}
        given = {p.name: network for p in _per_link(system)}
    return _assembled(system, sizes, pairs, given, network)


def _declared(system: Rule) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the node sets and the pairs of sets that have links, in order of declaration."""
    shapes = list(system.shapes.values())
    node_sets = list(dict.fromkeys(name for shape in shapes for name in shape))
    pairs = list(dict.fromkeys((s[0], s[1]) for s in shapes if len(s) == 2))
    return node_sets, pairs


def _per_link(system: Rule) -> list[Quantity]:
    return [q for q in system.quantities if len(q.shape) == 2]


def _size(value: Any, what: str) -> int:
    number = finite(value, f"the size of {what}")
    if number != int(number) or not 1 <= number <= _MOST_NODES:
        raise SettingError(
            f"the size of {what} is {value!r}; give a whole number of nodes, at least 1."
        )
    return int(number)


def _sizes(given: Mapping[str, Any], node_sets: list[str], system: Rule) -> dict[str, int]:
    for name in given:
        if name not in node_sets:
            raise UnknownNameError(f"node set of {system.name!r}", str(name), node_sets)
    missing = [name for name in node_sets if name not in given]
    if missing:
        raise SettingError(f"the node set {missing[0]!r} of {system.name!r} has no size. Give one.")
    return {name: _size(given[name], repr(name)) for name in node_sets}


def _order(network: Any) -> int:
    """Return the number of nodes of a graph, a square matrix or an all-to-all network."""
    if isinstance(network, AllToAll):
        if network.size is None:
            raise SettingError("dl.AllToAll needs the number of nodes here: dl.AllToAll(100).")
        return network.size
    if hasattr(network, "number_of_nodes"):
        return _size(network.number_of_nodes(), "the graph")
    if isinstance(network, int | np.integer):
        return _size(network, "the network")
    shape = getattr(network, "shape", None)
    if shape is None or len(shape) != 2 or shape[0] != shape[1]:
        raise SettingError(
            f"a network is a networkx graph, a square matrix or dl.AllToAll(n), not "
            f"{type(network).__name__}{'' if shape is None else f' of shape {tuple(shape)}'}."
        )
    return _size(shape[0], "the matrix")


def _assembled(
    system: Rule, sizes: dict[str, int], pairs: list[tuple[str, str]], given: dict[str, Any],
    network: Any,
) -> Bound:  # fmt: skip
    quantities = {q.name: q for q in _per_link(system)}
    for name in given:
        if name not in quantities:
            raise UnknownNameError(f"per-link quantity of {system.name!r}", str(name), quantities)
    values = _node_attributes(system, network)
    all_links = []
    for target, source in pairs:
        here = [
            q for q in quantities.values() if (q.shape[0].name, q.shape[1].name) == (target, source)
        ]
        shape = (sizes[target], sizes[source])
        found = {q.name: _triplets(given[q.name], q.name, shape, _keys(q.name, here))
                 for q in here if q.name in given}  # fmt: skip
        if not found:
            raise SettingError(
                f"the links of {here[0].name!r} from {source!r} to {target!r} are not given. "
                f"Give a matrix of shape {shape}, a graph or dl.AllToAll(): "
                f"links={{{here[0].name!r}: ...}}."
            )
        codes = np.unique(
            np.concatenate([rows * shape[1] + columns for rows, columns, _ in found.values()])
        )
        rows, columns = np.divmod(codes.astype(np.int64), shape[1])
        first = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=shape[0]))])
        all_links.append(Links(target, source, first.astype(np.int64), columns))
        for name, (own_rows, own_columns, weights) in found.items():
            if weights is not None:
                full = np.zeros(len(codes))
                full[np.searchsorted(codes, own_rows * shape[1] + own_columns)] = weights
                values[name] = full
    return Bound(sizes, tuple(all_links), values)


def _triplets(
    given: Any, name: str, shape: tuple[int, int], keys: tuple[str, ...]
) -> tuple[Integers, Integers, Array | None]:
    """Return targets, sources and weights (None: the default) of links given in any form."""
    if isinstance(given, AllToAll):
        if given.size is not None and (given.size, given.size) != shape:
            raise SettingError(
                f"dl.AllToAll({given.size}) does not fit {name!r}, which needs {shape}."
            )
        rows, columns = np.divmod(np.arange(shape[0] * shape[1]), shape[1])
        return rows, columns, None
    if hasattr(given, "number_of_nodes"):
        return _from_graph(given, name, shape, keys)
    if hasattr(given, "tocoo"):
        found = given.tocsr().tocoo()
        rows, columns, weights = found.row, found.col, np.asarray(found.data, float)
    else:
        matrix = np.asarray(given)
        if matrix.ndim != 2 or matrix.dtype.kind not in "biuf":
            raise SettingError(f"the links of {name!r} are given as {type(given).__name__}; give a "
                               "matrix of numbers, a networkx graph or dl.AllToAll().")  # fmt: skip
        rows, columns = np.nonzero(matrix)
        weights = matrix[rows, columns].astype(float)
        found = matrix
    if tuple(found.shape) != shape:
        raise SettingError(
            f"the matrix of {name!r} has shape {tuple(found.shape)}, and the sets need {shape} "
            "(targets by sources: A[i, j] is the weight from j to i)."
        )
    return rows.astype(np.int64), columns.astype(np.int64), _finite(weights, name)


def _keys(name: str, here: Sequence[Any]) -> tuple[str, ...]:
    """Return the edge attributes that may hold a quantity: its own name, and weight if it is alone."""
    return (name, "weight") if len(here) == 1 else (name,)


def _from_graph(
    graph: Any, name: str, shape: tuple[int, int], keys: tuple[str, ...]
) -> tuple[Integers, Integers, Array | None]:
    nodes = list(graph.nodes)
    if (len(nodes), len(nodes)) != shape:
        raise SettingError(f"the graph of {name!r} has {len(nodes)} nodes; its sets need {shape}.")
    loops = sum(u == v for u, v in graph.edges())
    if loops:
        raise SettingError(
            f"the graph has {loops} self-loop{'s' if loops > 1 else ''}. Remove them with "
            "graph.remove_edges_from(networkx.selfloop_edges(graph)); if a node is to act on itself, give "
            "the matrix, whose diagonal is taken as it stands."
        )
    _warn_if_apart(graph)
    position = {node: k for k, node in enumerate(nodes)}
    edges = [(position[v], position[u], data) for u, v, data in graph.edges(data=True)]
    if not graph.is_directed():
        edges += [(u, v, data) for v, u, data in edges]
    key = next((k for k in keys if any(k in data for _, _, data in edges)), None)
    rows = np.array([v for v, _, _ in edges], np.int64)
    columns = np.array([u for _, u, _ in edges], np.int64)
    if key is None:
        return rows, columns, None
    lacking = next((d for d in edges if key not in d[2]), None)
    if lacking is not None:
        raise SettingError(
            f"some edges of the graph carry {key!r} and some do not. Give it to every edge, or none."
        )
    weights = np.array([finite(data[key], f"{key!r} of an edge") for _, _, data in edges])
    if graph.is_multigraph():
        codes, inverse = np.unique(rows * shape[1] + columns, return_inverse=True)
        weights = np.bincount(inverse, weights)
        rows, columns = np.divmod(codes, shape[1])
    return rows, columns, weights


def _warn_if_apart(graph: Any) -> None:
    import networkx as nx

    count = (
        nx.number_weakly_connected_components(graph)
        if graph.is_directed() else nx.number_connected_components(graph)
    )  # fmt: skip
    if count > 1:
        warnings.warn(
            f"the graph has {count} components without a link between them; they evolve apart.",
            DegenerateWarning, stacklevel=5,
        )  # fmt: skip


def _node_attributes(system: Rule, network: Any) -> dict[str, Array]:
    """Return values of per-node quantities that the nodes of a graph carry under their names."""
    if not hasattr(network, "number_of_nodes"):
        return {}
    values = {}
    for q in system.quantities:
        if len(q.shape) == 1:
            carried = [data[q.name] for _, data in network.nodes(data=True) if q.name in data]
            if carried and len(carried) == network.number_of_nodes():
                values[q.name] = np.array([finite(v, f"{q.name!r} of a node") for v in carried])
    return values


def with_values(system: Rule, given: Mapping[str, Any], draws: Mapping[str, str]) -> Bound:
    """Return the system's binding with other values of indexed quantities, by name."""
    bound = system.bound
    if bound is None:
        raise SettingError(
            f"{system.name!r} is not bound to a network yet, so it has no values per node. "
            f"Bind it first: {system.name}.on(graph)."
        )
    values, kept = dict(bound.values), dict(bound.draws)
    for name, value in given.items():
        values[name] = _shaped(value, name, system.shapes[name], bound)
        kept.pop(name, None)
    return Bound(bound.sizes, bound.links, values, kept | dict(draws))


def _shaped(value: Any, name: str, shape: tuple[str, ...], bound: Bound) -> Array:
    count = bound.count(shape)
    if np.ndim(value) == 0:
        return np.full(count, finite(value, repr(name)))
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise SettingError(f"{name!r} is given as an array of {array.dtype}; give real numbers.")
    if len(shape) == 2 and array.ndim == 2:
        links = bound.between(*shape)
        if array.shape != (bound.sizes[shape[0]], bound.sizes[shape[1]]):
            raise SettingError(f"the matrix of {name!r} has shape {array.shape}; it needs "
                               f"{(bound.sizes[shape[0]], bound.sizes[shape[1]])}.")  # fmt: skip
        array = array[links.targets, links.sources]
    if array.shape != (count,):
        what = "links" if len(shape) == 2 else "nodes"
        raise SettingError(
            f"{name!r} is given {array.size} values, and there are {count} {what}. Give one for each."
        )
    return _finite(array.astype(float), name)


def _finite(values: Array, name: str) -> Array:
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise SettingError(
            f"{name!r} holds {values[bad[0]]} at place {bad[0]}; give finite numbers."
        )
    return values


def _checked_links(links: Links, sizes: Mapping[str, int]) -> Links:
    rows, columns = sizes[links.target], sizes[links.source]
    regular = (
        links.first.shape == (rows + 1,) and links.first[0] == 0
        and (np.diff(links.first) >= 0).all() and links.first[-1] == len(links.sources)
        and (len(links.sources) == 0 or (links.sources.min() >= 0 and links.sources.max() < columns))
    )  # fmt: skip
    if not regular:
        raise SettingError(
            f"the stored links from {links.source!r} to {links.target!r} are damaged."
        )
    return links
