"""T8 told: attribute disclosure."""

from collections.abc import Iterator

from privgan_audits.record import Record
from privgan_audits.telling.numbers import chances, humanised, percent, plain, points
from privgan_audits.telling.words import INFERENCE, P_NOTE, Answer, Fact, Label, Words


def answer(test: Record) -> Answer:
    """What was measured, for the internal page."""
    largest = points(test["largest_advantage_upper"])
    return Answer(answer=f"at most {largest} better for members", sentences=tuple(_attributes(test)))


def _attributes(test: Record) -> Iterator[str]:
    for name, found in test["columns"].items():
        yield (
            f"{humanised(name).capitalize()}: guessed right for {percent(found['members'])} of the members and "
            f"{percent(found['non_members'])} of the others (always the commonest: {percent(found['guessing'])}). "
            f"That is {points(found['advantage'])} for members, at worst {points(found['advantage_upper'])}."
        )
    yield f"Chance alone gives members as much {chances(test['p'])}."
    for name, reason in test.get("not_applicable", {}).items():
        yield f"{humanised(name).capitalize()} was not asked: {reason}."


def _columns(test: Record) -> Iterator[Fact]:
    for name, found in test["columns"].items():
        low, high = found["advantage_interval"]
        value = f"{percent(found['members'])} of members, {percent(found['non_members'])} of others"
        note = f"always the commonest of {plain(found['values'])} values: {percent(found['guessing'])}"
        yield Fact(name=f"{humanised(name).capitalize()}, guessed right", value=value, note=note)
        bounds = f"95 % interval {points(low)} to {points(high)}; at most {points(found['advantage_upper'])}"
        yield Fact(name="its advantage for members", value=points(found["advantage"]), note=bounds)
        yield Fact(name="its residual risk", value=percent(found["residual_risk"]), note="(a - c) / (1 - c)")
        yield Fact(name="its p-value alone", value=plain(found["p"]))


def _left_out(test: Record) -> Iterator[Fact]:
    for name, reason in test["not_applicable"].items():
        yield Fact(name=f"{humanised(name).capitalize()}", value="not asked", note=reason)


WORDS = Words(
    title="Can a hidden fact about a patient be read off the set?",
    short="Attribute disclosure",
    tries="Holds a person's image, does not know the diagnosis (or another column), and lets the most similar "
    "synthetic images vote on it.",
    caught="Facts that are guessed better for members than for outsiders. What is guessed equally well for "
    "both is medicine, not a leak.",
    group=INFERENCE,
    answer=answer,
    labels={
        "p": Label(name="p-value of all columns together", note=P_NOTE),
        "largest_advantage_upper": Label(name="Largest upper bound of an advantage", note="one-sided, 95 %"),
        "largest_advantage_lower": Label(name="Largest lower bound of an advantage", note="above the limit: FAIL"),
    },
    special={"columns": _columns, "not_applicable": _left_out},
)
