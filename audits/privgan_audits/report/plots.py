"""Charts as inline SVG: same input, same bytes; colours come from the page, so dark mode and print work.

Matplotlib draws with marker colours that are replaced by CSS variables, its metadata and absolute size are
dropped, and every id gets the chart's own prefix, because several charts share one page.
"""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

_INK, _GRID, _MEMBERS, _OTHERS, _BOUND = "#010203", "#040506", "#070809", "#0a0b0c", "#0d0e0f"
_VARIABLES = {_INK: "--ink", _GRID: "--grid", _MEMBERS: "--members", _OTHERS: "--others", _BOUND: "--bound"}
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
_INCHES = (4.4, 3.3)
_LOWEST_RATE = 1e-3


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


def distance_chart(members: Floats, non_members: Floats, *, name: str) -> Markup:
    """Histograms of two groups' distance ratios, float64 (n,) and (m,), as shares of each group."""
    everything = np.concatenate([members, non_members])
    low, high = float(everything.min()), float(np.quantile(everything, 0.995))
    bins = np.linspace(low, max(high, low + 1e-6), 31)

    def paint(axes: "Axes") -> None:
        for values, color, style, label in (
            (members, _MEMBERS, "-", "members (trained on)"),
            (non_members, _OTHERS, "--", "non-members (held back)"),
        ):
            shares = np.histogram(np.clip(values, bins[0], bins[-1]), bins)[0] / max(len(values), 1)
            axes.stairs(100 * shares, bins, color=color, linestyle=style, linewidth=1.4, label=label)
        axes.set(xlabel="distance to the nearest synthetic image\n(1 = as far as another patient)")
        axes.set(ylabel="% of patients")
        axes.legend(fontsize=8)

    return _drawn(paint, name=name, title="How close synthetic images come to members and to non-members")


def _drawn(paint: Callable[["Axes"], None], *, name: str, title: str) -> Markup:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    buffer = io.StringIO()
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=_INCHES, layout="constrained")
        axes = figure.add_subplot()
        axes.grid(visible=True, linewidth=0.5)
        paint(axes)
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    return _inlined(buffer.getvalue(), name=name, title=title)


def _inlined(drawing: str, *, name: str, title: str) -> Markup:
    body = drawing[drawing.index(">", drawing.index("<svg ")) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", body, flags=re.DOTALL)
    body = body.replace(' id="', f' id="{name}-').replace("url(#", f"url(#{name}-")
    body = body.replace('xlink:href="#', f'href="#{name}-')
    for color, variable in _VARIABLES.items():
        body = body.replace(color, f"var({variable})")
    width, height = (72 * inches for inches in _INCHES)
    head = f'<svg role="img" aria-labelledby="{name}-title" viewBox="0 0 {width:g} {height:g}">'
    # A drawing of numbers with fixed words; nothing in it comes from a file.
    return Markup(head) + Markup('<title id="{}-title">{}</title>').format(name, title) + Markup(body)  # noqa: S704
