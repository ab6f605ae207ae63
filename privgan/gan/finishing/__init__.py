"""Learning from public images to finish what a warm start draws: for a prior, and again for the patients of a run."""
