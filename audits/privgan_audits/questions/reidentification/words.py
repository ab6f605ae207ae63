"""T7 told: re-identification."""

from privgan.language import tr
from privgan_audits.record import Record
from privgan_audits.telling.facts import ranks
from privgan_audits.telling.numbers import chances, percent, plain
from privgan_audits.telling.words import LINKABILITY, P_NOTE, Answer, Label, Words

_SEEING = 0.5  # of pairs of one patient, below which a detector overlooks most
_UNLIKELY = 0.05


def answer(test: Record) -> Answer:
    """What was measured, for the internal page."""
    ours, theirs = percent(test["members_linked"]), percent(test["non_members_linked"])
    shares = {"ours": ours, "theirs": theirs}
    blind = tr("This detector overlooks most people, so that finding nobody proves little.")
    return Answer(
        answer=tr(
            "look-alikes for {ours} of members and {theirs} of others; members no more often than chance allows",
            **shares,
        )
        if not test["p"] < _UNLIKELY
        else tr("look-alikes for {ours} of members and {theirs} of others", **shares),
        sentences=(
            tr(
                "A synthetic image passes for one of the same person for {ours} of the members and {theirs} of the "
                "others, at a threshold that lets one pair of different people in a thousand pass.",
                **shares,
            ),
            tr("Chance alone puts members ahead so far {chances}.", chances=chances(test["p"])),
            tr(
                "What the detector is worth: of two images of one patient it recognises {recall} at that threshold, "
                "and it puts them before images of two patients {auc} of the time. It learned from {count} patients "
                "with several images.",
                recall=percent(test["detector_recall"]),
                auc=percent(test["detector_auc"]),
                count=plain(test["patients_with_several_images"]),
            ),
            *((blind,) if not (test["detector_recall"] or 0.0) >= _SEEING else ()),
        ),
    )


WORDS = Words(
    title="Can another image of a patient be recognised in the set?",
    short="Re-identification",
    tries="Holds another image of a person, taken on another day, and looks for that person among the "
    "synthetic images with a detector that learned, on other patients, what stays the same between two "
    "images of one patient.",
    caught="Members who are recognised more often than patients who were never learned from, as far as the "
    "detector can recognise anybody.",
    group=LINKABILITY,
    good="nobody more often",
    ticked=False,  # a detector that finds nobody may be blind
    answer=answer,
    labels={
        "p": Label(name="p-value", note=P_NOTE),
        "members_linked": Label(name="Members with a synthetic image above the threshold", share=True),
        "non_members_linked": Label(name="Non-members with one", share=True),
        "members_recognised": Label(name="Members recognised even in a search through thousands", share=True),
        "non_members_recognised": Label(name="Non-members recognised so", share=True),
        "rare_share": Label(name="Pairs of different people above that stricter threshold", share=True),
        "threshold_share": Label(name="Pairs of different people above the threshold", share=True),
        "detector_auc": Label(name="The detector's AUC, one person against two", note="on patients held back"),
        "detector_recall": Label(name="Pairs of one person above the threshold", share=True),
        "patients_with_several_images": Label(name="Patients with several images", note="it learned from these"),
    },
    special={"members_before_non_member": ranks},
    told_elsewhere=frozenset({"expected_when_safe"}),
)
