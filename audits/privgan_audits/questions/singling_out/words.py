"""T12 told: singling out by the record alone."""

from collections.abc import Iterator

from privgan.language import tr
from privgan_audits.record import Record
from privgan_audits.telling.keys import humanised
from privgan_audits.telling.numbers import chances, listed, percent, plain, points, span
from privgan_audits.telling.words import P_NOTE, SINGLING_OUT, Answer, Fact, Label, Words


def answer(test: Record) -> Answer:
    """What was measured, for the internal page."""
    ours, theirs = percent(test["members_met"]), percent(test["non_members_met"])
    return Answer(
        answer=tr("{ours} of members and {theirs} of others", ours=ours, theirs=theirs),
        sentences=tuple(_sentences(test, ours, theirs)),
    )


def _sentences(test: Record, ours: str, theirs: str) -> Iterator[str]:
    yield tr(
        "All columns together are one person's for {members} members and {others} others; the set has such a "
        "combination of {ours} of all members and {theirs} of all others.",
        members=plain(test["members_alone"]),
        others=plain(test["non_members_alone"]),
        ours=ours,
        theirs=theirs,
    )
    yield tr("Chance alone singles out so many members {chances}.", chances=chances(test["p"]))
    limit = test["limit_of_detection"]
    if limit is None:
        yield tr(
            "Had the records of all these members been in the set as they are, this test would not have seen it."
        )
    else:
        yield tr(
            "It would have seen the records of {limit} of these members, had they been in the set as they are; fewer "
            "are invisible to it, and only epsilon covers them.",
            limit=plain(limit),
        )


def _columns(test: Record) -> Iterator[Fact]:
    names = listed(humanised(name) for name in test["columns"])
    yield Fact(name=tr("Columns that were put together"), value=plain(len(test["columns"])), note=names)


def _advantage(test: Record) -> Iterator[Fact]:
    low, high = test["advantage_interval"]
    more = span(points(low), points(high))
    yield Fact(name=tr("Members more often than non-members"), value=more, note=tr("95 % interval"))


def _limit(test: Record) -> Iterator[Fact]:
    limit = test["limit_of_detection"]
    value = tr("none") if limit is None else plain(limit)
    yield Fact(name=tr("Records of members that would be seen"), value=value, note=tr("in nine of ten draws"))


WORDS = Words(
    title="Does a record single out a patient, without any image?",
    short="Singling out by records",
    tries="Takes combinations of values that occur in the set, of one, two, three columns or of all, and claims of "
    "each that exactly one person has it.",
    caught="Members who are singled out so more often than patients who were never learned from.",
    group=SINGLING_OUT,
    answer=answer,
    labels={
        "p": Label(name="p-value", note=P_NOTE),
        "members_alone": Label(name="Members whom all columns single out"),
        "non_members_alone": Label(name="Non-members whom they do"),
        "members_met": Label(name="Members whose combination is in the set", share=True),
        "non_members_met": Label(name="Non-members whose combination is", share=True),
        "residual_risk": Label(name="Residual risk", note="(a - c) / (1 - c)", share=True),
    },
    special={"columns": _columns, "advantage_interval": _advantage, "limit_of_detection": _limit},
)
