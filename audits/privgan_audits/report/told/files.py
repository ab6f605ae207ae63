"""What the questions about images, books and files measured: T0, T1, T2, T6, T10."""

from privgan_audits.gate.verdict import GATING_COPIES
from privgan_audits.report.told.telling import Entry, Told
from privgan_audits.report.words.frame import COPIES
from privgan_audits.telling.numbers import chances, humanised, plain


def controls(test: Entry) -> Told:
    """T0."""
    limits = [test["limit_of_detection"].get(kind) for kind in GATING_COPIES]
    missed = [COPIES[kind] for kind, count in zip(GATING_COPIES, limits, strict=True) if count is None]
    if missed:
        most = plain(test["copies_planted_at_most"])
        answer, found = (
            f"misses {most} copies",
            f"Copies ({', '.join(missed)}) of {most} patients are not surely found.",
        )
    else:
        answer = f"sees copies from {plain(max(limits))} patients on"
        found = f"Copies of {plain(max(limits))} patients are surely found, also when mirrored, shifted or noisy."
    expected = plain(round(0.05 * test["resplits"]))
    return Told(
        answer=answer,
        sentences=(
            found,
            (
                f"Without any synthetic image, members and non-members look as different as chance makes them "
                f"{chances(test['split_p'])}."
            ),
            (
                f"In {plain(test['resplits'])} comparisons of members among themselves, where nothing can be found, "
                f"the near-copy alarm rang {plain(test['small_p_near_copies'])} times and the membership alarm "
                f"{plain(test['small_p_membership'])} times; about {expected} false alarms are its share."
            ),
        ),
    )


def copies(test: Entry) -> Told:
    """T1."""
    ours, theirs = test["copies_of_members"], test["copies_of_other_patients"]
    looked = f"Every synthetic image was compared with {plain(test['compared_real_images'])} real ones."
    if not ours and not theirs:
        return Told(answer="none", sentences=(looked, "None of them is a real one."))
    found = f"{plain(ours)} of them are images of members, {plain(theirs)} of held-back patients."
    many = "images" if ours + theirs > 1 else "image"
    return Told(answer=f"{plain(ours + theirs)} real {many} in the set", sentences=(looked, found))


def near_copies(test: Entry) -> Told:
    """T2."""
    name, space = min(test["spaces"].items(), key=lambda item: _or_one(item[1]["p"]))
    counts = [
        f"before {'the closest' if rank == '1' else f'number {rank}'}, {plain(count)} (a safe set: about "
        f"{plain(space['expected_when_safe'][rank])})"
        for rank, count in space["members_before_non_member"].items()
    ]
    return Told(
        answer=f"chance alone looks so {chances(test['p'])}",
        sentences=(
            f"How many members come closer than held-back patients, compared by {name}: {'; '.join(counts)}.",
            f"Taking all ways to compare together, chance alone looks at least as suspicious {chances(test['p'])}.",
        ),
    )


def books(test: Entry) -> Told:
    """T6."""
    held = sum(true is True for true in test["checks"].values())
    total = len(test["checks"])
    failed = [humanised(name) for name, true in test["checks"].items() if true is not True]
    broken = (f"Not so: {', '.join(failed)}.",) if failed else ()
    return Told(
        answer=f"{held} of {total} checks hold",
        sentences=(
            f"{held} of {total} checks of the books hold.",
            *broken,
            (
                f"Claimed: epsilon {plain(test['claimed_epsilon'])}. Computed again from the ledger: "
                f"{plain(test['recomputed_epsilon'])}. All runs on this cohort together: "
                f"{plain(test['cohort_total_epsilon'])}."
            ),
        ),
    )


def identifiers(test: Entry) -> Told:
    """T10."""
    found = test["identifiers_found"]
    searched = f"{plain(test['files'])} files, every byte, were searched for {plain(test['known_identifiers'])} "
    searched += "identifiers of the source, known here only as keyed digests."
    kinds = "" if not found else f" By kind: {plain(test['by_category'])}."
    result = "None was found." if not found else f"{plain(found)} places hold one.{kinds}"
    differs = test.get("not_as_audited") or {}
    alike = (
        "Every file is what was audited." if not differs else f"Files differ from what was audited: {plain(differs)}."
    )
    return Told(answer="none" if not found else f"{plain(found)} places", sentences=(searched, result, alike))


def _or_one(p: float | None) -> float:
    return 1.0 if p is None else p
