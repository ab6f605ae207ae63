"""T6 told: the books behind epsilon."""

from collections.abc import Iterator

from privgan.dp.budget.history import ONE_RUN
from privgan_audits.record import Record
from privgan_audits.telling.numbers import humanised, plain
from privgan_audits.telling.words import PROMISE, Answer, Fact, Label, Words


def answer(test: Record) -> Answer:
    """What was measured, for the internal page."""
    held = sum(true is True for true in test["checks"].values())
    total = len(test["checks"])
    failed = [humanised(name) for name, true in test["checks"].items() if true is not True]
    broken = (f"Not so: {', '.join(failed)}.",) if failed else ()
    return Answer(
        answer=f"{held} of {total} checks hold",
        sentences=(
            f"{held} of {total} checks of the books hold.",
            *broken,
            (
                f"Claimed: epsilon {plain(test['claimed_epsilon'])}. Computed again from the ledger: "
                f"{plain(test['recomputed_epsilon'])}. All runs on this cohort together: "
                f"{together(test)}."
            ),
            f"{plain(test['images_drawn_again'])} images were drawn again from the generator and the seed."
            + _rounded(test),
        ),
    )


def _rounded(test: Record) -> str:
    """What is left to rounding; records of earlier versions do not have it."""
    if "pixels_between_levels" not in test:
        return ""
    other, between = plain(test["pixels_rounded_otherwise"]), plain(test["pixels_between_levels"])
    return f" {between} pixels lie between two levels, {other} are not the nearer one."


def together(test: Record) -> str:
    """The epsilon of all runs on a cohort, and which composition that is."""
    total = plain(test["cohort_total_epsilon"])
    if test.get("cohort_total_composition", ONE_RUN) == ONE_RUN:
        return f"epsilon {total}"
    return (
        f"epsilon {total} {test['cohort_total_composition']}; for runs chosen one after the other "
        f"epsilon {plain(test['cohort_filter_epsilon'])} is proven, by a Renyi filter"
    )


def _checks(test: Record) -> Iterator[Fact]:
    failed = [humanised(name) for name, holds in test["checks"].items() if holds is not True]
    total = len(test["checks"])
    yield Fact(name="Checks of the books", value=f"{total - len(failed)} of {total} hold", note="")
    for name in failed:
        yield Fact(name="Does not hold", value=name)


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
