"""Charts as inline SVG: same input, same bytes; colours come from the page, so dark mode and print work.

Matplotlib draws with marker colours that are replaced by CSS variables, its metadata and absolute size are
dropped, and every id gets the chart's own prefix, because several charts share one page.
"""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from privgan.arrays import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_INK, _GRID, _MEMBERS, _OTHERS, _BOUND, _BAD = "#010203", "#040506", "#070809", "#0a0b0c", "#0d0e0f", "#101112"
_VARIABLES = {
    _INK: "--ink",
    _GRID: "--grid",
    _MEMBERS: "--members",
    _OTHERS: "--others",
    _BOUND: "--bound",
    _BAD: "--bad",
}
_STYLE: Any = {
    "svg.hashsalt": "privgan",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "grid.color": _GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}
_SQUARE, _WIDE = (4.4, 3.3), (6.4, 3.0)  # inches
_LOWEST_RATE = 1e-3

Paint = Callable[["Axes"], None]


@dataclass(frozen=True, kw_only=True)
class Roc:
    """An attack's operating points and the lower end of their simultaneous band, each float64 (n,)."""

    fpr: Floats
    tpr: Floats
    tpr_low: Floats


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A finished drawing with its words; `svg` is safe to insert, the words still get escaped."""

    svg: Markup
    title: str
    caption: str


def roc_chart(roc: Roc, bound_fpr: Floats, bound_tpr: Floats | None, *, name: str) -> Markup:
    """The attack's ROC on doubly logarithmic axes under the accountant's bound, float64 (m,) each."""

    def paint(axes: "Axes") -> None:
        axes.set(xscale="log", yscale="log", xlim=(_LOWEST_RATE, 1), ylim=(_LOWEST_RATE, 1.05))
        fpr, tpr, tpr_low = (np.maximum(rates, _LOWEST_RATE / 10) for rates in (roc.fpr, roc.tpr, roc.tpr_low))
        if bound_tpr is not None:
            axes.fill_between(bound_fpr, bound_tpr, 1.05, color=_BOUND, alpha=0.18, linewidth=0)
            axes.plot(bound_fpr, bound_tpr, color=_BOUND, linestyle="--", label="the guarantee's ceiling")
        axes.plot(fpr, tpr, color=_MEMBERS, label="measured attack", drawstyle="steps-post")
        axes.plot(fpr, tpr_low, color=_MEMBERS, linewidth=0.9, linestyle=":", label="its lower band")
        axes.plot([_LOWEST_RATE, 1], [_LOWEST_RATE, 1], color=_INK, linewidth=0.7, label="coin flip")
        ticks, labels = [0.001, 0.01, 0.1, 1.0], ["0.1 %", "1 %", "10 %", "100 %"]
        axes.set_xticks(ticks, labels)
        axes.set_yticks(ticks, labels)
        axes.minorticks_off()
        axes.set(xlabel="non-members wrongly accused", ylabel="members recognised")
        axes.legend(loc="lower right", fontsize=8)

    return _drawn(paint, name=name, title="Members recognised against non-members wrongly accused")


def distance_chart(edges: Floats, members: Floats, non_members: Floats, *, name: str) -> Markup:
    """Two groups' shares of patients, float64 (n,) each, in bins of their distance ratio, edges (n + 1,)."""

    def paint(axes: "Axes") -> None:
        for shares, color, style, label in (
            (members, _MEMBERS, "-", "members (learned from)"),
            (non_members, _OTHERS, "--", "non-members (held back)"),
        ):
            axes.stairs(100 * shares, edges, color=color, linestyle=style, linewidth=1.4, label=label)
        axes.set(xlabel="distance to the nearest synthetic image\n(1 = as far as another patient)")
        axes.set(ylabel="% of patients")
        axes.legend(fontsize=8)

    return _drawn(paint, name=name, title="How close synthetic images come to members and to non-members")


