"""T0 told: the audit attacks itself."""

from collections.abc import Iterator, Sequence

from privgan.language import in_a_row, to_tr, tr
from privgan_audits.questions.controls.rule import CHANGED_COPIES, GATING_COPIES, PLAIN_COPIES
from privgan_audits.record import Record, allowed_copies, finding
from privgan_audits.telling.facts import group_name
from privgan_audits.telling.keys import humanised
from privgan_audits.telling.numbers import chances, listed, plain, span
from privgan_audits.telling.plots import Chart, limits_chart
from privgan_audits.telling.words import CONTROLS, P_NOTE, Answer, Label, Words

COPIES = to_tr(
    {
        "exact": "unchanged",
        "flip": "mirrored",
        "rotation_90_degrees": "turned by a right angle",
        "shift_6_percent": "shifted by 6 % of the side",
        "noise_4_percent": "with 4 % noise",
        "noise_10_percent": "with 10 % noise",
        "blur": "blurred",
        "jpeg_30": "compressed hard (JPEG quality 30)",
        "negative": "as a negative",
        "equalised": "with equalised grey levels",
        "gamma_1_8": "much darker (gamma 1.8)",
        "left_half": "half of it on another image",
        "quadrant": "a quarter of it on another image",
        "ninth": "a ninth of it on another image",
        "quarter_moved": "a quarter of it, elsewhere on another image",
        "half_size": "at half its size in a corner of another image",
        "fine_detail": "its detail on another image's shapes",
        "coarse_shapes": "its shapes under another image's detail",
        "blend_30_percent": "mixed with 30 % of another image",
        "blend_50_percent": "mixed with 50 % of another image",
        "rotation_10_degrees": "rotated by 10 degrees",
        "crop_85_percent": "cropped to 85 %, stretched",
        "shift_10_percent": "shifted by 10 % of the side",
        "warp": "distorted",
        "hue_30_degrees": "with another hue (30 degrees)",
    }
)
_GATING = (PLAIN_COPIES, CHANGED_COPIES)
_NAMED = 5  # groups on page one; the rest stand in the table of groups
TRIED = to_tr(
    "noisy, shifted, much darker, half of it or its detail on another image, mixed with another, "
    "rotated by 10 degrees"
)


def copy_name(kind: str) -> str:
    """A kind of planted copy in plain words; of a record by another version perhaps its own word."""
    return tr(COPIES.get(kind, humanised(kind)))


def seen_and_unseen(record: Record) -> str:
    """Which changes were planted and from how many patients each was seen, in one sentence; empty without any."""
    found = finding(record, "T0", "limit_of_detection")
    most = plain(finding(record, "T0", "copies_planted_at_most"))
    if not found:
        return ""
    seen = [f"{copy_name(kind)} {plain(count)}" for kind, count in found.items() if count is not None]
    unseen = [copy_name(kind) for kind, count in found.items() if count is None]
    told = tr(
        "From how many patients copies were surely seen: {kinds}.", kinds=listed(seen) or tr("none of any kind")
    )
    not_even = tr("Not even from {count}: {kinds}.", count=most, kinds=listed(unseen)) if unseen else ""
    return in_a_row((told, not_even, *_within_groups(record)))


def _within_groups(record: Record) -> Iterator[str]:
    """From how many of a group's members unchanged copies are seen, and where not even those of all, by name."""
    found = finding(record, "T0", "groups") or ()
    left_out = [group_name(group) for group in finding(record, "T0", "groups_left_out") or ()]
    further = sum((finding(record, "T0", "further_groups_left_out") or {}).values())
    seen = [int(group["seen_from"]) for group in found if group["seen_from"] is not None]
    unseen = [f"{group_name(group)} ({plain(group['members'])})" for group in found if group["seen_from"] is None]
    if seen:
        few = plain(min(seen)) if min(seen) == max(seen) else span(plain(min(seen)), plain(max(seen)))
        yield tr("Unchanged copies from within one class, or one value of a column: seen from {count}.", count=few)
    if unseen:
        yield tr("Not seen even if all members of the group were copied: {groups}.", groups=_some(unseen))
    if left_out:
        yield tr("Too small, or too many, to be looked at as groups: {groups}.", groups=_some(left_out, further))


