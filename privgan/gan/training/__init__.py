"""The training: what is asked of it, its runs, steps and saved state, and the patients' side, where images end."""
