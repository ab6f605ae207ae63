"""What the images are good for: the record's utility as sentences, a chart and tables; for the internal page only."""

from collections.abc import Iterator, Mapping
from typing import Any

from privgan_audits.questions.utility import words
from privgan_audits.record import Record
from privgan_audits.report.page import Table, Usefulness
from privgan_audits.telling.numbers import humanised, percent, plain, points
from privgan_audits.telling.plots import Chart, Estimate, estimates_chart

_SOURCES = ("real", "synthetic", "both")


def use(utility: Record) -> str:
    """The band, in a sentence; empty when nothing was measured, or of records that know none."""
    found = utility.get("use")
    if found is None:
        return ""
    shares = (
        words.SHARES.format(*(percent(min(1.0, found[name])) for name in ("coverage", "precision")))
        if ("coverage" in found)
        else ""
    )
    return words.USE[found["band"]].format(shares)


def worth(utility: Record) -> str:
    """One sentence for page one; empty when nothing was measured."""
    teaching = utility.get("teaching", {})
    if "training" not in teaching:
        return ""
    real, synthetic = (teaching["training"][source]["balanced_accuracy"]["value"] for source in _SOURCES[:2])
    return words.WORTH.format(percent(synthetic), percent(real), percent(teaching["guessing"]["balanced_accuracy"]))


def usefulness(utility: Record) -> Usefulness:
    """The section; of an audit that could not measure anything, why."""
    if utility["outcome"] != "measured":
        return Usefulness(sentences=(words.NOT_MEASURED.format(utility["reason"]),), warning="", charts=(), tables=())
    teaching, fidelity, diversity = (utility[part] for part in ("teaching", "fidelity", "diversity"))
    realism = utility.get("realism", {"reason": words.OLDER})
    return Usefulness(
        sentences=(
            words.INTRODUCTION,
            *_teaching(teaching),
            *_realism(realism),
            *_diversity(diversity),
            words.INSIDE,
        ),
        warning=words.COLLAPSE.get(diversity["collapse"], ""),
        charts=tuple(_chart(teaching)),
        tables=(
            *_training(teaching),
            *_classes(teaching),
            *_subgroups(teaching),
            *_fidelity(fidelity),
            *_told_apart(realism),
        ),
    )


def _teaching(teaching: Record) -> Iterator[str]:
    if "reason" in teaching:
        yield words.NO_TEACHING.format(teaching["reason"])
        return
    training, held = teaching["training"], teaching["held_back"]
    gap = training["synthetic"]["difference"]["balanced_accuracy"]
    gain = training["both"]["difference"]["balanced_accuracy"]
    yield (
        f"Tested on {plain(held['patients'])} held-back patients, a network that learned from real members is "
        f"right {percent(training['real']['balanced_accuracy']['value'])} of the time, one that learned from "
        f"synthetic images {percent(training['synthetic']['balanced_accuracy']['value'])} (each class counting "
        f"alike; guessing {percent(teaching['guessing']['balanced_accuracy'])})."
    )
    yield (
        f"Learning from synthetic instead of real images changes that by {_difference(gap)}; adding synthetic to "
        f"real ones, by {_difference(gain)}."
    )
    if "marks" in teaching:
        yield _marks(teaching["marks"])


def _marks(marks: Record) -> str:
    values = (percent(marks[side]["value"]) for side in ("synthetic", "real"))
    return words.MARKS.format(*values, _difference(marks["gap"]))


def _realism(realism: Record) -> Iterator[str]:
    if "reason" in realism:
        yield words.NO_REALISM.format(realism["reason"])
        return
    whole, shapes = realism["all"], realism["shapes"]
    figures = (whole["synthetic"], shapes["synthetic"], whole["reference"])
    yield words.REALISM.format(*(_interval(figure) for figure in figures))


def _difference(found: Mapping[str, float]) -> str:
    return f"{points(found['value'])} ({points(found['low'])} to {points(found['high'])})"


