"""NIfTI-1 volumes as research keeps them: nothing in them is trusted, and slices of them are images."""
