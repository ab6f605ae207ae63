"""The fixed sentences of the report, written for a privacy officer who is not a statistician.

No sentence here depends on data: what was measured is put beside them by `report.view`.
"""

from dataclasses import dataclass

INVISIBLE = (
    "fewer than that many patients, even one near-copied a thousand times, is invisible to member/non-member "
    "tests; only epsilon covers it."
)


@dataclass(frozen=True, kw_only=True)
class VerdictWords:
    """One verdict in a plain sentence, and what to do next."""

    headline: str
    next_steps: tuple[str, ...]


VERDICTS = {
    "PASS": VerdictWords(
        headline="The synthetic images passed: none of the attacks below found a patient, and the audit was "
        "strong enough to notice a small group of exposed patients (how small is said below).",
        next_steps=(
            "Read what this does not cover; decide whether the purpose and the recipient justify what remains.",
            "Sign below, then let privgan release build the signed bundle. It judges again by itself.",
        ),
    ),
    "PASS-empirical": VerdictWords(
        headline="The attacks below found no patient, but nothing here promises differential privacy: "
        "an attack that was not tried may still succeed.",
        next_steps=(
            "Treat this as a test result, not as a guarantee. privgan does not release from files alone.",
            "For a release, prepare a cohort with privgan, train on it and audit that set.",
        ),
    ),
    "FAIL": VerdictWords(
        headline="Do not share these images: the audit found a leak or a broken promise.",
        next_steps=(
            "Keep the synthetic set inside. Find the cause in the reasons below before generating again.",
            "Do not search for a set that happens to pass: attempts are counted, each is judged more strictly.",
        ),
    ),
    "INVALID": VerdictWords(
        headline="This audit cannot be used: its own controls failed, so its numbers do not mean what they say.",
        next_steps=(
            "Usually members and non-members differ by more than chance: another scanner, site, year or export.",
            "Prepare the cohort again from one homogeneous source, so that privgan splits it itself.",
        ),
    ),
    "INCONCLUSIVE": VerdictWords(
        headline="No leak was found, but the audit was too weak or incomplete to say that there is none.",
        next_steps=(
            "Do not share these images. Usually the cohort is too small, or evidence was missing.",
            "See below which test could not answer; privgan plan tells for any number of patients what is possible.",
        ),
    ),
}


@dataclass(frozen=True, kw_only=True)
class QuestionWords:
    """What an attacker tries, and what would have been caught (the limits of the claim)."""

    title: str
    tries: str
    caught: str


TESTS = {
    "T0": QuestionWords(
        title="Would this audit have noticed?",
        tries="Nothing: here the audit tests itself. Copies of real patients are planted on purpose, and groups "
        "that cannot differ are compared.",
        caught="Members and non-members that differ for another reason than training, and tests that cry wolf.",
    ),
    "T1": QuestionWords(
        title="Is a real image among the synthetic ones?",
        tries="Looks every synthetic image up among real ones, also mirrored, rotated by quarter turns, inverted, "
        "brighter or darker.",
        caught="Any such copy, even a single one. Not: a copy with even one changed pixel, or one whose greys were "
        "merged or clipped (see T2).",
    ),
    "T2": QuestionWords(
        title="Do synthetic images come suspiciously close to patients who were trained on?",
        tries="Searches the synthetic images for near-copies of patients: pixel by pixel, and with a small network "
        "that learned on the spot to know an image again when it is turned, cropped, brightened or noisy.",
        caught="A group of near-copied patients at least as large as the limit of detection below.",
    ),
    "T3": QuestionWords(
        title="Can someone tell who was in the training data?",
        tries="Holds an image of a person and guesses from the synthetic images whether that person was a member: by "
        "the distance to the nearest ones, by how densely they lie around it, by a classifier, and by all together.",
        caught="An advantage over guessing that touches many members a little or a few members a lot.",
    ),
    "T6": QuestionWords(
        title="Is the privacy promise true to its books?",
        tries="Looks for a promise that the accounting does not carry: a wrong unit, training off the books.",
        caught="A claim that the cohort's ledger does not support, and a generator that is not the charged one.",
    ),
    "T10": QuestionWords(
        title="Do names, numbers or dates of patients hide in the files?",
        tries="Reads every byte: headers, file names, comments, private fields, for anything identifying, and "
        "compares every file with the images that were audited.",
        caught="Identifiers from the source files of four characters or more, numbers of six digits or more; "
        "files whose images or labels are not the audited ones. "
        "Not: shorter ones, and text painted into pixels.",
    ),
}


def unknown_test(title: str) -> QuestionWords:
    """For a test that has no words here yet."""
    return QuestionWords(title=title, tries="See the documentation of this test.", caught="See there.")


