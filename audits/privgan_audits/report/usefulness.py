"""What the images are good for: the record's utility as sentences, a chart and tables; for the internal page only."""

from collections.abc import Iterator, Mapping
from statistics import fmean
from typing import Any

from privgan.language import retold, tr
from privgan_audits.questions.utility import words
from privgan_audits.record import Record
from privgan_audits.report.page import Table, Usefulness
from privgan_audits.telling.keys import humanised
from privgan_audits.telling.numbers import percent, plain, points, span
from privgan_audits.telling.plots import Chart, Estimate, estimates_chart

_SOURCES = ("real", "synthetic", "both")


def use(utility: Record) -> str:
    """The band, in a sentence; empty when nothing was measured, or of records that know none."""
    found = utility.get("use")
    if found is None:
        return ""
    shares = {name: percent(min(1.0, found[name])) for name in ("coverage", "precision") if name in found}
    return tr(words.USE[found["band"]], **shares)


def worth(utility: Record) -> str:
    """One sentence for page one; empty when nothing was measured."""
    teaching = utility.get("teaching", {})
    if "training" not in teaching:
        return ""
    real, synthetic = (teaching["training"][source]["balanced_accuracy"]["value"] for source in _SOURCES[:2])
    return tr(
        words.WORTH,
        synthetic=percent(synthetic),
        real=percent(real),
        guessing=percent(teaching["guessing"]["balanced_accuracy"]),
    )


def usefulness(utility: Record) -> Usefulness:
    """The section; of an audit that could not measure anything, why."""
    if utility["outcome"] != "measured":
        why = tr(words.NOT_MEASURED, reason=retold(utility["reason"]))
        return Usefulness(sentences=(why,), warning="", charts=(), tables=())
    teaching, fidelity, diversity = (utility[part] for part in ("teaching", "fidelity", "diversity"))
    realism = utility.get("realism", {"reason": words.OLDER})
    records = utility.get("records", {"reason": words.OLDER})
    return Usefulness(
        sentences=(
            tr(words.INTRODUCTION),
            *_teaching(teaching),
            *_realism(realism),
            *_diversity(diversity),
            *_records(records),
            tr(words.INSIDE),
        ),
        warning=tr(words.COLLAPSE.get(diversity["collapse"], "")),
        charts=tuple(_chart(teaching)),
        tables=(
            *_training(teaching),
            *_classes(teaching),
            *_subgroups(teaching),
            *_fidelity(fidelity),
            *_told_apart(realism),
            *_showing(records),
        ),
    )


def _teaching(teaching: Record) -> Iterator[str]:
    if "reason" in teaching:
        yield tr(words.NO_TEACHING, reason=retold(teaching["reason"]))
        return
    training, held = teaching["training"], teaching["held_back"]
    gap = training["synthetic"]["difference"]["balanced_accuracy"]
    gain = training["both"]["difference"]["balanced_accuracy"]
    yield tr(
        words.TAUGHT,
        patients=plain(held["patients"]),
        real=percent(training["real"]["balanced_accuracy"]["value"]),
        synthetic=percent(training["synthetic"]["balanced_accuracy"]["value"]),
        guessing=percent(teaching["guessing"]["balanced_accuracy"]),
    )
    yield tr(words.CHANGED, gap=_difference(gap), gain=_difference(gain))
    if "marks" in teaching:
        yield _marks(teaching["marks"])
    yield tr(words.ELSEWHERE)


def _marks(marks: Record) -> str:
    values = {side: percent(marks[side]["value"]) for side in ("synthetic", "real")}
    return tr(words.MARKS, gap=_difference(marks["gap"]), **values)


def _realism(realism: Record) -> Iterator[str]:
    if "reason" in realism:
        yield tr(words.NO_REALISM, reason=retold(realism["reason"]))
        return
    whole, shapes = realism["all"], realism["shapes"]
    yield tr(
        words.REALISM,
        all=_interval(whole["synthetic"]),
        shapes=_interval(shapes["synthetic"]),
        halves=_interval(whole["reference"]),
    )


def _difference(found: Mapping[str, float]) -> str:
    return f"{points(found['value'])} ({span(points(found['low']), points(found['high']))})"


def _diversity(diversity: Record) -> Iterator[str]:
    if "effective_number" in diversity:
        number, close = diversity["effective_number"], diversity["near_duplicates"]
        yield tr(
            words.VARIETY,
            count=plain(number["of"]),
            synthetic=plain(round(number["synthetic"])),
            real=plain(round(number["reference"])),
            synthetic_alike=percent(close["synthetic"]),
            real_alike=percent(close["reference"]),
            collapse=retold(str(diversity["collapse"])),
        )


def _chart(teaching: Record) -> Iterator[Chart]:
    if "reason" in teaching:
        return
    found = {source: teaching["training"][source]["balanced_accuracy"] for source in _SOURCES}
    estimates = [
        Estimate(row=tr(words.SOURCES[source]), synthetic=source != "real", **found[source]) for source in _SOURCES
    ]
    guessing = float(teaching["guessing"]["balanced_accuracy"])
    yield Chart(
        svg=estimates_chart(estimates, guessing, tr("balanced accuracy on held-back patients"), name="teaching"),
        title=tr("What a classifier learns from each source"),
        caption=tr(
            "Points with their 95 % intervals over patients. Where synthetic lies left of real, images were paid for "
            "privacy."
        ),
    )


