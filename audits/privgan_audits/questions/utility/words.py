"""The sentences about what the images are good for."""

TITLE = "Is the synthetic set of use?"
INTRODUCTION = (
    "Privacy is worth its price only if the images still teach. A small network was trained three times, on real "
    "members, on synthetic images, and on both, and asked for the label of the patients who were held back."
)
WORTH = (
    "A classifier that learned from these images is right {} of the time on held-back patients; one that learned "
    "from real images, {}; guessing, {}."
)
USE = {
    "good": "Of good use: {}. They can stand for real images in what the numbers say; try the rest on real ones.",
    "limited": "Of limited use: {}. Good enough to build and try things out; what comes of it needs real images.",
    "poor": "Of poor use: {}. They will not stand for the patients' images.",
    "not known": "Of what use these images are is not known: there are too few real ones, or they differ too much.",
}
SHARES = "these images cover {} of what other real ones cover, and {} as many of them look like a real one"
REALISM = (
    "Told to separate real from synthetic images, a network is right {} of the time on images that it never saw "
    "(a coin: 50 %; always told apart: 100 %), by shapes alone {}. Two halves of the real patients it separates {} "
    "of the time. Faint grain that no eye sees is enough for 100 %."
)
OLDER = "the record is of an earlier version"
NO_REALISM = "Whether real and synthetic images can be told apart was not measured: {}."
MARKS = (
    "The network that learned from synthetic images is right {} of the time on synthetic images that it never saw, "
    "{} on real ones: {}. A large gap means that synthetic images carry a pattern of their class that real ones do "
    "not have."
)
INSIDE = (
    "These numbers are computed from held-back patients without noise and gate nothing: they stay inside. An "
    "interval speaks of other patients, not of another training."
)
NOT_MEASURED = "Not measured: {}."
NO_TEACHING = "Whether the images teach was not measured: {}."
SOURCES = {"real": "real members", "synthetic": "synthetic", "both": "both together"}
COLLAPSE = {
    "partial": "The synthetic images show less variety than the real ones (partial mode collapse): some kinds of "
    "patients may be missing. Train longer, or with a smaller discriminator, before you rely on them.",
    "severe": "The synthetic images show a few pictures over and over (severe mode collapse): hardly of use.",
}
FIDELITY = {
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
