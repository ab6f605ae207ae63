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
