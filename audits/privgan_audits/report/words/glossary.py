"""The words that a reader may meet for the first time."""

from privgan.language import to_tr

GLOSSARY = to_tr(
    (
        ("member", "A patient whose images the model was trained on."),
        ("non-member", "A patient of the same source who was held back by lot, for comparison only."),
        (
            "epsilon",
            (
                "How far the released images can move anyone's belief about one patient. 0: not at all. "
                "Each unit multiplies the odds by at most 2.72."
            ),
        ),
        ("delta", "The small chance that epsilon is left aside for; kept far below one in the number of members."),
        ("odds", "Chance for divided by chance against: one in a hundred is odds of 1 to 99."),
        ("patient-level", "The promise covers all images of a patient together, not each image by itself."),
        ("zero-out", "What is compared: the world with a patient's images, and the world where they are blanked."),
        (
            "AUC",
            (
                "Shown a member and a non-member, how often the attacker picks the member. 0.5 is a coin flip, "
                "1 is always. (Area under the curve of hits against false accusations.)"
            ),
        ),
        (
            "hits at 1 % false accusations",
            (
                "The share of members recognised when one in a hundred non-members is wrongly accused (TPR at 1 % "
                "FPR). Guessing gives 1 %."
            ),
        ),
        ("p-value", "How often chance alone would look at least this bad. 0.3 is ordinary; 0.001 is not."),
        (
            "limit of detection",
            (
                "The smallest number of different copied patients that this audit finds reliably (59 of 59 planted "
                "trials)."
            ),
        ),
        ("confidence bound", "The end of the range that the data leave open; PASS looks at the worse end."),
        ("ledger", "The cohort's account book: every look at its patients is charged before it happens."),
        ("embedding", "A list of numbers for an image in which alike images lie close together."),
        ("sensitivity, by class", "Of the patients who have the finding, the share that a classifier calls so."),
        (
            "balanced accuracy",
            "The mean of the sensitivities of all classes: a rare class counts as much as a common one.",
        ),
    )
)
