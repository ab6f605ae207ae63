"""T9 told: similarity measures."""

from collections.abc import Callable, Iterator

from privgan_audits.record import Record
from privgan_audits.telling.numbers import percent, plain
from privgan_audits.telling.words import (
    SINGLING_OUT,
    Answer,
    Fact,
    Words,
)


def answer(test: Record) -> Answer:
    """What was measured, for the internal page."""
    found = test["dcr_share"]
    low, high = found["range_when_safe"]
    return Answer(
        answer=f"{percent(found['measured'])} nearest to a member; safe: {percent(low)} to {percent(high)}",
        sentences=(
            (
                f"The nearest real image is a member's for {percent(found['measured'])} of the synthetic images; "
                f"without a leak {percent(low)} to {percent(high)} are expected."
            ),
            (
                f"Farther from their nearest member than that member is from any other (authentic by the measure of "
                f"Alaa et al. 2022): {percent(test['authenticity']['share'])}."
            ),
        ),
    )


def _measure(name: str, title: str) -> Callable[[Record], Iterator[Fact]]:
    def told(test: Record) -> Iterator[Fact]:
        found = {key: value for key, value in test[name].items() if key != "meaning"}
        yield Fact(name=title, value=plain(found), note=str(test[name].get("meaning", "")))

    return told


WORDS = Words(
    title="How alike are the two crowds?",
    short="Similarity measures",
    tries="Nothing that proves a leak: these are the measures that other tools print.",
    caught="They do not gate, because a blurred or a narrow generator moves them as much as a leak does. "
    "They are here so that you can compare with other reports.",
    group=SINGLING_OUT,
    answer=answer,
    special={
        "dcr_share": _measure("dcr_share", "Share of synthetic images nearest to a member (DCR)"),
        "nndr": _measure("nndr", "Nearest against second nearest distance (NNDR)"),
        "c_t": _measure("c_t", "Data-copying statistic C_T (Meehan et al. 2020)"),
        "authenticity": _measure("authenticity", "Authenticity (Alaa et al. 2022)"),
    },
)
