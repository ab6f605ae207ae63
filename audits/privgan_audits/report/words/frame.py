"""The sentences between the numbers: what the page is, what the promise means, what is not covered."""

from privgan.data.cohort.options import EACH_IMAGE_IS_A_PATIENT
from privgan.language import in_a_row, retold, to_tr, tr

INVISIBLE = to_tr(
    "fewer than that many patients, even one near-copied a thousand times, is invisible to member/non-member "
    "tests; only epsilon covers it."
)

INTERNAL_NOTE = to_tr(
    "Internal: computed from patients' images without noise, and shows some of them. "
    "This page never leaves the hospital."
)
NOT_PRIVATE = to_tr("NOT PRIVATE: the run used a seed, so that its noise can be replayed. It protects nobody.")
OVERRIDDEN = to_tr("A safeguard was switched off on purpose.")
EACH_IMAGE = to_tr(
    "Nobody said whose each image is: every image counts as one patient, and whoever has two as two people."
)
FAILED_BEFORE = to_tr(
    "An earlier audit of this very set ended in FAIL: find out what is different now before you rely on this one."
)
NO_CLAIM = to_tr("No differential privacy is claimed for these images: the result is empirical only.")

SMOOTH = to_tr(
    "patients were asked about nothing finer, and no public images finished what was drawn: edges, vessels and grain "
    "are missing"
)
PRIOR = to_tr(
    "from {source}; terms: {licence}. They shaped these pictures; epsilon says nothing about the people on them"
)
LEFT_OUT = to_tr(
    "from {source}; terms: {licence}. They were given and shaped nothing: they are not of the patients' kind"
)

SCOPES = to_tr(
    {
        "differential-privacy": "differential privacy, checked against the cohort's ledger, and known attacks",
        "empirical": "known attacks only; no promise about others",
    }
)
POLICIES = to_tr(
    {
        "default": "the recommended thresholds",
        "restricted-access": "for recipients who are known and bound by contract; looser than the default",
        "open-release": "for anyone, for ever; stricter than the default",
        "own": "this house's own thresholds",
    }
)

NO_PROMISE = to_tr(
    "There is none: these images come without a claim of differential privacy. What follows is what known attacks "
    "found, and says nothing about other attacks."
)
PROMISE = to_tr(
    "Whatever anyone does with them, now or later and with any other knowledge, their odds that a given patient "
    "was a member change by at most the factor e to the power of epsilon, leaving aside a chance of delta."
)
CONVENTION = to_tr(
    "These words are a habit of the field, not law, and speak of all runs on the cohort together; the larger epsilon "
    "is, the more the measured attacks have to carry."
)
BELIEFS = to_tr(
    "The middle column holds against every attacker, also against one who knows everybody else. The last column is "
    "what the strongest accusations of this audit's attacks would be worth, at the worse end of what the data leave "
    "open; it speaks of these attacks only."
)

NOT_COVERED = to_tr(
    (
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
        (
            "What labels and file names mean. They are searched for identifiers; whether a label fits its image is "
            "not looked at, and what the order of the files or the numbers in each class say is told inside and not "
            "judged."
        ),
        "Whether the images are medically right. They are not for diagnosis.",
        "A legal conclusion. This page is evidence for the person who draws one.",
    )
)

GALLERY = to_tr(
    "Each pair shows a real image on the left and the synthetic image that comes nearest to it on the right. About "
    "half of the real images are of members; the others are of patients whom the generator never saw, and are here "
    "to calibrate you. Without turning to the key, tick the pairs that you would call the same patient."
)
GALLERY_AFTER = to_tr(
    "Then look at the key on the last page and count your ticks among members and among the others. Similar numbers "
    "mean that you saw anatomy, not a copy. {worry} more ticks among members than among the others would happen to a "
    "fair reviewer in fewer than one report in twenty: do not approve then, and have it looked into."
)
IDENTICAL = to_tr("These synthetic images are real ones")
IDENTICAL_WHY = to_tr(
    "Pixel for pixel, perhaps turned, mirrored, inverted or with another brightness. Each of them is a leak."
)
NO_GALLERY = to_tr("The pictures of this report are not here: REPORT/private/gallery.npz was deleted or not copied.")

VERIFY_INTERNAL = to_tr(
    "The cohort's ledger keeps the SHA-256 of audit.json, so that an edited report is found: privgan release judges "
    "again from audit.json and refuses one that the ledger does not know. privgan report draws these pages again."
)
NO_PROMISE_OUTSIDE = to_tr("Nothing: these images come without a claim of differential privacy.")
NOT_COVERED_OUTSIDE = to_tr(
    (
        "What is true of a group, and what many images share: text burned into them, a scanner's look.",
        "A person under several patient numbers without an image in common: each number is protected by itself.",
        "Attacks that nobody has invented yet, and by those who can read the hospital's machines.",
        "Whether labels fit their images, and whether these are medically right: they are not for diagnosis.",
        "A legal conclusion, which a person draws.",
    )
)
NOT_BOUGHT = to_tr(
    "Of what use the images are: to measure on patients how well something works that learned from them, and to tell "
    "outsiders, costs privacy and was not bought."
)
VERIFY_OUTSIDE = to_tr(
    "Offline, with the hospital's public key from the hospital itself: privgan verify BUNDLE --public-key NAME.pub, "
    "or sha256sum and openssl as the bundle's VERIFY.md says. The signatures cover this page."
)


def override(name: str) -> str:
    """What was switched off by an option, in a sentence or two."""
    why = EACH_IMAGE if name == EACH_IMAGE_IS_A_PATIENT else OVERRIDDEN
    return in_a_row((tr("Override: --{name} was given.", name=name), tr(why)))


def looser(line: str) -> str:
    """A threshold that refuses less than the default, from the policy's line about it."""
    return tr("Looser than the default policy: {line}.", line=retold(line))


def failed_before(entry: int) -> str:
    """The warning of an earlier FAIL, by its entry in the ledger."""
    return in_a_row((tr(FAILED_BEFORE), tr("Entry {entry} of the ledger.", entry=entry)))
