"""T0 told: the audit attacks itself."""

from privgan_audits.questions.controls.rule import GATING_COPIES
from privgan_audits.record import Record, allowed_copies, finding
from privgan_audits.telling.numbers import chances, humanised, plain
from privgan_audits.telling.plots import Chart, limits_chart
from privgan_audits.telling.words import CONTROLS, P_NOTE, Answer, Label, Words

COPIES = {
    "exact": "unchanged",
    "flip": "mirrored",
    "shift_2_px": "shifted by 2 pixels",
    "noise_2_percent": "with 2 % noise",
    "rotation_90_degrees": "turned by a right angle",
    "rotation_5_degrees": "rotated by 5 degrees",
    "gamma_0_9": "brightened (gamma 0.9)",
    "gamma_1_1": "darkened (gamma 1.1)",
    "jpeg_75": "compressed (JPEG quality 75)",
    "crop_95_percent": "cropped to 95 %, stretched",
    "blend_20_percent": "mixed with 20 % of another",
    "hue_30_degrees": "with another hue (30 degrees)",
}


def answer(test: Record) -> Answer:
    """What was measured, for the internal page."""
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
    return Answer(
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


def charts(record: Record) -> tuple[Chart, ...]:
    """The limit of detection of each kind of planted copy, beside what the policy allows."""
    found, searched = (finding(record, "T0", key) for key in ("limit_of_detection", "copies_planted_at_most"))
    if not found or not searched:
        return ()
    rows = {COPIES.get(kind, humanised(kind)) + "*" * (kind in GATING_COPIES): count for kind, count in found.items()}
    drawn = Chart(
        svg=limits_chart(rows, int(searched), allowed_copies(record), name="limits"),
        title="How few copied patients would have been noticed",
        caption="Copies of so many different patients were planted, and found in 59 of 59 trials. Kinds with a star "
        "count for the verdict.",
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
    told_elsewhere=frozenset({"limit_of_detection"}),
    charts=charts,
)