def _some(names: Sequence[str], further: int = 0) -> str:
    """The first of many names, and how many more there are."""
    more = len(names[_NAMED:]) + further
    return listed([*names[:_NAMED], *([tr("{count} more", count=plain(more))] if more else [])])


def answer(test: Record) -> Answer:
    """What was measured, for the internal page."""
    limits = [test["limit_of_detection"].get(kind) for kind in GATING_COPIES]
    missed = [copy_name(kind) for kind, count in zip(GATING_COPIES, limits, strict=True) if count is None]
    if missed:
        most = plain(test["copies_planted_at_most"])
        answer = tr("misses {count} copies", count=most)
        found = tr("Copies ({kinds}) of {count} patients are not surely found.", kinds=listed(missed), count=most)
    else:
        plainly, changed = (plain(max(test["limit_of_detection"][kind] for kind in kinds)) for kinds in _GATING)
        answer = tr(
            "sees plain copies from {plain} patients on, changed ones from {changed}", plain=plainly, changed=changed
        )
        found = tr(
            "Copies of {plain} patients are surely found when unchanged or mirrored, and of {changed} when changed: "
            "{tried}.",
            plain=plainly,
            changed=changed,
            tried=tr(TRIED),
        )
    return Answer(answer=answer, sentences=(found, *_left_out(test), *_silent(test)))


def _left_out(test: Record) -> Iterator[str]:
    """Of how many kinds of copies which space said nothing; nothing where all spoke of all."""
    if kinds := test.get("kinds_left_out"):
        yield tr(
            "Some kinds of copies are like too many patients for one way of comparing, and were left to the others: "
            "{spaces}.",
            spaces=listed([f"{tr(space)} ({plain(count)})" for space, count in kinds.items()]),
        )


def _silent(test: Record) -> Iterator[str]:
    """Whether the audit keeps silent where there is nothing."""
    yield tr(
        "Without any synthetic image, members and non-members look as different as chance makes them {chances}.",
        chances=chances(test["split_p"]),
    )
    yield tr(
        "In {resplits} comparisons of members among themselves, where nothing can be found, the near-copy alarm rang "
        "{near_copies} times and the membership alarm {membership} times; about {expected} false alarms are its "
        "share.",
        resplits=plain(test["resplits"]),
        near_copies=plain(test["small_p_near_copies"]),
        membership=plain(test["small_p_membership"]),
        expected=plain(round(0.05 * test["resplits"])),
    )


def charts(record: Record) -> tuple[Chart, ...]:
    """The limit of detection of each kind of planted copy, beside what the policy allows."""
    found, searched = (finding(record, "T0", key) for key in ("limit_of_detection", "copies_planted_at_most"))
    if not found or not searched:
        return ()
    rows = {copy_name(kind) + "*" * (kind in GATING_COPIES): count for kind, count in found.items()}
    drawn = Chart(
        svg=limits_chart(rows, int(searched), allowed_copies(record), name="limits"),
        title=tr("How few copied patients would have been noticed"),
        caption=tr(
            "Copies of so many different patients were planted, and found in 59 of 59 trials. Kinds with a star "
            "count for the verdict; what is more than a plain copy may need twice as many."
        ),
    )
    return (drawn,)


WORDS = Words(
    title="Would this audit have noticed a leak?",
    short="The audit tests itself",
    tries="Nothing: here the audit plants copies of real patients among the synthetic images and looks "
    "whether it finds them, and it compares groups that cannot differ and looks whether it stays silent.",
    caught="Members and non-members who differ for another reason than training (scanner, site, year), and tests "
    "that cry wolf.",
    group=CONTROLS,
    good="works",
    answer=answer,
    labels={
        "split_p": Label(name="Members and non-members differ without any synthetic image, p-value", note=P_NOTE),
        "split_auc": Label(name="How well a classifier tells them apart", note="0.5 is not at all"),
        "resplits": Label(name="Re-splits of members among themselves"),
        "small_p_near_copies": Label(name="of these, false alarms of T2 at 5 %", note="about 5 % are expected"),
        "small_p_membership": Label(name="of these, false alarms of T3 at 5 %", note="about 5 % are expected"),
        "copies_planted_at_most": Label(name="Most copies planted at once"),
    },
    told_elsewhere=frozenset(
        {"limit_of_detection", "kinds_left_out", "groups", "groups_left_out", "further_groups_left_out"}
    ),
    charts=charts,
)