def _diversity(diversity: Record) -> Iterator[str]:
    if "effective_number" in diversity:
        number, close = diversity["effective_number"], diversity["near_duplicates"]
        yield (
            f"Variety: {plain(number['of'])} synthetic images show as much as {plain(round(number['synthetic']))} "
            f"entirely different ones; as many real images, as much as {plain(round(number['reference']))}. Almost "
            f"alike with another one: {percent(close['synthetic'])} of the synthetic images, "
            f"{percent(close['reference'])} of the real ones. Mode collapse: {diversity['collapse']}."
        )


def _chart(teaching: Record) -> Iterator[Chart]:
    if "reason" in teaching:
        return
    found = {source: teaching["training"][source]["balanced_accuracy"] for source in _SOURCES}
    estimates = [
        Estimate(row=words.SOURCES[source], synthetic=source != "real", **found[source]) for source in _SOURCES
    ]
    guessing = float(teaching["guessing"]["balanced_accuracy"])
    yield Chart(
        svg=estimates_chart(estimates, guessing, "balanced accuracy on held-back patients", name="teaching"),
        title="What a classifier learns from each source",
        caption="Points with their 95 % intervals over patients. Where synthetic lies left of real, images were paid "
        "for privacy.",
    )


def _training(teaching: Record) -> Iterator[Table]:
    if "reason" in teaching:
        return
    measures = {"accuracy": "Accuracy", "balanced_accuracy": "Balanced accuracy", "auc": "AUC"}
    rows = [
        (
            title,
            *(_interval(teaching["training"][source][name]) for source in _SOURCES),
            percent(teaching["guessing"][name]),
        )
        for name, title in measures.items()
    ]
    head = ("Measure", *(words.SOURCES[source].capitalize() for source in _SOURCES), "Guessing")
    yield Table(caption="Classifiers on held-back patients, with 95 % intervals", head=head, rows=tuple(rows))


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
    head = ("Class", "Held-back patients", *(words.SOURCES[source].capitalize() for source in _SOURCES))
    yield Table(caption="Sensitivity by class", head=head, rows=tuple(rows))


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
            rows.append((f"{plain(few['groups'])} more groups", plain(few["patients"]), *("too few to say",) * 4))
        sources = (words.SOURCES[source].capitalize() for source in _SOURCES)
        head = (humanised(column).capitalize(), "Held-back patients", *sources, "Synthetic instead of real")
        yield Table(caption=f"Accuracy by {humanised(column)}", head=head, rows=tuple(rows))


def _fidelity(fidelity: Record) -> Iterator[Table]:
    if "all" in fidelity:
        told = {name: words.FIDELITY.get(name, (humanised(name), "")) for name in fidelity["all"]}
        rows = [
            (told[name][0], plain(pair["synthetic"]), plain(pair["reference"]), told[name][1])
            for name, pair in fidelity["all"].items()
        ]
        head = ("Measure", "Synthetic", "Other real patients", "Meaning")
        caption = f"Likeness in the features of {fidelity['space']} ({fidelity['note']})"
        yield Table(caption=caption, head=head, rows=tuple(rows))


def _told_apart(realism: Record) -> Iterator[Table]:
    if "reason" not in realism:
        parts = {"Every detail": realism["all"], "Shapes alone": realism["shapes"], **realism["classes"]}
        rows = [
            (
                name,
                *(_interval(part[side]) for side in ("synthetic", "reference")),
                plain(part["synthetic"]["examined"]),
            )
            for name, part in parts.items()
        ]
        head = ("Images", "Synthetic from real", "Real from other real", "Examined images")
        yield Table(
            caption="How often a network tells images apart, with 95 % intervals", head=head, rows=tuple(rows)
        )


def _interval(found: Mapping[str, Any]) -> str:
    low, high = (f"{100 * found[end]:.3g}" for end in ("low", "high"))
    return f"{percent(found['value'])} ({low} to {high})"
