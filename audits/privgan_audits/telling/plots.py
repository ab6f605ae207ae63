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
from markupsafe import Markup, escape

from privgan.arrays import Floats
from privgan.language import tr

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
_SQUARE, _BROAD = (4.4, 3.3), (6.4, 3.0)  # inches
_ROW = 0.17  # inches of a bar with its name beside it, in scripts whose letters are as tall as wide, too
_LOWEST_RATE = 1e-3

Paint = Callable[["Axes", "Letters"], None]
_WIDE, _FIRST_MARK = "W", 0x2190  # as wide as a letter of theirs; arrows, of which a drawing has none
_OTHER_SCRIPTS = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")


class Letters:
    """Texts of scripts that matplotlib's own font lacks: others stand for them while it lays a drawing out.

    What is drawn must not depend on the fonts of a machine, and a letter that is missing is laid out too narrow. So
    Latin letters of their width are drawn, with a mark in each line, and `put_back` puts the texts where they were.
    """

    def __init__(self) -> None:
        self._lines: list[tuple[str, str]] = []

    def __call__(self, text: str) -> str:
        """The text as it is drawn; the same where the font has all of it."""
        return "\n".join(map(self._line, text.split("\n")))

    def _line(self, line: str) -> str:
        if not _OTHER_SCRIPTS.search(line):
            return line
        drawn = _OTHER_SCRIPTS.sub(_WIDE, line)
        last = drawn.rindex(_WIDE)
        drawn = drawn[:last] + chr(_FIRST_MARK + len(self._lines)) + drawn[last + 1 :]
        self._lines.append((str(escape(drawn)), str(escape(line))))
        return drawn

    def put_back(self, drawing: str) -> str:
        """The drawing with the texts as they are."""
        for drawn, line in self._lines:
            drawing = drawing.replace(drawn, line)
        return drawing


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

    def paint(axes: "Axes", said: Letters) -> None:
        axes.set(xscale="log", yscale="log", xlim=(_LOWEST_RATE, 1), ylim=(_LOWEST_RATE, 1.05))
        fpr, tpr, tpr_low = (np.maximum(rates, _LOWEST_RATE / 10) for rates in (roc.fpr, roc.tpr, roc.tpr_low))
        if bound_tpr is not None:
            axes.fill_between(bound_fpr, bound_tpr, 1.05, color=_BOUND, alpha=0.18, linewidth=0)
            axes.plot(bound_fpr, bound_tpr, color=_BOUND, linestyle="--", label=said(tr("the guarantee's ceiling")))
        axes.plot(fpr, tpr, color=_MEMBERS, label=said(tr("measured attack")), drawstyle="steps-post")
        axes.plot(fpr, tpr_low, color=_MEMBERS, linewidth=0.9, linestyle=":", label=said(tr("its lower band")))
        axes.plot([_LOWEST_RATE, 1], [_LOWEST_RATE, 1], color=_INK, linewidth=0.7, label=said(tr("coin flip")))
        ticks, labels = [0.001, 0.01, 0.1, 1.0], ["0.1 %", "1 %", "10 %", "100 %"]
        axes.set_xticks(ticks, labels)
        axes.set_yticks(ticks, labels)
        axes.minorticks_off()
        axes.set(xlabel=said(tr("non-members wrongly accused")), ylabel=said(tr("members recognised")))
        axes.legend(loc="lower right", fontsize=8)

    return _drawn(paint, name=name, title=tr("Members recognised against non-members wrongly accused"))


def distance_chart(edges: Floats, members: Floats, non_members: Floats, *, name: str) -> Markup:
    """Two groups' shares of patients, float64 (n,) each, in bins of their distance ratio, edges (n + 1,)."""

    def paint(axes: "Axes", said: Letters) -> None:
        for shares, color, style, label in (
            (members, _MEMBERS, "-", tr("members (learned from)")),
            (non_members, _OTHERS, "--", tr("non-members (held back)")),
        ):
            axes.stairs(100 * shares, edges, color=color, linestyle=style, linewidth=1.4, label=said(label))
        axes.set(xlabel=said(tr("distance to the nearest synthetic image\n(1 = as far as another patient)")))
        axes.set(ylabel=said(tr("% of patients")))
        axes.legend(fontsize=8)

    return _drawn(paint, name=name, title=tr("How close synthetic images come to members and to non-members"))


def limits_chart(limits: Mapping[str, int | None], searched: int, allowed: int, *, name: str) -> Markup:
    """How many copied patients are surely found, a bar a disguise; open-ended where not even `searched` were.

    Args:
        limits: by disguise in words; None where copies were missed.
        searched: the most that were planted.
        allowed: the most that the policy permits.
        name: of the chart on its page.
    """

    def paint(axes: "Axes", said: Letters) -> None:
        names, places = [*map(said, limits)], np.arange(len(limits))
        found = [searched if count is None else count for count in limits.values()]
        for place, (count, length) in enumerate(zip(limits.values(), found, strict=True)):
            late = count is None or count > allowed
            axes.barh(place, length, 0.62, color=_BAD if late else _MEMBERS, alpha=0.85, linewidth=0)
            text = tr("not even from {count}", count=searched) if count is None else str(count)
            axes.text(length + 0.012 * searched, place, said(text), va="center", fontsize=8)
        axes.axvline(allowed, color=_INK, linestyle="--", linewidth=0.9)
        most = said(tr("the policy asks for {allowed}", allowed=allowed))
        axes.text(allowed, -0.85, most, ha="center", va="bottom", fontsize=8)
        axes.set(ylim=(len(names) - 0.4, -0.9), xlim=(0, 1.12 * max([allowed, *found])))
        axes.set_yticks(places, names)
        axes.grid(visible=False, axis="y")
        axes.set(xlabel=said(tr("copied patients from which on the audit surely notices")))

    inches = _BROAD[0], max(_BROAD[1], len(limits) * _ROW)
    return _drawn(paint, name=name, title=tr("Limit of detection by kind of copy"), inches=inches)


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

    def paint(axes: "Axes", said: Letters) -> None:
        for place, each in enumerate(estimates):
            color = _OTHERS if each.synthetic else _MEMBERS
            axes.plot([each.low, each.high], [place, place], color=color, linewidth=2.2)
            axes.plot([each.value], [place], "s" if each.synthetic else "o", color=color, markersize=6)
        if guessing is not None:
            axes.axvline(guessing, color=_INK, linestyle=":", linewidth=0.9)
            axes.text(guessing, -0.75, said(tr("guessing")), ha="center", va="bottom", fontsize=8)
        axes.set(ylim=(len(estimates) - 0.4, -0.85), xlabel=said(label))
        axes.set_yticks(range(len(estimates)), [said(each.row) for each in estimates])
        axes.grid(visible=False, axis="y")

    return _drawn(paint, name=name, title=label, inches=(_BROAD[0], 0.9 + 0.36 * len(estimates)))


def _drawn(paint: Paint, *, name: str, title: str, inches: tuple[float, float] = _SQUARE) -> Markup:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    buffer, letters = io.StringIO(), Letters()
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=inches, layout="constrained")
        axes = figure.add_subplot()
        axes.grid(visible=True, linewidth=0.5)
        axes.set_axisbelow(True)
        paint(axes, letters)
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    return _inlined(letters.put_back(buffer.getvalue()), name=name, title=title, inches=inches)


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
