"""What epsilon means in odds, beside what the attacks of this very audit could make of the images."""

from collections.abc import Iterator

import numpy as np

from privgan.dp.odds import belief, percent_at_most
from privgan.language import in_a_row, tr
from privgan_audits.record import Record, finding
from privgan_audits.report.page import Promise
from privgan_audits.report.words import frame
from privgan_audits.telling.numbers import percent, plain, rounded_up
from privgan_audits.telling.strength import strength_of

PRIORS = (0.001, 0.01, 0.1, 0.5)
_FALSE_ACCUSATIONS = 0.01


def promise(record: Record) -> Promise:
    """For the internal page, with what the attacks reached."""
    if record["privacy"]["epsilon"] is None:
        return Promise(sentences=(tr(frame.NO_PROMISE),), beliefs=())
    return Promise(sentences=tuple(_sentences(record)), beliefs=tuple(_beliefs(record, _reached(record))))


def _sentences(record: Record) -> Iterator[str]:
    privacy = record["privacy"]
    made = tr(
        "The synthetic images were made with epsilon {epsilon} at delta {delta}, per {unit}.",
        epsilon=rounded_up(privacy["epsilon"]),
        delta=plain(privacy["delta"]),
        unit=tr(str(privacy["unit"])),
    )
    yield in_a_row((made, tr(frame.PROMISE)))
    yield in_a_row((strength_of(record, inside=True).rule, tr(frame.CONVENTION)))
    if record["ceiling"] is not None:
        fpr, tpr = (np.asarray(record["ceiling"][name]) for name in ("fpr", "tpr"))
        most = float(tpr[np.argmin(np.abs(fpr - _FALSE_ACCUSATIONS))])
        yield tr(
            "For the queries that this cohort was actually asked, the accounting is sharper than that: an attack "
            "that wrongly accuses 1 % of outsiders can recognise at most {most} of the members (guessing: 1 %).",
            most=percent_at_most(most),
        )


def _reached(record: Record) -> float | str:
    hits = finding(record, "T3", "tpr_upper")
    return tr("not measured") if hits is None else float(rounded_up(hits))


def _beliefs(record: Record, hits: float | str) -> Iterator[tuple[str, str, str]]:
    """hits: the largest share of members that are recognised at 1 % false accusations, or why there is none."""
    epsilon = float(record["privacy"]["epsilon"])
    for prior in PRIORS:
        attacked = hits if isinstance(hits, str) else percent_at_most(accused(prior, hits))
        yield percent(prior), percent_at_most(belief(prior, epsilon)), attacked


def accused(prior: float, hits: float) -> float:
    """The chance that somebody who is accused at 1 % false accusations is a member.

    >>> round(accused(0.5, 0.01), 2), round(accused(0.01, 0.03), 4)
    (0.5, 0.0294)
    """
    return prior * hits / (prior * hits + (1 - prior) * _FALSE_ACCUSATIONS)
