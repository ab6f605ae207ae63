"""A restorer applied to a hospital's own images: what comes out is patient data, and stays that."""
