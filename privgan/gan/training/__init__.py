"""The training: what is asked of it, its runs, its steps and its saved state; real images end here."""
