"""T6 told: the books behind epsilon."""

from collections.abc import Iterator

from privgan.dp.budget.history import ONE_RUN
from privgan.language import in_a_row, retold, tr
from privgan_audits.record import Record
from privgan_audits.telling.keys import keyword
from privgan_audits.telling.numbers import listed, plain
from privgan_audits.telling.words import PROMISE, Answer, Fact, Label, Words


def answer(test: Record) -> Answer:
    """What was measured, for the internal page."""
    held = sum(true is True for true in test["checks"].values())
    total = len(test["checks"])
    failed = [keyword(name) for name, true in test["checks"].items() if true is not True]
    broken = (tr("Not so: {checks}.", checks=listed(failed)),) if failed else ()
    drawn = tr(
        "{count} images were drawn again from the generator and the seed.", count=plain(test["images_drawn_again"])
    )
    return Answer(
        answer=tr("{held} of {total} checks hold", held=held, total=total),
        sentences=(
            tr("{held} of {total} checks of the books hold.", held=held, total=total),
            *broken,
            tr(
                "Claimed: epsilon {claimed}. Computed again from the ledger: {recomputed}. All runs on this cohort "
                "together: {together}.",
                claimed=plain(test["claimed_epsilon"]),
                recomputed=plain(test["recomputed_epsilon"]),
                together=together(test),
            ),
            in_a_row((drawn, _rounded(test))),
        ),
    )


def _rounded(test: Record) -> str:
    """What is left to rounding; records of earlier versions do not have it."""
    if "pixels_between_levels" not in test:
        return ""
    return tr(
        "{between} pixels lie between two levels, {other} are not the nearer one.",
        between=plain(test["pixels_between_levels"]),
        other=plain(test["pixels_rounded_otherwise"]),
    )


def together(test: Record) -> str:
    """The epsilon of all runs on a cohort, and which composition that is."""
    total = plain(test["cohort_total_epsilon"])
    if test.get("cohort_total_composition", ONE_RUN) == ONE_RUN:
        return tr("epsilon {epsilon}", epsilon=total)
    return tr(
        "epsilon {epsilon} {composition}; for runs chosen one after the other epsilon {proven} is proven, by a Renyi "
        "filter",
        epsilon=total,
        composition=retold(test["cohort_total_composition"]),
        proven=plain(test["cohort_filter_epsilon"]),
    )


def _checks(test: Record) -> Iterator[Fact]:
    failed = [keyword(name) for name, holds in test["checks"].items() if holds is not True]
    total = len(test["checks"])
    held = tr("{held} of {total} hold", held=total - len(failed), total=total)
    yield Fact(name=tr("Checks of the books"), value=held, note="")
    for name in failed:
        yield Fact(name=tr("Does not hold"), value=name)


WORDS = Words(
    title="Is the privacy promise true to its books?",
    short="The books behind epsilon",
    tries="Looks for a promise that the accounting does not carry: a wrong unit, training off the books, a seed "
    "that replays the noise, images that the charged generator did not draw.",
    caught="A claim that the cohort's ledger does not support, a generator that is not the charged one, and any "
    "image or label that does not come from it.",
    group=PROMISE,
    good="holds",
    answer=answer,
    labels={
        "claimed_epsilon": Label(name="epsilon that the synthetic set claims"),
        "recomputed_epsilon": Label(name="epsilon of its run, computed again from the ledger"),
        "cohort_total_epsilon": Label(name="epsilon of the cohort in total", note="all runs ever charged"),
        "cohort_total_composition": Label(name="how that total was composed"),
        "cohort_filter_epsilon": Label(
            name="epsilon of the cohort that is proven for runs chosen after others", note="by a Renyi filter"
        ),
        "delta": Label(name="delta"),
        "images_drawn_again": Label(name="Images drawn again", note="from the run's generator and the set's seed"),
        "pixels_rounded_otherwise": Label(
            name="Pixels rounded otherwise",
            note="by another machine, or by somebody: more than chance allows is a FAIL",
        ),
        "pixels_between_levels": Label(name="Pixels that could be", note="at most so many bits are left to somebody"),
    },
    special={"checks": _checks},
)
