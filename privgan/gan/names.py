"""What may be chosen by name, apart from what is chosen: a wrong word is refused before anything heavy is loaded."""

CONV, MLP, AUTOENCODER = "conv", "mlp", "autoencoder"
NETWORKS = (CONV, MLP, AUTOENCODER)
NON_SATURATING, HINGE, WASSERSTEIN = "non-saturating", "hinge", "wasserstein"
LOSSES = (NON_SATURATING, HINGE, WASSERSTEIN)
AUTO = "auto"
SMALL_COHORT, BALANCED, LARGE_COHORT, SLICES = "small-cohort", "balanced", "large-cohort", "slices"
PRESETS = (SMALL_COHORT, BALANCED, LARGE_COHORT, SLICES)
DEVICES = (AUTO, "cpu", "cuda")
MOST_PROCESSES = 64  # that train together
