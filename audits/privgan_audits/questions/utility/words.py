"""The sentences about what the images are good for."""

from privgan.language import to_tr

TITLE = to_tr("Is the synthetic set of use?")
INTRODUCTION = to_tr(
    "Privacy is worth its price only if the images still teach. A small network was trained three times, on real "
    "members, on synthetic images, and on both, and asked for the label of the patients who were held back."
)
WORTH = to_tr(
    "A classifier that learned from these images is right {synthetic} of the time on held-back patients; one that "
    "learned from real images, {real}; guessing, {guessing}."
)
USE = to_tr(
    {
        ("good"): (
            "Of good use: these images cover {coverage} of what other real ones cover, and {precision} as many of "
            "them look like a real one. They can stand for real images in what the numbers say; try the rest on "
            "real ones."
        ),
        ("limited"): (
            "Of limited use: these images cover {coverage} of what other real ones cover, and {precision} as many "
            "of them look like a real one. Good enough to build and try things out; what comes of it needs real "
            "images."
        ),
        ("poor"): (
            "Of poor use: these images cover {coverage} of what other real ones cover, and {precision} as many of "
            "them look like a real one. They will not stand for the patients' images."
        ),
        (
            "not known"
        ): "Of what use these images are is not known: there are too few real ones, or they differ too much.",
    }
)

REALISM = to_tr(
    "Told to separate real from synthetic images, a network is right {all} of the time on images that it never saw "
    "(a coin: 50 %; always told apart: 100 %), by shapes alone {shapes}. Two halves of the real patients it "
    "separates {halves} of the time. Faint grain that no eye sees is enough for 100 %."
)
OLDER = to_tr("the record is of an earlier version")
NO_REALISM = to_tr("Whether real and synthetic images can be told apart was not measured: {reason}.")
LIKENESS = to_tr(
    "Records: of pairs of columns the synthetic table is {mean} from the members' on average, at most {largest} "
    "({first} with {second}); the table of other real patients is {reference} (total variation: 0 is alike, 100 % "
    "shares nothing)."
)
SHOWING = to_tr(
    "Images and records belong together where a network that learned a column from members reads it off synthetic "
    "images as well as off real ones."
)
MARKS = to_tr(
    "The network that learned from synthetic images is right {synthetic} of the time on synthetic images that it "
    "never saw, {real} on real ones: {gap}. A large gap means that synthetic images carry a pattern of their class "
    "that real ones do not have."
)
INSIDE = to_tr(
    "These numbers are computed from held-back patients without noise and gate nothing: they stay inside. An "
    "interval speaks of other patients, not of another training."
)
TAUGHT = to_tr(
    "Tested on {patients} held-back patients, a network that learned from real members is right {real} of the time, "
    "one that learned from synthetic images {synthetic} (each class counting alike; guessing {guessing})."
)
CHANGED = to_tr(
    "Learning from synthetic instead of real images changes that by {gap}; adding synthetic to real ones, by {gain}."
)
ELSEWHERE = to_tr(
    "This speaks of a hospital with all of its patients. What the images add for one that has few of its own, it "
    "asks of its own held-back patients: `privgan augment`. The answers on public chest X-rays are in "
    "docs/results/uses.md."
)
VARIETY = to_tr(
    "Variety: {count} synthetic images show as much as {synthetic} entirely different ones; as many real images, as "
    "much as {real}. Almost alike with another one: {synthetic_alike} of the synthetic images, {real_alike} of the "
    "real ones. Mode collapse: {collapse}."
)
MEASURES = to_tr({"accuracy": "Accuracy", "balanced_accuracy": "Balanced accuracy", "auc": "AUC"})
NOT_MEASURED = to_tr("Not measured: {reason}.")
NO_TEACHING = to_tr("Whether the images teach was not measured: {reason}.")
SOURCES = to_tr({"real": "real members", "synthetic": "synthetic", "both": "both together"})
COLLAPSE = to_tr(
    {
        "partial": "The synthetic images show less variety than the real ones (partial mode collapse): some kinds of "
        "patients may be missing. Train longer, or with a smaller discriminator, before you rely on them.",
        "severe": "The synthetic images show a few pictures over and over (severe mode collapse): hardly of use.",
    }
)
FIDELITY = to_tr(
    {
        "precision": ("Precision", "share of synthetic images that look like some real one"),
        "recall": ("Recall", "share of real images that some synthetic one looks like"),
        "density": ("Density", "how much synthetic images crowd where real ones are; 1 is like real ones"),
        "coverage": ("Coverage", "share of real images that have a synthetic neighbour"),
        "frechet_distance": ("Frechet distance", "0 is alike; read beside other real patients"),
        "kernel_distance": ("Kernel distance", "0 is alike; may fall just below by chance"),
        "spectrum_distance": (
            "Spectrum distance",
            "0: as much coarse and fine detail as real images; 0.7: double or half as much",
        ),
    }
)
