"""T9 told: similarity measures."""

from collections.abc import Callable, Iterator

from privgan.language import retold, to_tr, tr
from privgan_audits.record import Record
from privgan_audits.telling.numbers import percent, plain, span
from privgan_audits.telling.words import (
    SINGLING_OUT,
    Answer,
    Fact,
    Words,
)

_MEASURES = to_tr(
    {
        "dcr_share": "Share of synthetic images nearest to a member (DCR)",
        "nndr": "Nearest against second nearest distance (NNDR)",
        "c_t": "Data-copying statistic C_T (Meehan et al. 2020)",
        "authenticity": "Authenticity (Alaa et al. 2022)",
    }
)


def answer(test: Record) -> Answer:
    """What was measured, for the internal page."""
    found = test["dcr_share"]
    low, high = found["range_when_safe"]
    shares = {"share": percent(found["measured"]), "expected": span(percent(low), percent(high))}
    return Answer(
        answer=tr("{share} nearest to a member; safe: {expected}", **shares),
        sentences=(
            tr(
                "The nearest real image is a member's for {share} of the synthetic images; without a leak {expected} "
                "are expected.",
                **shares,
            ),
            tr(
                "Farther from their nearest member than that member is from any other (authentic by the measure of "
                "Alaa et al. 2022): {share}.",
                share=percent(test["authenticity"]["share"]),
            ),
        ),
    )


def _measure(name: str, title: str) -> Callable[[Record], Iterator[Fact]]:
    def told(test: Record) -> Iterator[Fact]:
        found = {key: value for key, value in test[name].items() if key != "meaning"}
        yield Fact(name=tr(title), value=plain(found), note=retold(str(test[name].get("meaning", ""))))

    return told


WORDS = Words(
    title="How alike are the two crowds?",
    short="Similarity measures",
    tries="Nothing that proves a leak: these are the measures that other tools print.",
    caught="They do not gate, because a blurred or a narrow generator moves them as much as a leak does. "
    "They are here so that you can compare with other reports.",
    group=SINGLING_OUT,
    answer=answer,
    special={name: _measure(name, title) for name, title in _MEASURES.items()},
)
