"""The names of single findings, for the appendix; what has no name here is shown by its own key."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Label:
    """A finding's name and small print; `share` values are shown as per cent."""

    name: str
    note: str = ""
    share: bool = False


P_NOTE = "how often chance alone looks at least this bad"
LABELS: dict[str, dict[str, Label]] = {
    "T0": {
        "split_p": Label(name="Members and non-members differ without any synthetic image, p-value", note=P_NOTE),
        "split_auc": Label(name="How well a classifier tells them apart", note="0.5 is not at all"),
        "resplits": Label(name="Re-splits of members among themselves"),
        "small_p_near_copies": Label(name="of these, false alarms of T2 at 5 %", note="about 5 % are expected"),
        "small_p_membership": Label(name="of these, false alarms of T3 at 5 %", note="about 5 % are expected"),
        "copies_planted_at_most": Label(name="Most copies planted at once"),
    },
    "T1": {
        "copies_of_members": Label(name="Synthetic images identical to a member's", note="a single one is a FAIL"),
        "rescaled_copies_of_members": Label(name="of these, with another brightness or inverted"),
        "copies_of_other_patients": Label(name="Identical to another real patient's", note="a FAIL as well"),
        "rescaled_copies_of_other_patients": Label(name="of these, with another brightness or inverted"),
        "constant_images": Label(name="Constant images", note="show nothing and are nobody's"),
        "compared_real_images": Label(name="Real images compared"),
    },
    "T2": {"p": Label(name="p-value of all ways of comparing together", note=P_NOTE)},
    "T3": {
        "p": Label(name="p-value of all attacks together", note=P_NOTE),
        "auc": Label(name="AUC of the attacks combined", note="0.5 is guessing"),
        "auc_interval": Label(name="its 95 % interval"),
        "auc_upper": Label(name="its one-sided upper bound"),
        "auc_lower": Label(name="Largest lower bound of any attack's AUC", note="for all attacks at once"),
        "auc_se_when_safe": Label(name="Standard error of an AUC for a safe set", note="small means a strong test"),
        "tpr_upper": Label(name="Members recognised at 1 % false accusations, upper bound", share=True),
        "tpr_lower": Label(name="Largest lower bound of any attack's", note="for all attacks at once", share=True),
        "epsilon_lower_bound": Label(name="Smallest epsilon that this proves", note="must not exceed the claim"),
        "largest_provable_epsilon": Label(name="Largest epsilon that it could have proved"),
    },
    "T4": {
        "p": Label(name="p-value of both attacks together", note=P_NOTE),
        "epsilon_lower_bound": Label(name="Smallest epsilon that this proves", note="must not exceed the claim"),
        "largest_provable_epsilon": Label(name="Largest epsilon that it could have proved"),
    },
    "T6": {
        "claimed_epsilon": Label(name="epsilon that the synthetic set claims"),
        "recomputed_epsilon": Label(name="epsilon of its run, computed again from the ledger"),
        "cohort_total_epsilon": Label(name="epsilon of the cohort in total", note="all runs ever charged"),
        "delta": Label(name="delta"),
    },
    "T7": {
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
    "T8": {
        "p": Label(name="p-value of all columns together", note=P_NOTE),
        "largest_advantage_upper": Label(name="Largest upper bound of an advantage", note="one-sided, 95 %"),
        "largest_advantage_lower": Label(name="Largest lower bound of an advantage", note="above the limit: FAIL"),
    },
    "T10": {
        "identifiers_found": Label(name="Places with a patient's identifier", note="a single one is a FAIL"),
        "by_category": Label(name="Kinds of identifiers found"),
        "files": Label(name="Files searched, every byte"),
        "structure": Label(name="Files with something odd in their structure", note="in a privgan set a FAIL"),
        "validator_complaints": Label(
            name="Complaints of the DICOM validator", note="of the first files; not judged"
        ),
        "not_as_audited": Label(name="Files that differ from the audited images", note="a single one is a FAIL"),
        "unreadable_entries": Label(name="Links and other entries that are not files"),
        "known_identifiers": Label(name="Identifiers searched for", note="known here only as keyed digests"),
    },
}
