"""Axes in the house look, the labels on them, the legend below them, and the file they end in.

Nothing here touches matplotlib's global settings: the look is set on one axes at a time, and axes
that already carry data keep the look they have.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from dynlab.plotting import style

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D

SIZE = (6.4, 4.2)
MARGIN_HEIGHT, TALLEST = 0.9, 11.0
DOTS_PER_INCH = 200
POINTS_PER_INCH = 72
LAYOUT_PASSES = 4
"""Constrained layout changes by less than rounding after three passes."""
MARGIN = 0.07
"""Share of the axes left free on each side: room for labels of points at the ends."""

# fmt: off
GREEK = frozenset({
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
    "lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi",
    "omega",
    "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
})
# fmt: on
SPELLINGS = {"eps": "varepsilon", "epsilon": "varepsilon", "lam": "lambda"}
"""Names people type, and the letter that is printed for them."""

BELOW_TICKS = 36.0
"""Points between the axes and the legend: tick labels of size 9 and an axis label of size 11."""

OWN_FIGURE = "dynlab figure"
"""Group id of the figures made here; only these change size."""

LEGEND_STRIP = "dynlab legend"
"""Group id of what stands for the legend below a figure where it is cut to what it holds."""

LEGEND: Mapping[str, Any] = MappingProxyType(
    {
        "fontsize": style.TICK_SIZE,
        "labelcolor": style.INK,
        "handlelength": 2.0,
        "handletextpad": 0.6,
        "columnspacing": 1.3,
        "borderaxespad": 0.3,
    }
)

_NAME = re.compile(r"([^\W\d_]+)(\d*)((?:_\w+)?)(?:\[([\w, ]+)\])?")


def new_axes(
    ax: Axes | None = None,
    *,
    xlabel: str,
    ylabel: str,
    title: str | None = None,
    size: tuple[float, float] = SIZE,
) -> Axes:
    """Axes in the house look, in a new figure unless `ax` is given.

    Parameters
    ----------
    ax
        Axes to prepare.  If they carry data they keep their look, and labels that are already
        there stay, so that a second result drawn into them does not rename them.
    xlabel, ylabel, title
        Texts; see `label` for quantities with units.
    size
        Width and height of a new figure in inches, without the legend; a journal column is about
        3.4 inches wide.
    """
    if ax is None:
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=size, layout="constrained", facecolor="white")
        figure.set_gid(OWN_FIGURE)
        ax = figure.add_subplot()
    if not ax.has_data():
        _dress(ax)
    if not ax.get_xlabel():
        ax.set_xlabel(xlabel, fontsize=style.LABEL_SIZE, color=style.INK)
    if not ax.get_ylabel():
        ax.set_ylabel(ylabel, fontsize=style.LABEL_SIZE, color=style.INK)
    if title is not None:
        ax.set_title(title, loc="left", fontsize=style.LABEL_SIZE, color=style.INK)
    return ax


def stacked_axes(count: int, *, height: float = 1.5) -> list[Axes]:
    """Return panels above each other that share the axis across, in a new figure, without labels.

    One panel is as high as 1.6 of several.
    """
    size = (SIZE[0], min(MARGIN_HEIGHT + height * max(count, 1.6), TALLEST))
    first = new_axes(xlabel="", ylabel="", size=size)
    if count == 1:
        return [first]
    figure = first.figure
    first.remove()
    panels = figure.subplots(count, 1, sharex=True)
    return [new_axes(panel, xlabel="", ylabel="") for panel in panels]


def _dress(ax: Axes) -> None:
    ax.set_facecolor("white")
    ax.grid(visible=False)
    for side, spine in ax.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_linewidth(0.8)
        spine.set_color(style.INK)
    ax.tick_params(labelsize=style.TICK_SIZE, width=0.8, length=3.5, colors=style.INK)
    ax.margins(MARGIN)


def label(name: str, unit: str | None = None) -> str:
    r"""Label of a quantity, set as a printer would set it.

    Single letters are italic, Greek names become letters, what follows an underscore and digits
    at the end become subscripts.  Anything else stays as it is written.

    Examples
    --------
    >>> label("V", "mV"), label("rho"), label("gNa", "mS/cm^2")
    ('$V$ (mV)', '$\\rho$', 'gNa (mS/cm$^{2}$)')
    >>> label("I_ext"), label("x1"), label("theta[3]")
    ('$I_{\\mathrm{ext}}$', '$x_{1}$', '$\\theta_{3}$')
    """
    math = symbol(name)
    is_word = math in {name, rf"\mathrm{{{name}}}"} and len(name) > 1
    text = name if is_word else f"${math}$"
    return f"{text} ({_unit(unit)})" if unit else text


def symbol(name: str) -> str:
    r"""Mathematical notation for a name without the dollar signs: `g_{\mathrm{Na}}` for `g_Na`."""
    match = _NAME.fullmatch(name)
    if match is None:
        return name
    base, digits, rest, index = match.groups()
    parts = [digits, *rest.split("_"), *(index or "").split(",")]
    below = ",".join(_letters(part.strip()) for part in parts if part.strip())
    return _letters(base) + (f"_{{{below}}}" if below else "")


def _letters(word: str) -> str:
    if word in SPELLINGS or word in GREEK:
        return "\\" + SPELLINGS.get(word, word)
    return word if len(word) == 1 or word.isdigit() else rf"\mathrm{{{word}}}"


def _unit(unit: str) -> str:
    micro = re.sub(r"\bu(?=(?:[ASFMVmsWL]|mol)\b)", "\N{MICRO SIGN}", unit)
    return re.sub(r"(?:\^|\*\*)\(?(-?\d+)\)?", r"$^{\1}$", micro)


def add_legend_key(ax: Axes, key: Line2D) -> None:
    """Put a line without points into the axes, for the legend only, unless its label is there."""
    if key.get_label() not in ax.get_legend_handles_labels()[1]:
        ax.add_line(key)


def draw_legend(ax: Axes) -> Axes:
    """Legend of all labelled artists, each label once, where it covers no data.

    A figure made by `new_axes` grows by a strip at the bottom that holds the legend in as many
    columns as fit; the axes keep their size.  In other figures the legend goes below the axes if
    the layout is constrained, else to the emptiest place inside them, for want of room outside.
    """
    handles, labels = ax.get_legend_handles_labels()
    entries = {name: handle for handle, name in zip(handles, labels, strict=True) if name}
    figure = figure_of(ax)
    if not entries:
        return ax
    if figure.get_gid() == OWN_FIGURE:
        _legend_in_strip(ax, entries)
    elif figure.get_layout_engine() is not None:
        _legend_below(ax, entries)
    else:
        place: dict[str, Any] = {"loc": "best", "framealpha": 0.85, "edgecolor": "none"}
        ax.legend(entries.values(), entries.keys(), **place, **LEGEND)
    return ax


def _legend_in_strip(ax: Axes, entries: Mapping[str, Artist]) -> None:
    figure = figure_of(ax)
    width, height = figure.get_size_inches()
    former = ax.get_legend()
    before = _height(former) if former is not None else 0.0
    place = {
        "loc": "lower center",
        "bbox_to_anchor": (0.5, 0.0),
        "bbox_transform": figure.transFigure,
    }
    legend = _legend_in_columns(ax, entries, place, width)
    # Out of the layout, which would narrow the axes to the width of the legend.
    legend.set_in_layout(False)
    strip, grown = _height(legend), height - before + _height(legend)
    figure.set_size_inches(width, grown)
    layout: Any = figure.get_layout_engine()
    layout.set(rect=(0.0, strip / grown, 1.0, 1.0 - strip / grown))
    _count_strip(figure, strip / grown)


def _count_strip(figure: Figure, share: float) -> None:
    """Make the strip count where a figure is cut to what it holds, as notebooks do; the legend itself is left out there."""
    from matplotlib.patches import Rectangle

    for former in [artist for artist in figure.artists if artist.get_gid() == LEGEND_STRIP]:
        former.remove()
    strip = Rectangle((0, 0), 1, share, fill=False, linewidth=0, transform=figure.transFigure)
    strip.set_gid(LEGEND_STRIP)
    figure.add_artist(strip)


def _legend_below(ax: Axes, entries: Mapping[str, Artist]) -> None:
    from matplotlib.transforms import ScaledTranslation

    figure = figure_of(ax)
    below = ScaledTranslation(0, -BELOW_TICKS / POINTS_PER_INCH, figure.dpi_scale_trans)
    place = {
        "loc": "upper center",
        "bbox_to_anchor": (0.5, 0.0),
        "bbox_transform": ax.transAxes + below,
    }
    _legend_in_columns(ax, entries, place, ax.bbox.width / figure.dpi)


def _legend_in_columns(
    ax: Axes, entries: Mapping[str, Artist], place: Mapping[str, Any], room: float
) -> Legend:
    """Legend with the most columns that fit into a width in inches."""
    columns = len(entries)
    while True:
        legend = ax.legend(
            entries.values(), entries.keys(), ncols=columns, frameon=False, **place, **LEGEND
        )
        if columns == 1 or legend.get_window_extent().width / figure_of(ax).dpi <= room:
            return legend
        columns -= 1


def _height(legend: Legend) -> float:
    """Height in inches."""
    return float(legend.get_window_extent().height / legend.figure.dpi)


def draw_legend_beside(ax: Axes, names: Sequence[str]) -> Axes:
    """Legend of the artists with these labels, to the right of the axes."""
    known = dict(zip(*ax.get_legend_handles_labels()[::-1], strict=True))
    ax.legend(
        [known[name] for name in names],
        names,
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        frameon=False,
        **LEGEND,
    )
    return ax


def save_figure(ax: Axes, path: str | Path) -> Path:
    """Write the figure of `ax` to a file; its ending (.png, .svg, .pdf) says which format.

    The same figure gives the same bytes: no date is stored and SVG identifiers are seeded.  Text
    in SVG and PDF files stays text, so that it can be searched and edited.
    """
    import matplotlib as mpl

    path = Path(path)
    ending = path.suffix.lower()
    undated = {".svg": "Date", ".pdf": "CreationDate", ".png": "Software"}
    metadata = {undated[ending]: None} if ending in undated else None
    figure = figure_of(ax)
    _settle(figure, POINTS_PER_INCH if ending in {".svg", ".pdf"} else DOTS_PER_INCH)
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "dynlab", "pdf.fonttype": 42}
    with mpl.rc_context(settings):
        figure.savefig(path, dpi=DOTS_PER_INCH, metadata=metadata)
    return path


def _settle(figure: Figure, dots_per_inch: float) -> None:
    """Repeat the layout at the resolution of the file until it is a fixed point.

    One pass starts from the last positions, so that a second file would differ in the last digit.
    """
    before = figure.dpi
    figure.set_dpi(dots_per_inch)
    for _ in range(LAYOUT_PASSES):
        figure.draw_without_rendering()
    figure.set_dpi(before)


def figure_of(ax: Axes) -> Figure:
    """Figure that holds the axes, also if these sit in a subfigure."""
    figure = ax.get_figure(root=True)
    if figure is None:
        message = "these axes were removed from their figure; pass axes that are in one, or None"
        raise RuntimeError(message)
    return figure


def close_figure(ax: Axes) -> None:
    """Let go of the figure that an axes belongs to; pyplot keeps every figure otherwise."""
    import matplotlib.pyplot as plt

    plt.close(figure_of(ax))
