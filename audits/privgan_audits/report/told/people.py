"""What the questions about people measured: T3, T4, T7, T8, T9."""

from collections.abc import Iterator

from privgan_audits.report.told.telling import Entry, Told
from privgan_audits.telling.numbers import chances, humanised, percent, plain, points

_SEEING = 0.5  # of pairs of one patient, below which a detector overlooks most
_BLIND = "This detector overlooks most people, so that finding nobody proves little."
_NETWORKS = {
    "discriminator": "Asking the network that learned to know real images",
    "inversion": "Searching the generator for the input that draws a person's image best",
}


def membership(test: Entry) -> Told:
    """T3."""
    rate = test["tpr"].get("1_percent", {}).get("measured")
    hits = f"they recognise {percent(rate)} of the members" if rate is not None else "they recognise members"
    return Told(
        answer=f"right {percent(test['auc'])} of the time; a coin 50 %",
        sentences=(
            (
                f"Shown a member and an outsider, the attacks together pick the member {percent(test['auc'])} of the "
                f"time (a coin: 50 %; at worst {percent(test['auc_upper'])})."
            ),
            f"Wrongly accusing 1 % of the outsiders, {hits} (guessing: 1 %; at worst {percent(test['tpr_upper'])}).",
            f"Chance alone looks at least as suspicious {chances(test['p'])}.",
        ),
    )


def white_box(test: Entry) -> Told:
    """T4."""
    tables = [(told, test.get(name) or {}) for name, told in _NETWORKS.items()]
    best = max((table["auc"] for _, table in tables if "auc" in table), default=None)
    return Told(
        answer=f"right {percent(best)} of the time; a coin 50 %",
        sentences=(
            *(_network(told, table) for told, table in tables),
            (
                f"Together they prove an epsilon of at least {plain(test['epsilon_lower_bound'])}; so many patients "
                f"could prove at most {plain(test['largest_provable_epsilon'])}."
            ),
        ),
    )


def _network(told: str, table: Entry) -> str:
    if "auc" not in table:
        return f"{told}: not measured, {table.get('not_measured', 'for an unknown reason')}."
    low, high = table["auc_interval"]
    tried = plain(table["members"] + table["non_members"])
    return (
        f"{told} picks the member {percent(table['auc'])} of the time ({percent(low)} to {percent(high)}; {tried} "
        f"patients); chance alone does as well {chances(table['p'])}."
    )


def reidentification(test: Entry) -> Told:
    """T7."""
    ours, theirs = percent(test["members_linked"]), percent(test["non_members_linked"])
    return Told(
        answer=f"{ours} of members, {theirs} of others",
        sentences=(
            (
                f"A synthetic image passes for one of the same person for {ours} of the members and {theirs} of the "
                "others, at a threshold that lets one pair of different people in a thousand pass."
            ),
            f"Chance alone puts members ahead so far {chances(test['p'])}.",
            (
                "What the detector is worth: of two images of one patient it recognises "
                f"{percent(test['detector_recall'])} at that threshold, and it puts them before images of two "
                f"patients {percent(test['detector_auc'])} of the time. It learned from "
                f"{plain(test['patients_with_several_images'])} patients with several images."
            ),
            *((_BLIND,) if not (test["detector_recall"] or 0.0) >= _SEEING else ()),
        ),
    )


def attributes(test: Entry) -> Told:
    """T8."""
    largest = points(test["largest_advantage_upper"])
    return Told(answer=f"at most {largest} better for members", sentences=tuple(_attributes(test)))


def _attributes(test: Entry) -> Iterator[str]:
    for name, found in test["columns"].items():
        yield (
            f"{humanised(name).capitalize()}: guessed right for {percent(found['members'])} of the members and "
            f"{percent(found['non_members'])} of the others (always the commonest: {percent(found['guessing'])}). "
            f"That is {points(found['advantage'])} for members, at worst {points(found['advantage_upper'])}."
        )
    yield f"Chance alone gives members as much {chances(test['p'])}."
    for name, reason in test.get("not_applicable", {}).items():
        yield f"{humanised(name).capitalize()} was not asked: {reason}."


def resemblance(test: Entry) -> Told:
    """T9."""
    found = test["dcr_share"]
    low, high = found["range_when_safe"]
    return Told(
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