NOT_COVERED = (
    (
        "Facts about groups. If the disease is common in this hospital, the synthetic images will show it. "
        "Differential privacy protects each patient, not what is true of all of them."
    ),
    "Text burned into many source images, and marks of a scanner or a site: common to many, hence learnable.",
    (
        "People who appear under several patient numbers without sharing an identical image: each number is "
        "protected by itself, the person less."
    ),
    "Attacks by someone who can read this machine, the private folders or the ledger.",
    "Attacks that nobody has invented yet. Only epsilon speaks about those.",
    "Whether the images are useful or medically right. They are not for diagnosis.",
    "A legal conclusion. This page is evidence for the person who draws one.",
)


@dataclass(frozen=True, kw_only=True)
class OutcomeWords:
    """How a test's state is shown."""

    label: str
    tone: str
    sentence: str


OUTCOMES = {
    "measured": OutcomeWords(
        label="measured",
        tone="done",
        sentence="Done; the thresholds and rounded bounds are in the table below.",
    ),
    "not-applicable": OutcomeWords(
        label="does not apply", tone="done", sentence="The question does not arise here. "
    ),
    "not-run": OutcomeWords(
        label="NOT RUN", tone="open", sentence="This test had no evidence to work on, which blocks a PASS. "
    ),
}

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
    "crop_95_percent": "cropped to 95 % and stretched",
    "blend_20_percent": "mixed with 20 % of another image",
}

POLICIES = {
    "default": "the recommended thresholds",
    "restricted-access": "for recipients who are known and bound by contract; looser than the default",
    "open-release": "for anyone, for ever; stricter than the default",
    "own": "this house's own thresholds",
}

INTERNAL_NOTE = (
    "Internal: computed from patients' images without noise, and may show them. This page never leaves the hospital."
)
PUBLIC_NOTE = (
    "Public tier: the verdict, the thresholds, and bounds rounded away from private values. "
    "No patient's image or value."
)
PUBLIC_NEXT_STEPS = (
    "Check that this page came in a signed bundle: see how to verify, at the end.",
    "Read what this does not cover, and keep to the terms that were agreed with the hospital.",
)
REASONS_INSIDE = "The reasons are in the internal report."
NOT_PRIVATE = "NOT PRIVATE: the run used a seed, so that its noise can be replayed. It protects nobody."
OVERRIDDEN = "A safeguard was switched off on purpose."
SCOPES = {
    "differential-privacy": "differential privacy, checked against the cohort's ledger, and known attacks",
    "empirical": "known attacks only; no promise about others",
}
NO_CLAIM = "No differential privacy is claimed for these images: the result below is empirical only."
NO_PROMISE = (
    "There is none: these images come without a claim of differential privacy. What follows is what known attacks "
    "found, and says nothing about other attacks."
)
PROMISE = (
    "Whatever anyone does with them, now or later and with any other knowledge, their odds that a given patient "
    "was a member change by at most the factor e to the power of epsilon, leaving aside a chance of delta."
)
CONVENTION = (
    "By habit of the field, not by law, epsilon up to about 1 is called strong and up to about 10 is accepted "
    "with reasons; the larger it is, the more the measured attacks below have to carry."
)
VERIFY_INTERNAL = (
    "The cohort's ledger keeps the SHA-256 of audit.json, so an edited report is found: privgan release judges "
    "again from audit.json and refuses one that the ledger does not know."
)
VERIFY_PUBLIC = (
    "A released bundle is checked offline with privgan verify BUNDLE --public-key NAME.pub, or with sha256sum "
    "and openssl alone as its VERIFY.md describes. The signature covers this page."
)

GLOSSARY = (
    ("member", "A patient whose images the model was trained on."),
    ("non-member", "A patient of the same source who was held back by lot, for comparison only."),
    (
        "epsilon",
        (
            "How far the released images can move anyone's belief about one patient. 0: not at all. Each "
            "unit multiplies the odds by at most 2.72."
        ),
    ),
    ("delta", "The small chance that epsilon is left aside for; kept far below one in the number of members."),
    ("patient-level", "The promise covers all images of a patient together, not each image by itself."),
    ("zero-out", "What is compared: the world with a patient's images, and the world where they are blanked."),
    ("AUC", "How often an attacker ranks a member above a non-member. 0.5 is guessing, 1 is always."),
    (
        "TPR at 1 % FPR",
        ("The share of members recognised when one in a hundred non-members is wrongly accused. Guessing gives 1 %."),
    ),
    ("p-value", "How often chance alone would look at least this bad."),
    (
        "limit of detection",
        ("The smallest number of distinct copied patients that this audit finds reliably (59 of 59 planted trials)."),
    ),
    ("confidence bound", "The end of the range that the data leave open; PASS looks at the worse end."),
    ("ledger", "The cohort's account book: every look at its patients is charged before it happens."),
)
