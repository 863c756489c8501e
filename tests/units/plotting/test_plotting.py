"""What figures must hold whatever is drawn: few artists, legends once, labels clear of the rest."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt

import dynlab.plotting as drawing
from dynlab.plotting import markers, stability, style

T = np.linspace(0, 1, 101)
GRID = np.meshgrid(np.linspace(-2, 2, 50), np.linspace(-1, 1, 40))


@pytest.fixture(autouse=True)
def _closed_and_unchanged():
    before = dict(mpl.rcParams)
    yield
    plt.close("all")
    assert dict(mpl.rcParams) == before


def labels_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def branch_with_points(count):
    s = np.linspace(0, 1, 2001)
    x, y = 10 * s + 1.5 * np.sin(12 * np.pi * s), np.sin(5 * np.pi * s) + 2 * s
    at = np.linspace(20, 1980, count).astype(int)
    kinds = list(style.POINTS)
    ax = drawing.draw_stability_line(None, x, y, (s > 0.5).astype(int))
    points = [(x[i], y[i], kinds[k % len(kinds)], f"P{k}") for k, i in enumerate(at)]
    return drawing.draw_points(ax, points)


DRAWINGS = {
    "stability": lambda ax: drawing.draw_stability_line(ax, T, T, T > 0.5),
    "points": lambda ax: drawing.draw_points(ax, [(0.5, 0.5, "hopf", "H"), (1, 1, "new", "")]),
    "field": lambda ax: drawing.draw_field(ax, *GRID, GRID[1], -GRID[0]),
    "nullclines": lambda ax: drawing.draw_nullclines(ax, *GRID, *GRID, ("v", "w")),
    "equilibria": lambda ax: drawing.draw_equilibria(ax, [0, 1], [0, 1], ["saddle", "center"]),
    "orbit": lambda ax: drawing.draw_orbit(ax, T, T**2, label="orbit"),
    "direction": lambda ax: drawing.draw_direction(ax, T, T**2),
    "manifold": lambda ax: drawing.draw_manifold(ax, T, T**2, "stable"),
    "series": lambda ax: drawing.draw_series(ax, T, {"x": T, "y": 100 * T}, time_label="t"),
    "eigenvalues": lambda ax: drawing.draw_eigenvalues(
        ax, T, np.c_[T - 0.5 + 1j, T - 0.5 - 1j], xlabel="mu"
    ),
    "eigenvalue plane": lambda ax: drawing.draw_eigenvalue_plane(ax, [-1, 1j, -1j]),
    "multiplier plane": lambda ax: drawing.draw_multiplier_plane(ax, [1, 0.2]),
}


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS.keys())
def test_draws_into_the_axes_it_is_given_and_returns_them(draw):
    ax = plt.figure().add_subplot()
    assert draw(ax) is ax
    assert plt.get_fignums() == [1]


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS.keys())
def test_without_axes_makes_one_figure_in_the_house_look(draw):
    ax = draw(None)
    assert len(plt.get_fignums()) == 1
    assert not ax.spines["top"].get_visible()
    assert not ax.spines["right"].get_visible()


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS.keys())
def test_drawing_twice_names_nothing_twice(draw):
    ax = draw(draw(None))
    if ax.get_legend() is not None:
        assert max(Counter(labels_of(ax)).values()) == 1


def test_nothing_to_draw_is_an_empty_figure():
    drawing.draw_stability_line(None, [], [], [])
    drawing.draw_points(None, [])
    drawing.draw_points(None, [(np.nan, 0.0, "fold", "LP"), (0.0, 0.0, "fold", "LP")])
    drawing.draw_equilibria(None, [], [], [])
    drawing.draw_series(None, [], {}, time_label="t")
    drawing.draw_eigenvalues(None, [0, 1], [[np.nan, np.nan], [1, 2]], xlabel="mu")


def test_labels_follow_a_logarithmic_axis():
    ax = drawing.draw_stability_line(None, [1, 10, 100], [1, 2, 3], [0, 0, 1])
    ax.set_xscale("log")
    drawing.draw_points(ax, [(10, 2, "fold", "LP")])
    assert ax.texts[0].get_visible()


def test_import_loads_no_matplotlib():
    code = "import sys, dynlab.plotting; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_public_names_are_sorted_and_documented():
    assert drawing.__all__ == sorted(drawing.__all__)
    assert all(getattr(drawing, name).__doc__ for name in drawing.__all__)


@pytest.mark.parametrize(
    ("name", "unit", "expected"),
    [
        ("V", "mV", "$V$ (mV)"),
        ("rho", None, r"$\rho$"),
        ("eps", None, r"$\varepsilon$"),
        ("g_Na", "mS/cm^2", r"$g_{\mathrm{Na}}$ (mS/cm$^{2}$)"),
        ("I_ext", "uA", "$I_{\\mathrm{ext}}$ (\N{MICRO SIGN}A)"),
        ("x1", None, "$x_{1}$"),
        ("tau_m", "ms", r"$\tau_{m}$ (ms)"),
        ("g_Na_max", None, r"$g_{\mathrm{Na},\mathrm{max}}$"),
        ("theta[3]", None, r"$\theta_{3}$"),
        ("gNa", None, "gNa"),
        ("rate", "1/ms", "rate (1/ms)"),
        ("max |v|", "", "max |v|"),
    ],
)
def test_labels_are_set_as_a_printer_would(name, unit, expected):
    assert drawing.label(name, unit) == expected


def test_runs_share_their_end_points_and_cover_every_segment():
    counts = np.array([0, 0, 1, 1, 1, 2, 0, 0])
    pieces = list(stability.runs(counts))
    assert pieces == [(0, 3), (2, 6), (5, 7), (6, 8)]
    assert sum(stop - start - 1 for start, stop in pieces) == counts.size - 1


def test_a_branch_has_one_artist_per_run():
    counts = (T > 0.3).astype(int) + (T > 0.6)
    ax = drawing.draw_stability_line(None, T, T, counts)
    drawn = [line for line in ax.lines if len(line.get_xdata())]
    assert [line.is_dashed() for line in drawn] == [False, True, True]
    assert labels_of(ax) == ["stable", "unstable", "unstable (2+)"]


def test_criticality_is_a_fill():
    points = [(0, 0, "hopf supercritical", ""), (1, 1, "hopf subcritical", "")]
    ax = drawing.draw_points(None, points)
    assert [line.get_fillstyle() for line in ax.lines] == ["full", "none"]


def test_points_of_a_kind_are_one_artist():
    ax = drawing.draw_points(None, [(x, x, "fold", "") for x in T])
    assert len(ax.lines) == 1
    assert labels_of(ax) == ["fold"]


def test_sixty_labels_keep_clear_of_each_other_and_stay_in_the_axes():
    ax = branch_with_points(60)
    notes = [note for note in ax.texts if note.get_gid() == markers.POINT_LABEL]
    shown = [note for note in notes if note.get_visible()]
    assert len(notes) == 60
    assert len(shown) >= 55
    boxes = np.array([mpl.text.Text.get_window_extent(note).extents for note in shown])
    assert np.array_equal(markers._overlaps(boxes, boxes), np.eye(len(shown), dtype=bool))
    frame = ax.get_window_extent().extents
    assert (boxes[:, :2] >= frame[:2] - 1).all()
    assert (boxes[:, 2:] <= frame[2:] + 1).all()


def test_a_lone_label_stands_beside_the_curve():
    ax = drawing.draw_stability_line(None, T, T, np.zeros(T.size))
    drawing.draw_points(ax, [(0.5, 0.5, "fold", "LP")])
    box = mpl.text.Text.get_window_extent(ax.texts[0]).extents
    curve = ax.transData.transform(np.c_[T, T])
    assert not markers._inside(curve, box[None]).any()


def test_crowded_labels_are_hidden_rather_than_printed_over_each_other():
    ax = drawing.draw_points(None, [(0, 0, "fold", f"label {k}") for k in range(60)])
    assert 0 < sum(note.get_visible() for note in ax.texts) < 60


def test_points_outside_the_view_have_no_label():
    ax = drawing.new_axes(xlabel="", ylabel="")
    drawing.draw_points(ax, [(0, 0, "fold", "in"), (5, 5, "fold", "out")])
    ax.set_xlim(-1, 1)
    drawing.arrange_labels(ax)
    assert [note.get_visible() for note in ax.texts] == [True, False]


def test_a_portrait_has_few_artists():
    ax = drawing.draw_field(None, *GRID, GRID[1], -GRID[0])
    drawing.draw_nullclines(ax, *GRID, GRID[1], -GRID[0], ("v", "w"))
    drawing.draw_direction(ax, np.cos(6 * T), np.sin(6 * T))
    assert len(ax.collections) == 4
    assert labels_of(ax) == ["${v}' = 0$", "${w}' = 0$"]


def test_nullclines_outside_the_window_are_left_out():
    ax = drawing.draw_nullclines(None, *GRID, GRID[0] + 10, GRID[1], ("v", "w"))
    assert labels_of(ax) == ["${w}' = 0$"]


def test_arrows_point_where_the_field_points():
    ax = drawing.draw_field(None, *GRID, np.full_like(GRID[0], -3.0), np.zeros_like(GRID[0]))
    arrows = ax.collections[0]
    np.testing.assert_allclose(arrows.U, -1)
    np.testing.assert_allclose(arrows.V, 0)


def test_an_orbit_that_stands_still_has_no_direction():
    assert not drawing.draw_direction(None, np.ones(5), np.ones(5)).collections


def test_equilibria_show_stability_by_fill():
    kinds = ["stable node", "unstable focus", "saddle"]
    ax = drawing.draw_equilibria(None, [0, 1, 2], [0, 1, 2], kinds)
    assert [line.get_fillstyle() for line in ax.lines] == ["full", "none", "bottom"]
    assert labels_of(ax) == kinds


def test_series_have_a_panel_per_scale():
    columns = {"V (mV)": 100 * T, "m": T, "h": 1 - T}
    ax = drawing.draw_series(None, T, columns, time_label="t (ms)")
    panels = ax.figure.axes
    assert [panel.get_ylabel() for panel in panels] == ["V (mV)", "m, h"]
    assert [panel.get_xlabel() for panel in panels] == ["", "t (ms)"]
    assert [len(panel.lines) for panel in panels] == [1, 2]


def test_a_few_nodes_are_lines_and_many_are_one_image():
    few, many = (
        drawing.draw_series(None, T, {"$x$": np.outer(T, np.arange(n))}, time_label="t")
        for n in (3, 200)
    )
    assert [line.get_label() for line in few.lines] == ["$x_{0}$", "$x_{1}$", "$x_{2}$"]
    assert labels_of(few) == ["$x_{0}$", "$x_{1}$", "$x_{2}$"]
    assert not few.images
    (image,) = many.images
    assert not many.lines
    assert image.get_extent() == [0.0, 1.0, -0.5, 199.5]
    shown = np.asarray(image.get_array())
    assert np.ptp(shown[100]) == pytest.approx(100)
    assert (shown[:, -1] == np.arange(200)).all()
    assert many.get_ylabel() == "node"


def test_an_image_of_angles_has_colours_that_close_and_no_holes():
    angles = 9 * T[:, None] + np.linspace(0, 20, 40)
    ax = drawing.draw_series(None, T, {"a": angles}, time_label="t", angles=["a"])
    (image,) = ax.images
    shown = np.asarray(image.get_array())
    assert np.isfinite(shown).all()
    assert (np.abs(shown) <= np.pi).all()
    np.testing.assert_allclose(np.exp(1j * shown[:, -1]), np.exp(1j * angles[-1]), atol=1e-12)
    np.testing.assert_allclose(image.cmap(0.0), image.cmap(1.0))


def test_values_of_both_signs_are_white_at_zero():
    values = np.outer(T - 0.4, np.ones(30))
    ax = drawing.draw_series(None, T, {"x": values}, time_label="t")
    (image,) = ax.images
    low, high = image.get_clim()
    assert low == -high
    assert min(image.cmap(0.5)[:3]) > 0.9


def test_many_nodes_beside_something_else_are_thin_lines_with_their_mean():
    ax = drawing.new_axes(xlabel="", ylabel="")
    values = np.outer(T, np.arange(50))
    drawing.draw_series(ax, T, {"x": values, "x_0": T}, time_label="t")
    assert not ax.images
    assert len(ax.collections[0].get_segments()) == 50
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 24.5 * T)
    assert labels_of(ax) == ["x", "x_0"]


def test_events_are_one_artist_in_every_panel_and_named_once():
    ax = drawing.draw_series(None, T, {"V (mV)": 100 * T, "m": T}, time_label="t")
    drawing.draw_events(ax, [0.2, 0.4], "spike")
    assert [len(panel.collections) for panel in ax.figure.axes] == [1, 1]
    assert labels_of(ax) == ["spike"]


def test_wrapped_angles_break_at_jumps_only():
    angle = 20 * T
    wrapped = drawing.wrap_for_drawing(angle)
    kept = np.isfinite(wrapped)
    assert wrapped.shape == angle.shape
    assert (~kept).sum() == int((angle[-1] + np.pi) // (2 * np.pi))
    np.testing.assert_allclose(np.exp(1j * wrapped[kept]), np.exp(1j * angle[kept]))
    steps = np.diff(wrapped)
    assert (np.abs(steps[np.isfinite(steps)]) < np.pi).all()


def test_eigenvalues_are_joined_whatever_their_order():
    rng = np.random.default_rng(1)
    paths = np.c_[-1 - T, -2.5 + 2 * T, T + 1j, T - 1j]
    ax = drawing.draw_eigenvalues(None, T, rng.permuted(paths, axis=1), xlabel="mu")
    real, pair = (line for line in ax.lines if len(line.get_xdata()) > 2)
    assert np.nanmax(np.abs(np.diff(real.get_ydata()))) < 0.05
    np.testing.assert_allclose(np.sort(pair.get_ydata()[np.isfinite(pair.get_ydata())]), T)
    assert labels_of(ax) == ["real", "complex pair"]


def test_the_trivial_multiplier_is_not_unstable():
    assert labels_of(drawing.draw_multiplier_plane(None, [1 + 1e-9, 0.5])) == ["stable"]


def test_the_legend_leaves_the_axes_their_size_and_lies_inside_the_figure():
    ax = drawing.new_axes(xlabel="x", ylabel="y", size=(3.4, 2.6))
    ax.figure.draw_without_rendering()
    before = ax.get_window_extent().height
    drawing.draw_points(ax, [(k, k, kind, "") for k, kind in enumerate(style.POINTS)])
    ax.figure.draw_without_rendering()
    legend = ax.get_legend().get_window_extent()
    assert ax.get_window_extent().height == pytest.approx(before, abs=2)
    assert legend.y0 >= 0
    assert legend.y1 <= ax.xaxis.label.get_window_extent().y0
    assert 0 <= legend.x0 < legend.x1 <= ax.figure.bbox.width
    cut = ax.figure.get_tightbbox()  # in inches: what a notebook keeps of the figure
    dpi = ax.figure.dpi
    assert cut.y0 * dpi <= legend.y0
    assert cut.x0 * dpi <= legend.x0 < legend.x1 <= cut.x1 * dpi


def test_labels_of_axes_with_data_stay():
    ax = drawing.new_axes(xlabel="I", ylabel="v")
    drawing.draw_orbit(ax, T, T)
    drawing.new_axes(ax, xlabel="other", ylabel="other")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("I", "v")


def test_saved_files_are_reproducible_and_keep_text_as_text(tmp_path):
    ax = branch_with_points(4)
    for ending in ("svg", "png", "pdf"):
        first, second = (
            drawing.save_figure(ax, tmp_path / f"{k}.{ending}").read_bytes() for k in range(2)
        )
        assert first == second
    svg = (tmp_path / "0.svg").read_text()
    assert "<text" in svg
    assert "unstable" in svg