def limits_chart(limits: Mapping[str, int | None], searched: int, allowed: int, *, name: str) -> Markup:
    """How many copied patients are surely found, a bar a disguise; open-ended where not even `searched` were.

    Args:
        limits: by disguise in words; None where copies were missed.
        searched: the most that were planted.
        allowed: the most that the policy permits.
        name: of the chart on its page.
    """

    def paint(axes: "Axes") -> None:
        names, places = [*limits], np.arange(len(limits))
        found = [searched if count is None else count for count in limits.values()]
        for place, (count, length) in enumerate(zip(limits.values(), found, strict=True)):
            late = count is None or count > allowed
            axes.barh(place, length, 0.62, color=_BAD if late else _MEMBERS, alpha=0.85, linewidth=0)
            text = f"not even from {searched}" if count is None else str(count)
            axes.text(length + 0.012 * searched, place, text, va="center", fontsize=8)
        axes.axvline(allowed, color=_INK, linestyle="--", linewidth=0.9)
        axes.text(allowed, -0.85, f"at most {allowed} allowed", ha="center", va="bottom", fontsize=8)
        axes.set(ylim=(len(names) - 0.4, -0.9), xlim=(0, 1.12 * max([allowed, *found])))
        axes.set_yticks(places, names)
        axes.grid(visible=False, axis="y")
        axes.set(xlabel="copied patients from which on the audit surely notices")

    return _drawn(paint, name=name, title="Limit of detection by kind of copy", inches=_WIDE)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """One measured value with the ends of its interval, and the row and colour group it is drawn in."""

    row: str
    value: float
    low: float
    high: float
    synthetic: bool = False


def estimates_chart(estimates: Sequence[Estimate], guessing: float | None, label: str, *, name: str) -> Markup:
    """Points with their intervals, a row each, and where guessing would be."""

    def paint(axes: "Axes") -> None:
        for place, each in enumerate(estimates):
            color = _OTHERS if each.synthetic else _MEMBERS
            axes.plot([each.low, each.high], [place, place], color=color, linewidth=2.2)
            axes.plot([each.value], [place], "s" if each.synthetic else "o", color=color, markersize=6)
        if guessing is not None:
            axes.axvline(guessing, color=_INK, linestyle=":", linewidth=0.9)
            axes.text(guessing, -0.75, "guessing", ha="center", va="bottom", fontsize=8)
        axes.set(ylim=(len(estimates) - 0.4, -0.85), xlabel=label)
        axes.set_yticks(range(len(estimates)), [each.row for each in estimates])
        axes.grid(visible=False, axis="y")

    return _drawn(paint, name=name, title=label, inches=(_WIDE[0], 0.9 + 0.36 * len(estimates)))


def _drawn(paint: Paint, *, name: str, title: str, inches: tuple[float, float] = _SQUARE) -> Markup:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    buffer = io.StringIO()
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=inches, layout="constrained")
        axes = figure.add_subplot()
        axes.grid(visible=True, linewidth=0.5)
        axes.set_axisbelow(True)
        paint(axes)
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    return _inlined(buffer.getvalue(), name=name, title=title, inches=inches)


def _inlined(drawing: str, *, name: str, title: str, inches: tuple[float, float]) -> Markup:
    body = drawing[drawing.index(">", drawing.index("<svg ")) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", body, flags=re.DOTALL)
    body = body.replace(' id="', f' id="{name}-').replace("url(#", f"url(#{name}-")
    body = body.replace('xlink:href="#', f'href="#{name}-')
    for color, variable in _VARIABLES.items():
        body = body.replace(color, f"var({variable})")
    width, height = (72 * side for side in inches)
    head = f'<svg role="img" aria-labelledby="{name}-title" viewBox="0 0 {width:g} {height:g}">'
    # A drawing of numbers with fixed words; nothing in it comes from a file.
    return Markup(head) + Markup('<title id="{}-title">{}</title>').format(name, title) + Markup(body)  # noqa: S704
