"""T3 told: membership, from the images."""

from collections.abc import Iterator

import numpy as np

from privgan.language import in_a_row, tr
from privgan_audits.record import Record, finding
from privgan_audits.telling.facts import rates
from privgan_audits.telling.keys import keyword
from privgan_audits.telling.numbers import chances, percent, plain
from privgan_audits.telling.plots import Chart, Roc, roc_chart
from privgan_audits.telling.words import INFERENCE, P_NOTE, Answer, Fact, Label, Words


def answer(test: Record) -> Answer:
    """What was measured, for the internal page."""
    rate = test["tpr"].get("1_percent", {}).get("measured")
    return Answer(
        answer=tr("right {share} of the time; a coin 50 %", share=percent(test["auc"])),
        sentences=(
            tr(
                "Shown a member and an outsider, the attacks together pick the member {share} of the time (a coin: "
                "50 %; at worst {worst}).",
                share=percent(test["auc"]),
                worst=percent(test["auc_upper"]),
            ),
            _hits(rate, percent(test["tpr_upper"])),
            tr("Chance alone looks at least as suspicious {chances}.", chances=chances(test["p"])),
        ),
    )


def _hits(rate: float | None, worst: str) -> str:
    if rate is None:
        return tr(
            "Wrongly accusing 1 % of the outsiders, they recognise members (guessing: 1 %; at worst {worst}).",
            worst=worst,
        )
    return tr(
        "Wrongly accusing 1 % of the outsiders, they recognise {share} of the members (guessing: 1 %; at worst "
        "{worst}).",
        share=percent(rate),
        worst=worst,
    )


def _precision(test: Record) -> Iterator[Fact]:
    for share, value in test["precision"].items():
        prior = percent(float(share))
        name = tr("Right accusations, at most, where {share} of the suspects are members", share=prior)
        yield Fact(name=name, value=percent(value), note=tr("guessing: {share}", share=prior))


def _attacks(test: Record) -> Iterator[Fact]:
    for name, found in test["attacks"].items():
        value = tr(
            "AUC {auc}, {share} at 1 % false accusations",
            auc=plain(found["auc"]),
            share=percent(found["tpr_at_1_percent"]),
        )
        yield Fact(name=tr("By {attack} alone", attack=keyword(name)), value=value)


def charts(record: Record) -> tuple[Chart, ...]:
    """The attacks together under the ceiling of the guarantee."""
    series, ceiling = finding(record, "T3", "series"), record["ceiling"]
    if not series:
        return ()
    points = Roc(**{name: np.asarray(series[name], np.float64) for name in ("fpr", "tpr", "tpr_low")})
    bound = None if ceiling is None else np.asarray(ceiling["tpr"], np.float64)
    fpr = points.fpr if ceiling is None else np.asarray(ceiling["fpr"], np.float64)
    above = tr("The dotted lower band must lie under the dashed ceiling: above it, the guarantee would be broken.")
    guesses = tr("A line that hugs the diagonal is an attack that guesses. Both axes are logarithmic.")
    drawn = Chart(
        svg=roc_chart(points, fpr, bound, name="roc"),
        title=tr("The membership attack under its ceiling"),
        caption=in_a_row(("" if ceiling is None else above, guesses)),
    )
    return (drawn,)


WORDS = Words(
    title="Can someone tell who was in the training data?",
    short="Membership, from the images",
    tries="Holds an image of a person and guesses from the synthetic images whether that person was a member: by "
    "the distance to the nearest ones, by how densely they lie around it, by a classifier, and by all together.",
    caught="An advantage over guessing that touches many members a little or a few members a lot.",
    group=INFERENCE,
    answer=answer,
    labels={
        "p": Label(name="p-value of all attacks together", note=P_NOTE),
        "auc": Label(name="AUC of the attacks combined", note="0.5 is guessing"),
        "auc_interval": Label(name="its 95 % interval"),
        "auc_upper": Label(name="its one-sided upper bound"),
        "auc_lower": Label(name="Largest lower bound of any attack's AUC", note="for all attacks at once"),
        "auc_se_when_safe": Label(name="Standard error of an AUC for a safe set", note="small means a strong test"),
        "tpr_upper": Label(name="Members recognised at 1 % false accusations, upper bound", share=True),
        "tpr_lower": Label(name="Largest lower bound of any attack's", note="for all attacks at once", share=True),
        "epsilon_lower_bound": Label(name="Smallest epsilon that this proves", note="must not exceed the claim"),
        "largest_provable_epsilon": Label(name="Largest epsilon that it could have proved"),
    },
    special={"tpr": rates, "precision": _precision, "attacks": _attacks},
    charts=charts,
)