def _training(teaching: Record) -> Iterator[Table]:
    if "reason" in teaching:
        return
    rows = [
        (
            tr(title),
            *(_interval(teaching["training"][source][name]) for source in _SOURCES),
            percent(teaching["guessing"][name]),
        )
        for name, title in words.MEASURES.items()
    ]
    caption = tr("Classifiers on held-back patients, with 95 % intervals")
    yield Table(caption=caption, head=(tr("Measure"), *_sources(), tr("Guessing")), rows=tuple(rows))


def _classes(teaching: Record) -> Iterator[Table]:
    if "reason" in teaching:
        return
    of_class = teaching["training"]["real"]["sensitivity"]
    rows = [
        (
            name,
            plain(of_class[name]["patients"]),
            *(_interval(teaching["training"][source]["sensitivity"][name]) for source in _SOURCES),
        )
        for name in of_class
    ]
    head = (tr("Class"), tr("Held-back patients"), *_sources())
    yield Table(caption=tr("Sensitivity by class"), head=head, rows=tuple(rows))


def _subgroups(teaching: Record) -> Iterator[Table]:
    for column, found in teaching.get("subgroups", {}).items():
        rows = [
            (
                value,
                plain(group["patients"]),
                *(_interval(group["accuracy"][source]) for source in _SOURCES),
                _difference(group["difference"]),
            )
            for value, group in found["groups"].items()
        ]
        few = found["too_few"]
        if few["groups"]:
            more, silent = tr("{count} more groups", count=plain(few["groups"])), tr("too few to say")
            rows.append((more, plain(few["patients"]), *(silent,) * 4))
        name = humanised(column)
        head = (name.capitalize(), tr("Held-back patients"), *_sources(), tr("Synthetic instead of real"))
        yield Table(caption=tr("Accuracy by {column}", column=name), head=head, rows=tuple(rows))


def _sources() -> tuple[str, ...]:
    return tuple(tr(words.SOURCES[source]).capitalize() for source in _SOURCES)


def _fidelity(fidelity: Record) -> Iterator[Table]:
    if "all" in fidelity:
        told = {name: words.FIDELITY.get(name, (humanised(name), "")) for name in fidelity["all"]}
        rows = [
            (tr(told[name][0]), plain(pair["synthetic"]), plain(pair["reference"]), tr(told[name][1]))
            for name, pair in fidelity["all"].items()
        ]
        head = (tr("Measure"), tr("Synthetic"), tr("Other real patients"), tr("Meaning"))
        caption = tr(
            "Likeness in the features of {space} ({note})",
            space=retold(fidelity["space"]),
            note=retold(fidelity["note"]),
        )
        yield Table(caption=caption, head=head, rows=tuple(rows))


def _told_apart(realism: Record) -> Iterator[Table]:
    if "reason" not in realism:
        parts = {tr("Every detail"): realism["all"], tr("Shapes alone"): realism["shapes"], **realism["classes"]}
        rows = [
            (
                name,
                *(_interval(part[side]) for side in ("synthetic", "reference")),
                plain(part["synthetic"]["examined"]),
            )
            for name, part in parts.items()
        ]
        head = (tr("Images"), tr("Synthetic from real"), tr("Real from other real"), tr("Examined images"))
        caption = tr("How often a network tells images apart, with 95 % intervals")
        yield Table(caption=caption, head=head, rows=tuple(rows))


def _records(records: Record) -> Iterator[str]:
    """Nothing of a set that carries none: most do not."""
    if "reason" in records:
        return
    pairs = records["likeness"]["pairs"]
    worst = max(pairs, key=lambda pair: pair["synthetic"])
    first, second = (humanised(name) for name in worst["names"])
    yield tr(
        words.LIKENESS,
        mean=percent(fmean(pair["synthetic"] for pair in pairs)),
        largest=percent(worst["synthetic"]),
        first=first,
        second=second,
        reference=percent(fmean(pair["reference"] for pair in pairs)),
    )
    yield tr(words.SHOWING)


def _showing(records: Record) -> Iterator[Table]:
    if "reason" in records:
        return
    rows: list[tuple[str, ...]] = []
    for name, found in records["showing"].items():
        apart = percent(records["likeness"]["columns"][name]["synthetic"])
        if "reason" in found:
            rows.append((humanised(name), apart, *(retold(found["reason"]),) * 3))
        else:
            areas = (_interval(found[source]) for source in ("real", "synthetic", "shown"))
            rows.append((humanised(name), apart, *areas))
    head = (
        tr("Column"),
        tr("Table apart from members'"),
        tr("Read off real images, learned from real"),
        tr("Read off real images, learned from synthetic"),
        tr("Read off synthetic images, learned from real"),
    )
    caption = tr("Records: what images show of them (AUC on held-back patients, with 95 % intervals)")
    yield Table(caption=caption, head=head, rows=tuple(rows))


def _interval(found: Mapping[str, Any]) -> str:
    low, high = (f"{100 * found[end]:.3g}" for end in ("low", "high"))
    return f"{percent(found['value'])} ({span(low, high)})"
