"""T8 told: attribute disclosure."""

from collections.abc import Iterator

from privgan.language import retold, to_tr, tr
from privgan_audits.record import Record
from privgan_audits.telling.keys import humanised
from privgan_audits.telling.numbers import chances, percent, plain, points
from privgan_audits.telling.words import INFERENCE, P_NOTE, Answer, Fact, Label, Words

LABEL = to_tr("label")  # the column that every set has


def answer(test: Record) -> Answer:
    """What was measured, for the internal page."""
    largest = points(test["largest_advantage_upper"])
    answer = tr("at most {difference} better for members", difference=largest)
    return Answer(answer=answer, sentences=tuple(_attributes(test)))


def _attributes(test: Record) -> Iterator[str]:
    for name, found in test["columns"].items():
        yield tr(
            "{column}: guessed right for {members} of the members and {others} of the others (always the commonest: "
            "{guessing}). That is {advantage} for members, at worst {upper}.",
            guessing=percent(found["guessing"]),
            **_guessed(name, found),
        )
    for name, found in test.get("by_record", {}).items():
        yield tr(
            "{column}, from all other columns and without an image: guessed right for {members} of the members and "
            "{others} of the others. That is {advantage} for members, at worst {upper}.",
            **_guessed(name, found),
        )
    yield tr("Chance alone gives members as much {chances}.", chances=chances(test["p"]))
    for name, reason in test.get("not_applicable", {}).items():
        yield tr("{column} was not asked: {reason}.", column=_column(name), reason=retold(reason))


def _guessed(name: str, found: Record) -> dict[str, str]:
    return {
        "column": _column(name),
        "members": percent(found["members"]),
        "others": percent(found["non_members"]),
        "advantage": points(found["advantage"]),
        "upper": points(found["advantage_upper"]),
    }


def _column(name: str) -> str:
    """A column in its own words; the label, which every set has, in those of the current language."""
    return (tr("label") if name == LABEL else humanised(name)).capitalize()


def _columns(test: Record) -> Iterator[Fact]:
    for name, found in test["columns"].items():
        yield from _facts(tr("{column}, guessed right", column=_column(name)), found)


def _by_record(test: Record) -> Iterator[Fact]:
    for name, found in test["by_record"].items():
        yield from _facts(tr("{column}, guessed right from the other columns", column=_column(name)), found)


def _facts(name: str, found: Record) -> Iterator[Fact]:
    low, high = found["advantage_interval"]
    members, others = percent(found["members"]), percent(found["non_members"])
    value = tr("{members} of members, {others} of others", members=members, others=others)
    note = tr(
        "always the commonest of {count} values: {guessing}",
        count=plain(found["values"]),
        guessing=percent(found["guessing"]),
    )
    yield Fact(name=name, value=value, note=note)
    bounds = tr(
        "95 % interval {low} to {high}; at most {upper}",
        low=points(low),
        high=points(high),
        upper=points(found["advantage_upper"]),
    )
    yield Fact(name=tr("its advantage for members"), value=points(found["advantage"]), note=bounds)
    yield Fact(name=tr("its residual risk"), value=percent(found["residual_risk"]), note="(a - c) / (1 - c)")
    yield Fact(name=tr("its p-value alone"), value=plain(found["p"]))


def _left_out(test: Record) -> Iterator[Fact]:
    for name, reason in test["not_applicable"].items():
        yield Fact(name=_column(name), value=tr("not asked"), note=retold(reason))


WORDS = Words(
    title="Can a hidden fact about a patient be read off the set?",
    short="Attribute disclosure",
    tries="Holds a person's image, does not know the diagnosis (or another column), and lets the most similar "
    "synthetic images vote on it; or knows the rest of a person's record, and lets the most similar records vote.",
    caught="Facts that are guessed better for members than for outsiders. What is guessed equally well for "
    "both is medicine, not a leak.",
    group=INFERENCE,
    answer=answer,
    labels={
        "p": Label(name="p-value of all columns together", note=P_NOTE),
        "largest_advantage_upper": Label(name="Largest upper bound of an advantage", note="one-sided, 95 %"),
        "largest_advantage_lower": Label(name="Largest lower bound of an advantage", note="above the limit: FAIL"),
    },
    special={"columns": _columns, "by_record": _by_record, "not_applicable": _left_out},
)
