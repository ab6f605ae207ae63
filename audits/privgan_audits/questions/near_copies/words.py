"""T2 told: near copies."""

from collections.abc import Iterator

import numpy as np

from privgan.language import tr
from privgan_audits.record import Record, finding
from privgan_audits.telling.facts import group_name, ranks
from privgan_audits.telling.keys import keyword
from privgan_audits.telling.numbers import chances, in_parts, plain
from privgan_audits.telling.plots import Chart, distance_chart
from privgan_audits.telling.words import P_NOTE, SINGLING_OUT, Answer, Fact, Label, Words


def answer(test: Record) -> Answer:
    """What was measured, for the internal page."""
    name, space = min(test["spaces"].items(), key=lambda item: _or_one(item[1]["p"]))
    counts = in_parts(
        tr(
            "before the closest, {count} (a safe set: about {expected})"
            if rank == "1"
            else "before number {rank}, {count} (a safe set: about {expected})",
            count=plain(count),
            expected=plain(space["expected_when_safe"][rank]),
            **({} if rank == "1" else {"rank": rank}),
        )
        for rank, count in space["members_before_non_member"].items()
    )
    return Answer(
        answer=tr("chance alone looks so {chances}", chances=chances(test["p"])),
        sentences=(
            tr(
                "How many members come closer than held-back patients, compared by {space}: {counts}.",
                space=keyword(name),
                counts=counts,
            ),
            *_most_suspicious(test),
            tr(
                "Taking all ways to compare together, chance alone looks at least as suspicious {chances}.",
                chances=chances(test["p"]),
            ),
        ),
    )


def _most_suspicious(test: Record) -> Iterator[str]:
    """The group that stands out most when its patients are compared among themselves."""
    groups = test.get("groups") or ()
    if groups:
        found = min(groups, key=lambda group: _or_one(group["p"]))
        yield tr(
            "Of the {count} groups whose patients were compared among themselves, {group} stands out most: chance "
            "alone makes a group look so {chances}.",
            count=plain(len(groups)),
            group=group_name(found),
            chances=chances(found["p"]),
        )


def _groups(test: Record) -> Iterator[Fact]:
    for found in test["groups"]:
        name = tr("Among patients of {group}: p-value", group=group_name(found))
        yield Fact(name=name, value=plain(found["p"]))


def _or_one(p: float | None) -> float:
    return 1.0 if p is None else p


def _spaces(test: Record) -> Iterator[Fact]:
    for name, space in test["spaces"].items():
        yield Fact(name=tr("Comparing by {space}: p-value", space=keyword(name)), value=plain(space["p"]))
        yield from ranks(space)


def _look_alikes(test: Record) -> Iterator[Fact]:
    for name, found in test["look_alikes"].items():
        note = tr("within {bits} of 64 bits, at which no two real patients look alike", bits=found["bits"])
        if found["bits"] < 0:
            note = tr("real patients already look alike to it, so that it cannot say anything here")
        members, others = plain(found["members"]), plain(found["non_members"])
        value = tr("{members} members, {others} non-members", members=members, others=others)
        yield Fact(name=tr("Patients with a look-alike by {space}", space=keyword(name)), value=value, note=note)


def charts(record: Record) -> tuple[Chart, ...]:
    """How far members and non-members lie from the nearest synthetic image, as T3 measured it."""
    series = finding(record, "T3", "series")
    if not series or not series.get("distances"):
        return ()
    found = {name: np.asarray(values, np.float64) for name, values in series["distances"].items()}
    drawn = Chart(
        svg=distance_chart(found["edges"], found["members"], found["non_members"], name="distances"),
        title=tr("Distance of each patient to the nearest synthetic image"),
        caption=tr(
            "Two curves that lie on each other: the images are no closer to the patients they were learned from than "
            "to patients they never saw. A bump of members on the left: copies."
        ),
    )
    return (drawn,)


WORDS = Words(
    title="Do synthetic images come suspiciously close to patients who were learned from?",
    short="Near copies",
    tries="Searches the synthetic images for near-copies of patients: pixel by pixel, and with a small "
    "network that learned on the spot to know an image again when it is turned, cropped, brightened or "
    "noisy; by its details, shapes and parts. It does so among all patients, and within each class and each value "
    "of a declared column that has enough of them.",
    caught="A group of near-copied patients at least as large as the limit of detection, or most of a small class.",
    group=SINGLING_OUT,
    answer=answer,
    labels={"p": Label(name="p-value of all ways of comparing together", note=P_NOTE)},
    special={"spaces": _spaces, "look_alikes": _look_alikes, "groups": _groups},
    told_elsewhere=frozenset({"expected_when_safe"}),
    charts=charts,
)
