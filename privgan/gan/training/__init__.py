"""The training: what is asked of it, its runs, its steps, its saved state, and the patients' side, where images end."""
